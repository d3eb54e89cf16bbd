"""Data of source and target for a transfer, read and checked before anything is written.

`transfer_write` writes it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import bpy
import numpy as np

from ..errors import DiffusionNetError, NothingToWrite
from ..tasks.match.request import Correspondence
from ..tasks.transfer.extent import Share
from ..tasks.transfer.job import is_one_to_one
from ..tasks.transfer.kinds import Kinds
from ..tasks.transfer.layers import MeshShape, Moved, Weights
from ..tasks.transfer.request import TransferRequest
from .armature_write import require_free_of_armatures
from .armatures import bone_names
from .labels import read_labels
from .layers import Source, read_shape, read_source, with_pixels
from .ownership import Kind, Role, claim
from .region import share_of
from .shape_keys import locked_keys, require_room_for_keys
from .unwrap import SPARE_UV_MAP, unwrapped_uv
from .uv_maps import MOST_UV_MAPS, mapped_name, read_uv, source_uv_name
from .vertex_groups import locked_groups, read_weights

# Texels at which faces of a layout lie on one another or do not.
FINEST_OVERLAP = 512, 512


@dataclass(frozen=True, eq=False)
class Reading:
    """Data read for a transfer.

    Attributes
    ----------
    source : Source
    target : MeshShape
    target_uv : (L, 2) float or None
        The layout that textures are baked into.
    unwrapped : bool
        Whether it was made on the way.
    spare_uv : (L, 2) float or None
        Another one, if faces lie on one another in the artist's, or have no room there.
    kept : Weights or None
        Groups of the target that stay as they are, see `TransferRequest.kept`.
    kinds : Kinds
        That were chosen, and how they are written.
    share : Share or None
        Of the moved data at each vertex of the target; None for all of it everywhere.
    """

    source: Source
    target: MeshShape
    target_uv: np.ndarray | None
    unwrapped: bool
    spare_uv: np.ndarray | None
    kept: Weights | None
    kinds: Kinds
    share: Share | None = None

    def request(self, correspondence: Correspondence, **options: Any) -> TransferRequest:
        """The request of a transfer along a correspondence; `options` are its options."""
        return TransferRequest(
            self.source.shape,
            self.target,
            correspondence.target_to_source,
            correspondence.confidence,
            self.source.layers,
            target_uv=self.target_uv,
            spare_uv=self.spare_uv,
            kept=self.kept,
            unmatched=correspondence.unmatched,
            joints=correspondence.joints,
            offset=correspondence.offset,
            **options,
        )


@dataclass(frozen=True, eq=False)
class Prepared:
    """Results of a transfer, with the data read for it.

    Attributes
    ----------
    read : Reading
    moved : Moved
    """

    read: Reading
    moved: Moved


def read_transfer(
    source: bpy.types.Object,
    target: bpy.types.Object,
    kinds: Kinds,
    earlier: Reading | None = None,
) -> Reading:
    """Read both objects; nothing is written. Neither may be in Edit Mode.

    Parameters
    ----------
    source, target : bpy.types.Object
    kinds : Kinds
    earlier : Reading, optional
        Of the same source and another target, to share the pixels of its images.

    Raises
    ------
    DiffusionNetError
        If chosen data cannot be transferred.
    NothingToWrite
        If the target has all of it locked.
    """
    read = read_source(source, kinds)
    require_data(read)
    reading = read_target([source], target, read, kinds)
    if earlier is None:
        return replace(reading, source=with_pixels(source, read))
    return replace(reading, source=with_earlier_pixels(source.name, read, earlier.source))


def require_data(read: Source) -> None:
    """Raise DiffusionNetError if no kind of data was chosen."""
    if _is_empty(read):
        raise DiffusionNetError(
            "No data to transfer is chosen", "Choose at least one kind of data."
        )


def read_target(
    source: Sequence[bpy.types.Object],
    target: bpy.types.Object,
    read: Source,
    kinds: Kinds,
    members: Sequence[bpy.types.Object] = (),
) -> Reading:
    """Read an object that data was read for; `members` are all of its character.

    Raises
    ------
    DiffusionNetError
        If the data cannot be transferred to it.
    EmptyRegion
        If nothing of it is in the region.
    NothingToWrite
        If it has all of it locked.
    """
    if kinds.armature:
        require_free_of_armatures(target, members)
    _require_unlocked(target, read)
    if read.layers.keys:
        require_room_for_keys(target, read.layers.keys.names, kinds.overwrite)
    shape = read_shape(target)
    share = share_of(target, shape, kinds, members)
    if share and read.labels:
        # Outside the region its own parts stay.
        read_labels(target)
    target_uv, spare_uv, unwrapped = None, None, False
    new_maps = [mapped_name(source)] if read.layers.copy_uv else []
    if not _has_room(target, new_maps, kinds.overwrite):
        raise DiffusionNetError(
            f"{target.name!r} has the maximum number of UV maps", "Remove one of its UV maps."
        )
    if kinds.texture:
        unwrapped = not target.data.uv_layers
        if unwrapped:
            target_uv = unwrapped_uv(target)
        else:
            target_uv = read_uv(target.data, source_uv_name(target))
            has_room = _has_room(target, [*new_maps, SPARE_UV_MAP], kinds.overwrite)
            if has_room and not is_one_to_one(shape, target_uv, *FINEST_OVERLAP):
                spare_uv = unwrapped_uv(target)
    kept = _kept(source, target, kinds, read.layers.weights)
    return Reading(read, shape, target_uv, unwrapped, spare_uv, kept, kinds, share)


def _has_room(target: bpy.types.Object, wanted: Sequence[str], overwrite: bool) -> bool:
    """Whether UV maps of some names can be written, those of an earlier transfer replaced."""
    layers = target.data.uv_layers
    names = claim(target, Kind.ATTRIBUTE, Role.TRANSFER, wanted, overwrite).names
    return len(layers) + sum(name not in layers for name in names) <= MOST_UV_MAPS


def prepared_again(
    source: bpy.types.Object,
    target: bpy.types.Object,
    read: Reading,
    moved: Moved,
) -> Prepared:
    """Results for objects whose data-blocks may have been replaced since the reading.

    Undo replaces all data-blocks, so that those of the reading must not be used.

    Raises
    ------
    DiffusionNetError
        If their data has changed.
    """
    now = source_again(source.name, read_source(source, read.kinds), read.source)
    require_same_target(target, read)
    return Prepared(replace(read, source=now), moved)


def source_again(name: str, now: Source, before: Source) -> Source:
    """A source read again, with its pixels as before; DiffusionNetError if it has changed."""
    if _inventory(now) != _inventory(before):
        raise DiffusionNetError(
            f"{name!r} was changed during the transfer", "Press Transfer again."
        )
    return replace(now, storages=before.storages, remarks=before.remarks)


def require_same_target(
    target: bpy.types.Object, read: Reading, members: Sequence[bpy.types.Object] = ()
) -> None:
    """Raise DiffusionNetError if a target has changed since it was read."""
    if read.kinds.armature:
        require_free_of_armatures(target, members)
    if read.kinds.texture and read.unwrapped == bool(target.data.uv_layers):
        raise DiffusionNetError(
            f"The UV maps of {target.name!r} were changed during the transfer",
            "Press Transfer again.",
        )


def with_earlier_pixels(name: str, now: Source, before: Source) -> Source:
    """A source read again, with the pixels of its images, which are read only once."""
    now = source_again(name, now, before)
    return replace(now, layers=replace(now.layers, textures=before.layers.textures))


def _inventory(source: Source) -> tuple:
    """Names of all layers."""
    layers, found = source.layers, source.textures
    return (
        found and tuple((t.name, tuple(t.parts), tuple(t.values)) for t in found.textures),
        layers.weights and layers.weights.names,
        layers.keys and layers.keys.names,
        tuple((a.name, a.domain, a.data_type) for a in layers.attributes),
        layers.bones and layers.bones.names,
    )


def _is_empty(source: Source) -> bool:
    layers = source.layers
    return not (
        layers.copy_uv
        or source.textures
        or layers.move_slots
        or layers.weights
        or layers.keys
        or layers.attributes
        or layers.labels is not None
        or layers.bones
    )


def _kept(
    source: Sequence[bpy.types.Object],
    target: bpy.types.Object,
    kinds: Kinds,
    weights: Weights | None,
) -> Weights | None:
    """Locked groups of the target, and its groups of deform bones that are not replaced."""
    if weights is None:
        return None
    # With an armature, those are bones of its copy.
    bones = set().union(*map(bone_names, source if kinds.armature else [target]))
    locked = locked_groups(target, weights.names)
    others = [
        group.name
        for group in target.vertex_groups
        # Masks share no sum.
        if weights.deforming.any() and group.name in bones and group.name not in weights.names
    ]
    names = [*locked, *others]
    if not names:
        return None
    of_source = dict(zip(weights.names, weights.deforming.tolist(), strict=True))
    deforming = [name in bones or of_source[name] for name in names]
    return Weights(tuple(names), read_weights(target, names), np.array(deforming, dtype=bool))


def _require_unlocked(target: bpy.types.Object, read: Source) -> None:
    """Raise NothingToWrite if all that would be written is locked on the target."""
    layers = read.layers
    groups = layers.weights.names if layers.weights else ()
    keys = layers.keys.names if layers.keys else ()
    is_all = len(locked_groups(target, groups)) == len(groups)
    is_all &= len(locked_keys(target, keys)) == len(keys)
    if is_all and _is_empty(replace(read, layers=replace(layers, weights=None, keys=None))):
        nouns = " and ".join(
            noun for noun, names in (("vertex groups", groups), ("shape keys", keys)) if names
        )
        raise NothingToWrite(
            f"All {nouns} of {target.name!r} that would be replaced are locked",
            "Unlock some, or choose other data.",
        )
