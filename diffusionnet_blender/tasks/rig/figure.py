"""The meshes of a figure on which its joints are looked for: its own, and its outer skin."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from ...matching.limbs.parted import PartedMesh, parted_mesh
from ...surface.loose_parts import label_mesh_parts, sizeable_parts
from ...surface.outer_skin import make_skin
from ...surface.proxy import DENSE_SIZE, make_proxy
from ...surface.repair import repair
from ...surface.surface import Surface, triangle_areas
from .families import Family
from .layout import missing_joints

# Shells are at one place within this share of the height; so many vertices around each count.
IN_PLACE, NEIGHBOURS = 0.02, 24


@dataclass(frozen=True, eq=False)
class FigureMesh:
    """A mesh with the parts of a figure.

    Attributes
    ----------
    surface : Surface
        Repaired, in the space of the figure.
    parted : PartedMesh
        The same in the frame of the figure, at unit area.
    frame : (3, 3) float64
    family : Family
    """

    surface: Surface
    parted: PartedMesh
    frame: np.ndarray
    family: Family

    @property
    def _scale(self) -> float:
        areas = triangle_areas(self.surface.vertices, self.surface.faces)
        return float(np.sqrt(areas.sum()))

    def landmarks(self) -> dict[str, np.ndarray]:
        """Landmarks (3,) in the space of the surface, see `families.Family`."""
        return self._from_frame(self.family.landmarks(self.parted))

    def missing(self) -> set[str]:
        """Joints that are guessed or left out, see `layout.missing_joints`."""
        return missing_joints(self.parted, self.family.layout)

    def placed(self, landmarks: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Points that parts do not tell between landmarks, all in the space of the surface."""
        within = {name: self.frame @ place / self._scale for name, place in landmarks.items()}
        return self._from_frame(self.family.points(self.parted, within))

    def _from_frame(self, places: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        scale = self._scale
        return {name: scale * place @ self.frame for name, place in places.items()}


@dataclass(frozen=True, eq=False)
class Figure:
    """A figure without what it carries.

    Attributes
    ----------
    mesh : FigureMesh
        Its own mesh, or a proxy of a dense one.
    to_body : callable
        Takes values at the vertices of that mesh to those of the figure.
    skin : FigureMesh or None
        Where several shells lie on each other, the skin around them.
    """

    mesh: FigureMesh
    to_body: Callable[[np.ndarray], np.ndarray]
    skin: FigureMesh | None

    def smooth_parts(self) -> np.ndarray:
        """Parts (V, C) of the vertices of the figure, smoothed along its surface.

        Where several shells lie on each other, what lies at one place and faces alike, such as
        clothes and what is beneath them, moves alike.
        """
        parts = self.mesh.parted.blend
        return self.to_body(parts if self.skin is None else _alike_in_place(self.mesh.parted))


def _alike_in_place(mesh: PartedMesh) -> np.ndarray:
    """Parts (V, C) averaged over what is near and faces alike, whatever shell it is of.

    Not along the outer skin: it grows together where an arm hangs against the body.
    """
    reach = IN_PLACE * mesh.height
    distance, near = cKDTree(mesh.vertices).query(
        mesh.vertices, NEIGHBOURS, distance_upper_bound=reach
    )
    found = np.isfinite(distance)
    near = np.where(found, near, 0)
    facing = np.einsum("vki,vi->vk", mesh.normals[near], mesh.normals)
    weight = np.square(np.maximum(facing, 0.0)) * mesh.mass[near]
    weight *= np.exp(-2 * np.square(np.where(found, distance, 0.0) / reach)) * found
    total = weight.sum(axis=1, keepdims=True)
    parts = np.einsum("vk,vkc->vc", weight / np.maximum(total, 1e-30), mesh.blend[near])
    return np.where(total > 1e-30, parts, mesh.blend)


def figure_of(
    body: Surface, parts: np.ndarray, names: Sequence[str], frame: np.ndarray, family: Family
) -> Figure:
    """The meshes of a figure.

    Parameters
    ----------
    body : Surface
        A mesh, in any state.
    parts : (V, C) float
        Probabilities of its vertices.
    names : sequence of C str
    frame : (3, 3) float
        Rows: the directions to its left, to its back, and up.
    family : Family
    """
    mesh, to_body = _own(body, parts, names, frame, family)
    piece = label_mesh_parts(len(mesh.surface.vertices), mesh.surface.faces)
    skin = None
    if sizeable_parts(piece, mesh.parted.mass) > 1:
        skin = _skin(body, mesh)
    return Figure(mesh, to_body, skin)


def _own(
    body: Surface, parts: np.ndarray, names: Sequence[str], frame: np.ndarray, family: Family
) -> tuple[FigureMesh, Callable[[np.ndarray], np.ndarray]]:
    repaired = repair(body)
    clean, own = repaired.surface, parts[repaired.user_vertex]
    to_body = repaired.to_user_vertices
    if len(clean.vertices) > DENSE_SIZE:
        proxy = make_proxy(clean)
        again = repair(proxy.surface)
        clean, own = again.surface, own[proxy.vertex][again.user_vertex]

        def to_body(values: np.ndarray) -> np.ndarray:
            return repaired.to_user_vertices(proxy.weights @ again.to_user_vertices(values))

    parted = parted_mesh(clean.vertices, clean.faces, own, names, frame)
    return FigureMesh(clean, parted, frame, family), to_body


def _skin(body: Surface, mesh: FigureMesh) -> FigureMesh | None:
    """The outer skin, with the parts of what lies next to it; None where there is none."""
    skin = make_skin(body)
    if skin is None:
        return None
    repaired = repair(skin.surface)
    clean = repaired.surface
    near = cKDTree(mesh.surface.vertices).query(clean.vertices)[1]
    parts, frame = mesh.parted.parts[near], mesh.frame
    parted = parted_mesh(clean.vertices, clean.faces, parts, mesh.parted.names, frame)

    return FigureMesh(clean, parted, frame, mesh.family)
