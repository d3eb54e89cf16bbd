"""A mesh on which each vertex has the probabilities of the parts of a body."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse

from ...surface.factorisation import Factorisation
from ...surface.laplacian import laplacian_and_mass
from ...surface.winding import vertex_normals

# Times of the diffusion of parts on a surface of unit area: for borders, the noise of single
# vertices goes; for the blend between two limbs, a joint is as wide as a wrist.
SHARP, SOFT = 2e-4, 1.5e-3


@dataclass(frozen=True, eq=False)
class PartedMesh:
    """A mesh in the upright frame of its figure, with the parts of a body.

    Attributes
    ----------
    vertices : (V, 3) float64
        +x to the left of the figure, +y to its back, +z up; at unit area.
    faces : (F, 3) int64
    mass : (V,) float64
        Adds up to 1.
    normals : (V, 3) float64
    names : tuple of C str
        Parts, with ``.L`` and ``.R`` for the figure's own left and right.
    parts : (V, C) float64
        Probabilities, rows add up to 1.
    blend : (V, C) float64
        The same, diffused further.
    hair, accessory : (V,) float64
        Probabilities that a vertex is no body but hair, or something like a hat.
    """

    vertices: np.ndarray
    faces: np.ndarray
    mass: np.ndarray
    normals: np.ndarray
    names: tuple[str, ...]
    parts: np.ndarray
    blend: np.ndarray
    hair: np.ndarray
    accessory: np.ndarray

    @property
    def height(self) -> float:
        """Extent along the vertical, in units of the square root of the area."""
        return float(np.ptp(self.vertices[:, 2]))

    def part(self, names: Sequence[str], soft: bool = False) -> np.ndarray:
        """Probability (V,) that a vertex is one of some parts."""
        columns = [self.names.index(name) for name in names]
        return (self.blend if soft else self.parts)[:, columns].sum(axis=1)

    def moved_to(self, vertices: np.ndarray) -> PartedMesh:
        """The same mesh with its vertices elsewhere, (V, 3)."""
        return replace(self, vertices=vertices, normals=vertex_normals(vertices, self.faces))


def parted_mesh(
    vertices: np.ndarray,
    faces: np.ndarray,
    probabilities: np.ndarray,
    names: Sequence[str],
    frame: np.ndarray,
    hair: np.ndarray | float = 0.0,
    accessory: np.ndarray | float = 0.0,
) -> PartedMesh:
    """A mesh with parts, brought into its frame.

    Parameters
    ----------
    vertices : (V, 3) float
        In any unit.
    faces : (F, 3) int
    probabilities : (V, C) float
    names : sequence of C str
    frame : (3, 3) float
        Rows: the directions to the left of the figure, to its back, and up.
    hair, accessory : (V,) float, optional
        By default nothing is either.
    """
    upright = np.asarray(vertices, float) @ np.asarray(frame, float).T
    laplacian, mass = laplacian_and_mass(upright, faces)
    area = mass.sum()

    def diffused(time: float) -> np.ndarray:
        step = Factorisation(sparse.diags(mass) + time * area * laplacian, definite=True)
        values = np.maximum(step.solve(mass[:, None] * probabilities.astype(float)), 0.0)
        return values / np.maximum(values.sum(axis=1, keepdims=True), np.finfo(float).tiny)

    return PartedMesh(
        vertices=upright / np.sqrt(area),
        faces=faces,
        mass=mass / area,
        normals=vertex_normals(upright, faces),
        names=tuple(names),
        parts=diffused(SHARP),
        blend=diffused(SOFT),
        hair=np.broadcast_to(hair, len(upright)),
        accessory=np.broadcast_to(accessory, len(upright)),
    )
