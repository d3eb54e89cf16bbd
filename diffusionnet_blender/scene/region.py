"""The region of a target that gets the data: by a vertex group, the selection or a part."""

from __future__ import annotations

from collections.abc import Sequence

import bpy
import numpy as np

from ..errors import EmptyRegion
from ..options import quoted_names
from ..tasks.transfer.extent import Extent, Share, faded
from ..tasks.transfer.layers import MeshShape
from .attributes import read_values
from .boxes import Boxes
from .labels import read_labels
from .vertex_groups import read_weights


def share_of(
    target: bpy.types.Object,
    shape: MeshShape,
    extent: Extent,
    members: Sequence[bpy.types.Object] = (),
) -> Share | None:
    """The share of the data that each vertex of a target gets; None for all of it everywhere.

    Parameters
    ----------
    target : bpy.types.Object
        Not in Edit Mode.
    shape : MeshShape
    extent : Extent
    members : sequence of bpy.types.Object
        All of its character, whose size widths are shares of.

    Raises
    ------
    EmptyRegion
        If no vertex is in the region, or there is no group or part of its name.
    """
    if extent.is_whole:
        return None
    inside = _inside(target, extent)
    if not inside.any():
        raise EmptyRegion(
            f"{target.name!r} has nothing in the region", "Choose a larger one, or Everywhere."
        )
    size = np.ptp(Boxes().around(members or [target]), axis=0).max()
    return Share(faded(shape, inside, extent.edge * size), extent.mix)


def _inside(target: bpy.types.Object, extent: Extent) -> np.ndarray:
    mesh, name = target.data, extent.region_name
    if extent.region == "ALL":
        return np.ones(len(mesh.vertices))
    if extent.region == "SELECTION":
        return read_values(mesh.vertices, "select", bool).astype(np.float64)
    if extent.region == "GROUP":
        _require_name(target, name, target.vertex_groups.keys(), "vertex group")
        return read_weights(target, [name])[:, 0].astype(np.float64)
    _require_name(target, name, [part.name for part in mesh.diffusionnet.parts], "part")
    labels = read_labels(target)
    return (labels.vertex_labels == labels.class_names.index(name)).astype(np.float64)


def _require_name(target, name: str, existing: Sequence[str], noun: str) -> None:
    if name in existing:
        return
    fix = f"It has {quoted_names(existing)}." if existing else "Choose another region."
    what = f"no {noun} {name!r}" if name else f"a region without a name; name a {noun}"
    raise EmptyRegion(f"{target.name!r} has {what}", fix)


def extent_text(share: Share) -> str:
    """How much of a target gets the data, for the report."""
    text = f"in {np.mean(share.inside > 0):.0%} of the vertices"
    return text if share.mix == 1.0 else f"{text}, mixed at {share.mix:.0%}"
