"""Every branch on Blender's version: 4.2, 4.5 and 5.2."""

from __future__ import annotations

from collections.abc import Callable

import bpy

from .gltf_header import DRACO, MESHOPT


def node_tree(material: bpy.types.Material) -> bpy.types.NodeTree:
    """The nodes of a material. Before 5.0 they have to be switched on."""
    if bpy.app.version < (5, 0, 0):
        material.use_nodes = True
    return material.node_tree


def uses_nodes(material: bpy.types.Material) -> bool:
    """Whether nodes make a material's look. Since 5.0 they always do."""
    if bpy.app.version < (5, 0, 0) and not material.use_nodes:
        return False
    return material.node_tree is not None


def is_deprecated(prop: bpy.types.Property) -> bool:
    """Whether reading a property warns. 5.0 brought such properties."""
    return bpy.app.version >= (5, 0, 0) and prop.is_deprecated


def fbx_importer() -> Callable[..., set[str]]:
    """4.5 brought an importer of its own; 4.2 has only the add-on."""
    if bpy.app.version < (4, 5, 0):
        enable_addon("io_scene_fbx")
        return bpy.ops.import_scene.fbx
    return bpy.ops.wm.fbx_import


def color_icon(number: int) -> str:
    """Icon of a color tag, by its number in the Sequencer; 4.4 renamed its strips."""
    prefix = "SEQUENCE" if bpy.app.version < (4, 4, 0) else "STRIP"
    return f"{prefix}_COLOR_{number:02}"


def enable_addon(module: str) -> None:
    """Enable an add-on that ships with Blender, for this session only."""
    import addon_utils

    if not addon_utils.check(module)[1]:
        addon_utils.enable(module)


def undecoded_gltf() -> set[str]:
    """Compressions of glTF that the importer supports, and that this Blender lacks the decoder of.

    5.2 brought meshopt. Blender as a Python module comes without some decoders.
    """
    import io_scene_gltf2

    found = set() if io_scene_gltf2.is_draco_available() else {DRACO}
    if bpy.app.version >= (5, 2, 0) and not io_scene_gltf2.is_meshopt_available():
        found |= set(MESHOPT)
    return found


def set_up_node(node: bpy.types.Node, **choices: object) -> None:
    """Choices of a node, by the names of their properties. 5.0 made inputs of some of them."""
    for name, value in choices.items():
        if hasattr(node, name):
            setattr(node, name, value)
        else:
            node.inputs[_title(name)].default_value = _title(str(value))


def _title(identifier: str) -> str:
    return identifier.replace("_", " ").title()


def attributes_of_inputs(modifier: bpy.types.NodesModifier) -> list[str]:
    """Attributes that inputs and outputs of geometry nodes name, in use or not.

    They were custom properties of the modifier before it had properties for them.
    """
    interface = getattr(modifier, "properties", None)
    if interface is None:
        found = [modifier[key] for key in modifier.keys() if key.endswith("_attribute_name")]
    else:
        groups = interface.inputs, interface.outputs
        sockets = [getattr(g, p.identifier) for g in groups for p in g.bl_rna.properties]
        found = [getattr(socket, "attribute_name", "") for socket in sockets]
    return [name for name in found if name]
