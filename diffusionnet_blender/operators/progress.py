"""How far a run over objects is, and how long it still takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from time import monotonic

from ..translations import worded

# An estimate from less of the run than this would jump about.
LEAST_SHARE = 0.05
LEAST_SECONDS = 1.0


@dataclass(frozen=True)
class Progress:
    """What a progress bar shows: a factor from 0 to 1, and a line."""

    factor: float
    text: str


class ProgressOfObjects:
    """Adds up the stages of each object.

    Parameters
    ----------
    names : sequence of str
        Of the objects, in their order.
    shares : mapping of str to float
        Share of an object's time that each stage takes, in the order of the stages.
    """

    def __init__(self, names: Sequence[str], shares: Mapping[str, float]):
        self._names = list(names)
        self._shares = shares
        self._started = monotonic()
        self._index = -1
        self._stage, self._done = "", 0.0

    def object(self, name: str) -> None:
        """The next object begins."""
        self._index += 1
        self._names[self._index] = name
        self._stage, self._done = "", 0.0

    def at(self, stage: str, fraction: float) -> None:
        """The object is at a fraction of a stage."""
        before = 0.0
        for name, share in self._shares.items():
            if name == stage:
                # The worker looks again at what it has done already: a bar goes forward only.
                self._done = max(self._done, before + share * fraction)
                break
            before += share
        self._stage = stage

    @property
    def progress(self) -> Progress:
        """As of now."""
        index = max(self._index, 0)
        factor = (index + self._done) / max(len(self._names), 1)
        text = self._names[index] if self._names else ""
        if len(self._names) > 1:
            text += worded(" ({number} of {count})", number=index + 1, count=len(self._names))
        text += f": {worded(self._stage or 'starting')}, {factor:.0%}"
        elapsed = monotonic() - self._started
        if factor >= LEAST_SHARE and elapsed >= LEAST_SECONDS:
            text += worded(", {time} left", time=duration(elapsed * (1 - factor) / factor))
        return Progress(factor, text)


class TimeLeft:
    """How long something still takes, at its pace since it was first looked at.

    What is gone on with begins in the middle: what was done before costs nothing now.
    """

    def __init__(self):
        self._first: tuple[float, float] | None = None

    def at(self, fraction: float) -> float | None:
        """Seconds left where a fraction is done; None as long as too little of it is."""
        now = monotonic()
        if self._first is None:
            self._first = (fraction, now)
        begun, since = self._first
        done, elapsed = fraction - begun, now - since
        if done < LEAST_SHARE * (1.0 - begun) or elapsed < LEAST_SECONDS or done <= 0.0:
            return None
        return elapsed * (1.0 - fraction) / done


def duration(seconds: float) -> str:
    """Seconds as people say them: "8 s", "3 min"."""
    return f"{seconds:.0f} s" if seconds < 99.5 else f"{seconds / 60:.0f} min"
