"""Parts of a body with modifiers against those of the body: `python -m benchmarks.modifiers`.

The sample body Ada, welded, with one modifier after the other. A row has the vertices that are
seen, the seconds that reading takes, and the share of the base mesh's area with the same part as
without the modifier; for a half, as the whole body has there. *Alone* is the base mesh without the
modifier, which is all that was seen before modifiers counted.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

import bpy  # isort: skip  (before bmesh, which it brings)
import bmesh
import numpy as np
from scipy.spatial import cKDTree

from diffusionnet_blender.scene.character import alone
from diffusionnet_blender.scene.files import open_file
from diffusionnet_blender.scene.options import ReadOptions
from diffusionnet_blender.scene.read import read_object
from diffusionnet_blender.scene.segment_jobs import segment_request
from diffusionnet_blender.tasks.labels import Labels
from diffusionnet_blender.tasks.segment.job import run

ADA = Path(__file__).resolve().parent.parent / "samples" / "ada.glb"
# Apart, since glTF cuts the body along the seams of its UV map.
SEAM = 1e-5


@dataclass(frozen=True)
class Case:
    """A modifier on a body.

    Attributes
    ----------
    title, kind : str
        `kind` as Blender names its type.
    settings : dict
    prepare : callable, optional
        Called with the object and its modifier.
    is_half : bool
        Whether the body is cut into halves first.
    """

    title: str
    kind: str
    settings: dict
    prepare: Callable[[bpy.types.Object, bpy.types.Modifier], None] | None = None
    is_half: bool = False


def _subdivide_once(obj: bpy.types.Object, modifier: bpy.types.Modifier) -> None:
    with bpy.context.temp_override(object=obj, active_object=obj):
        bpy.ops.object.multires_subdivide(modifier=modifier.name)


def _cube_at_the_chest(obj: bpy.types.Object, modifier: bpy.types.Modifier) -> None:
    corners = np.array([obj.matrix_world @ vertex.co for vertex in obj.data.vertices])
    height = corners[:, 2].min() + 0.72 * np.ptp(corners[:, 2])
    bpy.ops.mesh.primitive_cube_add(size=0.12, location=(0.0, corners[:, 1].min(), height))
    modifier.object = bpy.context.object


CASES = (
    Case("Mirror, of a half", "MIRROR", {}, is_half=True),
    Case("Subdivision, 1 level", "SUBSURF", {"levels": 1}),
    Case("Subdivision, 2 levels", "SUBSURF", {"levels": 2}),
    Case("Multiresolution", "MULTIRES", {}, _subdivide_once),
    Case("Solidify, 1 cm", "SOLIDIFY", {"thickness": 0.01}),
    Case("Bevel, 1 mm", "BEVEL", {"width": 0.001}),
    Case("Remesh, voxels of 1 cm", "REMESH", {"voxel_size": 0.01}),
    Case("Remesh, smooth", "REMESH", {"mode": "SMOOTH", "octree_depth": 7}),
    Case("Decimate, to 30%", "DECIMATE", {"ratio": 0.3}),
    Case("Decimate, planar", "DECIMATE", {"decimate_type": "DISSOLVE", "angle_limit": 0.1}),
    Case("Weld, 5 mm", "WELD", {"merge_threshold": 0.005}),
    Case("Triangulate", "TRIANGULATE", {}),
    Case("Edge Split", "EDGE_SPLIT", {}),
    Case("Boolean, union", "BOOLEAN", {"operation": "UNION"}, _cube_at_the_chest),
    Case("Boolean, difference", "BOOLEAN", {"operation": "DIFFERENCE"}, _cube_at_the_chest),
    Case("Smooth", "SMOOTH", {"iterations": 3}),
    Case(
        "Array, of 2, 2 m apart",
        "ARRAY",
        {
            "use_constant_offset": True,
            "use_relative_offset": False,
            "constant_offset_displace": (2.0, 0.0, 0.0),
        },
    ),
)


def body() -> bpy.types.Object:
    """The sample body in a file of its own, welded."""
    obj = open_file(ADA)[0]
    mesh = bmesh.new()
    mesh.from_mesh(obj.data)
    bmesh.ops.remove_doubles(mesh, verts=mesh.verts, dist=SEAM)
    mesh.to_mesh(obj.data)
    mesh.free()
    return obj


def _halve(obj: bpy.types.Object) -> None:
    mesh = bmesh.new()
    mesh.from_mesh(obj.data)
    plane = {"plane_co": (0, 0, 0), "plane_no": (1, 0, 0)}
    everything = [*mesh.verts, *mesh.edges, *mesh.faces]
    bmesh.ops.bisect_plane(mesh, geom=everything, clear_inner=True, **plane)
    mesh.to_mesh(obj.data)
    mesh.free()


def _centres(obj: bpy.types.Object) -> np.ndarray:
    return np.array([tuple(polygon.center) for polygon in obj.data.polygons])


def _parts(obj: bpy.types.Object) -> tuple[Labels, int, float]:
    """Parts of the base mesh, vertices that were seen, seconds of reading."""
    started = perf_counter()
    geometry, request = segment_request(alone(obj), ReadOptions(), engine="numpy")
    seconds = perf_counter() - started
    (labels,) = geometry.split(run(request))
    return labels, len(request.surface.vertices), seconds


def reference() -> tuple[cKDTree, np.ndarray]:
    """Centres and parts of the polygons of the body without modifiers."""
    obj = body()
    return cKDTree(_centres(obj)), _parts(obj)[0].polygon_labels


def agreement(
    case: Case, known: tuple[cKDTree, np.ndarray], without: bool = False
) -> tuple[float, int, float]:
    """Share of the base mesh's area with the part of the body, seen vertices, seconds of reading.

    Parameters
    ----------
    case : Case
    known : (cKDTree, (P,) int)
        See `reference`.
    without : bool
        Without the modifier.
    """
    obj = body()
    if case.is_half:
        _halve(obj)
    if not without:
        modifier = obj.modifiers.new(case.kind, case.kind)
        for name, value in case.settings.items():
            setattr(modifier, name, value)
        if case.prepare:
            case.prepare(obj, modifier)
    labels, seen, seconds = _parts(obj)
    tree, parts = known
    expected = parts[tree.query(_centres(obj))[1]]
    areas = read_object(obj).polygon_areas
    return float((labels.polygon_labels == expected) @ areas / areas.sum()), seen, seconds


def main() -> None:
    known = reference()
    print("| modifier | vertices seen | reading | same part | alone |")
    print("|---|---|---|---|---|")
    for case in CASES:
        share, seen, seconds = agreement(case, known)
        alone_too = f"{agreement(case, known, without=True)[0]:.1%}" if case.is_half else ""
        print(f"| {case.title} | {seen:,} | {seconds:.2f} s | {share:.1%} | {alone_too} |")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
