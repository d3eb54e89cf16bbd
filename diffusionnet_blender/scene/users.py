"""Users of vertex groups and attributes of a mesh: bones, modifiers, drivers, nodes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import bpy

from .armatures import bone_names
from .compat import attributes_of_inputs
from .fingerprint import CONTENT

# Text properties of modifiers, physics and particles that name a vertex group or an attribute.
_NAMING = ("vertex_group", "uv_layer", "attribute", "color_layer", "layer_name", "uv_map", "group")


Users = dict[str, list[str]]


def users_of_groups(obj: bpy.types.Object) -> Users:
    """Users of each vertex group of a mesh object, by its name: bone 'hand.L', ..."""
    pairs = [*_named_by_constraints(obj), *_named_by_drivers(obj, "vertex_groups")]
    keys = obj.data.shape_keys
    pairs += [(key.vertex_group, f"key {key.name!r}") for key in (keys.key_blocks if keys else ())]
    for other in _objects_with(obj.data):
        pairs += [(name, f"bone {name!r}") for name in bone_names(other)]
        pairs += _named_by_modifiers(other)
    return _by_name(pairs)


def users_of_attributes(obj: bpy.types.Object) -> Users:
    """Users of each attribute of a mesh object, by its name."""
    pairs = list(_named_by_drivers(obj, "attributes"))
    for other in _objects_with(obj.data):
        pairs += [*_named_by_modifiers(other), *_named_by_nodes(other)]
    return _by_name(pairs)


def users_of_keys(obj: bpy.types.Object) -> Users:
    """Users of each shape key of a mesh object, by its name."""
    return _by_name(_named_by_drivers(obj, "key_blocks"))


def _by_name(pairs: Iterable[tuple[str, str]]) -> Users:
    found: Users = {}
    for name, user in pairs:
        found.setdefault(name, []).append(user)
    return found


def _objects_with(mesh: bpy.types.Mesh) -> list[bpy.types.Object]:
    return [obj for obj in bpy.data.objects if obj.data == mesh]


def _named_by_modifiers(obj: bpy.types.Object) -> Iterator[tuple[str, str]]:
    for modifier in obj.modifiers:
        text = f"modifier {modifier.name!r}"
        for struct in _structures(modifier):
            for name in _names_in(struct):
                yield name, text
        if modifier.type == "NODES":
            for name in attributes_of_inputs(modifier):
                yield name, text


def _structures(modifier: bpy.types.Modifier) -> Iterator[bpy.types.bpy_struct]:
    """A modifier, and the settings of its physics or particles."""
    yield modifier
    for name in ("settings", "collision_settings", "domain_settings", "flow_settings"):
        settings = getattr(modifier, name, None)
        if isinstance(settings, bpy.types.bpy_struct):
            yield settings
    system = getattr(modifier, "particle_system", None)
    if system is not None:
        yield system


def _names_in(struct: bpy.types.bpy_struct) -> Iterator[str]:
    for prop in struct.bl_rna.properties:
        if prop.type == "STRING" and prop.identifier.startswith(_NAMING):
            value = getattr(struct, prop.identifier)
            if value:
                yield value


def _named_by_constraints(obj: bpy.types.Object) -> Iterator[tuple[str, str]]:
    """Vertex groups that constraints of other objects and of bones follow."""
    for other in bpy.data.objects:
        bones = other.pose.bones if other.pose else ()
        for owner in (other, *bones):
            for constraint in owner.constraints:
                if getattr(constraint, "target", None) == obj:
                    name = getattr(constraint, "subtarget", "")
                    if name:
                        yield name, f"constraint {constraint.name!r} of {owner.name!r}"


def _named_by_drivers(obj: bpy.types.Object, collection: str) -> Iterator[tuple[str, str]]:
    """Members of a collection that a driver sets or reads, such as vertex_groups["head"]."""
    keys = obj.data.shape_keys
    blocks = {obj, obj.data, *([keys] if keys else [])}
    for owner, curve in _drivers():
        paths = [curve.data_path] if owner in blocks else []
        for variable in curve.driver.variables:
            paths += [target.data_path for target in variable.targets if target.id in blocks]
        for path in paths:
            before, found, rest = path.partition(f'{collection}["')
            if found:
                yield rest.split('"]')[0], f"a driver of {owner.name!r}"


def _drivers() -> Iterator[tuple[bpy.types.ID, bpy.types.FCurve]]:
    keys = [mesh.shape_keys for mesh in bpy.data.meshes if mesh.shape_keys]
    for owner in (*bpy.data.objects, *bpy.data.meshes, *keys, *bpy.data.materials):
        for curve in owner.animation_data.drivers if owner.animation_data else ():
            yield owner, curve


def _named_by_nodes(obj: bpy.types.Object) -> Iterator[tuple[str, str]]:
    """Attributes, colours and UV maps that the nodes of an object's materials read."""
    for slot in obj.material_slots:
        material = slot.material
        if material is None or material.node_tree is None or CONTENT in material:
            continue
        for node in material.node_tree.nodes:
            for name in ("attribute_name", "layer_name", "uv_map"):
                value = getattr(node, name, "")
                if value:
                    yield value, f"material {material.name!r}"
