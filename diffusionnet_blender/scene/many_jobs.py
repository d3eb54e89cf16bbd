"""The transfer of data from one character to several others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from types import ModuleType
from typing import Any

from ..errors import DiffusionNetError
from ..tasks.match import job as match_job
from ..tasks.transfer import job as transfer_job
from ..tasks.transfer.kinds import Kinds
from .character import Character
from .jobs import Jobs
from .match_jobs import MatchJobs, TrackedPair
from .matches import current_match
from .options import Outputs
from .outcome import Outcome
from .pair import outside_edit_modes, require_pair
from .pins import pins_of_pair
from .tracked import TrackedCharacter
from .transfer_jobs import TransferJobs, textured_members

MATCH = -1


@dataclass(frozen=True)
class Step:
    """The match of a target, or an item of its transfer.

    Attributes
    ----------
    name : str
    target : int
        Its number.
    item : int
        Number of the item of its `TransferJobs`, or `MATCH`.
    """

    name: str
    target: int
    item: int


class ManyTransferJobs(Jobs):
    """The transfer of data from one character to several others, one after the other.

    Those that have no valid match are matched before. What one of them lacks costs it alone.

    Parameters
    ----------
    source : Character
    targets : sequence of Character
    settings : bpy_struct
        Of the panel, with its pins.
    matching : dict
        Fields of `MatchRequest`.
    kinds : Kinds
    **options
        Options of `TransferRequest`.

    Attributes
    ----------
    source, targets : TrackedCharacter, list of TrackedCharacter

    Raises
    ------
    DiffusionNetError
        If none of them can be a target of this source: that of the first.
    """

    def __init__(
        self,
        source: Character,
        targets: Sequence[Character],
        settings: Any,
        matching: dict[str, Any],
        kinds: Kinds,
        **options: Any,
    ):
        self.source = TrackedCharacter.of(source)
        self.targets = [TrackedCharacter.of(target) for target in targets]
        self._kinds, self._options = kinds, options
        self._errors: dict[int, DiffusionNetError] = {}
        self._remarks: dict[int, list[DiffusionNetError]] = {}
        self._matches: dict[int, MatchJobs] = {}
        self._transfers: dict[int, TransferJobs] = {}
        steps: list[Step] = []
        for number, target in enumerate(targets):
            try:
                steps += self._steps(number, source, target, settings, matching)
            except DiffusionNetError as error:
                self._errors[number] = error
        if not steps:
            raise self._errors[0]
        super().__init__(transfer_job, steps)

    def _steps(self, number, source, target, settings, matching) -> list[Step]:
        require_pair(source, target)
        pins = pins_of_pair(settings, source, target)
        steps = [Step(f"{source.name} > {target.name}", number, 0)]
        try:
            current_match(source, target, pins)
        except DiffusionNetError:
            self._matches[number] = MatchJobs(source, target, pins, **matching)
            steps.insert(0, replace(steps[0], item=MATCH))
        members = textured_members(source, target, self._kinds)
        return steps + [Step(m.name, number, 1 + n) for n, m in enumerate(members)]

    def job_of(self, item: Step) -> ModuleType:
        """Match or transfer."""
        return match_job if item.item == MATCH else transfer_job

    def request(self, item: Step) -> Any:
        """Read a pair to match it, or the data to transfer."""
        if item.target in self._errors:
            raise self._errors[item.target]
        if item.item == MATCH:
            jobs = self._matches[item.target]
            request = jobs.request(jobs.items[0])
            self._remarks.setdefault(item.target, []).extend(jobs.errors)
            return request
        if item.item == 0:
            pair = self.source.find_whole(), self.targets[item.target].find_whole()
            earlier = next(iter(self._transfers.values()), None)
            match = current_match(*pair)
            self._transfers[item.target] = TransferJobs(
                *pair, match, self._kinds, earlier=earlier, **self._options
            )
        transfer = self._transfers[item.target]
        return transfer.request(transfer.items[item.item])

    def keep(self, item: Step, result: Any) -> None:
        """Keep it until all are done; a match for later transfers, too."""
        if item.item == MATCH:
            jobs: Jobs = self._matches[item.target]
            jobs.keep(jobs.items[0], result)
        else:
            jobs = self._transfers[item.target]
            jobs.keep(jobs.items[item.item], result)

    def drop(self, item: Step, error: DiffusionNetError) -> None:
        """Without its match or its data, a target gets nothing; without a texture, the rest."""
        if item.item > 0 and item.target not in self._errors:
            self._remarks.setdefault(item.target, []).append(error)
        else:
            self._errors.setdefault(item.target, error)
            self._transfers.pop(item.target, None)

    def write(self, at_once: bool, outputs: Outputs) -> list[Outcome]:
        """Write all results, those of each target as a whole; for each target what became of it.

        Parameters
        ----------
        at_once : bool
            Whether nothing else happened since the requests.
        outputs : Outputs
            How part labels are written.
        """
        return [self._written(number, at_once, outputs) for number in range(len(self.targets))]

    def _written(self, number: int, at_once: bool, outputs: Outputs) -> Outcome:
        target = self.targets[number]
        if number in self._errors:
            return Outcome(target, error=self._errors[number])
        jobs = self._transfers[number]
        remarks = (*self._remarks.get(number, ()), *jobs.errors)
        try:
            pair: TrackedPair = jobs.pair
            members = [obj for shape in pair.find() for obj in shape.members]
            with outside_edit_modes(*members):
                written = jobs.write(at_once, outputs)
        except DiffusionNetError as error:
            return Outcome(target, error=error)
        return replace(jobs.outcome, written=tuple(written), remarks=remarks)

    def farewell(self, done: Sequence[Step]) -> str:
        """Matches that were found stay."""
        text = super().farewell(done)
        return f"{text}; the matches are kept" if any(s.item == MATCH for s in done) else text
