"""Options of tasks: one definition of name, default, range and help text for each.

An option is a field of a dataclass that `option` makes. Panel, operator, command line and Python
read its definition there.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import MISSING, Field, dataclass, field, fields
from fnmatch import fnmatchcase
from typing import Any, NamedTuple

_KEY = "option"
# In place of the default of an option that must be given.
REQUIRED: Any = MISSING
# A name of a list, in double quotes or without.
_NAME = re.compile(r'\s*(?:"((?:[^"]|"")*)"\s*|([^,]+))(?:,|$)|,')


class Choice(NamedTuple):
    """A value of an option that is one of several words, its name in the interface, its tooltip."""

    value: str
    name: str
    help: str


@dataclass(frozen=True)
class Option:
    """Definition of an option; default and type are those of the field.

    Attributes
    ----------
    name : str
        In the interface.
    help : str
        Tooltip, and help text of the command line; without a full stop at the end.
    choices : tuple of Choice
        Values of an option that is one of several words.
    minimum, maximum : float, optional
    soft_maximum : float, optional
        Upper end of the slider; larger values may be typed.
    subtype : str
        Of Blender's property, such as "FACTOR".
    flag : str
        Name on the command line; by default that of the field.
    """

    name: str
    help: str
    choices: tuple[Choice, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    soft_maximum: float | None = None
    subtype: str = "NONE"
    flag: str = ""


def option(default: Any, name: str, help: str, **details: Any) -> Any:
    """A field of a dataclass that is an option; `details` are other fields of `Option`."""
    choices = tuple(Choice(*choice) for choice in details.pop("choices", ()))
    return field(default=default, metadata={_KEY: Option(name, help, choices=choices, **details)})


def options_of(kind: type) -> Iterator[tuple[Field[Any], Option]]:
    """Field and definition of each option of a dataclass, in the order of its fields."""
    for each in fields(kind):
        if _KEY in each.metadata:
            yield each, each.metadata[_KEY]


def default_of(each: Field[Any]) -> Any:
    """Default of an option, None for a required one."""
    return None if each.default is REQUIRED else each.default


def names_in(text: str) -> tuple[str, ...]:
    """Names in a text with commas between them: how a list of names is typed in.

    A name with a comma is put in double quotes, in which a double quote is typed twice, as in CSV.
    """
    found = (quoted.replace('""', '"') or plain.strip() for quoted, plain in _NAME.findall(text))
    return tuple(name for name in found if name)


def named_by(patterns: Iterable[str], names: Sequence[str]) -> tuple[str, ...]:
    """Those of some names that are given, by themselves or by patterns such as "arm*" or "*.L".

    Parameters
    ----------
    patterns : iterable of str
        As of `fnmatch`, where upper and lower case differ. A name that is there is no pattern.
    names : sequence of str

    Returns
    -------
    tuple of str
        In the order of the patterns, each once.
    """
    found = (
        name
        for pattern in patterns
        for name in ([pattern] if pattern in names else names)
        if name == pattern or fnmatchcase(name, pattern)
    )
    return tuple(dict.fromkeys(found))


def quoted_names(names: Iterable[str]) -> str:
    """Names as a text from which `names_in` reads them."""
    return ", ".join(map(_quoted, names))


def _quoted(name: str) -> str:
    """A name of a list, in double quotes where it needs them."""
    if names_in(name) == (name,) and not name.startswith('"'):
        return name
    return '"{}"'.format(name.replace('"', '""'))
