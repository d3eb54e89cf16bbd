"""Geometry nodes that read a source through a match: *Sample Match*, and the modifier with it.

A match is kept by corners of the source's polygons and not by triangles: the node *Triangulate*
numbers its triangles otherwise than the mesh does, and splits polygons otherwise, too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import bpy

from .compat import set_up_node

SAMPLE = "Sample Match"
CORNERS = ("Corner A", "Corner B", "Corner C")
SPREAD = 180.0


@dataclass(frozen=True)
class Names:
    """Names of the attributes on a target that keep its match.

    Attributes
    ----------
    member, triangle, barycentric, confidence, rest, offset : str
    corners : tuple of str
    """

    member: str = "live_member"
    triangle: str = "live_triangle"
    corners: tuple[str, ...] = ("live_corner_a", "live_corner_b", "live_corner_c")
    barycentric: str = "live_barycentric"
    confidence: str = "live_confidence"
    rest: str = "live_rest"
    offset: str = "live_offset"

    @property
    def all(self) -> tuple[str, ...]:
        """In the order in which they are written."""
        return (
            self.member, self.triangle, *self.corners, self.barycentric, self.confidence,
            self.rest, self.offset,
        )  # fmt: skip

    @classmethod
    def of(cls, names: Sequence[str]) -> Names:
        """From names in that order."""
        member, triangle, a, b, c, *others = names
        return cls(member, triangle, (a, b, c), *others)


@dataclass(frozen=True)
class Live:
    """What a modifier follows.

    Attributes
    ----------
    sources : tuple of bpy.types.Object
        Numbered as in the attribute of members.
    in_place : bool
        Whether the target lies on them, so that it follows their objects, too.
    turn : (float, float, float)
        Euler angles of directions of the source in the space of the target.
    scale : float
        Length on the target of one on the source.
    attribute : str
        That is sampled; empty: none.
    follow : float
    """

    sources: tuple[bpy.types.Object, ...]
    in_place: bool
    turn: tuple[float, float, float]
    scale: float
    attribute: str
    follow: float

    @property
    def stored_as(self) -> str:
        """Name on the evaluated target of what is sampled."""
        return f"live {self.attribute}".strip()


class _Tree:
    """A node group that is built from left to right."""

    def __init__(self, name: str):
        self.tree = bpy.data.node_groups.new(name, "GeometryNodeTree")
        self._column = 0

    def socket(self, name: str, kind: str, in_out: str = "INPUT", **values):
        """Add a socket to the interface."""
        made = self.tree.interface.new_socket(
            name=name, in_out=in_out, socket_type=f"NodeSocket{kind}"
        )
        for key, value in values.items():
            setattr(made, key, value)
        return made

    def node(self, kind: str, inputs: dict | None = None, **settings):
        """Add a node; its inputs, by name or number, are sockets to link or values."""
        node = self.tree.nodes.new(kind)
        set_up_node(node, **settings)
        self._column += 1
        node.location = self._column * SPREAD, -SPREAD * (self._column % 4)
        for key, value in (inputs or {}).items():
            self.put(_end(node.inputs, key), value)
        return node

    def put(self, end, value) -> None:
        """Link a socket to an input, or set its value."""
        if isinstance(value, bpy.types.NodeSocket):
            self.tree.links.new(value, end)
        else:
            end.default_value = value

    def vector(self, operation: str, *values):
        """A result of vector arithmetic; the second input of a scaling is a number."""
        node = self.node("ShaderNodeVectorMath", operation=operation)
        ends = [node.inputs[0], node.inputs["Scale"]] if operation == "SCALE" else node.inputs
        for end, value in zip(ends, values, strict=False):
            self.put(end, value)
        return node.outputs["Value" if operation == "DOT_PRODUCT" else "Vector"]

    def split(self, vector):
        """The three numbers of a vector."""
        return self.node("ShaderNodeSeparateXYZ", {0: vector}).outputs[:3]

    def weighted(self, vectors, numbers):
        """Sum of vectors, each times a number."""
        first, *others = (self.vector("SCALE", v, n) for v, n in zip(vectors, numbers, strict=True))
        for other in others:
            first = self.vector("ADD", first, other)
        return first

    def attribute(self, name, data_type: str):
        """A named attribute."""
        kind = "GeometryNodeInputNamedAttribute"
        return _end(self.node(kind, {"Name": name}, data_type=data_type).outputs, "Attribute")


def _end(ends, key: str | int) -> bpy.types.NodeSocket:
    """A socket by number, or by name: of several of one name, the one that is in use."""
    if isinstance(key, int):
        return ends[key]
    return next((end for end in ends if end.name == key and end.enabled), ends[key])


def sample_match() -> bpy.types.NodeTree:
    """The node group *Sample Match*: values, positions and movement of a source at a match."""
    made = _Tree(SAMPLE)
    made.socket("Source", "Geometry")
    made.socket("Value", "Color", hide_value=True)
    for name in CORNERS:
        made.socket(name, "Int")
    for name in ("Barycentric", "Offset", "Rest"):
        made.socket(name, "Vector", hide_value=True)
    for name, kind in (("Value", "Color"), ("Position", "Vector"), ("Normal", "Vector"),
                       ("Movement", "Vector")):  # fmt: skip
        made.socket(name, kind, "OUTPUT")
    given = made.node("NodeGroupInput").outputs
    shares = made.split(given["Barycentric"])

    def sampled(value, data_type: str) -> list:
        inputs = {"Geometry": given["Source"], "Value": value}
        nodes = [
            made.node(
                "GeometryNodeSampleIndex",
                inputs | {"Index": given[name]},
                data_type=data_type,
                domain="CORNER",
            )
            for name in CORNERS
        ]
        return [_end(node.outputs, "Value") for node in nodes]

    value = made.weighted(sampled(given["Value"], "FLOAT_COLOR"), shares)
    corners = sampled(made.node("GeometryNodeInputPosition").outputs[0], "FLOAT_VECTOR")
    position = made.weighted(corners, shares)
    axes = _frame(made, *corners)
    on_axes = made.weighted(axes, made.split(given["Offset"]))
    moved = made.vector("SUBTRACT", made.vector("ADD", position, on_axes), given["Rest"])
    made.node(
        "NodeGroupOutput",
        {"Value": value, "Position": position, "Normal": axes[2], "Movement": moved},
    )
    return made.tree


def _frame(made: _Tree, a, b, c) -> list:
    """Axes of a triangle: its first side, across it, and the normal, as `live.frames`."""
    first = made.vector("NORMALIZE", made.vector("SUBTRACT", b, a))
    other = made.vector("SUBTRACT", c, a)
    normal = made.vector("NORMALIZE", made.vector("CROSS_PRODUCT", first, other))
    return [first, made.vector("CROSS_PRODUCT", normal, first), normal]


def live_modifier(
    name: str, sample: bpy.types.NodeTree, live: Live, names: Names
) -> bpy.types.NodeTree:
    """The node group of a modifier: reads an attribute of a source, and follows its surface.

    Parameters
    ----------
    name : str
    sample : bpy.types.NodeTree
        See `sample_match`.
    live : Live
    names : Names
    """
    made = _Tree(name)
    made.tree.is_modifier = True
    made.socket("Geometry", "Geometry")
    made.socket("Sample", "Bool", default_value=bool(live.attribute))
    made.socket("Attribute", "String", default_value=live.attribute)
    made.socket("Store As", "String", default_value=live.stored_as)
    made.socket("Follow", "Float", default_value=live.follow, min_value=0.0, max_value=1.0)
    made.socket("Geometry", "Geometry", "OUTPUT")
    given = made.node("NodeGroupInput").outputs
    value, moved = _of_members(made, sample, live, names, given["Attribute"])
    stored = made.node(
        "GeometryNodeStoreNamedAttribute",
        {"Geometry": given["Geometry"], "Name": given["Store As"], "Value": value},
        data_type="FLOAT_COLOR",
        domain="POINT",
    )
    chosen = made.node(
        "GeometryNodeSwitch",
        {"Switch": given["Sample"], "False": given["Geometry"], "True": stored.outputs[0]},
        input_type="GEOMETRY",
    )
    turned = made.node(
        "ShaderNodeVectorRotate",
        {"Vector": moved, "Rotation": live.turn},
        rotation_type="EULER_XYZ",
    )
    sized = made.vector("SCALE", turned.outputs[0], live.scale)
    followed = made.node(
        "GeometryNodeSetPosition",
        {"Geometry": chosen.outputs[0], "Offset": made.vector("SCALE", sized, given["Follow"])},
    )
    made.node("NodeGroupOutput", {"Geometry": followed.outputs[0]})
    return made.tree


def _of_members(made: _Tree, sample, live: Live, names: Names, attribute) -> tuple:
    """Value and movement at each vertex, of the member of the source that it is matched to."""
    value = made.attribute(attribute, "FLOAT_COLOR")
    member = made.attribute(names.member, "INT")
    kept = {
        "Value": value,
        **{
            end: made.attribute(name, "INT")
            for end, name in zip(CORNERS, names.corners, strict=True)
        },
        "Barycentric": made.attribute(names.barycentric, "FLOAT_VECTOR"),
        "Offset": made.attribute(names.offset, "FLOAT_VECTOR"),
        "Rest": made.attribute(names.rest, "FLOAT_VECTOR"),
    }
    found: tuple | None = None
    for number, obj in enumerate(live.sources):
        source = made.node(
            "GeometryNodeObjectInfo",
            {"Object": obj},
            transform_space="RELATIVE" if live.in_place else "ORIGINAL",
        )
        node = made.node("GeometryNodeGroup", node_tree=sample)
        for end, given in {"Source": source.outputs["Geometry"], **kept}.items():
            made.put(node.inputs[end], given)
        here = node.outputs["Value"], node.outputs["Movement"]
        if found is None:
            found = here
            continue
        # Of numbers, whose inputs are the first two in every version; within the default epsilon.
        is_here = made.node(
            "FunctionNodeCompare",
            {0: member, 1: float(number)},
            data_type="FLOAT",
            operation="EQUAL",
        ).outputs[0]
        found = tuple(
            made.node(
                "GeometryNodeSwitch",
                {"Switch": is_here, "False": before, "True": now},
                input_type=kind,
            ).outputs[0]
            for before, now, kind in zip(found, here, ("RGBA", "VECTOR"), strict=True)
        )
    return found
