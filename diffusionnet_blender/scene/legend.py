"""Legend of a mesh: its parts with color, area and counts, saved with the file."""

from __future__ import annotations

from collections.abc import Sequence

import bpy
import numpy as np

from ..tasks.doubts import still_meant
from ..tasks.labels import Labels
from .doubts import write_doubts


def write_legend(
    mesh: bpy.types.Mesh,
    result: Labels,
    face_attribute: str,
    vertex_attribute: str,
    groups: Sequence[str] = (),
) -> None:
    """Fill `mesh.diffusionnet`, whose properties `properties.DIFFUSIONNET_PG_legend` declares.

    Parameters
    ----------
    mesh : bpy.types.Mesh
    result : Labels
    face_attribute, vertex_attribute : str
        Where the class of each face and of each vertex was written; "" where it was not.
    groups : sequence of str
        Vertex group of each class; empty where none were written.
    """
    legend = mesh.diffusionnet
    legend.model = result.model_name
    write_doubts(mesh, still_meant(result.unsure_of, result.class_names))
    # Attributes of an earlier write are still on the mesh.
    legend.face_attribute = face_attribute or legend.face_attribute
    legend.vertex_attribute = vertex_attribute or legend.vertex_attribute
    if not groups and [part.name for part in legend.parts] == list(result.class_names):
        groups = [part.vertex_group for part in legend.parts]
    count = len(result.class_names)
    vertices = np.bincount(result.vertex_labels, minlength=count)
    faces = np.bincount(result.polygon_labels, minlength=count)
    areas = np.bincount(result.polygon_labels, weights=result.polygon_areas, minlength=count)
    hidden = {part.name for part in legend.parts if part.hidden}
    legend.parts.clear()
    for index, name in enumerate(result.class_names):
        part = legend.parts.add()
        part.name = name
        part.hidden = name in hidden
        part.stored_colour = tuple(float(x) for x in result.class_colours[index])
        part.area = areas[index]
        part.face_count = int(faces[index])
        part.vertex_count = int(vertices[index])
        part.vertex_group = groups[index] if groups else ""
    share_out([mesh])


def share_out(meshes: Sequence[bpy.types.Mesh]) -> None:
    """Set the shares of parts to those of the whole, where several meshes are one character.

    Meshes with other parts than the first keep theirs.
    """
    legends = [mesh.diffusionnet for mesh in meshes if mesh.library is None]
    names = [part.name for part in legends[0].parts] if legends else []
    legends = [each for each in legends if names and [part.name for part in each.parts] == names]
    if not legends:
        return
    areas, points = (
        np.array([[getattr(part, size) for part in each.parts] for each in legends]).sum(axis=0)
        for size in ("area", "vertex_count")
    )
    # A point cloud has no areas: there a part's share is that of its points.
    size = areas if areas.sum() > 0 else points
    for each in legends:
        for part, share in zip(each.parts, size / size.sum(), strict=True):
            part.share = share
