"""Names of the vertex groups and shape keys of a source, and those of them that are chosen."""

from __future__ import annotations

from collections.abc import Sequence

import bpy
import numpy as np

from ..errors import DiffusionNetError
from ..options import named_by, quoted_names
from ..tasks.transfer.kinds import Kinds
from ..tasks.transfer.layers import Weights
from .armatures import hold_of
from .shape_keys import key_names


def require_names(objects: Sequence[bpy.types.Object], kinds: Kinds) -> None:
    """Raise DiffusionNetError for a name or pattern that is nothing of any member of a source."""
    groups, keys = group_names_of(objects), key_names_of(objects)
    for chosen, wanted, existing, noun in (
        (kinds.weights, kinds.group_names, groups, "vertex group"),
        (kinds.shape_keys, kinds.key_names, keys, "shape key"),
    ):
        missing = [name for name in wanted if chosen and not named_by([name], existing)]
        if missing and existing:
            raise DiffusionNetError(
                f"No object of the source has a {noun} {missing[0]!r}",
                f"There are {quoted_names(existing)}.",
            )


def group_names_of(objects: Sequence[bpy.types.Object]) -> list[str]:
    """Vertex groups of the members of a source, and the bones that members hang on."""
    names = [name for obj in objects for name in obj.vertex_groups.keys()]
    hanging = [found for obj in objects if (found := hanging_weights(obj))]
    return list(dict.fromkeys([*names, *(each.names[0] for each in hanging)]))


def key_names_of(objects: Sequence[bpy.types.Object]) -> list[str]:
    """Shape keys of the members of a source."""
    return list(dict.fromkeys(name for obj in objects for name in key_names(obj)))


def hanging_weights(obj: bpy.types.Object) -> Weights | None:
    """Skin weights of an object that hangs on a bone, by which the bone moves it likewise."""
    hold = hold_of(obj)
    if hold is None or hold.deforms or not hold.bone:
        return None
    count = len(obj.data.vertices)
    return Weights((hold.bone,), np.ones((count, 1)), np.ones(1, bool), np.ones(count, bool))


def chosen_names(
    obj: bpy.types.Object, existing: Sequence[str], chosen: Sequence[str], noun: str
) -> list[str]:
    """Names that are chosen of an object's own; DiffusionNetError if one is not there."""
    if not existing:
        raise DiffusionNetError(
            f"{obj.name!r} has no {noun}s", f"Switch {noun}s off, or choose another source."
        )
    missing = [name for name in chosen if not named_by([name], existing)]
    if missing:
        raise DiffusionNetError(
            f"{obj.name!r} has no {noun} {missing[0]!r}", f"It has {quoted_names(existing)}."
        )
    return list(named_by(chosen, existing)) or list(existing)
