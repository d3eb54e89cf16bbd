"""Labelled triangle meshes and the few things that are done to them everywhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse

from diffusionnet_blender.surface.edges import boundary_edges
from diffusionnet_blender.surface.surface import triangle_areas
from diffusionnet_blender.surface.triangles import compact
from diffusionnet_blender.surface.winding import vertex_normals

from .parts import PEOPLE, Anatomy


@dataclass(frozen=True, eq=False)
class Body:
    """One labelled mesh of a person, a character or an animal, posed.

    Attributes
    ----------
    vertices : (V, 3) float64, metres, +z up, facing -y.
    faces : (F, 3) int64, wound outward.
    fine : (V,) int32, the label, an index into `Anatomy.part_of_label`: of people, index into
        `parts.FINE_NAMES`, or into `parts.PART_OF_LABEL` where only the coarse part is known.
    component : (V,) int32, `SKIN`, `TONGUE`, one of `EYES` (left, right), `TEETH`, `CLOTHING`,
        `HAIR`, `ACCESSORY`, `MACHINE` (pieces of mannequins) or `UNKNOWN`.
    place : (V,) int64 or None, the vertex of the template that each corresponds to, `NOWHERE`
        where there is none; None where that is not known at all.
    anatomy : what the labels are.
    """

    vertices: np.ndarray
    faces: np.ndarray
    fine: np.ndarray
    component: np.ndarray
    place: np.ndarray | None = None
    anatomy: Anatomy = PEOPLE

    @property
    def labels(self) -> np.ndarray:
        """(V,) int32, index into the names of parts of its anatomy."""
        return self.anatomy.part_of_label[self.fine]

    @property
    def layers(self) -> np.ndarray:
        """(V,) int32, index into `LAYER_NAMES`; -1 where it is not known."""
        return LAYER_OF_COMPONENT[self.component]

    def with_faces(self, faces: np.ndarray) -> Body:
        """The same vertices under other triangles; collapsed ones and lost vertices dropped."""
        a, b, c = faces.T
        faces = faces[(a != b) & (b != c) & (c != a)]
        faces, kept = compact(len(self.vertices), faces)
        return self.remeshed(self.vertices[kept], faces, kept)

    def remeshed(self, vertices: np.ndarray, faces: np.ndarray, source: np.ndarray) -> Body:
        """Another mesh whose vertices (N, 3) each take all labels of a vertex `source` (N,)."""
        place = None if self.place is None else self.place[source]
        return Body(vertices, faces, self.fine[source], self.component[source], place, self.anatomy)


SKIN, TONGUE, *EYES, TEETH, CLOTHING, HAIR, ACCESSORY, MACHINE, UNKNOWN = range(10)
NOWHERE = -1
LAYER_NAMES = ("body", "hair", "clothing", "accessory")
"""What a place of a character is made of; a machine is the body of a robot."""
LAYER_COLOURS = {
    "body": (0.93, 0.74, 0.60),
    "hair": (0.45, 0.28, 0.16),
    "clothing": (0.25, 0.47, 0.72),
    "accessory": (0.85, 0.65, 0.20),
}
"""sRGB of each layer."""
LAYER_OF_COMPONENT = np.array([0, 0, 0, 0, 0, 2, 1, 3, 0, -1], np.int32)


def join_bodies(bodies: Sequence[Body]) -> Body:
    """Meshes of one anatomy side by side in one."""
    starts = np.cumsum([0] + [len(body.vertices) for body in bodies[:-1]])
    places = [body.place for body in bodies if body.place is not None]
    return Body(
        np.concatenate([body.vertices for body in bodies]),
        np.concatenate([body.faces + start for body, start in zip(bodies, starts, strict=True)]),
        np.concatenate([body.fine for body in bodies]),
        np.concatenate([body.component for body in bodies]),
        np.concatenate(places) if len(places) == len(bodies) else None,
        bodies[0].anatomy,
    )


def bumps(points: np.ndarray, rng: np.random.Generator, wavelength: float) -> np.ndarray:
    """Smooth random values (V,) about 0 with variance near 1 in space: a few plane waves."""
    waves = rng.normal(size=(6, 3)) * (2.0 * np.pi / wavelength / np.sqrt(3.0))
    phases = rng.uniform(0, 2 * np.pi, 6)
    return np.sin(points @ waves.T + phases).sum(axis=1) / np.sqrt(3.0)


def solidify(
    outer: np.ndarray, faces: np.ndarray, thickness: float | np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """A sheet made thick: an inner skin and a strip around every border.

    Returns
    -------
    vertices : (2 V, 3), the outer ones first;  faces : (2 F + 2 E, 3).
    """
    count = len(outer)
    inner = outer - thickness * vertex_normals(outer, faces)
    tail, head = boundary_edges(faces).T
    strip = np.concatenate(
        [np.stack([head, tail, tail + count], 1), np.stack([head, tail + count, head + count], 1)]
    )
    return np.concatenate([outer, inner]), np.concatenate([faces, faces[:, ::-1] + count, strip])


def close_holes(
    vertices: np.ndarray, faces: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Close every border with a fan around a new vertex in its middle.

    Returns
    -------
    vertices : (V + H, 3);  faces;  near : (H,) int64
        One vertex of the border of each hole.
    """
    border = boundary_edges(faces)
    if not len(border):
        return vertices, faces, np.zeros(0, np.int64)
    count = len(vertices)
    graph = sparse.coo_matrix((np.ones(len(border)), border.T), shape=(count, count))
    _, group = sparse.csgraph.connected_components(graph, directed=False)
    _, hole = np.unique(group[border[:, 0]], return_inverse=True)
    size = np.bincount(hole)
    middle = np.stack([np.bincount(hole, vertices[border[:, 0], i]) / size for i in range(3)], 1)
    fan = np.stack([border[:, 1], border[:, 0], count + hole], axis=1)
    near = border[np.unique(hole, return_index=True)[1], 0]
    return np.concatenate([vertices, middle]), np.concatenate([faces, fan]), near


