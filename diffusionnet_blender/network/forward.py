"""The forward pass (paper 3 and 4), defined once for both engines.

Arrays are of one kind throughout, NumPy's or torch's; what the two do not spell alike is asked
of the engine.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from .architecture import Architecture
from .shape import Array, Shape

# Below this, a learned time counts as no diffusion (the published implementation's floor).
SHORTEST_TIME = 1e-8
# What has decayed beyond this is gone at any precision. Left to decay further it becomes
# denormal numbers, on which matrix products run several times slower.
SMALLEST_EXPONENT = -40.0


def forward(
    architecture: Architecture,
    weights: Mapping[str, Array],
    shape: Shape,
    features: Array,
    engine,
    dropout: Callable[[Array], Array] = lambda values: values,
    progress: Callable[[float], None] = lambda fraction: None,
) -> Array:
    """Outputs of the network, before any softmax.

    Parameters
    ----------
    architecture : Architecture
    weights : mapping of str to array
        As `Architecture.weight_shapes` lists them.
    shape : Shape
    features : (..., V, inputs) array
        Leading axes are a batch on the one shape.
    engine : NumpyEngine or TorchEngine
    dropout : callable
        Applied before the linear layers of an MLP but its first; identity outside training.
    progress : callable
        Called with the fraction of blocks done; may raise to stop.

    Returns
    -------
    (..., n, outputs) array
        At vertices, edges or faces, or (..., outputs) for the whole shape.
    """
    x = _linear(features, weights["first.weight"], weights["first.bias"])
    for index in range(architecture.blocks):
        progress(index / architecture.blocks)
        block = {
            name.partition(".")[2]: value
            for name, value in weights.items()
            if name.startswith(f"block_{index}.")
        }
        x = _block(architecture, block, shape, x, engine, dropout)
    x = _linear(x, weights["last.weight"], weights["last.bias"])
    progress(1.0)
    if architecture.output_at == "shape":
        return shape.mass @ x / shape.mass.sum()
    if architecture.output_at == "vertices":
        return x
    return x[..., shape.corners, :].mean(-2)


def _block(architecture, weights, shape, x, engine, dropout):
    """One DiffusionNet block (Figure 7): diffuse, take gradient features, mix pointwise, add."""
    diffused = _diffuse(architecture, weights["time"], shape, x, engine)
    pieces = [x, diffused]
    if architecture.gradient != "none":
        pieces.append(_gradient_features(weights, shape, diffused, engine))
    mixed = engine.concatenate(pieces)
    layers = len(architecture.mlp_widths) + 1
    for layer in range(layers):
        if layer:
            mixed = dropout(engine.relu(mixed))
        mixed = _linear(mixed, weights[f"mlp_{layer}.weight"], weights[f"mlp_{layer}.bias"])
    return x + mixed


def _diffuse(architecture, time, shape, x, engine):
    """Diffuse each channel for its learned time (eq. 2 or 4)."""
    time = engine.at_least(time, SHORTEST_TIME)
    if architecture.diffusion == "implicit":
        return _each_member(lambda u: engine.implicit_step(shape.implicit, u, time), x, engine)
    spectrum = shape.eigenvectors.T @ (x * shape.mass[:, None])
    decay = engine.exp(engine.at_least(-shape.eigenvalues[:, None] * time, SMALLEST_EXPONENT))
    return shape.eigenvectors @ (decay * spectrum)


def _gradient_features(weights, shape, x, engine):
    """Inner products of the channels' gradients after a learned transformation (eq. 5, 6)."""
    both = _each_member(lambda u: engine.sparse_product(shape.gradient, u), x, engine)
    half = both.shape[-2] // 2
    real, imaginary = both[..., :half, :], both[..., half:, :]
    rotated_real = real @ weights["gradient_re"].T
    rotated_imaginary = imaginary @ weights["gradient_re"].T
    if "gradient_im" in weights:
        rotated_real = rotated_real - imaginary @ weights["gradient_im"].T
        rotated_imaginary = rotated_imaginary + real @ weights["gradient_im"].T
    return engine.tanh(real * rotated_real + imaginary * rotated_imaginary)


def _each_member(apply, x, engine):
    """Apply a function of (V, C) to each member of a batch (..., V, C)."""
    if x.ndim == 2:
        return apply(x)
    return engine.stack([_each_member(apply, member, engine) for member in x])


def _linear(x, weight, bias):
    return x @ weight.T + bias
