"""Jobs on objects: the request read from each, and the place of its result.

None of them waits or computes; `operators.run.JobRun` runs them, here or in the worker.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import bpy
import numpy as np

from ..errors import DiffusionNetError
from ..tasks.classify import job as classify_job
from ..tasks.labels import Labels
from ..tasks.match import job as match_job
from ..tasks.match.kinds import kind_of
from ..tasks.models import FROM_RIG, card_of
from ..tasks.segment import job as segment_job
from ..tasks.transfer import job as transfer_job
from ..tasks.transfer.kinds import Kinds
from ..tasks.transfer.layers import Moved
from .attachments import carried_members
from .character import Character, as_character
from .character_read import CharacterGeometry, read_character, read_rest_character
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
from .member_transfer import CharacterReading, read_again, read_characters
from .options import Outputs, ReadOptions
from .pair import Pair, outside_edit_modes, usable
from .results import forget_result, keep_result
from .rig import known_parts, known_sides
from .tracked import Tracked, TrackedCharacter
from .transfer import Prepared, Reading, prepared_again, read_transfer
from .transfer_write import write_members, write_transfer
from .write import require_writable


class Jobs(ABC):
    """The jobs of a run, one for each item.

    A task defines `request`; the other methods are hooks that do nothing unless overridden.

    Attributes
    ----------
    job : module
        Of the task, such as `tasks.segment.job`.
    items : list
        Each with a `name`, which the progress bar shows.
    """

    def __init__(self, job: ModuleType, items: Sequence[Any]):
        self.job, self.items = job, list(items)

    @abstractmethod
    def request(self, item: Any) -> Any:
        """Read an item; a DiffusionNetError costs this item alone."""

    def keep(self, item: Any, result: Any) -> None:  # noqa: B027
        """Keep a result until all items are done; a DiffusionNetError costs this item alone."""

    def drop(self, item: Any) -> None:  # noqa: B027
        """Discard results of an earlier run, after a failure."""

    def show_partial(self, partial: Any) -> None:  # noqa: B027
        """Show an intermediate result."""

    def farewell(self, done: Sequence[Any]) -> str:
        """Report of a run that was cancelled after some items were done."""
        return "Cancelled; nothing was written"


@dataclass(frozen=True)
class Item:
    """An item without an object: a name for the progress bar."""

    name: str


class OneJob(Jobs):
    """A single job whose request is at hand.

    Parameters
    ----------
    job : module
    name : str
        For the progress bar.
    request
    """

    def __init__(self, job: ModuleType, name: str, request: Any):
        super().__init__(job, [Item(name)])
        self._request = request

    def request(self, item: Item) -> Any:
        """The request at hand."""
        return self._request

    def farewell(self, done: Sequence[Any]) -> str:
        """Nothing was written."""
        return "Cancelled"


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

    def drop(self, item: TrackedCharacter) -> None:
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


class ClassifyJobs(Jobs):
    """Classification of characters, one after the other.

    Parameters
    ----------
    characters : sequence of Character
    use_modifiers : bool
    **options
        Fields of `ClassifyRequest`.

    Attributes
    ----------
    errors : list of DiffusionNetError
        Of members that could not be read.
    """

    def __init__(self, characters: Sequence[Character], use_modifiers: bool, **options: Any):
        super().__init__(classify_job, map(TrackedCharacter.of, characters))
        self._use_modifiers, self._options = use_modifiers, options
        self.errors: list[DiffusionNetError] = []

    def request(self, item: TrackedCharacter) -> classify_job.ClassifyRequest:
        """Read the members."""
        bpy.context.view_layer.update()
        geometry = read_character(item.find(), posed=self._use_modifiers)
        self.errors += geometry.errors
        return classify_job.ClassifyRequest(geometry.placed.surface, **self._options)


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
        **options: Any,
    ):
        one, other = as_character(source), as_character(target)
        prints = match.source_fingerprint, match.target_fingerprint
        self.pair = TrackedPair(TrackedCharacter.of(one), TrackedCharacter.of(other), prints)
        items: list[TrackedPair | TexturedMember] = [self.pair]
        if _of_several(one, other) and kinds.texture:
            members = usable(other)[0].members
            items += [TexturedMember(obj.name, number) for number, obj in enumerate(members)]
        super().__init__(transfer_job, items)
        self.match, self._kinds, self._options = match, kinds, options
        self._reading = reading
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
            self._reading = read_pair(*item.find(), self._kinds)
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

    def _unchanged(self) -> Pair:
        pair = self.pair.find_unchanged(
            "its data was being transferred, so nothing was written",
            "Press Match and Transfer again.",
        )
        require_places(*pair, self.match, "while data was being transferred")
        require_placement(*pair, self.match, "while data was being transferred")
        return pair


def read_pair(source: Shape, target: Shape, kinds: Kinds) -> Reading | CharacterReading:
    """Data of a source and a target for a transfer, in any mode.

    Raises
    ------
    DiffusionNetError
        If chosen data cannot be transferred.
    """
    one, other = as_character(source), as_character(target)
    with outside_edit_modes(*one.members, *other.members):
        if _of_several(one, other):
            return read_characters(one, other, kinds)
        return read_transfer(one.members[0], other.members[0], kinds)


def _of_several(source: Character, target: Character) -> bool:
    return len(source.members) > 1 or len(target.members) > 1


def match_request(
    source: Shape, target: Shape, **options: Any
) -> tuple[list[DiffusionNetError], match_job.MatchRequest]:
    """The request to match two shapes, and the errors of members that are not matched."""
    one, other = (read_to_match(as_character(shape)) for shape in (source, target))
    return [*one[2], *other[2]], match_job.MatchRequest(
        one[0].placed.surface,
        other[0].placed.surface,
        offset=other[0].origin - one[0].origin,
        source_members=one[1],
        target_members=other[1],
        **options,
    )


def read_to_match(
    character: Character,
) -> tuple[CharacterGeometry, match_job.Members | None, list[DiffusionNetError]]:
    """Own meshes of a character, what is known of several, and the errors of those left out."""
    found, errors = usable(character)
    if not found.members:
        raise errors[0]
    geometry = read_character(found, own=True)
    if len(found.members) == 1:
        return geometry, None, errors
    kinds = tuple(
        kind_of(obj.name, [m.name for m in obj.data.materials if m]) for obj in found.members
    )
    carried = carried_members(found.members, geometry.seen, geometry.placed)
    return geometry, match_job.Members(geometry.placed.member, kinds, tuple(carried)), errors


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
    known = sides = None
    if options.get("model") == FROM_RIG:
        known = geometry.from_base(known_parts(character.name, objects, class_names))
    else:
        sides = known_sides(objects, class_names)
        sides = None if sides is None else geometry.from_base(sides)
    request = segment_job.SegmentRequest(
        geometry.placed.surface,
        template=read_rest_character(objects) if reading.use_rest_shape else None,
        polygons=geometry.polygons,
        member=geometry.placed.member if several else None,
        carried=tuple(carried_members(objects, geometry.seen, geometry.placed)),
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
