"""Several objects as one, for a while: what is read from one object is then read from all.

Nothing of the user's is touched.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import bpy
from mathutils import Matrix

from ..errors import DiffusionNetError
from .armatures import hold_of
from .character import Character
from .own_scene import OwnScene
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
    with OwnScene(NAME) as own:
        yield _join(character, own)


def _join(character: Character, own: OwnScene) -> bpy.types.Object:
    members, name = character.members, character.name
    places = placed_at_rest(character)
    uv_name = _common_uv_name(members)
    copies = []
    for obj, place in zip(members, places, strict=True):
        copies.append(own.copied(obj, place))
        _prepare(copies[-1], obj, uv_name)
    mesh = own.keep(bpy.data.meshes, bpy.data.meshes.new(name))
    whole = own.keep(bpy.data.objects, bpy.data.objects.new(name, mesh))
    whole.matrix_world = Matrix.Translation(places[0][:3, 3])
    for obj in (whole, *copies):
        own.scene.collection.objects.link(obj)
    layer = own.layer
    layer.objects.active = whole
    layer.update()
    # One at a time, so that their order is known.
    for obj in copies:
        with bpy.context.temp_override(
            scene=own.scene,
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


def _prepare(copy: bpy.types.Object, obj: bpy.types.Object, uv_name: str) -> None:
    """Give the copy of an object materials of its mesh and the common UV map."""
    mesh, slots = copy.data, [slot.material for slot in obj.material_slots]
    copy.modifiers.clear()
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
