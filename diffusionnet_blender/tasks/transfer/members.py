"""Transfer between characters of several meshes: one after the other in one `MeshShape`."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ...matching.points import SurfacePoints
from .layers import Attribute, CopiedLayout, MeshShape, Moved, ShapeKeys, Texture, Weights

# A shape key moves a member by more than this share of the size of the whole.
MOVES = 1e-4


@dataclass(frozen=True)
class Part:
    """Place of one mesh in the arrays of several.

    Attributes
    ----------
    vertices, corners, polygons : slice
    """

    vertices: slice
    corners: slice
    polygons: slice

    def of(self, domain: str) -> slice:
        """By the domain of an attribute."""
        return {"POINT": self.vertices, "CORNER": self.corners, "FACE": self.polygons}[domain]


def parts_of(shapes: Sequence[MeshShape]) -> list[Part]:
    """Places of meshes that stand one after the other."""
    counts = [(len(s.vertices), s.corner_count, s.polygon_count) for s in shapes]
    ends = np.cumsum(counts, axis=0)
    starts = ends - counts
    return [
        Part(*(slice(int(a), int(b)) for a, b in zip(start, end, strict=True)))
        for start, end in zip(starts, ends, strict=True)
    ]


def pooled(shapes: Sequence[MeshShape], vertices: np.ndarray) -> MeshShape:
    """Meshes one after the other, with their vertices (V, 3) in one space."""
    parts = list(zip(shapes, parts_of(shapes), strict=True))
    return MeshShape(
        vertices=vertices,
        triangles=np.concatenate([s.triangles + part.vertices.start for s, part in parts]),
        corners=np.concatenate([s.corners + part.corners.start for s, part in parts]),
        polygon_of_triangle=np.concatenate(
            [s.polygon_of_triangle + part.polygons.start for s, part in parts]
        ),
        corner_count=sum(s.corner_count for s in shapes),
        polygon_count=sum(s.polygon_count for s in shapes),
    )


def united_weights(found: Sequence[Weights | None], parts: Sequence[Part]) -> Weights | None:
    """Vertex groups of meshes that stand one after the other, by name; None without any."""
    names = tuple(dict.fromkeys(name for weights in found if weights for name in weights.names))
    if not names:
        return None
    count = parts[-1].vertices.stop
    values, here = np.zeros((count, len(names))), np.zeros((count, len(names)), dtype=bool)
    deforming, skinned = np.zeros(len(names), dtype=bool), np.zeros(count, dtype=bool)
    for weights, part in zip(found, parts, strict=True):
        if weights is None:
            continue
        columns = [names.index(name) for name in weights.names]
        values[part.vertices, columns] = weights.values
        here[part.vertices, columns] = True
        deforming[columns] |= weights.deforming
        skinned[part.vertices] = (
            weights.values[:, weights.deforming].any(axis=1)
            if weights.skinned is None
            else weights.skinned
        )
    return Weights(names, values, deforming, skinned, here)


def share_of(
    moved: Moved, part: Part, shape: MeshShape, whole: MeshShape, names: Collection[str]
) -> Moved:
    """What one mesh gets of that which was moved to several.

    Of vertex groups and shape keys that which it has there.

    Parameters
    ----------
    moved : Moved
    part : Part
        Place of the mesh among all.
    shape, whole : MeshShape
        The mesh by itself, and all of them.
    names : collection of str
        Attributes that it gets.
    """
    return replace(
        moved,
        layout=None if moved.layout is None else _layout(moved.layout, part),
        slots=None if moved.slots is None else moved.slots[part.polygons],
        weights=None if moved.weights is None else _weights(moved.weights, part),
        trusted=None if moved.trusted is None else moved.trusted[part.vertices],
        keys=None if moved.keys is None else _keys(moved.keys, part, shape, whole),
        attributes=tuple(
            Attribute(a.name, a.data_type, a.domain, a.values[part.of(a.domain)])
            for a in moved.attributes
            if a.name in names
        ),
        labels=None if moved.labels is None else moved.labels[part.vertices],
        unmatched=None if moved.unmatched is None else moved.unmatched[part.polygons],
    )


def _layout(layout: CopiedLayout, part: Part) -> CopiedLayout:
    own = (layout.seams >= part.vertices.start) & (layout.seams < part.vertices.stop)
    seams = layout.seams[own.all(axis=1)] - part.vertices.start
    return replace(layout, uv=layout.uv[part.corners], seams=seams)


def _weights(weights: Weights, part: Part) -> Weights | None:
    values = weights.values[part.vertices]
    some = np.flatnonzero(values.any(axis=0))
    if not len(some):
        return None
    names = tuple(weights.names[number] for number in some)
    return Weights(names, values[:, some], weights.deforming[some])


def _keys(keys: ShapeKeys, part: Part, shape: MeshShape, whole: MeshShape) -> ShapeKeys | None:
    offsets = keys.positions[:, part.vertices] - whole.vertices[part.vertices]
    away = np.linalg.norm(offsets, axis=2).max(axis=1)
    size = np.linalg.norm(np.ptp(whole.vertices, axis=0))
    some = np.flatnonzero(away > MOVES * size)
    if not len(some):
        return None
    names = tuple(keys.names[number] for number in some)
    return ShapeKeys(names, shape.vertices + offsets[some])


def polygons_below(points: SurfacePoints, source: MeshShape, target: MeshShape) -> np.ndarray:
    """Polygon of the source below each triangle of the target, (F,): at its first corner."""
    return source.polygon_of_triangle[points.face[target.triangles[:, 0]]]


def only_slots(texture: Texture, slots: Collection[int]) -> Texture:
    """A texture for a target that has faces of some material slots alone."""
    images = {n: image for n, image in texture.images.items() if n in slots}
    shapes = [(image.shape[0], image.shape[1]) for image in images.values()]
    return replace(
        texture,
        images=images,
        constants={n: value for n, value in texture.constants.items() if n in slots},
        layouts={n: uv for n, uv in texture.layouts.items() if n in slots},
        frames={n: uv for n, uv in texture.frames.items() if n in slots},
        extensions={n: kind for n, kind in texture.extensions.items() if n in slots},
        closest=tuple(n for n in texture.closest if n in slots),
        size=max(shapes, key=lambda shape: shape[0] * shape[1], default=texture.size),
    )
