"""Meshes read as one sees them, with their modifiers, and results brought back to the base mesh.

Modifiers are evaluated on a copy of the object in a scene of its own: neither the object and its
armature nor the scene that the artist looks at are touched.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import bpy
import numpy as np
from mathutils.bvhtree import BVHTree
from mathutils.kdtree import KDTree

from ..errors import SurfaceError
from ..surface.surface import triangle_areas
from ..tasks.base_mesh import (
    AnyLabels,
    Marks,
    Mesh,
    ToBase,
    base_vertices,
    first_images,
    polygon_votes,
    within_polygons,
)
from .attributes import (
    FACE_LABELS,
    VERTEX_LABELS,
    VERTEX_VECTORS,
    AttributeKind,
    read_attribute,
    read_values,
    write_attribute,
)
from .mask import part_mask
from .modifiers import counted_modifiers, makes_geometry, moves_vertices
from .own_scene import InOwnScene, OwnScene, remove_keys
from .read import ObjectGeometry, linear_of, read_arrays, read_mesh, read_object

VERTEX_MARK, PLACE_MARK, POLYGON_MARK = (f".diffusionnet_{n}" for n in ("vertex", "place", "face"))
# Fewer vertices are no surface.
FEWEST = 3


@dataclass(frozen=True, eq=False)
class Seen:
    """A mesh as one sees it, and the way back to the object's own mesh, the base.

    Attributes
    ----------
    geometry : ObjectGeometry
        As it is seen.
    way : ToBase or None
        None: what is seen has the vertices and polygons of the base.
    marks : Marks or None
        Where that is not so.
    """

    geometry: ObjectGeometry
    way: ToBase | None = None
    marks: Marks | None = None

    @property
    def base(self) -> Mesh:
        """The object's own mesh, with the topology that results are written to."""
        if self.way is not None:
            return self.way.base
        return _mesh(self.geometry)

    def to_base(self, labels: AnyLabels) -> AnyLabels:
        """Labels of what is seen, for the base."""
        return labels if self.way is None else self.way.labels(labels)

    def values_to_base(self, values: np.ndarray) -> np.ndarray:
        """Values at the vertices that are seen (N, ...), for those of the base, (V, ...)."""
        return values if self.way is None else self.way.values(values)

    def from_base(self, values: np.ndarray) -> np.ndarray:
        """Values at the vertices of the base (V, ...), for those that are seen, (N, ...).

        Each has the value of the one base vertex that it stems from, or is next to.
        """
        return values if self.way is None else values[self._origins]

    @cached_property
    def _origins(self) -> np.ndarray:
        seen = _mesh(self.geometry)
        found = base_vertices(self.marks, seen, self.way.base, self.way.anchors)
        lost = np.flatnonzero(found < 0)
        found[lost] = nearest_vertices(self.way.anchors, seen.coordinates[lost])
        return found


def read_seen(obj: bpy.types.Object, posed: bool = False) -> Seen:
    """Read the mesh of an object with the modifiers that are on in the viewport, in any mode.

    Parameters
    ----------
    obj : bpy.types.Object
        It may be linked.
    posed : bool
        As it is posed, deformed and simulated now. Else as it is modelled: with the modifiers that
        make geometry or model it, with shape keys at their basis, and without a pose.

    Raises
    ------
    SurfaceError
        If the object is no mesh, its mesh has no vertices, or its geometry cannot be used.
    """
    if obj.type != "MESH":
        return Seen(read_object(obj))
    if obj.data.is_editmode:
        obj.update_from_editmode()
    modifiers = counted_modifiers(obj, posed)
    generates = any(map(makes_geometry, modifiers))
    is_shown = posed and _is_shown(obj)
    if is_shown and not generates:
        return Seen(read_object(obj, bpy.context.evaluated_depsgraph_get()))
    if not posed and not generates and not any(map(moves_vertices, modifiers)):
        return Seen(read_object(obj))
    if not len(obj.data.vertices):
        raise SurfaceError(
            f"{obj.name!r} has no geometry of its own: its modifiers make all of it",
            "Apply them: Object > Convert > Mesh.",
        )
    with _Evaluation(obj, modifiers, posed) as evaluation:
        seen = evaluation.read()
    if seen is None:
        # Points, curves or instances, or nothing at all.
        return Seen(read_object(obj))
    if is_shown:
        # Simulations have no cache in the copy, and poses without keys only their keys.
        shown = read_object(obj, bpy.context.evaluated_depsgraph_get())
        if shown.polygons.topology == seen.geometry.polygons.topology:
            return Seen(shown, seen.way, seen.marks)
    return seen


def _is_shown(obj: bpy.types.Object) -> bool:
    """Whether the viewport has the object as it is to be read."""
    mask = part_mask(obj)
    is_masked = mask is not None and mask.show_viewport
    return obj.visible_get() and obj.mode != "EDIT" and not is_masked


