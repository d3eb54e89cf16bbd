"""Lists of names and patterns in a text, with a check box for each name."""

from __future__ import annotations

from collections.abc import Sequence

from ..options import named_by, names_in, quoted_names


def is_chosen(text: str, name: str) -> bool:
    """Whether a list of names and patterns has a name; an empty one has all."""
    chosen = names_in(text)
    return not chosen or bool(named_by(chosen, [name]))


def toggled(text: str, name: str, existing: Sequence[str]) -> str | None:
    """The list with one name more or less; None where no name is left.

    Parameters
    ----------
    text : str
        A list with commas; empty: all.
    name : str
    existing : sequence of str
        All names that can be chosen, in their order.
    """
    before = named_by(names_in(text), existing) or tuple(existing)
    chosen = [each for each in existing if (each in before) != (each == name)]
    if not chosen:
        return None
    return "" if len(chosen) == len(existing) else quoted_names(chosen)


def only(name: str) -> str:
    """The list of one name."""
    return quoted_names([name])
