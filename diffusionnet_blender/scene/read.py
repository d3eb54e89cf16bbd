"""Meshes of objects read into arrays: surface, polygons, topology."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property

import bpy
import numpy as np

from ..errors import DiffusionNetError, SurfaceError
from ..surface.surface import Surface, triangle_areas
from ..tasks.base_mesh import Mesh
from ..tasks.labels import Polygons
from .attributes import read_values


@dataclass(frozen=True, eq=False)
class ObjectGeometry:
    """The mesh of an object, as the network and the writers need it.

    Attributes
    ----------
    name : str
        Of the object.
    coordinates : (V, 3) float32
        As stored in the mesh, without the object's transform.
    surface : Surface
        With the rotation and scale of the object's world transform (its location changes
        nothing and would cost digits), in triangles. A mirroring transform has their winding
        reversed, so that normals stay outward. No triangles: a point cloud.
    polygons : Polygons
        With the topology of the mesh, see `topology_of`.
    """

    name: str
    coordinates: np.ndarray
    surface: Surface
    polygons: Polygons

    @cached_property
    def areas(self) -> np.ndarray:
        """Areas of the triangles, (F,) float64, in world units squared."""
        return triangle_areas(self.surface.vertices, self.surface.faces)

    @property
    def polygon_areas(self) -> np.ndarray:
        """Areas of the polygons, (P,) float64."""
        return self.polygons.areas(self.areas)


def read_object(
    obj: bpy.types.Object, depsgraph: bpy.types.Depsgraph | None = None
) -> ObjectGeometry:
    """Read the mesh of an object, in any mode.

    Parameters
    ----------
    obj : bpy.types.Object
        It may be linked.
    depsgraph : bpy.types.Depsgraph, optional
        Read the mesh as deformed by modifiers, shape keys and armatures. Without: the mesh itself,
        with shape keys at their basis.

    Returns
    -------
    ObjectGeometry

    Raises
    ------
    SurfaceError
        If the object is no mesh, or its geometry cannot be used.
    """
    if obj.type != "MESH":
        raise SurfaceError(
            f"{obj.name!r} is not a mesh (it is of type {_type_name(obj)})", _how_to_get_a_mesh(obj)
        )
    if obj.data.is_editmode:
        obj.update_from_editmode()
    if depsgraph is None:
        return read_mesh(obj.data, obj)
    evaluated = obj.evaluated_get(depsgraph)
    mesh = evaluated.to_mesh()
    try:
        return read_mesh(mesh, evaluated)
    finally:
        evaluated.to_mesh_clear()


def read_rest_shape(obj: bpy.types.Object, geometry: ObjectGeometry | None = None) -> Surface:
    """The mesh of an object as modelled, wherever the object stands and however it is posed.

    Without armature, shape keys and the object's transform, so that it is the same in every frame.
    Only where the transform mirrors is it mirrored, too: left and right are then those that one
    sees.

    Parameters
    ----------
    obj : bpy.types.Object
    geometry : ObjectGeometry, optional
        The mesh with the modifiers that make its geometry. By default the mesh itself.

    Raises
    ------
    SurfaceError
        If the geometry cannot be used.
    """
    if geometry is None:
        geometry = read_object(obj)
    mirror = np.sign(np.linalg.det(linear_of(obj))) or 1.0
    coordinates = geometry.coordinates.astype(np.float64) * [mirror, 1.0, 1.0]
    try:
        return Surface(coordinates, geometry.surface.faces)
    except SurfaceError as error:
        message = f"{obj.name!r}, the rest shape: {error.message}"
        raise SurfaceError(message, error.fix) from error


def read_mesh(mesh: bpy.types.Mesh, obj: bpy.types.Object) -> ObjectGeometry:
    """Read a mesh as that of an object, with the object's transform.

    Raises
    ------
    SurfaceError
        If its geometry cannot be used.
    """
    arrays = read_arrays(mesh, obj)
    try:
        surface = Surface(
            arrays.coordinates.astype(np.float64) @ linear_of(obj).T, arrays.triangles
        )
    except SurfaceError as error:
        raise SurfaceError(f"{obj.name!r}: {error.message}", error.fix) from error
    return ObjectGeometry(obj.name, arrays.coordinates, surface, arrays.polygons)


def read_arrays(mesh: bpy.types.Mesh, obj: bpy.types.Object) -> Mesh:
    """Coordinates, polygons and triangles of a mesh as that of an object, outward in the world."""
    coordinates, triangles, polygon_of_triangle = _arrays(mesh)
    if np.linalg.det(linear_of(obj)) < 0:
        # A mirroring transform turns all triangles over.
        triangles = triangles[:, ::-1]
    polygons = Polygons(polygon_of_triangle, len(mesh.polygons), topology_of(mesh))
    return Mesh(coordinates, triangles, polygons)


def _arrays(mesh: bpy.types.Mesh) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Coordinates (V, 3), triangles (F, 3) and the polygon of each triangle (F,)."""
    coordinates = read_values(mesh.vertices, "co", np.float32, 3)
    if len(mesh.loops) == 3 * len(mesh.polygons):
        # Triangles already: Blender's own come in the same order, at ten times the cost.
        triangles = _corner_vertices(mesh).reshape(-1, 3)
        return coordinates, triangles, np.arange(len(triangles), dtype=np.int32)
    mesh.calc_loop_triangles()
    corners = read_values(mesh.loop_triangles, "loops", np.int32, 3)
    polygon_of_triangle = read_values(mesh.loop_triangles, "polygon_index", np.int32)
    return coordinates, _corner_vertices(mesh)[corners], polygon_of_triangle


