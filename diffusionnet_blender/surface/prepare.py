"""From a surface as it comes to all that a network needs of it: mended, then discretized."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from time import perf_counter

import numpy as np

from .discretization import Discretization, discretize
from .repair import RepairReport, repair
from .settings import DEFAULT_SETTINGS, DiscretizationSettings
from .surface import Surface


@dataclass(frozen=True, eq=False)
class PreparedSurface:
    """The matrices of a surface, and how the user's vertices relate to theirs.

    Attributes
    ----------
    discretization : Discretization
        Of the C vertices that repair left.
    clean_vertex : (V,) int32
        For each vertex of the user the one of the discretization whose value it takes.
    user_vertex : (C,) int32
        For each vertex of the discretization the one of the user that it is.
    repairs : RepairReport
    """

    discretization: Discretization
    clean_vertex: np.ndarray
    user_vertex: np.ndarray
    repairs: RepairReport

    def hand_back(self, values: np.ndarray) -> np.ndarray:
        """Values at the discretization's vertices (C, ...) as values at the user's (V, ...)."""
        return values[self.clean_vertex]


def prepare(
    surface: Surface,
    settings: DiscretizationSettings = DEFAULT_SETTINGS,
    progress: Callable[[str, float], None] = lambda stage, fraction: None,
    seconds: dict[str, float] | None = None,
) -> PreparedSurface:
    """Mend a surface and compute its matrices.

    Parameters
    ----------
    surface : Surface
    settings : DiscretizationSettings
    progress : callable
        Called with a stage ("repair", or one of `discretize`) and a fraction; may raise to stop.
    seconds : dict, optional
        Takes the seconds of each stage.

    Returns
    -------
    PreparedSurface

    Raises
    ------
    SurfaceError
        If the geometry cannot be used.
    """
    seconds = {} if seconds is None else seconds
    clock = perf_counter()
    repaired = repair(surface, lambda fraction: progress("repair", fraction))
    seconds["repair"] = perf_counter() - clock
    discretization = discretize(repaired.surface, settings, progress, seconds)
    return PreparedSurface(
        discretization=discretization,
        clean_vertex=repaired.clean_vertex.astype(np.int32),
        user_vertex=repaired.user_vertex.astype(np.int32),
        repairs=replace(repaired.report, bridged_parts=discretization.bridged_parts),
    )
