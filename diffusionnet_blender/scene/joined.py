"""Several objects as one, for a while: what is read from one object is then read from all.

The copies lie in a scene of their own, which ends with the context; nothing of the user's is
touched.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import bpy
import numpy as np
from mathutils import Matrix

from ..errors import DiffusionNetError
from .armatures import hold_of
from .character import Character
from .places import placed_at_rest
from .uv_maps import MOST_UV_MAPS, read_uv, source_uv_name, write_uv

NAME = "diffusionnet joined"


@contextmanager
def joined(character: Character) -> Iterator[bpy.types.Object]:
    """One object in place of several, with the data of all.

    Vertices, corners and polygons are those of the members, one after the other; vertex groups,
    shape keys, attributes and UV maps are united by name. The UV map that renders use has one name
    for all. Material slots follow one another. The first armature deforms it.

    Parameters
    ----------
    character : Character
        Of meshes, not in Edit Mode; they may be linked. One alone is given as it is.

    Yields
    ------
    bpy.types.Object
        Without a rotation and scale, at the place of the first member.

    Raises
    ------
    DiffusionNetError
        If they have too many UV maps.
    """
    if len(character.members) == 1:
        yield character.members[0]
        return
    before = {block.session_uid for block in _blocks()}
    try:
        yield _join(character)
    finally:
        bpy.data.batch_remove([b for b in _blocks() if b.session_uid not in before])


def _blocks() -> Iterator[bpy.types.ID]:
    for kind in (bpy.data.objects, bpy.data.meshes, bpy.data.shape_keys, bpy.data.scenes):
        yield from kind


def _join(character: Character) -> bpy.types.Object:
    members, name = character.members, character.name
    scene = bpy.data.scenes.new(NAME)
    places = placed_at_rest(character)
    uv_name = _common_uv_name(members)
    copies = [_copied(obj, place, uv_name) for obj, place in zip(members, places, strict=True)]
    whole = bpy.data.objects.new(name, bpy.data.meshes.new(name))
    whole.matrix_world = Matrix.Translation(places[0][:3, 3])
    for obj in (whole, *copies):
        scene.collection.objects.link(obj)
    layer = scene.view_layers[0]
    layer.objects.active = whole
    layer.update()
    # One at a time, so that their order is known.
    for obj in copies:
        with bpy.context.temp_override(
            scene=scene,
            view_layer=layer,
            active_object=whole,
            object=whole,
            selected_objects=[whole, obj],
            selected_editable_objects=[whole, obj],
        ):
            bpy.ops.object.join()
    _set_render_uv(whole.data, uv_name)
    hold = next((hold for obj in members if (hold := hold_of(obj)) is not None), None)
    if hold is not None:
        # Not evaluated any more: an update of this scene would put the rig to its animation.
        whole.modifiers.new("Armature", "ARMATURE").object = hold.rig
    return whole


def _copied(obj: bpy.types.Object, place: np.ndarray, uv_name: str) -> bpy.types.Object:
    """A copy of an object at a place, without all that moves it."""
    mesh, copy = obj.data.copy(), obj.copy()
    slots = [slot.material for slot in obj.material_slots]
    copy.data = mesh
    copy.animation_data_clear()
    copy.modifiers.clear()
    copy.constraints.clear()
    copy.parent = None
    copy.matrix_world = Matrix(place)
    copy.hide_viewport = copy.hide_select = False
    for slot, material in zip(copy.material_slots, slots, strict=True):
        slot.link = "DATA"
        slot.material = material
    if not slots:
        # Else its faces would have the first material of the others.
        mesh.materials.append(None)
    if uv_name and mesh.uv_layers:
        own = source_uv_name(obj)
        if own != uv_name:
            write_uv(mesh, uv_name, read_uv(mesh, own))
        _set_render_uv(mesh, uv_name)
    return copy


def _common_uv_name(members: Sequence[bpy.types.Object]) -> str:
    """A name for the UV maps that render, which no other UV map of a member has."""
    mapped = [obj for obj in members if obj.data.uv_layers]
    if not mapped:
        return ""
    rendered = {obj: source_uv_name(obj) for obj in mapped}
    others = {
        layer.name for obj in mapped for layer in obj.data.uv_layers if layer.name != rendered[obj]
    }
    wanted = free = rendered[mapped[0]]
    number = 0
    while free in others:
        number += 1
        free = f"{wanted}.{number:03}"
    if len(others | {free} | set(rendered.values())) > MOST_UV_MAPS:
        raise DiffusionNetError(
            f"The objects of the source have more than {MOST_UV_MAPS} UV maps of different names",
            "Remove some, or choose Each Object Alone.",
        )
    return free


def _set_render_uv(mesh: bpy.types.Mesh, name: str) -> None:
    layer = mesh.uv_layers.get(name) if name else None
    if layer is not None:
        layer.active_render = True
        mesh.uv_layers.active = layer
