"""A transfer between characters of several objects: read as one, and written to each member.

All kinds of data but textures move to all members at once; textures to each by itself, since each
has a UV map of its own.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from ..errors import DiffusionNetError, EmptyRegion
from ..tasks.match.request import Correspondence
from ..tasks.transfer.kinds import Kinds
from ..tasks.transfer.layers import MeshShape, Moved
from ..tasks.transfer.members import (
    only_slots,
    parts_of,
    polygons_below,
    pooled,
    share_of,
    united_weights,
)
from ..tasks.transfer.request import TransferRequest
from .armatures import rig_of
from .character import Character
from .character_read import read_character
from .joined import joined
from .layers import Source, read_shape, read_source, with_pixels, with_sides
from .moved_names import require_names
from .pair import usable, writable
from .transfer import (
    Prepared,
    Reading,
    read_target,
    require_data,
    require_same_target,
    with_earlier_pixels,
)
from .union import united


@dataclass(frozen=True, eq=False)
class CharacterReading:
    """Data read for a transfer between characters.

    Attributes
    ----------
    source : Source
        Of all members as one.
    target : MeshShape
        Likewise.
    shapes : tuple of MeshShape
        Of each member of the target.
    readings : tuple of (Reading or None)
        Of each member of the target that is written to.
    held : tuple of (int, frozenset of str)
        Number of vertices of each member of the source, and names of its attributes.
    kinds : Kinds
    errors : tuple of DiffusionNetError
        Of members of the target that are not written to.
    """

    source: Source
    target: MeshShape
    shapes: tuple[MeshShape, ...]
    readings: tuple[Reading | None, ...]
    held: tuple[tuple[int, frozenset[str]], ...]
    kinds: Kinds
    errors: tuple[DiffusionNetError, ...]

    def request(self, found: Correspondence, **options: Any) -> TransferRequest:
        """The request for all kinds of data but textures."""
        return TransferRequest(
            self.source.shape,
            self.target,
            found.target_to_source,
            found.confidence,
            replace(
                self.source.layers,
                textures=(),
                move_slots=self.source.layers.move_slots or self.kinds.texture,
            ),
            kept=united_weights([r and r.kept for r in self.readings], parts_of(self.shapes)),
            unmatched=found.unmatched,
            joints=found.joints,
            offset=found.offset,
            **options,
        )

    def texture_request(
        self, number: int, found: Correspondence, **options: Any
    ) -> TransferRequest:
        """The request for the textures of a member of the target, of which there may be none.

        Whether the match is to be trusted is seen of the whole, of which the member may be a small
        part.
        """
        reading, own = self.readings[number], self._seen_by(number, found)
        vertices = parts_of(self.shapes)[number].vertices
        alone = found.unmatched[vertices]
        textures = () if reading is None or alone.all() else own.layers.textures
        options["accept_uncertain"] = options.get("accept_uncertain") or not found.uncertain
        return TransferRequest(
            self.source.shape,
            self.shapes[number],
            found.target_to_source[vertices],
            found.confidence[vertices],
            replace(self.source.layers, **_NO_OTHERS, textures=textures),
            target_uv=reading and reading.target_uv,
            spare_uv=reading and reading.spare_uv,
            unmatched=alone,
            offset=found.offset,
            **options,
        )

    def prepared(
        self, number: int, found: Correspondence, moved: Moved, textured: Moved | None
    ) -> Prepared | None:
        """What one member of the target gets; None for one that is not written to."""
        reading = self.readings[number]
        if reading is None:
            return None
        part = parts_of(self.shapes)[number]
        lies_on = np.unique(self._member_of_face[found.target_to_source.face[part.vertices]])
        names = frozenset[str]().union(*(self.held[n][1] for n in lies_on))
        share = share_of(moved, part, self.shapes[number], self.target, names)
        chosen = share.slots if self.source.layers.move_slots else None
        if textured is None and self.kinds.texture:
            # They were refused: without them the source's materials would show nothing.
            share = replace(share, slots=chosen)
        elif textured is not None and (textured.textures or textured.tiles):
            share = replace(
                share,
                slots=chosen,
                textures=textured.textures,
                tiles=textured.tiles,
                remarks=textured.remarks,
                relaid=textured.relaid,
            )
        return Prepared(replace(reading, source=self._seen_by(number, found)), share)

    @cached_property
    def _member_of_face(self) -> np.ndarray:
        """Number of the source's member of each of its triangles."""
        ends = np.cumsum([count for count, _ in self.held])
        return np.searchsorted(ends, self.source.shape.triangles[:, 0], side="right")

    def _seen_by(self, number: int, found: Correspondence) -> Source:
        """The source as one member of the target sees it: the materials below its points."""
        if not self.source.textures:
            return self.source
        vertices = parts_of(self.shapes)[number].vertices
        points, shape = found.target_to_source[vertices], self.source.shape
        slots = self.source.layers.slots
        below = slots[polygons_below(points, shape, self.shapes[number])]
        # Of whole members: between two vertices there may be others of its materials.
        members = self._member_of_face
        near = np.isin(members, np.unique(members[points.face]))
        seen = set(np.unique(slots[shape.polygon_of_triangle[near]]).tolist())
        textures = self.source.textures.only(seen)
        names = {texture.name for texture in textures.textures}
        images = tuple(
            only_slots(texture, seen)
            for texture in self.source.layers.textures
            if texture.name in names
        )
        layers = replace(self.source.layers, slots=below, textures=images)
        return replace(self.source, textures=textures, layers=layers)


