"""What became of each target of a transfer: the rows of its report."""

from __future__ import annotations

from dataclasses import dataclass

from ..errors import DiffusionNetError
from .tracked import TrackedCharacter


@dataclass(frozen=True)
class Outcome:
    """What became of one target.

    Attributes
    ----------
    target : TrackedCharacter
    moved : frozenset of str
        Kinds of data that it got, see `tasks.transfer.kinds`.
    confident : float or None
        Share of confident vertices of its match; None where it was not matched.
    unmatched : float
        Share of its vertices that the source has no counterpart of.
    uncertain, mirrored : bool
        Of its match.
    written : tuple of str
        Data that was written, with remarks.
    remarks : tuple of DiffusionNetError
        Of what it did not get.
    error : DiffusionNetError or None
        Why nothing was written to it.
    """

    target: TrackedCharacter
    moved: frozenset[str] = frozenset()
    confident: float | None = None
    unmatched: float = 0.0
    uncertain: bool = False
    mirrored: bool = False
    written: tuple[str, ...] = ()
    remarks: tuple[DiffusionNetError, ...] = ()
    error: DiffusionNetError | None = None

    @property
    def text(self) -> str:
        """One line of a report on what was written."""
        share = f"confident on {self.confident:.0%} of vertices"
        without = f", {self.unmatched:.0%} without counterpart" if self.unmatched else ""
        return f"{self.target.name}: {'; '.join(self.written)}; {share}{without}"
