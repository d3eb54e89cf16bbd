"""DiffusionNet as a torch module: the same forward pass, with trainable weights."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch

from .architecture import Architecture
from .forward import forward
from .shape import Shape
from .torch_engine import TorchEngine

# Diffusion times start log-uniform on this interval, so that every channel sees another scale
# from the first step on; all starting near zero, left and right were learned far later.
START_TIMES = (1e-4, 1.0)


class DiffusionNet(torch.nn.Module):
    """A DiffusionNet (paper 4) with fresh weights, or with given ones.

    Parameters
    ----------
    architecture : Architecture
    engine : TorchEngine
    weights : mapping of str to array, optional
        As `Architecture.weight_shapes` lists them; by default drawn from torch's generator.
    """

    def __init__(
        self,
        architecture: Architecture,
        engine: TorchEngine,
        weights: Mapping[str, np.ndarray] | None = None,
    ) -> None:
        super().__init__()
        self.architecture, self.engine = architecture, engine
        if weights is None:
            weights = fresh_weights(architecture)
        architecture.check(weights)
        # Parameter names cannot hold dots; `named_weights` gives the real ones.
        self._weights = torch.nn.ParameterDict(
            {
                name.replace(".", "/"): torch.nn.Parameter(engine.array(value))
                for name, value in weights.items()
            }
        )

    def named_weights(self) -> dict[str, torch.nn.Parameter]:
        """The weights under the names of `Architecture.weight_shapes`."""
        return {name.replace("/", "."): value for name, value in self._weights.items()}

    def keep_times_positive(self) -> None:
        """Lift diffusion times that a training step took below zero."""
        with torch.no_grad():
            for name, value in self.named_weights().items():
                if name.endswith(".time"):
                    value.clamp_(min=1e-8)

    def forward(self, shape: Shape, features: torch.Tensor) -> torch.Tensor:
        """Outputs before any softmax; see `forward.forward`."""
        rate = self.architecture.dropout
        return forward(
            self.architecture,
            self.named_weights(),
            shape,
            features,
            self.engine,
            dropout=lambda x: torch.nn.functional.dropout(x, rate, self.training),
        )


def fresh_weights(architecture: Architecture) -> dict[str, np.ndarray]:
    """Weights to start from, drawn from torch's generator.

    Linear layers uniformly within 1 / sqrt(inputs), diffusion times log-uniformly on
    `START_TIMES`.
    """
    weights = {}
    shapes = architecture.weight_shapes()
    for name, shape in shapes.items():
        if name.endswith(".time"):
            low, high = np.log(START_TIMES)
            value = torch.exp(low + (high - low) * torch.rand(shape))
        else:
            fan_in = shapes[name.replace(".bias", ".weight")][1]
            value = (2.0 * torch.rand(shape) - 1.0) / np.sqrt(fan_in)
        weights[name] = value.numpy()
    return weights