def surface_points(
    vertices: np.ndarray, faces: np.ndarray, count: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Random points spread evenly over the area.

    Returns
    -------
    points : (count, 3);  face : (count,) int64;  corner : (count,) int64
        The nearest of the triangle's three vertices.
    """
    area = triangle_areas(vertices, faces)
    total = np.cumsum(area)
    # Stratified along the list of triangles: hardly any clumps.
    face = np.searchsorted(total, (np.arange(count) + rng.uniform(size=count)) * total[-1] / count)
    face = np.minimum(face, len(faces) - 1)
    u, v = np.sqrt(rng.uniform(size=count)), rng.uniform(size=count)
    bary = np.stack([1 - u, u * (1 - v), u * v], axis=1)
    points = np.einsum("nk,nkd->nd", bary, vertices[faces[face]])
    return points, face, faces[face, bary.argmax(axis=1)]


def add_noise(body: Body, rng: np.random.Generator, amount: float) -> Body:
    """Move vertices along their normals: normally distributed, `amount` x the mean edge length."""
    corners = body.vertices[body.faces]
    edge = np.linalg.norm(corners[:, 1] - corners[:, 0], axis=1).mean()
    normals = vertex_normals(body.vertices, body.faces)
    moved = rng.normal(0.0, amount * edge, (len(normals), 1)) * normals
    return replace(body, vertices=body.vertices + moved)


def shuffle(body: Body, rng: np.random.Generator) -> Body:
    """The same body with vertices, triangles and first corners in random order."""
    order = rng.permutation(len(body.vertices))
    place = np.empty_like(order)
    place[order] = np.arange(len(order))
    faces = place[body.faces][rng.permutation(len(body.faces))]
    if len(faces):
        first = rng.integers(0, 3, (len(faces), 1))
        faces = np.take_along_axis(faces, (first + np.arange(3)) % 3, axis=1)
    return body.remeshed(body.vertices[order], faces, order)
