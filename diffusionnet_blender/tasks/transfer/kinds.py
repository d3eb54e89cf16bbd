"""Kinds of data that are transferred from a source mesh to a target mesh."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from ...options import option
from .extent import Extent


def overwrite_option() -> bool:
    """The option of everything that is written under names."""
    return option(
        False,
        "Overwrite",
        "Replace data of the same name that you made or changed, instead of keeping it and "
        'writing under the name "DN ...". Locked groups and shape keys stay',
    )


@dataclass(frozen=True)
class Kinds(Extent):
    """A choice of kinds of data to transfer, and where.

    Attributes
    ----------
    texture, uv, weights, shape_keys, colors, attributes, materials, labels, armature : bool
    groups : {"ALL", "DEFORM", "ACTIVE"}
    group_names, key_names : tuple of str
        Vertex groups and shape keys to transfer; empty: all.
    mirror : bool
        Whether those of one side get their other side.
    overwrite : bool
        Whether they take the names of the user's own data.
    """

    texture: bool = option(
        True,
        "Texture",
        "Bake the images of the source's materials into the target's UV map (made by Smart UV "
        "Project if there is none), and assign a copy of the material with the new images",
    )
    uv: bool = option(
        False,
        "UV Map",
        "Copy the source's UV map. No face is split between islands, and seams are marked along "
        "the cuts",
    )
    weights: bool = option(
        True,
        "Vertex Groups",
        "Skin weights and masks. Your own groups of the same name are kept, unless Overwrite is on",
    )
    shape_keys: bool = option(
        False,
        "Shape Keys",
        "Shape keys with their ranges and values. Your own of the same name are kept, unless "
        "Overwrite is on; locked ones always",
    )
    colors: bool = option(False, "Colors", "Color attributes of vertices and face corners")
    attributes: bool = option(
        False,
        "Attributes",
        "All other attributes of vertices, face corners and faces. Floats and vectors are "
        "interpolated, integers and booleans decided by majority",
    )
    materials: bool = option(
        False,
        "Materials",
        "Material slots of the source, assigned to each face by majority. With Texture, copies "
        "of the materials with the new images",
    )
    labels: bool = option(
        False,
        "Part Labels",
        "Parts of the source, written as chosen under Outputs",
    )
    armature: bool = option(
        False,
        "Armature",
        "Bind the target to a copy of the source's armature, in rest pose, with the joints "
        "fitted to the target. Needs Vertex Groups to deform the mesh",
    )
    groups: str = option(
        "ALL",
        "Groups",
        "Vertex groups to transfer",
        choices=(
            ("ALL", "All", "All vertex groups of the source"),
            (
                "DEFORM",
                "Deform Bones",
                "Vertex groups of the deform bones of the source's armature",
            ),
            ("ACTIVE", "Active", "Active vertex group of the source"),
        ),
    )
    group_names: tuple[str, ...] = option(
        (),
        "Group Names",
        "Only these vertex groups, separated by commas; a name with a comma in double quotes. "
        "Patterns such as arm* and *.L take all names of their form. Empty: all",
    )
    key_names: tuple[str, ...] = option(
        (),
        "Shape Key Names",
        "Only these shape keys, separated by commas; a name with a comma in double quotes. "
        "Patterns such as mouth* and *.L take all names of their form. Empty: all",
    )
    mirror: bool = option(
        False,
        "Other Side",
        "Make the other side of vertex groups and shape keys that the source has for one side "
        "alone, as arm.R from arm.L: their mirror image on the source, which has to be symmetric",
    )
    overwrite: bool = overwrite_option()

    @classmethod
    def only(cls, *kinds: str, **details: Any) -> Kinds:
        """Kinds by their names, and no others; `details` are the other fields."""
        chosen: dict[str, Any] = {name: name in kinds for name in KINDS}
        return cls(**chosen, **details)


# Names of the kinds, in the order of the panel.
KINDS = tuple(
    field.name
    for field in fields(Kinds)
    if isinstance(field.default, bool) and field.name not in ("mirror", "overwrite")
)
