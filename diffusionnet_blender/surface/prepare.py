"""Repair, proxy and discretization of a surface, with the map to the user's vertices."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from time import perf_counter

import numpy as np
from scipy import sparse

from ..errors import SurfaceError
from .discretization import Discretization, discretize
from .outer_skin import make_skin
from .proxy import DENSE_SIZE, make_proxy
from .repair import repair
from .repair_report import RepairReport
from .settings import DEFAULT_SETTINGS, DiscretizationSettings
from .surface import Surface


@dataclass(frozen=True, eq=False)
class PreparedSurface:
    """A discretization, and how the user's vertices relate to its vertices.

    Attributes
    ----------
    discretization : Discretization
        Of C vertices: the repaired ones, or those of a proxy of a dense surface.
    clean_vertex : (V,) int32
        For each vertex of the user the repaired vertex whose value it takes.
    blend : (D, C) csr_matrix or None
        Interpolation from the discretization to the repaired vertices; None where there is no
        proxy.
    user_vertex : (C,) int32
        For each vertex of the discretization the one of the user that it is.
    repairs : RepairReport
    """

    discretization: Discretization
    clean_vertex: np.ndarray
    blend: sparse.csr_matrix | None
    user_vertex: np.ndarray
    repairs: RepairReport

    def to_user_vertices(self, values: np.ndarray) -> np.ndarray:
        """Values at the discretization's vertices (C, ...) as values at the user's (V, ...)."""
        if self.blend is not None:
            values = self.blend @ values
        return values[self.clean_vertex]

    @property
    def proxy_size(self) -> int | None:
        """Vertices of the proxy; None where the matrices are exact."""
        return None if self.blend is None else self.blend.shape[1]


def prepare(
    surface: Surface,
    settings: DiscretizationSettings = DEFAULT_SETTINGS,
    exact: bool = False,
    progress: Callable[[str, float], None] = lambda stage, fraction: None,
    seconds: dict[str, float] | None = None,
) -> PreparedSurface:
    """Repair a surface and discretize it.

    Parameters
    ----------
    surface : Surface
    settings : DiscretizationSettings
    exact : bool
        Discretize every vertex. Otherwise a surface of more than `proxy.DENSE_SIZE` vertices is
        replaced by a proxy.
    progress : callable
        Called with a stage ("repair", "proxy", or one of `discretize`) and a fraction; may raise
        to stop.
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
    clean, user_vertex, blend = repaired.surface, repaired.user_vertex, None
    if not exact and len(clean.vertices) > DENSE_SIZE:
        clock = perf_counter()
        proxy = make_proxy(clean, progress=lambda fraction: progress("proxy", fraction))
        repaired_proxy = repair(proxy.surface)
        clean = repaired_proxy.surface
        user_vertex = user_vertex[proxy.vertex[repaired_proxy.user_vertex]]
        blend = _with_columns_at(proxy.weights, repaired_proxy.clean_vertex, len(clean.vertices))
        seconds["proxy"] = perf_counter() - clock
    discretization = discretize(clean, settings, progress, seconds)
    return PreparedSurface(
        discretization=discretization,
        clean_vertex=repaired.clean_vertex.astype(np.int32),
        blend=blend,
        user_vertex=user_vertex.astype(np.int32),
        repairs=replace(repaired.report, bridged_parts=discretization.bridged_parts),
    )


def prepared_from(discretization: Discretization) -> PreparedSurface:
    """What `prepare` gives, of a surface that needs no repair and was discretized before."""
    vertex = np.arange(len(discretization.vertices), dtype=np.int32)
    repairs = RepairReport(bridged_parts=discretization.bridged_parts)
    return PreparedSurface(discretization, vertex, None, vertex, repairs)


def prepare_skin(
    surface: Surface,
    settings: DiscretizationSettings = DEFAULT_SETTINGS,
    progress: Callable[[str, float], None] = lambda stage, fraction: None,
) -> PreparedSurface | None:
    """Discretize the outer skin of all parts of a mesh.

    Parameters
    ----------
    surface : Surface
        One that `prepare` accepts.
    settings : DiscretizationSettings
    progress : callable
        Called with the stage "outer skin" and a fraction; may raise to stop.

    Returns
    -------
    PreparedSurface or None
        Its `to_user_vertices` gives zero where the skin is too far away. None where
        there is no skin.
    """
    parts = {"laplacian": (0.4, 0.1), "eigenbasis": (0.5, 0.4), "gradient": (0.9, 0.1)}

    def at(stage: str, fraction: float) -> None:
        start, share = parts[stage]
        progress("outer skin", start + share * fraction)

    progress("outer skin", 0.0)
    skin = make_skin(surface)
    if skin is None:
        return None
    progress("outer skin", 0.3)
    try:
        repaired = repair(skin.surface)
        discretization = discretize(repaired.surface, settings, at)
    except SurfaceError:
        # The surface itself can do without.
        return None
    return PreparedSurface(
        discretization=discretization,
        clean_vertex=np.arange(len(surface.vertices), dtype=np.int32),
        blend=_with_columns_at(skin.weights, repaired.clean_vertex, len(repaired.surface.vertices)),
        user_vertex=skin.vertex[repaired.user_vertex].astype(np.int32),
        repairs=repaired.report,
    )


def _with_columns_at(
    weights: sparse.csr_matrix, column: np.ndarray, count: int
) -> sparse.csr_matrix:
    """Weights (D, n) with their columns added up at given places (n,), (D, count)."""
    moved = sparse.csr_matrix(
        (weights.data, column[weights.indices].astype(np.int32), weights.indptr),
        shape=(weights.shape[0], count),
    )
    moved.sum_duplicates()
    return moved
