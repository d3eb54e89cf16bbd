"""Direct implicit diffusion (paper 3.3.1), by sparse factorisation."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from scipy import sparse

from ..errors import SurfaceError
from ..surface.factorisation import Factorisation

# Times from one factorised time to the next: a factor solves at most its root away from its own
# time, where conjugate gradients gain about a digit a step.
ANCHOR_RATIO = 4.0
# Of the right-hand side, in the norm of the preconditioner.
TOLERANCE = 1e-10
MOST_STEPS = 200


@dataclass(frozen=True, eq=False)
class ImplicitDiffusion:
    """One implicit Euler step, h_t(u) = (M + t L)^-1 M u (eq. 2), in double precision.

    Every channel has its own time and so its own matrix. Only those of a few anchor times, a fixed
    ratio apart, are factorised, once for the shape; the other channels are solved by conjugate
    gradients with the nearest anchor for a preconditioner, all channels of an anchor at once. Two
    such matrices are alike within the ratio of their times, so a dozen steps are exact.

    Attributes
    ----------
    laplacian : (V, V) sparse
    mass : (V,) float
    """

    laplacian: sparse.spmatrix
    mass: np.ndarray
    _factors: dict[int, Factorisation] = field(default_factory=dict, init=False, repr=False)

    def __call__(self, u: np.ndarray, times: np.ndarray) -> np.ndarray:
        """Diffuse (V, C) for times (C,)."""
        return self.solve(self.mass[:, None] * u, times)

    def solve(self, right: np.ndarray, times: np.ndarray) -> np.ndarray:
        """(M + t_c L)^-1 applied to each column (V, C).

        Raises
        ------
        SurfaceError
            If the Laplacian is too ill-conditioned.
        """
        right, times = np.asarray(right, dtype=np.float64), np.asarray(times, dtype=np.float64)
        solved = np.empty(right.shape)
        anchors = np.rint(np.log(times) / np.log(ANCHOR_RATIO)).astype(int)
        for anchor in np.unique(anchors):
            columns = np.flatnonzero(anchors == anchor)
            solved[:, columns] = self._conjugate_gradients(
                right[:, columns], times[columns], anchor
            )
        return solved

    def _factor(self, anchor: int) -> Factorisation:
        if anchor not in self._factors:
            mass = sparse.diags(self.mass.astype(np.float64))
            matrix = (mass + ANCHOR_RATIO**anchor * self.laplacian.astype(np.float64)).tocsr()
            try:
                self._factors[anchor] = Factorisation(matrix)
            except ArithmeticError as error:
                raise _ill_conditioned() from error
        return self._factors[anchor]

    def _conjugate_gradients(self, right: np.ndarray, times: np.ndarray, anchor: int) -> np.ndarray:
        """Solutions (V, n) for n right-hand sides and times (n,), preconditioned by one anchor."""
        precondition = self._factor(anchor).solve
        mass = self.mass.astype(np.float64)[:, None]
        solved = np.zeros_like(right)
        residual = right.copy()
        conditioned = precondition(residual)
        direction = conditioned.copy()
        size = first = np.einsum("vc,vc->c", residual, conditioned)
        for _ in range(MOST_STEPS):
            # A converged column goes on with steps of zero.
            active = size > TOLERANCE**2 * first
            if not active.any():
                break
            image = mass * direction + (self.laplacian @ direction) * times
            along = np.einsum("vc,vc->c", direction, image)
            step = np.divide(size, along, out=np.zeros_like(size), where=active)
            solved += step * direction
            residual -= step * image
            conditioned = precondition(residual)
            before, size = size, np.einsum("vc,vc->c", residual, conditioned)
            ratio = np.divide(size, before, out=np.zeros_like(size), where=active)
            direction = conditioned + ratio * direction
        else:
            raise _ill_conditioned()
        return solved


def _ill_conditioned() -> SurfaceError:
    return SurfaceError(
        "Heat cannot be diffused on this mesh",
        "In Blender run Mesh > Clean Up > Merge by Distance and Degenerate Dissolve.",
    )