class _Evaluation(InOwnScene):
    """Context in which modifiers of an object are evaluated on a copy.

    Parameters
    ----------
    obj : bpy.types.Object
        A mesh.
    modifiers : sequence of bpy.types.Modifier
        Those of the object that count.
    posed : bool
        With shape keys.
    """

    name = "diffusionnet seen"

    def __init__(self, obj: bpy.types.Object, modifiers: Sequence[bpy.types.Modifier], posed: bool):
        self._source, self._posed = obj, posed
        self._names = {modifier.name for modifier in modifiers}

    def _set_up(self, own: OwnScene) -> None:
        scene, here = own.scene, bpy.context.scene
        for name in ("use_simplify", "simplify_subdivision"):
            setattr(scene.render, name, getattr(here.render, name))
        self._object = obj = own.copied(self._source)
        for modifier in [m for m in obj.modifiers if m.name not in self._names]:
            obj.modifiers.remove(modifier)
        for modifier in obj.modifiers:
            # Most of its time goes into what is not read: UV maps, and the last millimetre.
            if modifier.type in {"SUBSURF", "MULTIRES"}:
                modifier.uv_smooth, modifier.quality = "NONE", 1
            if modifier.type == "SUBSURF":
                modifier.use_limit_surface = False
        if not self._posed:
            remove_keys(obj)
        self._base = read_arrays(obj.data, self._source)
        scene.collection.objects.link(obj)
        # `ViewLayer.update` would make the depsgraph an active one, which writes the keyed values
        # of armatures and all else that it evaluates over those without keys.
        scene.statistics(own.layer)
        self._depsgraph = own.layer.depsgraph

    def read(self) -> Seen | None:
        """What the modifiers make; None where that is no mesh."""
        anchors = self._anchors()
        self._write_marks(Marks.of(self._base, anchors))
        with self._evaluated() as mesh:
            if len(mesh.vertices) < FEWEST or len(self._base.triangles) > 0 == len(mesh.polygons):
                return None
            geometry = read_mesh(mesh, self._source)
            if geometry.polygons.topology == self._base.polygons.topology:
                return Seen(geometry)
            marks = _read_marks(mesh)
            seen = _mesh(geometry)
            found = first_images(marks.images(anchors), seen.coordinates, anchors)
            corners = np.repeat(found[:, None], 3, axis=1)
            shares = np.tile(np.array([[1.0, 0.0, 0.0]]), (len(found), 1))
            lost = np.flatnonzero(found < 0)
            if len(lost):
                corners[lost], shares[lost] = self._nearest(seen, anchors[lost])
        votes = polygon_votes(marks, seen, self._base)
        areas = triangle_areas(
            self._base.coordinates @ linear_of(self._source).T, self._base.triangles
        )
        way = ToBase(self._base, areas, anchors, corners, shares, votes)
        return Seen(geometry, way, marks)

    def _anchors(self) -> np.ndarray:
        """Where the vertices of the base lie without the modifiers that make geometry."""
        obj = self._object
        if obj.data.shape_keys is None and not any(map(moves_vertices, obj.modifiers)):
            return self._base.coordinates
        generating = list(filter(makes_geometry, obj.modifiers))
        for modifier in generating:
            modifier.show_viewport = False
        with self._evaluated() as mesh:
            anchors = read_values(mesh.vertices, "co", np.float32, 3)
        for modifier in generating:
            modifier.show_viewport = True
        return anchors

    def _write_marks(self, marks: Marks) -> None:
        mesh = self._object.data
        write_attribute(mesh, VERTEX_MARK, VERTEX_LABELS, marks.vertex)
        write_attribute(mesh, PLACE_MARK, VERTEX_VECTORS, marks.place)
        write_attribute(mesh, POLYGON_MARK, FACE_LABELS, marks.polygon)

    @contextlib.contextmanager
    def _evaluated(self) -> Iterator[bpy.types.Mesh]:
        self._depsgraph.update()
        evaluated = self._object.evaluated_get(self._depsgraph)
        try:
            yield evaluated.to_mesh()
        finally:
            evaluated.to_mesh_clear()

    def _nearest(self, seen: Mesh, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Corners and barycentric coordinates, (n, 3), of the points seen nearest to others."""
        if not len(seen.triangles):
            found = nearest_vertices(seen.coordinates, points)
            return np.repeat(found[:, None], 3, axis=1), np.full((len(points), 3), 1 / 3)
        tree = BVHTree.FromObject(self._object, self._depsgraph)
        found = [tree.find_nearest(point) for point in points.tolist()]
        places = np.array([place for place, *_ in found], dtype=np.float64)
        return within_polygons(places, np.array([number for *_, number, _ in found]), seen)


def _mesh(geometry: ObjectGeometry) -> Mesh:
    return Mesh(geometry.coordinates, geometry.surface.faces, geometry.polygons)


def _read_marks(mesh: bpy.types.Mesh) -> Marks:
    """Marks of an evaluated mesh; zeros where it has lost them."""

    def read(name: str, kind: AttributeKind, count: int) -> np.ndarray:
        found = mesh.attributes.get(name)
        if found is None or (found.data_type, found.domain) != (kind.data_type, kind.domain):
            return np.zeros((count, kind.width) if kind.width > 1 else count, dtype=kind.dtype)
        return read_attribute(mesh, name, kind)

    vertices = len(mesh.vertices)
    return Marks(
        read(VERTEX_MARK, VERTEX_LABELS, vertices),
        read(PLACE_MARK, VERTEX_VECTORS, vertices),
        read(POLYGON_MARK, FACE_LABELS, len(mesh.polygons)),
    )


def nearest_vertices(vertices: np.ndarray, points: np.ndarray) -> np.ndarray:
    """The vertex (V, 3) that is nearest to each point (n, 3), (n,) int64."""
    if not len(points):
        return np.zeros(0, dtype=np.int64)
    tree = KDTree(len(vertices))
    for number, vertex in enumerate(vertices.tolist()):
        tree.insert(vertex, number)
    tree.balance()
    return np.array([tree.find(point)[1] for point in points.tolist()], dtype=np.int64)
