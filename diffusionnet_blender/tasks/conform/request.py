"""Request and result of conforming one shape to another."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...options import option
from ..match.request import Correspondence, MatchRequest
from ..ranges import require_in_range


@dataclass(frozen=True, kw_only=True)
class Bending:
    """How a mesh is bent onto another.

    Attributes
    ----------
    stiffness, detail : float
    symmetric, accept_uncertain : bool
        See the help texts.

    Raises
    ------
    DiffusionNetError
        If a number is out of its range.
    """

    stiffness: float = option(
        1.0,
        "Stiffness",
        "How much the mesh resists. More: its edges stay even, and it lies less close; less: it "
        "gives way to the target's shape",
        minimum=0.01,
        maximum=100.0,
        soft_maximum=10.0,
    )
    detail: float = option(
        1.0,
        "Detail",
        "Share of the remaining distance to the target that is closed in the end. 0: smooth, "
        "without the target's fine detail",
        minimum=0.0,
        maximum=1.0,
        subtype="FACTOR",
    )
    symmetric: bool = option(
        False,
        "Symmetric",
        "Keep both sides of a mesh that is its own mirror image alike, for a target that stands "
        "evenly",
    )
    accept_uncertain: bool = option(
        False,
        "Accept Uncertain",
        "Conform by an uncertain match, too. Off: it is an error, and nothing is made",
    )

    def __post_init__(self) -> None:
        require_in_range(self, Bending)


@dataclass(frozen=True, eq=False)
class ConformRequest(Bending):
    """A mesh and the shape that it takes.

    Attributes
    ----------
    match : MatchRequest
        From the mesh to the shape: the mesh is its *target*, the shape that it takes its *source*,
        so that each vertex of the mesh gets a point of the shape.
    key_names : tuple of K str
    keys : (K, V, 3) float, optional
        Positions of the mesh's vertices in each shape key, which are carried along.
    region : (V,) float, optional
        How much of the shape each vertex of the mesh takes, 0 to 1; at 0 it follows the others.
    """

    match: MatchRequest
    key_names: tuple[str, ...] = ()
    keys: np.ndarray | None = None
    region: np.ndarray | None = None


@dataclass(frozen=True, eq=False)
class ConformedMesh:
    """A mesh on the surface of another.

    Attributes
    ----------
    vertices : (V, 3) float64
        In the space of the shape that it has taken.
    on_surface : (V,) bool
        Whether a vertex lies on that shape; the others follow their neighbours.
    distance : float
        Mean distance of those from the shape, as a share of its size along its longest axis.
    keys : (K, V, 3) float64
    correspondence : Correspondence
    seconds : dict of str to float
        Of the stages.
    """

    vertices: np.ndarray
    on_surface: np.ndarray
    distance: float
    keys: np.ndarray
    correspondence: Correspondence
    seconds: dict[str, float]


@dataclass(frozen=True, eq=False)
class MeshSoFar:
    """A mesh as it bends, for a look at it.

    Attributes
    ----------
    vertices : (n, 3) float32
        Some of its vertices, in the space of the shape that it takes.
    edges : (E, 2) int32
        Between them.
    """

    vertices: np.ndarray
    edges: np.ndarray
