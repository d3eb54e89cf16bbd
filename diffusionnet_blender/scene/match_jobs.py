"""The match of two objects or characters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import DiffusionNetError
from ..tasks.match import job as match_job
from ..tasks.match.kinds import kind_of
from ..tasks.models import FROM_RIG, card_of
from .attachments import carried_members
from .bone_weights import read_bone_weights
from .character import Character, as_character
from .character_read import CharacterGeometry, read_character
from .jobs import Jobs
from .matches import (
    Match,
    Shape,
    fingerprint,
    first_changed,
    keep_match,
    placement,
    places,
    require_placement,
    require_places,
)
from .pair import Pair, usable
from .rig import parts_by_rig
from .tracked import TrackedCharacter


@dataclass(frozen=True)
class TrackedPair:
    """References to a source and a target.

    Attributes
    ----------
    source, target : TrackedCharacter
    fingerprints : (str, str)
        Of both as they were, see `matches.fingerprint`.
    """

    source: TrackedCharacter
    target: TrackedCharacter
    fingerprints: tuple[str, str]

    @classmethod
    def of(cls, source: Shape, target: Shape) -> TrackedPair:
        """Remember two shapes."""
        prints = fingerprint(source), fingerprint(target)
        one, other = (TrackedCharacter.of(as_character(shape)) for shape in (source, target))
        return cls(one, other, prints)

    @property
    def name(self) -> str:
        """Of both."""
        return f"{self.source.name} > {self.target.name}"

    def find(self) -> Pair:
        """Both with all members, wherever undo has put them."""
        return self.source.find_whole(), self.target.find_whole()

    def find_unchanged(self, meanwhile: str, fix: str) -> Pair:
        """Both; raise DiffusionNetError if a member is gone or was changed."""
        pair = self.find()
        for shape, expected in zip(pair, self.fingerprints, strict=True):
            changed = first_changed(shape, expected)
            if changed is not None:
                raise DiffusionNetError(f"{changed.name!r} was changed while {meanwhile}", fix)
        return pair


class MatchJobs(Jobs):
    """The match of two objects or characters.

    Parameters
    ----------
    source, target : bpy.types.Object or Character
    pins : (P, 2) int64
        Vertices of source and target, of the members that are `pair.usable`.
    **options
        Fields of `MatchRequest`.

    Attributes
    ----------
    errors : list of DiffusionNetError
        Of members that are not matched.
    """

    def __init__(self, source: Shape, target: Shape, pins: np.ndarray, **options: Any):
        super().__init__(match_job, [TrackedPair.of(source, target)])
        self._pins, self._options = pins, options
        self._placement = placement(source, target)
        self._places = places(source), places(target)
        self.errors: list[DiffusionNetError] = []

    def request(self, item: TrackedPair) -> match_job.MatchRequest:
        """Read both."""
        self.errors, request = match_request(*item.find(), pins=self._pins, **self._options)
        return request

    def keep(self, item: TrackedPair, result: match_job.Correspondence) -> None:
        """Keep it for any number of transfers."""
        pair = item.find_unchanged("it was being matched", "Press Match again.")
        match = Match(result, self._pins, *item.fingerprints, self._placement, self._places)
        require_places(*pair, match, "while they were being matched")
        require_placement(*pair, match, "while they were being matched")
        keep_match(*pair, match)

    def farewell(self, done: Sequence[TrackedPair]) -> str:
        """An earlier match stays valid."""
        return "Cancelled; an earlier match is kept"


def match_request(
    source: Shape, target: Shape, **options: Any
) -> tuple[list[DiffusionNetError], match_job.MatchRequest]:
    """The request to match two shapes, and the errors of members that are not matched."""
    one, other = (read_to_match(as_character(shape)) for shape in (source, target))
    return [*one.errors, *other.errors], request_of(one, other, **options)


@dataclass(frozen=True, eq=False)
class ReadToMatch:
    """Own meshes of a character, and what is known of them.

    Attributes
    ----------
    geometry : CharacterGeometry
    members : Members or None
        Of a character of several objects.
    known : (V, C) float32 or None
        Parts by bones, see `rig.parts_by_rig`.
    errors : list of DiffusionNetError
        Of members that are left out.
    """

    geometry: CharacterGeometry
    members: match_job.Members | None
    known: np.ndarray | None
    errors: list[DiffusionNetError]


def read_to_match(character: Character) -> ReadToMatch:
    """Read the own meshes of a character, without modifiers."""
    found, errors = usable(character)
    if not found.members:
        raise errors[0]
    geometry = read_character(found, own=True)
    held = [read_bone_weights(obj) for obj in found.members]
    known = parts_by_rig(held, card_of(FROM_RIG, (), "segment").class_names)
    if len(found.members) == 1:
        return ReadToMatch(geometry, None, known, errors)
    kinds = tuple(
        kind_of(obj.name, [m.name for m in obj.data.materials if m]) for obj in found.members
    )
    carried = carried_members(held, geometry.seen, geometry.placed)
    members = match_job.Members(geometry.placed.member, kinds, tuple(carried))
    return ReadToMatch(geometry, members, known, errors)


def request_of(source: ReadToMatch, target: ReadToMatch, **options: Any) -> match_job.MatchRequest:
    """The request to match two characters that were read."""
    return match_job.MatchRequest(
        source.geometry.placed.surface,
        target.geometry.placed.surface,
        offset=target.geometry.origin - source.geometry.origin,
        source_members=source.members,
        target_members=target.members,
        source_known=source.known,
        target_known=target.known,
        **options,
    )
