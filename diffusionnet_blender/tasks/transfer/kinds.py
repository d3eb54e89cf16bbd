"""Kinds of data that are transferred from a source mesh to a target mesh."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from ...options import option


@dataclass(frozen=True)
class Kinds:
    """A choice of kinds of data to transfer.

    Attributes
    ----------
    texture, uv, weights, shape_keys, colors, attributes, materials, labels, armature : bool
    groups : {"ALL", "DEFORM", "ACTIVE"}
    group_names, key_names : tuple of str
        Vertex groups and shape keys to transfer; empty: all.
    """

    texture: bool = option(
        True,
        "Texture",
        "Bake the images of the source's materials anew into the target's own UV map (unwrapped, "
        "if it has none), and give the target a copy of the material with them",
    )
    uv: bool = option(
        False,
        "UV Map",
        "Copy the source's UV map: one island for each face, and seams marked where the layout is "
        "cut",
    )
    weights: bool = option(
        True,
        "Vertex Groups",
        "Skin weights and masks. Groups of the same name are replaced, unless they are locked",
    )
    shape_keys: bool = option(
        False,
        "Shape Keys",
        "Shape keys with their ranges and values. Keys of the same name are replaced",
    )
    colors: bool = option(False, "Colors", "Color attributes of vertices and of face corners")
    attributes: bool = option(
        False,
        "Attributes",
        "All other attributes of vertices, corners and faces: numbers and vectors blended, "
        "integers and booleans by majority",
    )
    materials: bool = option(
        False,
        "Materials",
        "The source's material slots, and for each face the one that most of it has there. With "
        "Texture, copies of them with the new images",
    )
    labels: bool = option(
        False,
        "Part Labels",
        "Parts that the source was segmented into, written as chosen under Outputs",
    )
    armature: bool = option(
        False,
        "Armature",
        "A copy of the source's armature, at rest, each joint carried by the skin around it, which "
        "the target then follows. It needs Vertex Groups to move anything",
    )
    groups: str = option(
        "ALL",
        "Groups",
        "Which vertex groups to move",
        choices=(
            ("ALL", "All", "Every vertex group of the source"),
            ("DEFORM", "Deforming", "Those that belong to a bone of the source's armature"),
            ("ACTIVE", "Active", "The one that is highlighted on the source"),
        ),
    )
    group_names: tuple[str, ...] = option(
        (), "Group Names", "Only these vertex groups, with commas between them"
    )
    key_names: tuple[str, ...] = option(
        (), "Key Names", "Only these shape keys, with commas between them"
    )

    @classmethod
    def only(cls, *kinds: str, **details: Any) -> Kinds:
        """Kinds by their names, and no others; `details` are the other fields."""
        chosen: dict[str, Any] = {name: name in kinds for name in KINDS}
        return cls(**chosen, **details)


# Names of the kinds, in the order of the panel.
KINDS = tuple(field.name for field in fields(Kinds) if isinstance(field.default, bool))