_NO_OTHERS: dict[str, Any] = {
    "copy_uv": False,
    "move_slots": False,
    "weights": None,
    "keys": None,
    "attributes": (),
    "labels": None,
    "bones": None,
}


def read_characters(
    source: Character, target: Character, kinds: Kinds, earlier: CharacterReading | None = None
) -> CharacterReading:
    """Read two characters; nothing is written. No member may be in Edit Mode.

    Parameters
    ----------
    source, target : Character
    kinds : Kinds
    earlier : CharacterReading, optional
        Of the same source and another target, to share the pixels of its images.

    Raises
    ------
    DiffusionNetError
        If no member of the source has chosen data, or none of the target can be written to or has
        anything in the region.
    NothingToWrite
        If all of it is locked on every member of the target.
    """
    one, other = usable(source)[0], usable(target)[0]
    if earlier is None:
        read, held = _read_source(one, kinds)
        if kinds.texture:
            read = _with_textures(one, read)
    else:
        read, held = _source_again(one, earlier)
    require_data(read)
    geometry = read_character(other, own=True)
    shapes = tuple(read_shape(obj) for obj in other.members)
    allowed, errors = writable(other, one)
    readings: list[Reading | None] = []
    outside: list[DiffusionNetError] = []
    for obj in other.members:
        reading = None
        if obj in allowed.members:
            try:
                reading = read_target(read.objects, obj, read, kinds, other.members)
            except EmptyRegion as error:
                outside.append(error)
            except DiffusionNetError as error:
                errors.append(error)
        readings.append(reading)
    if not any(readings):
        raise [*errors, *outside][0]
    whole = geometry.placed.surface.vertices
    return CharacterReading(
        read, pooled(shapes, whole), shapes, tuple(readings), held, kinds, tuple(errors)
    )


def read_again(source: Character, target: Character, before: CharacterReading) -> CharacterReading:
    """The same reading of objects whose data-blocks may have been replaced since.

    Raises
    ------
    DiffusionNetError
        If their data has changed.
    """
    one, other = usable(source)[0], usable(target)[0]
    now, held = _source_again(one, before)
    for obj, reading in zip(other.members, before.readings, strict=True):
        if reading is not None:
            require_same_target(obj, reading, other.members)
    return replace(before, source=now, held=held)


def _read_source(
    source: Character, kinds: Kinds
) -> tuple[Source, tuple[tuple[int, frozenset[str]], ...]]:
    """Data of all members as one, without textures; vertices and attributes of each."""
    require_names(source.members, kinds)
    lacking: dict[str, list[DiffusionNetError]] = {}
    without_textures = replace(kinds, texture=False)
    sources = []
    for obj in source.members:
        missing: dict[str, DiffusionNetError] = {}
        sources.append(read_source(obj, without_textures, missing))
        for kind, error in missing.items():
            lacking.setdefault(kind, []).append(error)
    for errors in lacking.values():
        if len(errors) == len(sources):
            raise errors[0]
    geometry = read_character(source, own=True)
    rig = rig_of(source.members) if kinds.armature else None
    shape = pooled([each.shape for each in sources], geometry.placed.surface.vertices)
    held = tuple(
        (len(each.shape.vertices), frozenset(a.name for a in each.layers.attributes))
        for each in sources
    )
    return with_sides(united(sources, shape, rig, geometry.origin), kinds), held


def _source_again(
    source: Character, before: CharacterReading
) -> tuple[Source, tuple[tuple[int, frozenset[str]], ...]]:
    """As `_read_source`, with the textures that were read before."""
    now, held = _read_source(source, before.kinds)
    if before.source.textures:
        with joined(source) as whole:
            now = _with_textures_of(read_source(whole, Kinds.only("texture")), now)
    return with_earlier_pixels(source.name, now, before.source), held


def _with_textures(source: Character, read: Source) -> Source:
    """The textures of all members, as those of one object."""
    with joined(source) as whole:
        found = read_source(whole, Kinds.only("texture"))
        found = with_pixels(whole, replace(found, shape=read.shape))
    return _with_textures_of(found, read)


def _with_textures_of(found: Source, read: Source) -> Source:
    """Add textures that were read of all members as one object, with its material slots."""
    layers = replace(read.layers, slots=found.layers.slots, textures=found.layers.textures)
    return replace(
        read,
        layers=layers,
        textures=found.textures,
        materials=found.materials,
        storages=found.storages,
        remarks=found.remarks,
    )
