"""Options of tasks: name, default, range and help text of each, in one place.

An option is a field of a dataclass, made by `option`. Panel, operator, command line and Python
read it from there.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import MISSING, Field, dataclass, field, fields
from typing import Any, NamedTuple

_KEY = "option"
# In place of a default.
REQUIRED: Any = MISSING


class Choice(NamedTuple):
    """A value that an option may have, its name in the interface, and its tooltip."""

    value: str
    name: str
    help: str


@dataclass(frozen=True)
class Option:
    """Everything about an option but its default and type, which the field has.

    Attributes
    ----------
    name : str
        In the interface.
    help : str
        Tooltip and help text of the command line.
    choices : tuple of Choice
        Of an option that is one of several words.
    minimum, maximum : float, optional
    soft_maximum : float, optional
        Upper end of the slider; larger values may be typed.
    subtype : str
        Of Blender's property, such as "FACTOR".
    flag : str
        On the command line, where it is not the name of the field.
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


def options_of(kind: type) -> Iterator[tuple[Field, Option]]:
    """Field and description of every option of a dataclass, in its order."""
    for each in fields(kind):
        if _KEY in each.metadata:
            yield each, each.metadata[_KEY]


def default_of(each: Field) -> Any:
    """Default of a field, None where it has none."""
    return None if each.default is MISSING else each.default
