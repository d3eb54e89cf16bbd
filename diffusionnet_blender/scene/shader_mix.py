"""Channels of a surface that is mixed of several shaders, read or built as nodes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import bpy
import numpy as np

from .shader_graph import ALPHA, BASE_COLOR, channel_input, colour_of, source_of

# What varies from place to place, while nothing is built to say how.
VARIES = object()


@dataclass
class ShaderMix:
    """Channels of a surface that is mixed of shaders, in and out of node groups.

    Attributes
    ----------
    build : bool
        Whether nodes are added to the trees for values that vary, and groups made single users.
    copies : list of bpy.types.NodeTree
        Groups copied for that.
    """

    build: bool = False
    copies: list[bpy.types.NodeTree] = field(default_factory=list)

    def value(self, output: bpy.types.NodeSocket | None, channel: str) -> Any:
        """What a shader shows in a channel.

        Returns
        -------
        None, (4,) float32, VARIES, or bpy.types.NodeSocket
            None where the shader has no such channel; the socket if nodes are built.
        """
        if output is None or output.node.mute:
            return None
        node = output.node
        if node.type == "MIX_SHADER":
            factor = self._socket(node.inputs[0])
            values = [self.value(source_of(socket), channel) for socket in node.inputs[1:3]]
            return self._blend(node.id_data, "MIX", factor, *values)
        if node.type == "ADD_SHADER":
            values = [self.value(source_of(socket), channel) for socket in node.inputs]
            if channel == BASE_COLOR:
                return self._blend(node.id_data, "ADD", colour_of(1.0), *values)
            return next((value for value in values if value is not None), None)
        if node.type == "GROUP":
            return self._in_group(node, output, channel)
        if node.type in ("BSDF_TRANSPARENT", "HOLDOUT"):
            return colour_of(0.0) if channel == ALPHA else None
        socket = channel_input(node, channel)
        if socket is None:
            return colour_of(1.0) if channel == ALPHA else None
        value = self._socket(socket)
        if node.type == "EMISSION" and channel == BASE_COLOR and isinstance(value, np.ndarray):
            strength = self._socket(node.inputs["Strength"])
            if isinstance(strength, np.ndarray):
                value = np.append(np.clip(value[:3] * strength[:3], 0, 1), 1).astype(np.float32)
        return value

    def _socket(self, socket: bpy.types.NodeSocket) -> Any:
        source = source_of(socket)
        if source is None:
            return colour_of(socket.default_value)
        if source.node.type in ("RGB", "VALUE") and not source.node.mute:
            return colour_of(source.default_value)
        return source if self.build else VARIES

    def _blend(self, tree, kind: str, factor, one, other) -> Any:
        if one is None or other is None:
            return other if one is None else one
        if all(isinstance(each, np.ndarray) for each in (one, other)):
            if isinstance(factor, np.ndarray):
                mixed = (one + (other - one) * np.clip(factor, 0, 1)) if kind == "MIX" else None
                return np.minimum(one + other, 1) if mixed is None else mixed
            if np.allclose(one, other):
                return one
        if not self.build:
            return VARIES
        node = tree.nodes.new("ShaderNodeMix")
        node.data_type, node.blend_type = "RGBA", kind
        for socket, value in ((node.inputs[0], factor), (node.inputs[6], one),
                              (node.inputs[7], other)):  # fmt: skip
            if isinstance(value, np.ndarray):
                socket.default_value = value if socket.type == "RGBA" else float(value[0])
            else:
                tree.links.new(value, socket)
        return node.outputs[2]

    def _in_group(self, node, output, channel: str) -> Any:
        if node.node_tree is None:
            return None
        if self.build and node.node_tree not in self.copies:
            node.node_tree = node.node_tree.copy()
            self.copies.append(node.node_tree)
            output = next(s for s in node.outputs if s.identifier == output.identifier)
        tree = node.node_tree
        end = next((n for n in tree.nodes if n.type == "GROUP_OUTPUT" and n.is_active_output), None)
        if end is None:
            return None
        inner = next(s for s in end.inputs if s.identifier == output.identifier)
        value = self.value(source_of(inner), channel)
        if value is None or value is VARIES or isinstance(value, np.ndarray):
            return value
        made = tree.interface.new_socket(
            f"{channel} of the mix", in_out="OUTPUT", socket_type="NodeSocketColor"
        )
        tree.links.new(value, next(s for s in end.inputs if s.identifier == made.identifier))
        return next(s for s in node.outputs if s.identifier == made.identifier)
