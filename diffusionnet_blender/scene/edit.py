"""Corrections of the labels on a mesh, in all outputs that are on it.

Each function takes an object in any mode; all is checked before anything is written. The labels of
faces are changed, or of points where there are no faces; those of vertices follow.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace

import bpy
import numpy as np

from ..errors import DiffusionNetError
from ..tasks.doubts import SIDES, renamed, still_meant
from ..tasks.labels import Labels
from ..tasks.sides import other_side, without_side
from .attributes import read_values
from .colours import paint_part
from .doubts import read_doubts, write_doubts
from .edit_mode import outside_edit_mode
from .labels import read_labels, written_outputs
from .mask import mask_parts
from .materials import (
    recolour_material,
    remove_material,
    rename_material,
)
from .ownership import Kind, Role, claim, record, release, still_ours
from .read import read_object
from .results import keep_edit
from .write import require_writable, write_labels

# Colours of parts that are added, (r, g, b) in sRGB: far from each other and from grey.
FRESH_COLOURS = np.array(
    [(0.96, 0.51, 0.19), (0.57, 0.12, 0.71), (0.27, 0.94, 0.94), (0.74, 0.96, 0.05),
     (0.98, 0.75, 0.83), (0.00, 0.50, 0.50), (0.60, 0.39, 0.14), (0.50, 0.00, 0.00)]
)  # fmt: skip


def assign_selected(obj: bpy.types.Object, part: int) -> int:
    """Make the selected faces belong to a part, with all their vertices.

    Parameters
    ----------
    obj : bpy.types.Object
    part : int
        Number in the legend.

    Returns
    -------
    int
        Number of faces (or points) whose part has changed.

    Raises
    ------
    DiffusionNetError
        If nothing is selected, or labels cannot be read or written.
    """
    with outside_edit_mode(obj.data):
        mesh = obj.data
        selected = _selected(mesh)
        if not selected.any():
            what = "face" if len(mesh.polygons) else "vertex"
            raise DiffusionNetError(
                f"No {what} of {obj.name!r} is selected", f"Select a {what} or more in Edit Mode."
            )
        return _change(
            obj,
            part,
            lambda labels, near, sizes: np.where(selected, part, labels),
            decided=part,
            settled=part,
        )


def has_selection(obj: bpy.types.Object) -> bool:
    """Whether anything is selected that `assign_selected` would assign."""
    with outside_edit_mode(obj.data):
        return bool(_selected(obj.data).any())


def grow_part(obj: bpy.types.Object, part: int, steps: int) -> int:
    """Extend a part by the faces along its border; number changed."""
    from ..tasks.edit_labels import grow

    return _change(
        obj, part, lambda labels, near, sizes: grow(labels, near, part, steps), settled=part
    )


def shrink_part(obj: bpy.types.Object, part: int, steps: int) -> int:
    """Assign the faces along the border of a part to its neighbours; number changed."""
    from ..tasks.edit_labels import shrink

    return _change(
        obj, part, lambda labels, near, sizes: shrink(labels, near, part, steps), settled=part
    )


def smooth_parts(obj: bpy.types.Object, steps: int, islands: float, part: int | None = None) -> int:
    """Straighten the borders, and merge small islands into the surrounding parts.

    Parameters
    ----------
    obj : bpy.types.Object
    steps : int
        Rounds of smoothing; 0 leaves the borders.
    islands : float
        Islands smaller than this share of their part's largest piece go; 0 keeps all.
    part : int, optional
        Of this part alone.

    Returns
    -------
    int
        Number of faces that have changed.
    """
    from ..tasks.edit_labels import remove_islands, smooth

    def change(labels, near, sizes):
        if islands:
            labels = remove_islands(labels, near, sizes, islands, part)
        return smooth(labels, near, steps, part) if steps else labels

    return _change(obj, part, change)


def merge_parts(obj: bpy.types.Object, part: int, into: int) -> None:
    """Add a part to another; the first leaves the legend, and its group and slot the mesh."""
    from ..tasks.edit_labels import merge

    with outside_edit_mode(obj.data):
        before = _readable(obj, part)
        _require_part(obj, into)
        if part == into:
            raise DiffusionNetError(
                f"{before.class_names[part]!r} cannot be merged into itself", "Choose another part."
            )
        group = obj.data.diffusionnet.parts[part].vertex_group
        probabilities, faces = merge(before.vertex_probabilities, before.polygon_labels, part, into)
        after = replace(
            before,
            class_names=_without(before.class_names, part),
            class_colours=np.delete(before.class_colours, part, axis=0),
            vertex_probabilities=probabilities,
            polygon_labels=faces,
        )
        is_ours = bool(still_ours(obj, Kind.VERTEX_GROUP, Role.LABELS, [group]))
        _rewrite(obj, before, after)
        found = obj.vertex_groups.get(group)
        if found and is_ours and not found.lock_weight:
            obj.vertex_groups.remove(found)
            release(obj.data, Kind.VERTEX_GROUP, group)
        remove_material(obj.data, before.class_names[part])
        legend = obj.data.diffusionnet
        legend.active = after.class_names.index(before.class_names[into])


def add_part(obj: bpy.types.Object, name: str) -> int:
    """Add a part that nothing belongs to yet; its number."""
    with outside_edit_mode(obj.data):
        before = _readable(obj)
        count = len(before.class_names)
        distance = np.abs(FRESH_COLOURS[:, None] - before.class_colours[None]).sum(axis=2)
        colour = FRESH_COLOURS[distance.min(axis=1).argmax()]
        after = replace(
            before,
            class_names=(*before.class_names, free_name(name, before.class_names)),
            class_colours=np.vstack([before.class_colours, colour]),
            vertex_probabilities=np.pad(before.vertex_probabilities, ((0, 0), (0, 1))),
        )
        _rewrite(obj, before, after)
        obj.data.diffusionnet.active = count
        return count


def swap_sides(obj: bpy.types.Object) -> int:
    """Swap left and right: faces of hand.L become faces of hand.R.

    Returns
    -------
    int
        Number of pairs of parts.

    Raises
    ------
    DiffusionNetError
        If no two parts are called alike but for the side.
    """
    with outside_edit_mode(obj.data):
        before = _readable(obj)
        names = before.class_names
        other = np.arange(len(names))
        for number, name in enumerate(names):
            # Classes may have a prefix before their side, and Blender may have a number after it.
            flipped = other_side(name) or bpy.utils.flip_name(name)
            if flipped in names:
                other[number] = names.index(flipped)
        pairs = int(np.count_nonzero(other != np.arange(len(names)))) // 2
        if not pairs:
            raise DiffusionNetError(
                f"{obj.name!r} has no pairs of left and right parts",
                "Rename its parts so that their names end in .L and .R.",
            )
        faces = other[before.polygon_labels].astype(np.int32)
        probabilities = before.vertex_probabilities[:, other]
        after = replace(before, vertex_probabilities=probabilities, polygon_labels=faces)
        _rewrite(obj, before, _without_doubt(after, SIDES))
        return pairs


def rename_part(obj: bpy.types.Object, part: int, name: str) -> str:
    """Rename a part in the legend, with its vertex group and material, if ours.

    Parameters
    ----------
    obj : bpy.types.Object
    part : int
    name : str
        Where another part is called so, a number is put behind it, as Blender does.

    Returns
    -------
    str
        Its name now.

    Raises
    ------
    DiffusionNetError
        If the name is empty or the object cannot be written to.
    """
    require_writable(obj)
    _require_part(obj, part)
    mesh = obj.data
    item = mesh.diffusionnet.parts[part]
    others = [p.name for number, p in enumerate(mesh.diffusionnet.parts) if number != part]
    if not name.strip():
        raise DiffusionNetError("The name of the part is empty", "Enter a name.")
    name = free_name(name.strip(), others)
    if name == item.name:
        return name
    rename_material(mesh, item.name, name)
    group = item.vertex_group
    if group in obj.vertex_groups.keys():
        if still_ours(obj, Kind.VERTEX_GROUP, Role.LABELS, [group]):
            item.vertex_group = _rename_group(obj, group, name)
        else:
            # It is the artist's now, and not that of the part.
            item.vertex_group = ""
    doubts = renamed(read_doubts(mesh), item.name, name)
    item.name = name
    write_doubts(mesh, still_meant(doubts, [part.name for part in mesh.diffusionnet.parts]))
    keep_edit(mesh)
    return name


def _rename_group(obj: bpy.types.Object, group: str, name: str) -> str:
    """Rename a vertex group of ours to a name that is free; that name."""
    free = claim(obj, Kind.VERTEX_GROUP, Role.LABELS, [name]).names[0]
    release(obj.data, Kind.VERTEX_GROUP, group)
    obj.vertex_groups[group].name = free
    record(obj, Kind.VERTEX_GROUP, Role.LABELS, [free])
    return free


def recolour_part(obj: bpy.types.Object, part: int, colour: Sequence[float]) -> None:
    """Change the colour of a part: in the legend, the colour attribute and its material.

    Parameters
    ----------
    obj : bpy.types.Object
        A mesh in any mode.
    part : int
    colour : (r, g, b)
        sRGB, 0 to 1.
    """
    item = obj.data.diffusionnet.parts[part]
    before = tuple(item.stored_colour)
    item.stored_colour = colour
    recolour_material(obj.data, item.name, np.array(colour))
    paint_part(obj, part, before, colour)
    keep_edit(obj.data)


def toggled(obj: bpy.types.Object, part: int) -> frozenset[int]:
    """Parts of an object that are hidden once a part is hidden, or shown again."""
    return _hidden(obj) ^ {part}


def isolated(obj: bpy.types.Object, part: int) -> frozenset[int]:
    """Parts of an object that are hidden once a part is shown alone; none where it is already."""
    others = frozenset(range(len(obj.data.diffusionnet.parts))) - {part}
    return frozenset() if _hidden(obj) == others else others


def hide_parts(obj: bpy.types.Object, hidden: Collection[int]) -> int:
    """Hide parts with the Mask modifier, and show all others; number of parts shown."""
    with outside_edit_mode(obj.data):
        mask_parts(obj, _readable(obj), hidden)
    return len(obj.data.diffusionnet.parts) - len(hidden)


def _hidden(obj: bpy.types.Object) -> frozenset[int]:
    return frozenset(n for n, part in enumerate(obj.data.diffusionnet.parts) if part.hidden)


def free_name(name: str, others) -> str:
    """A name that differs from all others, with a number appended if necessary."""
    number, free = 0, name
    while free in others:
        number += 1
        free = f"{name}.{number:03}"
    return free


def _change(
    obj,
    part: int | None,
    change: Callable,
    decided: int | None = None,
    settled: int | None = None,
) -> int:
    """Apply `change(labels, near, sizes)` to the labels of faces, or of points.

    Faces that become part `decided` take all their vertices with them. No doubt of part `settled`
    is left.
    """
    from ..tasks.edit_labels import decide, follow_faces, neighbourhood_of

    with outside_edit_mode(obj.data):
        geometry = read_object(obj)
        before = _readable(obj, part, geometry)
        near = neighbourhood_of(geometry.surface, geometry.polygons.of_triangle)
        if geometry.surface.is_point_cloud:
            labels = before.vertex_labels
            faces = before.polygon_labels
            found = vertices = change(labels, near, np.ones(len(labels)))
        else:
            labels = before.polygon_labels
            faces = found = change(labels, near, geometry.polygon_areas).astype(np.int32)
            vertices = follow_faces(before.vertex_labels, labels, faces, near)
            if decided is not None:
                taken = (faces == decided) & (labels != decided)
                vertices = np.where(near.vertices_of(taken), decided, vertices)
        after = replace(
            before,
            vertex_probabilities=decide(before.vertex_probabilities, vertices),
            polygon_labels=faces,
        )
        if settled is not None:
            after = _without_doubt(after, without_side(before.class_names[settled]))
        _rewrite(obj, before, after)
        return int(np.count_nonzero(labels != found))


def _readable(obj, part: int | None = None, geometry=None) -> Labels:
    """Labels of an object that can be written to and has the part."""
    require_writable(obj)
    labels = read_labels(obj, geometry)
    if part is not None:
        _require_part(obj, part)
    return labels


def _selected(mesh) -> np.ndarray:
    """Which faces are selected, or which points where there are no faces."""
    elements = mesh.polygons if len(mesh.polygons) else mesh.vertices
    return read_values(elements, "select", bool)


def _require_part(obj, part: int) -> None:
    parts = obj.data.diffusionnet.parts
    if not 0 <= part < len(parts):
        raise DiffusionNetError(
            f"{obj.name!r} has no part {part!r}",
            f"Its parts are {', '.join(p.name for p in parts)}." if parts else "Segment it first.",
        )


def _rewrite(obj, before: Labels, after: Labels) -> None:
    """Write corrected labels in every way in which those before are on the mesh."""
    write_labels(obj, after, written_outputs(obj, before))
    keep_edit(obj.data, after)


def _without_doubt(labels: Labels, settled: str) -> Labels:
    left = tuple(name for name in labels.unsure_of if name != settled)
    return replace(labels, unsure_of=left)


def _without(names: tuple[str, ...], part: int) -> tuple[str, ...]:
    return tuple(name for number, name in enumerate(names) if number != part)
