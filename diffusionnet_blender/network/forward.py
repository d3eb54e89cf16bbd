"""The forward pass (paper 3 and 4), defined once for both engines.

Arrays are of one kind throughout, NumPy's or torch's; operations that the two spell differently are
methods of the engine. Pointwise operations are written for some rows at a time, see `rows`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from .architecture import Architecture
from .engine import Array, Engine
from .shape import Shape

# Below this, a learned time counts as no diffusion (the published implementation's floor).
SHORTEST_TIME = 1e-8
# Below this, exponentials are zero at any precision. Further down they are denormal numbers, on
# which matrix products run several times slower.
SMALLEST_EXPONENT = -40.0


def forward(
    architecture: Architecture,
    weights: Mapping[str, Array],
    shape: Shape,
    features: Array,
    engine: Engine,
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
    engine : Engine
    dropout : callable
        Applied before the linear layers of an MLP but its first; identity outside training.
    progress : callable
        Called with the fraction of blocks done; may raise to stop.

    Returns
    -------
    (..., n, outputs) array
        At vertices, edges or faces, or (..., outputs) for the whole shape.
    """
    if features.ndim > 2:
        members = [
            forward(architecture, weights, shape, member, engine, dropout, progress)
            for member in features
        ]
        return engine.stack(members)
    count = len(features)

    def layer(name: str, values: Array, width: int) -> Array:
        weight, bias = weights[f"{name}.weight"], weights[f"{name}.bias"]
        return engine.over_rows(
            count, width, lambda rows: engine.linear(values[rows], weight, bias)
        )

    x = layer("first", features, architecture.width)
    for index in range(architecture.blocks):
        progress(index / architecture.blocks)
        block = {
            name.partition(".")[2]: value
            for name, value in weights.items()
            if name.startswith(f"block_{index}.")
        }
        x = _block(architecture, block, shape, x, engine, dropout)
    x = layer("last", x, architecture.outputs)
    progress(1.0)
    if architecture.output_at == "shape":
        return shape.mass @ x / shape.mass.sum()
    if architecture.output_at == "vertices":
        return x
    return x[shape.corners].mean(1)


def mirrored_weights(weights: Mapping[str, Array]) -> dict[str, Array]:
    """Weights whose outputs on a shape are those of the given ones on its mirror image.

    Under a reflection all matrices stay but the imaginary half of the gradient, which changes its
    sign. With conj(G) in eq. 5, the matrix A has the effect that conj(A) has with G.
    """
    return {
        name: -value if name.endswith(".gradient_im") else value for name, value in weights.items()
    }


def _block(
    architecture: Architecture,
    weights: Mapping[str, Array],
    shape: Shape,
    x: Array,
    engine: Engine,
    dropout: Callable[[Array], Array],
) -> Array:
    """One DiffusionNet block (Figure 7) on (V, C): diffuse, take gradient features, mix, add."""
    diffused = x
    if architecture.diffusion != "none":
        diffused = _diffuse(architecture, weights["time"], shape, x, engine)
    gradient_features = _gradient_features(architecture, weights, shape, diffused, engine)

    def mixed(rows: slice) -> Array:
        y = engine.concatenate([x[rows], diffused[rows], *gradient_features(rows)])
        for layer in range(len(architecture.hidden_widths) + 1):
            if layer:
                y = dropout(engine.relu(y))
            y = engine.linear(y, weights[f"mlp_{layer}.weight"], weights[f"mlp_{layer}.bias"])
        return engine.add(y, x[rows])

    # Gradients reach beyond their own rows: their argument must not be overwritten.
    return engine.over_rows(len(x), architecture.width, mixed, into=None if diffused is x else x)


def _diffuse(
    architecture: Architecture, time: Array, shape: Shape, x: Array, engine: Engine
) -> Array:
    """Diffuse each channel of (V, C) for its learned time (C,) (eq. 2 or 4)."""
    time = engine.at_least(time, SHORTEST_TIME)
    if architecture.diffusion == "implicit":
        return engine.implicit_step(shape.implicit, x, time)
    spectrum = engine.sum_over_rows(
        len(x),
        lambda rows: (
            shape.eigenvectors[rows].T @ engine.multiply(x[rows], shape.mass[rows][:, None])
        ),
    )
    decay = engine.exp(engine.at_least(-shape.eigenvalues[:, None] * time, SMALLEST_EXPONENT))
    decayed = (decay * spectrum).T
    return engine.over_rows(
        len(x), architecture.width, lambda rows: engine.linear(shape.eigenvectors[rows], decayed)
    )


def _gradient_features(
    architecture: Architecture,
    weights: Mapping[str, Array],
    shape: Shape,
    x: Array,
    engine: Engine,
) -> Callable[[slice], list[Array]]:
    """Inner products of the channels' gradients after a learned transformation (eq. 5, 6).

    Returns a function from rows to a list of the (rows, C) features, empty where there are none.
    """
    if architecture.gradient == "none":
        return lambda rows: []
    rotation = None if architecture.gradient == "unlearned" else weights["gradient_re"]
    if architecture.gradient == "complex":
        # A acts on (real, imaginary) side by side as one real matrix.
        real, imaginary = rotation, weights["gradient_im"]
        upper, lower = engine.concatenate([real, -imaginary]), engine.concatenate([imaginary, real])
        rotation = engine.concatenate([upper.T, lower.T]).T

    def of_rows(rows: slice) -> list[Array]:
        gradient = engine.sparse_product(shape.gradient, x, rows)
        rotated = gradient
        if rotation is not None:
            rotated = engine.linear(gradient.reshape(-1, rotation.shape[1]), rotation)
        halves = (-1, 2, architecture.width)
        product = engine.multiply(gradient.reshape(halves), rotated.reshape(halves))
        return [engine.tanh(engine.add(product[:, 0], product[:, 1]))]

    return of_rows
