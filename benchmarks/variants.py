"""The ways in which this project can make the matrices: the one place that lists them."""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib.util import find_spec


@dataclass(frozen=True)
class Variant:
    """One way.

    Attributes
    ----------
    title : str
        For tables and plots.
    keywords : dict
        What `tasks.segment.segment` is told.
    needs : tuple of str
        Packages without which it is not measured.
    without : tuple of str
        Packages that are hidden from it.
    """

    title: str
    keywords: dict = field(default_factory=dict)
    needs: tuple[str, ...] = ()
    without: tuple[str, ...] = ()

    def available(self) -> bool:
        """Whether everything that it needs is installed."""
        return all(find_spec(name) for name in self.needs)


VARIANTS = {"exact": Variant("ours")}
