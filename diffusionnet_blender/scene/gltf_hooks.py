"""Hooks by which Blender's exporter and importer of glTF bring the parts along.

They look for `glTF2ExportUserExtension` and `glTF2ImportUserExtension` in the add-ons that are
enabled, so that this holds for File > Export and Import, too. The scene is not touched by an
export: attributes are renamed on their way into the file.
"""

from __future__ import annotations

import bpy

from ..errors import DiffusionNetError
from .character import characters_of
from .fingerprint import CONTENT
from .gltf_parts import (
    EXTRAS,
    VERTEX,
    Parts,
    apart,
    extras_of,
    names_in_gltf,
    parts_from,
    restore_parts,
)
from .legend import share_out
from .materials import is_edited

# Property of scenes, objects and meshes that is this extension's own; before 5.0 it is among the
# custom properties, which become extras.
OWN = "diffusionnet"


class PartsInExport:
    """Parts of the meshes that are exported, where attributes are exported at all."""

    def __init__(self) -> None:
        self._mesh: bpy.types.Mesh | None = None
        self._names: dict[str, str] = {}

    def gather_node_mesh_hook(self, node_mesh, obj, settings) -> None:
        """Note the mesh that is exported next."""
        self._mesh = obj.data if obj and isinstance(obj.data, bpy.types.Mesh) else None
        is_evaluated = bool(settings["gltf_apply"] and obj and len(obj.modifiers))
        self._names = names_in_gltf(self._mesh, is_evaluated) if self._mesh else {}

    def gather_attribute_keep(self, attribute, settings) -> None:
        """Choose the name of an attribute of that mesh."""
        if attribute.attr_name in self._names:
            attribute.keep, attribute.attr_name = True, self._names[attribute.attr_name]
        elif attribute.keep and self._names:
            attribute.attr_name = apart(attribute.attr_name)

    def gather_mesh_hook(
        self, gltf_mesh, mesh, obj, groups, modifiers, materials, settings
    ) -> None:
        """Add what belongs to the numbers, if they are in the file."""
        if self._names and all(VERTEX in part.attributes for part in gltf_mesh.primitives):
            gltf_mesh.extras = {**(gltf_mesh.extras or {}), EXTRAS: extras_of(self._mesh)}

    def gather_material_hook(self, gltf_material, material, settings) -> None:
        """Let materials of the parts that the artist has edited stay the artist's."""
        if gltf_material.extras and is_edited(material):
            gltf_material.extras.pop(CONTENT, None)

    def gather_gltf_extensions_hook(self, gltf, settings) -> None:
        """Leave out what is of use in this file alone."""
        _leave_out_own(gltf)


class PartsInImport:
    """Parts of the meshes that are imported."""

    def __init__(self) -> None:
        self._known: dict[int, Parts] = {}
        self._made: list[tuple[bpy.types.Mesh, Parts]] = []

    def gather_import_gltf_before_hook(self, gltf) -> None:
        """Keep extras of that name from becoming settings of the extension."""
        # Of the file before, where several are imported at once.
        self._known.clear()
        _leave_out_own(gltf.data)

    def gather_import_mesh_before_hook(self, gltf_mesh, gltf) -> None:
        """Take the parts out of the extras, the rest of which become custom properties."""
        extras = gltf_mesh.extras if isinstance(gltf_mesh.extras, dict) else {}
        parts = parts_from(extras.get(EXTRAS))
        # Blender makes zeros of what other primitives of a mesh lack.
        if parts and all(VERTEX in part.attributes for part in gltf_mesh.primitives):
            self._known[id(gltf_mesh)] = parts
            del extras[EXTRAS]

    def gather_import_mesh_after_hook(self, gltf_mesh, mesh, gltf) -> None:
        """Note a mesh that was made, of which there are several for several skins."""
        if id(gltf_mesh) in self._known:
            self._made.append((mesh, self._known[id(gltf_mesh)]))

    def gather_import_scene_after_nodes_hook(self, gltf_scene, scene, gltf) -> None:
        """Write the parts, for which objects are needed."""
        made, self._made = self._made, []
        restored = []
        # Areas are those of the world, whose transforms are evaluated with the update only.
        bpy.context.view_layer.update()
        for mesh, parts in made:
            obj = next((obj for obj in bpy.data.objects if obj.data == mesh), None)
            try:
                if obj and restore_parts(obj, parts):
                    restored.append(obj)
            except DiffusionNetError as error:
                # The attributes stay as they are; the file can be used all the same.
                gltf.log.warning(f"No parts on {obj.name}: {error}")
        for character in characters_of(restored, bpy.context.view_layer):
            share_out([obj.data for obj in character.members if obj in restored])


def _leave_out_own(gltf) -> None:
    """Take the extension's own properties out of the extras of scenes, objects and meshes."""
    for item in (*(gltf.scenes or ()), *(gltf.nodes or ()), *(gltf.meshes or ())):
        if isinstance(item.extras, dict):
            item.extras.pop(OWN, None)
