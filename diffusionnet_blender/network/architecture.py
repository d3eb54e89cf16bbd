"""Architecture of a DiffusionNet: the options of the paper, and names and shapes of its weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from ..errors import ModelError

Diffusion = Literal["spectral", "implicit", "none"]
Gradient = Literal["complex", "real", "unlearned", "none"]
OutputAt = Literal["vertices", "edges", "faces", "shape"]
# Far above any network of the paper, and far below what would fill a memory by a number alone.
MOST_CHANNELS = 16384
MOST_LAYERS = 256
_CHOICES = {
    "diffusion": ("spectral", "implicit", "none"),
    "gradient": ("complex", "real", "unlearned", "none"),
    "output_at": ("vertices", "edges", "faces", "shape"),
}


@dataclass(frozen=True)
class Architecture:
    """A DiffusionNet (paper 4, Figure 7).

    Attributes
    ----------
    inputs, outputs : int
        Channels in and out.
    width : int
        Channels throughout the blocks.
    blocks : int
    mlp_widths : tuple of int, optional
        Hidden widths of the MLP of each block; by default twice `width`.
    dropout : float
        Probability, before each linear layer of an MLP but its first; in training only.
    diffusion : {"spectral", "implicit", "none"}
        In the eigenbasis (3.3.2), by one implicit Euler step (3.3.1), or none (Table 7).
    gradient : {"complex", "real", "unlearned", "none"}
        Spatial gradient features with a complex or a real matrix A (eq. 6), without A, or none
        (Table 7).
    output_at : {"vertices", "edges", "faces", "shape"}
        Averages of the vertices around; "shape" is the area-weighted mean.

    Raises
    ------
    ModelError
        If a value is not among the listed ones, of another type, or beyond any sense.
    """

    inputs: int
    outputs: int
    width: int = 128
    blocks: int = 4
    mlp_widths: tuple[int, ...] | None = None
    dropout: float = 0.0
    diffusion: Diffusion = "spectral"
    gradient: Gradient = "complex"
    output_at: OutputAt = "vertices"

    def __post_init__(self) -> None:
        for name, choices in _CHOICES.items():
            if getattr(self, name) not in choices:
                raise ModelError(
                    f"{name} is {getattr(self, name)!r:.50}", f"Choose one of {', '.join(choices)}."
                )
        widths = (self.width, self.width) if self.mlp_widths is None else self.mlp_widths
        if not isinstance(widths, list | tuple) or len(widths) > MOST_LAYERS:
            raise ModelError(
                f"mlp_widths is {widths!r:.50}", f"Give a list of at most {MOST_LAYERS} widths."
            )
        object.__setattr__(self, "mlp_widths", tuple(widths))
        sizes = (self.inputs, self.outputs, self.width, self.blocks, *widths)
        if any(type(size) is not int or not 1 <= size <= MOST_CHANNELS for size in sizes):
            raise ModelError(
                f"Sizes of a network are {sizes!r:.200}",
                f"Give whole numbers from 1 to {MOST_CHANNELS}.",
            )
        if self.blocks > MOST_LAYERS:
            raise ModelError(f"blocks is {self.blocks}", f"Give at most {MOST_LAYERS}.")
        if type(self.dropout) not in (int, float) or not 0.0 <= self.dropout < 1.0:
            raise ModelError(f"dropout is {self.dropout!r:.50}", "Give a probability below 1.")

    @property
    def hidden_widths(self) -> tuple[int, ...]:
        """Hidden widths of the MLP of each block."""
        return self.mlp_widths or ()

    def weight_shapes(self) -> dict[str, tuple[int, ...]]:
        """Name and shape of every weight.

        Linear layers are stored (out, in). `block_I.time` is the diffusion time of each
        channel, `block_I.gradient_re` and `_im` the halves of A.
        """
        shapes: dict[str, tuple[int, ...]] = {
            "first.weight": (self.width, self.inputs),
            "first.bias": (self.width,),
        }
        pieces = 2 if self.gradient == "none" else 3
        for index in range(self.blocks):
            block = f"block_{index}"
            if self.diffusion != "none":
                shapes[f"{block}.time"] = (self.width,)
            if self.gradient in ("complex", "real"):
                shapes[f"{block}.gradient_re"] = (self.width, self.width)
            if self.gradient == "complex":
                shapes[f"{block}.gradient_im"] = (self.width, self.width)
            widths = (pieces * self.width, *self.hidden_widths, self.width)
            for layer, (into, out) in enumerate(zip(widths[:-1], widths[1:], strict=True)):
                shapes[f"{block}.mlp_{layer}.weight"] = (out, into)
                shapes[f"{block}.mlp_{layer}.bias"] = (out,)
        shapes["last.weight"] = (self.outputs, self.width)
        shapes["last.bias"] = (self.outputs,)
        return shapes

    def check(self, weights: Mapping[str, Any]) -> None:
        """Raise ModelError unless the weights are those of this network."""
        expected = self.weight_shapes()
        lacking, foreign = expected.keys() - weights.keys(), weights.keys() - expected.keys()
        if lacking or foreign:
            named = ", ".join(sorted(lacking)[:3] or sorted(foreign)[:3])
            raise ModelError(
                f"The weights are of another network than the card says "
                f"({len(lacking)} missing, {len(foreign)} unknown: {named})",
                "Keep each .safetensors file with the .json card it came with.",
            )
        for name, shape in expected.items():
            if tuple(weights[name].shape) != shape:
                raise ModelError(
                    f"Weight {name} has shape {tuple(weights[name].shape)}, the card says {shape}",
                    "Keep each .safetensors file with the .json card it came with.",
                )
