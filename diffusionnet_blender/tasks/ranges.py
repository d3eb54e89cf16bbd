"""Numbers of a request within the ranges of their options."""

from __future__ import annotations

from typing import Any

from ..errors import DiffusionNetError
from ..options import options_of


def require_in_range(values: Any, kind: type) -> None:
    """Raise DiffusionNetError if a number is out of the range of its option.

    Parameters
    ----------
    values : dataclass
        With the options of `kind`, perhaps among others.
    kind : type
        A dataclass.
    """
    for each, own in options_of(kind):
        value = getattr(values, each.name)
        if own.minimum is None or own.maximum is None:
            continue
        if not own.minimum <= value <= own.maximum:
            raise DiffusionNetError(
                f"{own.name} is {value}",
                f"Give a number from {own.minimum:g} to {own.maximum:g}.",
            )
