"""Node trees of materials, followed against their links; the names of a shader's channels."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import bpy
import numpy as np

BASE_COLOR = "Base Color"
NORMAL = "Normal"
HEIGHT = "Normal height"
DISPLACEMENT = "Displacement"
ALPHA = "Alpha"
NORMALS = {NORMAL, "Coat Normal"}
# Inputs that stand for another one in shaders other than the Principled BSDF.
SAME_AS = {"Color": BASE_COLOR}


def output_of(tree: bpy.types.NodeTree) -> bpy.types.Node | None:
    """The active output of a material."""
    found = (tree.get_output_node(target) for target in ("ALL", "CYCLES", "EEVEE"))
    return next((node for node in found if node), None)


def source_of(socket: bpy.types.NodeSocket) -> bpy.types.NodeSocket | None:
    """The output that feeds an input, through reroutes."""
    while True:
        link = next((link for link in socket.links if not link.is_muted and link.is_valid), None)
        if link is None or link.from_node.type != "REROUTE":
            return link.from_socket if link else None
        socket = link.from_node.inputs[0]


def channel_input(shader: bpy.types.Node, channel: str) -> bpy.types.NodeSocket | None:
    """The input of a shader that is a channel."""
    return next((s for s in shader.inputs if s.enabled and channel_name(s) == channel), None)


def channel_name(socket: bpy.types.NodeSocket) -> str:
    """Name of the channel that an input of a shader is."""
    return SAME_AS.get(socket.name, socket.name)


def nodes_behind(socket: bpy.types.NodeSocket | None) -> Iterator[bpy.types.Node]:
    """All nodes that an output depends on, those in node groups included."""
    waiting = [socket.node] if socket else []
    seen: set[bpy.types.Node] = set()
    while waiting:
        node = waiting.pop()
        if node in seen:
            continue
        seen.add(node)
        yield node
        if node.type == "GROUP" and node.node_tree:
            waiting.extend(node.node_tree.nodes)
        waiting.extend(link.from_node for each in node.inputs for link in each.links)


def colour_of(value: Any) -> np.ndarray:
    """A number, vector or colour of a socket as (4,) float32."""
    numbers = np.atleast_1d(np.array(value, dtype=np.float32))
    colour = np.ones(4, dtype=np.float32)
    colour[:3] = numbers[:3] if len(numbers) >= 3 else numbers[0]
    return colour
