"""A source and a target, as match and transfer need them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import bpy
import numpy as np

from ..errors import DiffusionNetError
from .edit_mode import outside_edit_mode
from .read import read_object
from .write import require_writable

# Ratio of the largest scale of an object to its smallest above which it has no inside.
FLATTEST = 1e6


def require_pair(source: bpy.types.Object | None, target: bpy.types.Object | None) -> None:
    """Raise DiffusionNetError unless these are two meshes, one of which can be written to."""
    for obj, what in ((source, "source"), (target, "target")):
        if obj is None:
            raise DiffusionNetError(f"No {what} is chosen", "Pick one in the Transfer panel.")
    if source == target:
        raise DiffusionNetError(
            f"{source.name!r} is both source and target", "Choose two different objects."
        )
    if source.data == target.data:
        raise DiffusionNetError(
            f"{source.name!r} and {target.name!r} share the same mesh",
            "Make the mesh of the target a single-user copy.",
        )
    for obj in (source, target):
        if read_object(obj).surface.is_point_cloud:
            raise DiffusionNetError(
                f"{obj.name!r} has no faces", "Choose a mesh; a point cloud cannot be matched."
            )
        linear = np.array(obj.matrix_world.to_3x3(), dtype=np.float64)
        if np.linalg.cond(linear) > FLATTEST:
            raise DiffusionNetError(
                f"{obj.name!r} has a scale of zero along an axis", "Set a scale above zero."
            )
    require_writable(target)


@contextmanager
def outside_edit_modes(*objects: bpy.types.Object) -> Iterator[None]:
    """Leave Edit Mode for several objects, and come back at the end."""
    with ExitStack() as stack:
        for obj in objects:
            stack.enter_context(outside_edit_mode(obj.data))
        yield
