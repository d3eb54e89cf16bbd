"""Segmentation of characters: the request read from each, and its result handed back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import bpy

from ..errors import DiffusionNetError
from ..tasks.labels import Labels
from ..tasks.models import FROM_RIG, card_of
from ..tasks.segment import job as segment_job
from .attachments import carried_members
from .bone_weights import read_bone_weights
from .character import Character
from .character_read import CharacterGeometry, read_character, read_rest_character
from .jobs import Jobs
from .options import ReadOptions
from .results import forget_result, keep_result
from .rig import known_parts, known_sides
from .tracked import Tracked, TrackedCharacter
from .write import require_writable


@dataclass(frozen=True, eq=False)
class Segmented:
    """The segmentation of a character, handed back to its members.

    Attributes
    ----------
    whole : Segmentation
        Of the pooled surface.
    labels : tuple of (Tracked, Labels)
        Of each member.
    errors : tuple of DiffusionNetError
        Of members that could not be read, and of those that cannot be written to.
    """

    whole: segment_job.Segmentation
    labels: tuple[tuple[Tracked, Labels], ...]
    errors: tuple[DiffusionNetError, ...]

    def unchanged(
        self,
    ) -> tuple[list[tuple[bpy.types.Object, Labels]], list[DiffusionNetError]]:
        """Members that still have the topology of their labels, and the errors of others."""
        found, errors = [], list(self.errors)
        for member, labels in self.labels:
            try:
                found.append((member.find_unchanged(labels.topology), labels))
            except DiffusionNetError as error:
                errors.append(error)
        return found, errors


class SegmentJobs(Jobs):
    """Segmentation of characters, one after the other.

    Parameters
    ----------
    characters : sequence of Character
    reading : ReadOptions
    **options
        Fields of `SegmentRequest`.

    Attributes
    ----------
    segmented : dict of TrackedCharacter to Segmented
        What is done so far.
    """

    def __init__(self, characters: Sequence[Character], reading: ReadOptions, **options: Any):
        super().__init__(segment_job, map(TrackedCharacter.of, characters))
        self._reading, self._options = reading, options
        self._geometry: dict[TrackedCharacter, CharacterGeometry] = {}
        self.segmented: dict[TrackedCharacter, Segmented] = {}

    def request(self, item: TrackedCharacter) -> segment_job.SegmentRequest:
        """Read the members, and check that labels can be written to one at least."""
        geometry, request = segment_request(item.find(), self._reading, **self._options)
        self._geometry[item] = geometry
        return request

    def keep(self, item: TrackedCharacter, result: segment_job.Segmentation) -> None:
        """Keep it for *Write Labels*."""
        segmented = handed_back(self._geometry.pop(item), result)
        kept, errors = [], list(segmented.errors)
        for member, labels in segmented.labels:
            try:
                keep_result(member.find().data, labels)
            except DiffusionNetError as error:
                errors.append(error)
            else:
                kept.append((member, labels))
        if not kept:
            raise errors[0]
        self.segmented[item] = Segmented(result, tuple(kept), tuple(errors))

    def drop(self, item: TrackedCharacter, error: DiffusionNetError) -> None:
        """Labels of an earlier run must not pass for those of this one."""
        for member in item.members:
            mesh = member.find_mesh()
            if mesh is not None:
                forget_result(mesh)

    def farewell(self, done: Sequence[TrackedCharacter]) -> str:
        """Results of segmented objects are kept."""
        text = super().farewell(done)
        names = ", ".join(item.name for item in done)
        return f"{text}. {names}: already segmented, written by Write Labels" if done else text


def segment_request(
    character: Character, reading: ReadOptions, **options: Any
) -> tuple[CharacterGeometry, segment_job.SegmentRequest]:
    """Geometry of a character, and the request to segment it.

    Whether labels can be written is checked before anything is computed.

    Raises
    ------
    DiffusionNetError
        If no member can be read, or labels can be written to none.
    """
    bpy.context.view_layer.update()
    geometry = read_character(character, posed=reading.use_modifiers)
    objects = [member.find() for member in geometry.members]
    refused = []
    for obj in objects:
        try:
            require_writable(obj)
        except DiffusionNetError as error:
            refused.append(error)
    if len(refused) == len(objects):
        raise refused[0]
    several = len(objects) > 1
    class_names = card_of(FROM_RIG, (), "segment").class_names
    held = [read_bone_weights(obj) for obj in objects]
    known = sides = None
    if options.get("model") == FROM_RIG:
        known = geometry.from_base(known_parts(character.name, held, class_names))
    else:
        sides = known_sides(held, class_names)
        sides = None if sides is None else geometry.from_base(sides)
    request = segment_job.SegmentRequest(
        geometry.placed.surface,
        template=read_rest_character(objects) if reading.use_rest_shape else None,
        polygons=geometry.polygons,
        member=geometry.placed.member if several else None,
        carried=tuple(carried_members(held, geometry.seen, geometry.placed)),
        known=known,
        sides=sides,
        **options,
    )
    return geometry, request


def handed_back(geometry: CharacterGeometry, result: segment_job.Segmentation) -> Segmented:
    """Labels of a character for each member; of those that share a mesh, for the first."""
    by_mesh: dict[int, tuple[Tracked, Labels]] = {}
    errors = list(geometry.errors)
    for member, labels in zip(geometry.members, geometry.split(result), strict=True):
        first, of_first = by_mesh.setdefault(member.mesh_uid, (member, labels))
        if first != member and (of_first.vertex_labels != labels.vertex_labels).any():
            errors.append(
                DiffusionNetError(
                    f"{member.name!r} shares its mesh with {first.name!r}, and has other parts",
                    "Use Object > Relations > Make Single User > Object & Data, and segment again.",
                )
            )
    return Segmented(result, tuple(by_mesh.values()), tuple(errors))
