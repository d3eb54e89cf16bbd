"""Where and how much: a region of the target with soft edges, and a share of the moved data."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ...options import option
from .layers import Attribute, CopiedLayout, MeshShape, Moved, ShapeKeys, Weights

# Share above which an element that cannot be blended takes what is moved.
MOST = 0.5


@dataclass(frozen=True)
class Extent:
    """Where on the target data is moved, and how much of it.

    Attributes
    ----------
    region : {"ALL", "GROUP", "SELECTION", "PART"}
    region_name : str
        Of the vertex group or part.
    edge, mix : float
        See the help texts.
    """

    region: str = option(
        "ALL",
        "Region",
        "Where the target gets the data; outside, its own stays",
        choices=(
            ("ALL", "Everywhere", "The whole target"),
            ("GROUP", "Vertex Group", "By the weights of a vertex group of the target"),
            ("SELECTION", "Selection", "The vertices that are selected in Edit Mode"),
            ("PART", "Part", "A part of the target, where it is segmented"),
        ),
    )
    region_name: str = option(
        "", "Name", "Vertex group or part of the target that is the region", flag="region-name"
    )
    edge: float = option(
        0.02,
        "Soft Edge",
        "Width of the border inside the region over which data fades in, as a share of the size of "
        "the target. 0: a hard edge. Materials, textures and UV maps always have one",
        minimum=0.0,
        maximum=1.0,
        soft_maximum=0.25,
        subtype="FACTOR",
    )
    mix: float = option(
        1.0,
        "Mix",
        "Share of the moved data; the rest is the target's own. Materials, textures, UV maps and "
        "integers are not mixed",
        minimum=0.0,
        maximum=1.0,
        subtype="FACTOR",
    )

    @property
    def is_whole(self) -> bool:
        """Whether the target gets all of the data everywhere."""
        return self.region == "ALL" and self.mix == 1.0


@dataclass(frozen=True, eq=False)
class Share:
    """The extent of a transfer on one mesh.

    Attributes
    ----------
    inside : (V,) float64
        1 in the region, 0 outside, between the two at its edges.
    mix : float
    """

    inside: np.ndarray
    mix: float = 1.0

    @property
    def at_vertices(self) -> np.ndarray:
        """Share of the moved data at each vertex, (V,) float64."""
        return self.inside * self.mix

    def polygons(self, shape: MeshShape) -> np.ndarray:
        """How far each polygon is in the region: the mean of its corners, (P,) float64."""
        polygon = np.repeat(shape.polygon_of_triangle, 3)
        count = np.bincount(polygon, minlength=shape.polygon_count)
        total = np.bincount(polygon, self.inside[shape.triangles].ravel(), len(count))
        return total / np.maximum(count, 1)

    def corners(self, shape: MeshShape) -> np.ndarray:
        """How far the vertex of each corner is in the region, (L,) float64."""
        found = np.zeros(shape.corner_count)
        found[shape.corners] = self.inside[shape.triangles]
        return found

    def of(self, domain: str, shape: MeshShape) -> np.ndarray:
        """How far the elements of a domain are in the region, (N,) float64."""
        if domain == "POINT":
            return self.inside
        return self.corners(shape) if domain == "CORNER" else self.polygons(shape)


def faded(shape: MeshShape, inside: np.ndarray, width: float) -> np.ndarray:
    """A region that fades towards its edges, over a distance on the surface.

    Parameters
    ----------
    shape : MeshShape
    inside : (V,) float
        0 outside.
    width : float
        In the unit of the vertices.

    Returns
    -------
    (V,) float64
        Nowhere more than before; 0 outside.
    """
    from ...matching.geodesic import nearest_distances, surface_graph
    from ...surface.repair import weld

    outside = np.flatnonzero(inside <= 0.0)
    if width <= 0.0 or not len(outside):
        return inside.astype(np.float64)
    whole = weld(shape.vertices)
    graph = surface_graph(shape.vertices, whole[shape.triangles])
    away = nearest_distances(graph, np.unique(whole[outside]))[whole]
    ramp = np.clip(away / width, 0.0, 1.0)
    return inside * ramp * ramp * (3.0 - 2.0 * ramp)


def blended(moved: Moved, own: Moved, share: Share, shape: MeshShape) -> Moved:
    """What is moved inside a region, and the target's own data outside.

    Parameters
    ----------
    moved : Moved
    own : Moved
        The layers of the target itself, each with the names and the order of what is moved.
    share : Share
    shape : MeshShape
        Of the target.
    """
    at = share.at_vertices
    changes: dict[str, Any] = {}
    if moved.weights is not None and own.weights is not None:
        changes["weights"] = _weights(moved.weights, own.weights, at)
    if moved.keys is not None and own.keys is not None:
        positions = _mixed(moved.keys.positions, own.keys.positions, at[:, None])
        changes["keys"] = ShapeKeys(moved.keys.names, positions)
    if moved.labels is not None and own.labels is not None:
        changes["labels"] = _mixed(moved.labels, own.labels, at[:, None])
    if moved.layout is not None and own.layout is not None:
        changes["layout"] = _layout(moved.layout, own.layout, share, shape)
    changes["attributes"] = tuple(
        _attribute(each, before, share, shape)
        for each, before in zip(moved.attributes, own.attributes, strict=True)
    )
    return replace(moved, **changes)


def _mixed(moved: np.ndarray, own: np.ndarray, share: np.ndarray) -> np.ndarray:
    return own + share * (moved - own)


def _weights(moved: Weights, own: Weights, share: np.ndarray) -> Weights:
    """Where both meet, no vertex has more bones than either gives it at most."""
    values = _mixed(moved.values, own.values, share[:, None])
    skin = np.flatnonzero(moved.deforming)
    if len(skin):
        both = np.flatnonzero((share > 0.0) & (share < 1.0))
        most = max(
            int(np.count_nonzero(each[:, skin] > 0.0, axis=1).max(initial=0))
            for each in (moved.values, own.values)
        )
        values[np.ix_(both, skin)] = _limited(values[np.ix_(both, skin)], most)
    return Weights(moved.names, values, moved.deforming)


def _limited(weights: np.ndarray, most: int) -> np.ndarray:
    """The largest weights of each row, which add up to as much as all of them."""
    total = weights.sum(axis=1, keepdims=True)
    order = np.argsort(-weights, axis=1, kind="stable")
    found = weights.copy()
    np.put_along_axis(found, order[:, most:], 0.0, axis=1)
    added = found.sum(axis=1, keepdims=True)
    return found * (total / np.where(added > 0.0, added, 1.0))


def _layout(moved: CopiedLayout, own: CopiedLayout, share: Share, shape: MeshShape) -> CopiedLayout:
    """Whole polygons have the one or the other; seams are those inside."""
    chosen = share.polygons(shape) >= MOST
    corner = np.zeros(shape.corner_count, dtype=bool)
    corner[shape.corners] = chosen[shape.polygon_of_triangle][:, None]
    inside = share.inside[moved.seams].min(axis=1, initial=1.0) >= MOST
    return replace(moved, uv=np.where(corner[:, None], moved.uv, own.uv), seams=moved.seams[inside])


def _attribute(moved: Attribute, own: Attribute, share: Share, shape: MeshShape) -> Attribute:
    inside = share.of(moved.domain, shape)
    inside = inside.reshape(-1, *[1] * (moved.values.ndim - 1))
    if np.issubdtype(moved.values.dtype, np.floating):
        values = _mixed(moved.values, own.values, inside * share.mix).astype(moved.values.dtype)
    else:
        values = np.where(inside >= MOST, moved.values, own.values)
    return replace(moved, values=values)
