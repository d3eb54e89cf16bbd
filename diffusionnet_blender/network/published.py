"""Checkpoints of the published implementation (.pth), read without running any pickle."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from ..errors import DeviceError, ModelError
from .architecture import Architecture, Diffusion, OutputAt
from .checkpoint import require_finite

_RENAMED = (
    (r"^(first|last)_lin\.", r"\1."),
    (r"\.diffusion\.diffusion_time$", ".time"),
    (r"\.gradient_features\.A_re\.weight$", ".gradient_re"),
    (r"\.gradient_features\.A_im\.weight$", ".gradient_im"),
    (r"\.gradient_features\.A\.weight$", ".gradient_re"),
)
_MLP_LAYER = re.compile(r"\.mlp\.miniMLP_mlp_layer_(\d+)\.")


def read_published(path: Path) -> dict[str, np.ndarray]:
    """Tensors of a published .pth file under their published names.

    Parameters
    ----------
    path : Path

    Raises
    ------
    ModelError
        If it is no torch file, or holds anything but plain, dense tensors of finite floats.
    DeviceError
        If torch is not installed: the format is torch's own.
    """
    try:
        import torch
    except ImportError as error:
        raise DeviceError(
            "Importing a .pth file needs torch, which is not installed here",
            "Import it once where torch is installed; the saved model then runs without.",
        ) from error
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError as error:
        raise ModelError(f"There is no file {path}", "Check the path.") from error
    # A damaged file makes errors of many kinds in torch.
    except Exception as error:
        raise ModelError(
            f"{Path(path).name} is damaged or holds more than plain tensors, so it is not opened",
            "Use a file that was saved with torch.save(model.state_dict(), ...).",
        ) from error
    if not isinstance(state, Mapping) or not all(
        isinstance(name, str) and torch.is_tensor(value) for name, value in state.items()
    ):
        raise ModelError(
            f"{Path(path).name} holds more than plain tensors",
            "Use a file that was saved with torch.save(model.state_dict(), ...).",
        )
    for name, value in state.items():
        if value.layout != torch.strided or value.is_quantized or value.is_meta:
            kind = "quantized" if value.is_quantized else "without values"
            kind = "sparse" if value.layout != torch.strided else kind
            raise ModelError(
                f"The tensor {name} of {Path(path).name} is {kind}",
                "Save it as a dense tensor of float32.",
            )
        if not value.is_floating_point():
            raise ModelError(
                f"The tensor {name} of {Path(path).name} is of type {value.dtype}",
                "Save it as float32.",
            )
    # Parameters, too, are tensors, once they are detached from their gradient.
    tensors = {name: value.detach().float().numpy() for name, value in state.items()}
    require_finite(tensors, f"of {Path(path).name}")
    return tensors


def rename_published(tensors: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Weights of a published network under this project's names."""
    renamed = {}
    for name, tensor in tensors.items():
        for pattern, replacement in _RENAMED:
            name = re.sub(pattern, replacement, name)
        name = _MLP_LAYER.sub(lambda found: f".mlp_{int(found[1])}.", name)
        renamed[name] = tensor
    return renamed


def architecture_of(
    weights: Mapping[str, np.ndarray], output_at: OutputAt, diffusion: Diffusion = "spectral"
) -> Architecture:
    """Architecture of a network by the shapes of its weights, and options that these leave open.

    Parameters
    ----------
    weights : mapping
        Under this project's names.
    output_at : {"vertices", "edges", "faces", "shape"}
    diffusion : {"spectral", "implicit"}

    Raises
    ------
    ModelError
        If they are not the weights of a DiffusionNet.
    """
    try:
        width, inputs = weights["first.weight"].shape
        layers = len([name for name in weights if re.fullmatch(r"block_0\.mlp_\d+\.weight", name)])
        hidden = [weights[f"block_0.mlp_{i}.weight"].shape[0] for i in range(layers - 1)]
        architecture = Architecture(
            inputs=inputs,
            outputs=len(weights["last.bias"]),
            width=width,
            blocks=len({n.split(".")[0] for n in weights if n.startswith("block_")}),
            mlp_widths=tuple(hidden),
            diffusion=diffusion,
            gradient="complex"
            if "block_0.gradient_im" in weights
            else "real"
            if "block_0.gradient_re" in weights
            else "none",
            output_at=output_at,
        )
    except (KeyError, ValueError, TypeError, IndexError) as error:
        raise ModelError(
            f"These are not the weights of a DiffusionNet ({error})",
            "Import a state_dict of the published diffusion_net package.",
        ) from error
    architecture.check(weights)
    return architecture
