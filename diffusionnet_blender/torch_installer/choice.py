"""Variant and index of PyTorch, stored in the preferences."""

import sys
from dataclasses import dataclass
from pathlib import Path

import bpy
from bpy.props import EnumProperty, PointerProperty, StringProperty

from .. import extras
from ..folders import user_folder
from .install import torch_folder


class DIFFUSIONNET_PG_torch(bpy.types.PropertyGroup):
    """Variant and index, stored in the preferences."""

    variant: EnumProperty(
        name="Variant",
        description="Build of PyTorch to install and use",
        items=(
            ("cpu", "CPU", "For the processor, and for the graphics processor of a Mac"),
            ("cuda", "CUDA", "For NVIDIA graphics cards; about 3 GB to download"),
            ("rocm", "ROCm", "For AMD graphics cards; several GB to download"),
        ),
        default="cuda" if sys.platform == "linux" else "cpu",
    )
    index: StringProperty(
        name="Index",
        description="Package index of PyTorch builds: an address from PyTorch's installation "
        "page, or a folder of wheels. Empty: pip's default, with the CUDA build on "
        "Linux and the CPU build on other systems",
    )


@dataclass(frozen=True)
class TorchChoice:
    """A variant of PyTorch in the extension's own folder, installed or not.

    Attributes
    ----------
    root : Path
        Folder of all variants.
    variant : str
    index : str
    """

    root: Path
    variant: str
    index: str

    @property
    def folder(self) -> Path:
        """Folder of the variant."""
        return torch_folder(self.root, self.variant)

    @property
    def installed(self) -> bool:
        """Whether it is installed."""
        return self.folder.is_dir()


def torch_choice() -> TorchChoice:
    """The choice of the preferences; the CPU build where the package is no extension."""
    stored = extras.stored()
    return TorchChoice(
        root=user_folder("torch"),
        variant=stored.torch.variant if stored else "cpu",
        index=stored.torch.index.strip() if stored else "",
    )


def installed_folder() -> Path | None:
    """Folder of the chosen variant; None if it is not installed."""
    choice = torch_choice()
    return choice.folder if choice.installed else None


def register() -> None:
    """Add it to the preferences."""
    extras.DIFFUSIONNET_PG_extras.torch = PointerProperty(type=DIFFUSIONNET_PG_torch)


def unregister() -> None:
    """Take it back."""
    del extras.DIFFUSIONNET_PG_extras.torch


CLASSES = (DIFFUSIONNET_PG_torch,)
