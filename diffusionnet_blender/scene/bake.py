"""Channels of materials baked by Cycles, on a copy of an object in a scene of its own."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator, Mapping

import bpy
import numpy as np

from ..errors import DiffusionNetError
from .own_scene import InOwnScene, OwnScene, Temporary, remove_keys
from .shader_graph import (
    BASE_COLOR,
    DISPLACEMENT,
    NORMAL,
    NORMALS,
    channel_input,
    output_of,
    source_of,
)
from .shader_mix import ShaderMix
from .uv_maps import MOST_UV_MAPS, read_uv, write_uv

NAME = "diffusionnet bake"
# Texels by which a baked triangle grows; the triangles of the atlas are 3 apart.
MARGIN = 2


class BakeError(DiffusionNetError):
    """Blender cannot bake."""


class Bake(InOwnScene):
    """Context in which channels of an object's materials are baked.

    Nothing of the user's is touched: the copy of the object, its materials and the image lie in a
    scene of their own, which ends with the context.

    Parameters
    ----------
    obj : bpy.types.Object
        A mesh, not in Edit Mode; it may be linked.
    layout : (L, 2) float
        UVs, without overlaps, that the images are baked into.
    height, width : int
        Of the images.

    Raises
    ------
    BakeError
        If Cycles is not available.
    """

    name = NAME

    def __init__(self, obj: bpy.types.Object, layout: np.ndarray, height: int, width: int):
        self._source, self._layout = obj, layout
        self._height, self._width = height, width

    def _set_up(self, own: OwnScene) -> None:
        scene, here = own.scene, bpy.context.scene
        try:
            scene.render.engine = "CYCLES"
        except TypeError as error:
            raise BakeError("Cycles is switched off", "Enable it among the add-ons.") from error
        scene.cycles.samples = 1
        scene.cycles.device = "CPU"
        scene.cycles.shading_system = getattr(here.cycles, "shading_system", False)
        self._object = obj = own.copied(self._source)
        obj.modifiers.clear()
        remove_keys(obj)
        for slot in obj.material_slots:
            slot.link = "OBJECT"
        # Tangents are those of the active map; the one that renders stays that of the materials.
        obj.data.uv_layers.active = self._uv_layer(obj.data)
        scene.collection.objects.link(obj)
        obj.select_set(True, view_layer=own.layer)
        own.layer.objects.active = obj
        image = bpy.data.images.new(NAME, self._width, self._height, alpha=True, float_buffer=True)
        self._target = own.keep(bpy.data.images, image)
        image.colorspace_settings.name = "Non-Color"
        self._blank = own.keep(bpy.data.materials, bpy.data.materials.new(NAME))

    def _uv_layer(self, mesh: bpy.types.Mesh) -> bpy.types.MeshUVLoopLayer:
        """The layer with the layout; it is added if none has it."""
        for layer in mesh.uv_layers:
            if np.array_equal(read_uv(mesh, layer.name), self._layout):
                return layer
        if len(mesh.uv_layers) == MOST_UV_MAPS:
            raise BakeError(
                f"{self._source.name!r} has the maximum number of UV maps", "Remove one of them."
            )
        name = mesh.uv_layers.new(name=NAME, do_init=False).name
        write_uv(mesh, name, self._layout)
        return mesh.uv_layers[name]

    def channel(self, channel: str, materials: Mapping[int, bpy.types.Material]) -> np.ndarray:
        """One channel of the materials of some slots, (H, W, 4) float32.

        Scene linear; a normal map in the tangent space of the layout.

        Raises
        ------
        BakeError
            If Blender cannot bake.
        """
        with Temporary() as made:
            try:
                for number, slot in enumerate(self._object.material_slots):
                    slot.material = (
                        self._prepared(materials[number], channel, made)
                        if number in materials
                        else self._blank
                    )
                self._bake("NORMAL" if channel in NORMALS else "EMIT")
            finally:
                for slot in self._object.material_slots:
                    slot.material = self._blank
        pixels = np.empty(4 * self._height * self._width, dtype=np.float32)
        self._target.pixels.foreach_get(pixels)
        pixels = pixels.reshape(self._height, self._width, 4)
        pixels[..., 3] = 1.0
        return pixels

    def _bake(self, kind: str) -> None:
        """Fill the image."""
        override = {
            "scene": self._own.scene,
            "view_layer": self._own.layer,
            "object": self._object,
            "active_object": self._object,
            "selected_objects": [self._object],
            "selected_editable_objects": [self._object],
        }
        with _silence(), bpy.context.temp_override(**override):
            try:
                bpy.ops.object.bake(
                    type=kind,
                    normal_space="TANGENT",
                    margin=MARGIN,
                    margin_type="EXTEND",
                    target="IMAGE_TEXTURES",
                    save_mode="INTERNAL",
                    use_clear=True,
                    use_selected_to_active=False,
                )
            except RuntimeError as error:
                raise BakeError(str(error).strip(), "Bake it in Blender first.") from error

    def _prepared(
        self, material: bpy.types.Material, channel: str, made: Temporary
    ) -> bpy.types.Material:
        """A copy of a material that emits one of its channels, or has its normals alone."""
        copy = made.keep(bpy.data.materials, material.copy())
        tree = copy.node_tree
        output = output_of(tree)
        for other in [n for n in tree.nodes if n.type == "OUTPUT_MATERIAL" and n != output]:
            tree.nodes.remove(other)
        output.target = "ALL"
        surface = source_of(output.inputs["Surface"])
        height = source_of(output.inputs["Displacement"])
        for name in ("Displacement", "Volume"):
            for link in list(output.inputs[name].links):
                tree.links.remove(link)
        if channel in NORMALS:
            self._show_normals(tree, output, surface.node, channel)
        else:
            mix = ShaderMix(build=True)
            alphas = _alphas(tree)
            if channel == DISPLACEMENT:
                value = source_of(height.node.inputs["Height"])
            else:
                value = mix.value(surface, channel)
            for group in mix.copies:
                made.keep(bpy.data.node_groups, group)
            emission = tree.nodes.new("ShaderNodeEmission")
            _feed(tree, value, emission.inputs["Color"])
            _lit_by_colour(tree)
            _show(tree, output, emission.outputs[0], alphas)
        target = tree.nodes.new("ShaderNodeTexImage")
        target.image = self._target
        for node in tree.nodes:
            node.select = False
        target.select = True
        tree.nodes.active = target
        return copy

    def _show_normals(self, tree, output, shader, channel: str) -> None:
        socket = channel_input(shader, channel)
        source = source_of(socket) if socket else None
        if source:
            diffuse = tree.nodes.new("ShaderNodeBsdfDiffuse")
            tree.links.new(source, diffuse.inputs[NORMAL])
            tree.links.new(diffuse.outputs[0], output.inputs["Surface"])


def _alphas(tree: bpy.types.NodeTree) -> list[bpy.types.NodeSocket]:
    """Alpha outputs in use. The colour of an image depends on whether its alpha is used, too."""
    return [
        socket
        for node in tree.nodes
        if node.type in ("TEX_IMAGE", "GROUP")
        for socket in node.outputs
        if socket.is_linked and socket.type != "SHADER" and socket.name != "Color"
    ]


def _show(tree, output, shader, kept: list[bpy.types.NodeSocket]) -> None:
    """Link a shader to the output; `kept` stay in use, where they add nothing to the emission."""
    for socket in kept:
        unseen = tree.nodes.new("ShaderNodeBsdfDiffuse")
        tree.links.new(socket, unseen.inputs["Color"])
        both = tree.nodes.new("ShaderNodeAddShader")
        tree.links.new(shader, both.inputs[0])
        tree.links.new(unseen.outputs[0], both.inputs[1])
        shader = both.outputs[0]
    tree.links.new(shader, output.inputs["Surface"])


def _lit_by_colour(tree: bpy.types.NodeTree) -> None:
    """Cycles has no Shader to RGB: the colour of the shader stands for its light."""
    for node in [n for n in tree.nodes if n.type == "SHADERTORGB"]:
        value = ShaderMix(build=True).value(source_of(node.inputs[0]), BASE_COLOR)
        for link in list(node.outputs["Color"].links):
            _feed(tree, value, link.to_socket)


def _feed(tree, value, socket: bpy.types.NodeSocket) -> None:
    """Give an input a constant or the value of an output."""
    if value is None or isinstance(value, np.ndarray):
        constant = tree.nodes.new("ShaderNodeRGB")
        constant.outputs[0].default_value = np.zeros(4) if value is None else value
        value = constant.outputs[0]
    tree.links.new(value, socket)


@contextlib.contextmanager
def _silence() -> Iterator[None]:
    """Keep Cycles, which tells its progress without a window, off the output of a command."""
    if not bpy.app.background:
        yield
        return
    sys.stdout.flush()
    try:
        kept = os.dup(1)
    except OSError:
        yield
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 1)
        yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)
        os.close(nowhere)
