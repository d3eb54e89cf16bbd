"""The last transfer of this session: what was moved to which targets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from bpy.app.handlers import persistent

from ..errors import DiffusionNetError
from ..scene.outcome import Outcome
from ..scene.tracked import TrackedCharacter


@dataclass(frozen=True)
class Transferred:
    """A transfer that has ended.

    Attributes
    ----------
    source : TrackedCharacter
    outcomes : tuple of Outcome
        One for each target.
    kinds : tuple of str
        That were chosen, in the order of the panel.
    """

    source: TrackedCharacter
    outcomes: tuple[Outcome, ...]
    kinds: tuple[str, ...]


_last: list[Transferred] = []


def note_transfer(
    source: TrackedCharacter, outcomes: Sequence[Outcome], kinds: Sequence[str]
) -> None:
    """Keep what became of a transfer until the next one."""
    _last[:] = [Transferred(source, tuple(map(_light, outcomes)), tuple(kinds))]


def _light(outcome: Outcome) -> Outcome:
    """Without tracebacks, by which errors would keep all that was read."""
    remarks = tuple(DiffusionNetError(e.message, e.fix) for e in outcome.remarks)
    error = outcome.error and DiffusionNetError(outcome.error.message, outcome.error.fix)
    return replace(outcome, error=error, remarks=remarks)


def last_transfer() -> Transferred | None:
    """The last transfer, if there was one."""
    return _last[0] if _last else None


@persistent
def forget_transfer(*_) -> None:
    """Drop it; a handler for when another file is about to be opened."""
    _last.clear()