def linear_of(obj: bpy.types.Object) -> np.ndarray:
    """Rotation and scale of an object in the world, (3, 3) float64."""
    return np.array(obj.matrix_world.to_3x3(), dtype=np.float64)


def origin_of(obj: bpy.types.Object) -> np.ndarray:
    """Origin of an object in the world, (3,) float64, which its `Surface` lacks."""
    return np.array(obj.matrix_world.translation, dtype=np.float64)


def topology_of(mesh: bpy.types.Mesh) -> str:
    """Fingerprint of the polygons by their vertices, independent of positions."""
    digest = hashlib.sha256(str(len(mesh.vertices)).encode())
    digest.update(read_values(mesh.polygons, "loop_start", np.int32))
    digest.update(_corner_vertices(mesh))
    return digest.hexdigest()


def require_same_topology(obj: bpy.types.Object, topology: str) -> None:
    """Raise DiffusionNetError if results for a topology do not fit the object's own mesh."""
    if topology_of(obj.data) != topology:
        raise DiffusionNetError(
            f"{obj.name!r}: the result does not fit the vertices and faces of the mesh",
            "The mesh was edited since: segment it again.",
        )


def _corner_vertices(mesh: bpy.types.Mesh) -> np.ndarray:
    """Vertex of each corner of the polygons, (L,) int32."""
    stored = mesh.attributes.get(".corner_vert")
    # The attribute is a hundred times faster, but empty in Edit Mode.
    if stored and len(stored.data) == len(mesh.loops):
        return read_values(stored.data, "value", np.int32)
    return read_values(mesh.loops, "vertex_index", np.int32)


def _type_name(obj: bpy.types.Object) -> str:
    return obj.bl_rna.properties["type"].enum_items[obj.type].name.lower()


def _how_to_get_a_mesh(obj: bpy.types.Object) -> str:
    if obj.type in {"CURVE", "SURFACE", "META", "FONT", "CURVES", "POINTCLOUD", "GREASEPENCIL"}:
        return "Convert it with Object > Convert > Mesh."
    if obj.type == "ARMATURE":
        return "Choose a mesh, or an armature that deforms one of this view layer."
    return "Choose a mesh object."
