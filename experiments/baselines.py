"""Plain networks beside DiffusionNet, of as many weights: each vertex sees its neighbours along the
edges, or all vertices of the shape at once.

Each block is that of Figure 7 with something else in place of diffused values and gradient
features: both matrices and the MLP have the same sizes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import torch

from diffusionnet_blender.network.architecture import Architecture
from diffusionnet_blender.network.module import DiffusionNet
from diffusionnet_blender.network.shape import Shape
from diffusionnet_blender.network.torch_engine import TorchEngine

from .course import Weights

# Neighbours of most vertices: sums over them stay of the size of one.
VALENCE = 6.0


class PlainNetwork(DiffusionNet):
    """Blocks of pointwise MLPs with two further inputs, which a kind of network defines.

    Parameters
    ----------
    architecture : Architecture
        Its diffusion is left out, and A's halves are two matrices.
    engine : TorchEngine
    weights : dict of str to array, optional
    """

    def __init__(self, architecture: Architecture, engine: TorchEngine, weights: Weights | None):
        plain = replace(architecture, diffusion="none", gradient="complex")
        super().__init__(plain, engine, weights)

    def gather(self, shape: Shape) -> Callable[[torch.Tensor], torch.Tensor]:
        """The function from values (V, C) to what each vertex sees of the others, (V, C)."""
        raise NotImplementedError

    def forward(self, shape: Shape, features: torch.Tensor) -> torch.Tensor:
        """Outputs (V, C) before any softmax."""
        weights, architecture = self.named_weights(), self.architecture
        gather = self.gather(shape)

        def linear(name: str, values: torch.Tensor) -> torch.Tensor:
            return torch.nn.functional.linear(
                values, weights[f"{name}.weight"], weights[f"{name}.bias"]
            )

        x = linear("first", features)
        for index in range(architecture.blocks):
            block = f"block_{index}"
            near = torch.relu(gather(x @ weights[f"{block}.gradient_re"].T))
            far = torch.relu(gather(near @ weights[f"{block}.gradient_im"].T))
            y = torch.cat([x, near, far], dim=1)
            for layer in range(len(architecture.hidden_widths) + 1):
                if layer:
                    y = torch.nn.functional.dropout(
                        torch.relu(y), architecture.dropout, self.training
                    )
                y = linear(f"{block}.mlp_{layer}", y)
            x = x + y
        return linear("last", x)


class GraphNetwork(PlainNetwork):
    """Graph convolutions, two a block: sums over neighbours along edges (Morris et al. 2019)."""

    def gather(self, shape: Shape) -> Callable[[torch.Tensor], torch.Tensor]:
        """Sums over neighbours."""
        # Rows of the gradient's halves take turns and have an entry for each neighbour.
        matrix = shape.gradient.whole
        count = matrix.shape[1]
        starts, columns = matrix.crow_indices(), matrix.col_indices()
        row = torch.repeat_interleave(torch.arange(2 * count, device=columns.device), starts.diff())
        chosen = (row % 2 == 0) & (row // 2 != columns)
        vertex, neighbour = row[chosen] // 2, columns[chosen]

        def sums(values: torch.Tensor) -> torch.Tensor:
            return torch.zeros_like(values).index_add(0, vertex, values[neighbour]) / VALENCE

        return sums


class PointNetwork(PlainNetwork):
    """An MLP at each point and the maximum over all points (PointNet, Qi et al. 2017)."""

    def gather(self, shape: Shape) -> Callable[[torch.Tensor], torch.Tensor]:
        """The maximum of each channel, at every point."""
        return lambda values: values.max(dim=0, keepdim=True).values.expand_as(values)
