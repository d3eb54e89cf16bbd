"""The transfer of data from one object or character to another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import DiffusionNetError
from ..tasks.transfer import job as transfer_job
from ..tasks.transfer.kinds import Kinds
from ..tasks.transfer.layers import KeyContact, Moved
from .character import Character, as_character
from .jobs import Jobs
from .layers import COLOURS
from .match_jobs import TrackedPair
from .matches import (
    Match,
    Shape,
    require_placement,
    require_places,
)
from .member_transfer import CharacterReading, read_again, read_characters
from .options import Outputs
from .outcome import Outcome
from .pair import Pair, outside_edit_modes, usable
from .tracked import TrackedCharacter
from .transfer import Prepared, Reading, prepared_again, read_transfer
from .transfer_write import write_members, write_transfer
from .write import require_writable


@dataclass(frozen=True)
class TexturedMember:
    """A member of a target that gets textures by itself.

    Attributes
    ----------
    name : str
    number : int
        Among the members that are `pair.usable`.
    """

    name: str
    number: int


class TransferJobs(Jobs):
    """The transfer of data from one object or character to another.

    Parameters
    ----------
    source, target : bpy.types.Object or Character
    match : Match
    kinds : Kinds
    reading : Reading or CharacterReading, optional
        What `read_pair` has read of both; by default it is read with the first request.
    earlier : TransferJobs, optional
        Of the same source to another target: images are read once for both.
    **options
        Options of `TransferRequest`.

    Attributes
    ----------
    pair : TrackedPair
    errors : list of DiffusionNetError
        Of members that get nothing.
    """

    def __init__(
        self,
        source: Shape,
        target: Shape,
        match: Match,
        kinds: Kinds,
        reading: Reading | CharacterReading | None = None,
        earlier: TransferJobs | None = None,
        **options: Any,
    ):
        one, other = as_character(source), as_character(target)
        prints = match.source_fingerprint, match.target_fingerprint
        self.pair = TrackedPair(TrackedCharacter.of(one), TrackedCharacter.of(other), prints)
        super().__init__(transfer_job, [self.pair, *textured_members(one, other, kinds)])
        self.match, self._kinds, self._options = match, kinds, options
        self._reading, self._earlier = reading, earlier
        self._moved: dict[int, Moved] = {}
        self.errors: list[DiffusionNetError] = []

    def request(self, item: TrackedPair | TexturedMember) -> transfer_job.TransferRequest:
        """Read the data to transfer."""
        found = self.match.correspondence
        if isinstance(item, TexturedMember):
            if not isinstance(self._reading, CharacterReading):
                raise DiffusionNetError(f"{item.name!r} was not read", "See the other messages.")
            return self._reading.texture_request(item.number, found, **self._options)
        if self._reading is None:
            before = self._earlier._reading if self._earlier else None
            self._reading = read_pair(*item.find(), self._kinds, before)
        if isinstance(self._reading, CharacterReading):
            self.errors = list(self._reading.errors)
        return self._reading.request(found, **self._options)

    def keep(self, item: TrackedPair | TexturedMember, result: Moved) -> None:
        """Keep it until all are done."""
        self._moved[item.number if isinstance(item, TexturedMember) else -1] = result

    def prepared(self, moved: Moved, at_once: bool) -> Prepared:
        """Data to write to an object; neither may be in Edit Mode.

        Parameters
        ----------
        moved : Moved
        at_once : bool
            Whether nothing else happened since the request.

        Raises
        ------
        DiffusionNetError
            If one of the objects was changed meanwhile.
        """
        if at_once:
            return Prepared(self._reading, moved)
        one, other = self._unchanged()
        source, target = one.members[0], other.members[0]
        require_writable(target)
        return prepared_again(source, target, self._reading, moved)

    @property
    def moved_kinds(self) -> set[str]:
        """Chosen kinds of data that there is something of, see `Kinds`."""
        found = set().union(*(kinds_in(moved) for moved in self._moved.values()))
        return {kind for kind in found if getattr(self._kinds, kind)}

    @property
    def outcome(self) -> Outcome:
        """What the target gets, for a report."""
        found = self.match.correspondence
        return Outcome(
            target=self.pair.target,
            moved=frozenset(self.moved_kinds),
            confident=found.confident_share,
            unmatched=float(np.mean(found.unmatched)),
            uncertain=found.uncertain,
            mirrored=found.judgement.mirrored,
        )

    @property
    def is_complete(self) -> bool:
        """Whether there is something to write: the textures of single members may be missing."""
        return -1 in self._moved

    def write(self, at_once: bool, outputs: Outputs) -> list[str]:
        """Write all results; no member may be in Edit Mode. As `write_transfer`."""
        one, other = self.pair.find()
        whole = self._reading
        if not isinstance(whole, CharacterReading):
            prepared = self.prepared(self._moved[-1], at_once)
            return write_transfer(one.members[0], other.members[0], prepared, outputs)
        if not at_once:
            whole = read_again(*self._unchanged(), whole)
        targets, found = [], []
        for number, obj in enumerate(usable(other)[0].members):
            textured = self._moved.get(number)
            own = whole.prepared(number, self.match.correspondence, self._moved[-1], textured)
            if own is not None:
                targets.append(obj)
                found.append(own)
        return write_members(other.name, targets, found, outputs)

    @property
    def contacts(self) -> tuple[KeyContact, ...]:
        """How well lips and lids meet in each moved key."""
        return self._moved[-1].contacts

    def _unchanged(self) -> Pair:
        pair = self.pair.find_unchanged(
            "its data was being transferred, so nothing was written",
            "Press Match and Transfer again.",
        )
        require_places(*pair, self.match, "while data was being transferred")
        require_placement(*pair, self.match, "while data was being transferred")
        return pair


def textured_members(source: Character, target: Character, kinds: Kinds) -> list[TexturedMember]:
    """Members of a target that get textures by themselves, where there are several objects."""
    if not (_of_several(source, target) and kinds.texture):
        return []
    members = usable(target)[0].members
    return [TexturedMember(obj.name, number) for number, obj in enumerate(members)]


def read_pair(
    source: Shape,
    target: Shape,
    kinds: Kinds,
    earlier: Reading | CharacterReading | None = None,
) -> Reading | CharacterReading:
    """Data of a source and a target for a transfer, in any mode.

    Parameters
    ----------
    source, target : bpy.types.Object or Character
    kinds : Kinds
    earlier : Reading or CharacterReading, optional
        Of the same source and another target, see `read_transfer`.

    Raises
    ------
    DiffusionNetError
        If chosen data cannot be transferred.
    """
    one, other = as_character(source), as_character(target)
    with outside_edit_modes(*one.members, *other.members):
        if _of_several(one, other):
            shared = earlier if isinstance(earlier, CharacterReading) else None
            return read_characters(one, other, kinds, shared)
        alone = earlier if isinstance(earlier, Reading) else None
        return read_transfer(one.members[0], other.members[0], kinds, alone)


def _of_several(source: Character, target: Character) -> bool:
    return len(source.members) > 1 or len(target.members) > 1


def kinds_in(moved: Moved) -> set[str]:
    """Kinds of data in what was computed for a target, see `Kinds`."""
    found = {
        "texture": bool(moved.textures or moved.tiles),
        "uv": moved.layout is not None,
        "weights": moved.weights is not None,
        "shape_keys": moved.keys is not None,
        "colors": any(a.data_type in COLOURS for a in moved.attributes),
        "attributes": any(a.data_type not in COLOURS for a in moved.attributes),
        "materials": moved.slots is not None,
        "labels": moved.labels is not None,
        "armature": moved.bones is not None,
    }
    return {kind for kind, there in found.items() if there}
