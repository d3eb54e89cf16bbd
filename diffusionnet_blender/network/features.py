"""Input features of the network at the vertices of a shape (paper 4.1), in one table.

Free of SciPy: model cards, which the panels read, check their inputs by it.

All are the same however a shape is turned, but for `xyz` and `frame`. The latter is relative to the
upright frame of a figure, +x to its left, -y to its front and +z up, and zero where no such frame
is known: one network then has a view of a figure that stands upright, and one that no rotation
changes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..surface.integral_invariants import CHANNELS, integral_invariants
from ..surface.signatures import (
    HKS_TIMES,
    WKS_ENERGIES,
    heat_kernel_signature,
    wave_kernel_signature,
)

if TYPE_CHECKING:
    from ..surface.discretization import Discretization


@dataclass(frozen=True)
class Feature:
    """One input of the network.

    Attributes
    ----------
    name : str
        As cards spell it.
    width : int
        Channels.
    compute : callable
        From a Discretization to a (V, width) float array.
    sees_pose : bool
        Whether it is computed from the positions of a pose where the matrices are those of a rest
        shape. All others are computed at rest, as the matrices are.
    mirror_invariant : bool
        Whether the mirror image of a shape has the same values, so that a network may be evaluated
        on both at the cost of other weights (`forward.mirrored_weights`). Those of no frame have.
    published : bool
        Whether the published implementation has it, with as many channels.
    """

    name: str
    width: int
    compute: Callable[[Discretization], np.ndarray]
    sees_pose: bool = False
    mirror_invariant: bool = True
    published: bool = False


def _positions(shape: Discretization) -> np.ndarray:
    """Coordinates in the unit sphere, (V, 3)."""
    return shape.vertices


def _heat_kernel(shape: Discretization) -> np.ndarray:
    """Heat kernel signature, (V, 16)."""
    return heat_kernel_signature(shape.eigenvalues, shape.eigenvectors)


def _wave_kernel(shape: Discretization) -> np.ndarray:
    """Wave kernel signature, (V, 16)."""
    return wave_kernel_signature(shape.eigenvalues, shape.eigenvectors)


def _integral(shape: Discretization) -> np.ndarray:
    """Integral invariants, (V, 24)."""
    return integral_invariants(shape.vertices, shape.mass, normals_of_frames(shape))


def _no_frame(shape: Discretization) -> np.ndarray:
    """Zeros, (V, 6): see `with_frame`."""
    return np.zeros((len(shape.vertices), 6), np.float32)


FRAME = "frame"
FEATURES = {
    feature.name: feature
    for feature in (
        Feature("xyz", 3, _positions, sees_pose=True, mirror_invariant=False, published=True),
        Feature("hks", len(HKS_TIMES), _heat_kernel, published=True),
        Feature("wks", WKS_ENERGIES, _wave_kernel),
        Feature("integral", CHANNELS, _integral),
        Feature(FRAME, 6, _no_frame),
    )
}


def input_width(names: Iterable[str]) -> int:
    """Channels of some features side by side."""
    return sum(FEATURES[name].width for name in names)


def input_features(discretization: Discretization, names: Iterable[str]) -> np.ndarray:
    """Features side by side.

    Parameters
    ----------
    discretization : Discretization
    names : iterable of str
        Keys of `FEATURES`.

    Returns
    -------
    (V, C) float32
    """
    columns = [FEATURES[name].compute(discretization) for name in names]
    return np.concatenate(columns, axis=1).astype(np.float32)


def with_frame(
    features: np.ndarray,
    discretization: Discretization,
    names: Iterable[str],
    frame: np.ndarray,
) -> np.ndarray:
    """The same features with positions and normals in a frame in place of `frame`.

    Parameters
    ----------
    features : (V, C) float32
        Of `input_features`.
    discretization : Discretization
    names : iterable of str
        Keys of `FEATURES`, `frame` among them.
    frame : (3, 3) float
        Rows: the directions to the left of the figure, to its back, and up.

    Returns
    -------
    (V, C) float32
    """
    before = input_width(list(names)[: list(names).index(FRAME)])
    framed = features.copy()
    framed[:, before : before + 3] = discretization.vertices @ frame.T
    framed[:, before + 3 : before + 6] = normals_of_frames(discretization) @ frame.T
    return framed


def normals_of_frames(discretization: Discretization) -> np.ndarray:
    """Unit normals (V, 3) of the tangent frames, of meshes and point clouds alike.

    The gradients of the three coordinates along the two axes of a frame are the axes themselves.
    """
    vertices = discretization.vertices
    normals = np.cross(discretization.gradient_x @ vertices, discretization.gradient_y @ vertices)
    length = np.linalg.norm(normals, axis=1, keepdims=True)
    return normals / np.maximum(length, np.finfo(np.float32).tiny)
