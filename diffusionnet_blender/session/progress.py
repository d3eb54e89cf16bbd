"""Progress of a run over several items, and an estimate of the time left."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from time import monotonic

from ..tasks.clock import duration
from ..translations import worded

# An estimate from less of the run than this would jump about.
LEAST_SHARE = 0.05
LEAST_SECONDS = 1.0
# A larger leap means that the run resumed a checkpoint, or skipped a stage.
LEAP = 0.15


@dataclass(frozen=True)
class Bar:
    """Content of a progress bar: a factor from 0 to 1, and a line."""

    factor: float
    text: str


class Meter:
    """Sums up the stages of each item.

    Parameters
    ----------
    names : sequence of str
        Of the items, in their order.
    """

    def __init__(self, names: Sequence[str]):
        self._names = list(names)
        self._shares: Mapping[str, float] = {}
        self._time_left = TimeLeft()
        self._index = -1
        self._stage, self._done = "", 0.0

    def start(self, name: str, shares: Mapping[str, float]) -> None:
        """Start the next item.

        Parameters
        ----------
        name : str
        shares : mapping of str to float
            Share of the item's time that each stage takes, in the order of the stages.
        """
        self._index += 1
        self._shares = shares
        self._names[self._index] = name
        self._stage, self._done = "", 0.0

    def at(self, stage: str, fraction: float) -> None:
        """Set the stage of the item, and the fraction of it that is done."""
        before = 0.0
        for name, share in self._shares.items():
            if name == stage:
                # A second surface repeats the stages of the first: the bar never goes back.
                self._done = max(self._done, before + share * fraction)
                break
            before += share
        self._stage = stage

    @property
    def progress(self) -> Bar:
        """Current progress."""
        index = max(self._index, 0)
        factor = (index + self._done) / max(len(self._names), 1)
        text = self._names[index] if self._names else ""
        if len(self._names) > 1:
            text += worded(" ({number} of {count})", number=index + 1, count=len(self._names))
        if self._shares:
            text += f": {worded(self._stage or 'starting')}, {factor:.0%}"
        seconds = self._time_left.at(factor)
        if seconds is not None:
            text += worded(", {time} left", time=duration(seconds))
        return Bar(factor, text)


class TimeLeft:
    """Estimate of the time left, from the pace since the start or the last leap."""

    def __init__(self):
        self._first: tuple[float, float] | None = None
        self._last = 0.0

    def at(self, fraction: float) -> float | None:
        """Seconds left at a fraction; None until enough is done."""
        now = monotonic()
        if self._first is None or fraction - self._last > LEAP:
            self._first = (fraction, now)
        self._last = fraction
        first, since = self._first
        done, elapsed = fraction - first, now - since
        if done < LEAST_SHARE * (1.0 - first) or elapsed < LEAST_SECONDS or done <= 0.0:
            return None
        return elapsed * (1.0 - fraction) / done
