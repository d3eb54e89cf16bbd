"""Engine and device of a network: options that several tasks share."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ..options import option


@dataclass(frozen=True, kw_only=True)
class OnDevice:
    """A request whose computation may run in PyTorch.

    Attributes
    ----------
    device : str
        "auto", "cpu", "cuda", "mps", "xpu", or any other name of a device in torch.
    """

    device: str = option(
        "auto",
        "Device",
        "Device that runs the network with PyTorch",
        choices=(
            ("auto", "Automatic", "Graphics card if PyTorch supports it, else the CPU"),
            ("cpu", "CPU", "Processor"),
            ("cuda", "CUDA", "NVIDIA graphics cards, and AMD ones through ROCm"),
            ("mps", "Metal", "Apple graphics processors"),
            ("xpu", "XPU", "Intel graphics cards"),
        ),
    )


@dataclass(frozen=True, kw_only=True)
class Compute(OnDevice):
    """A request that runs a trained network.

    Attributes
    ----------
    engine : {"auto", "torch", "numpy"}
    model_folders : tuple of Path
        The user's libraries, in which models are found by name.
    """

    engine: str = option(
        "auto",
        "Engine",
        "Library that runs the network",
        choices=(
            ("auto", "Automatic", "PyTorch if it is installed, else NumPy"),
            ("torch", "PyTorch", "Needs PyTorch in Blender's Python or in the environment"),
            ("numpy", "NumPy", "Always available, on the CPU"),
        ),
    )
    model_folders: tuple[Path, ...] = ()
