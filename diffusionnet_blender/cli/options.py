"""Options of the commands, made from the fields of the requests."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Collection
from typing import Any, get_type_hints

from ..options import Option, default_of, options_of

# Devices go beyond the choices of the interface: cuda:1, for example.
OPEN_CHOICES = {"device"}


def add_options(
    parser, kind: type, leave_out: Collection[str] = (), required: Collection[str] = ()
) -> None:
    """Add an option of the command line for each option of a dataclass.

    Parameters
    ----------
    parser : argparse.ArgumentParser
    kind : type
    leave_out : collection of str
        Names of options that the command does not have.
    required : collection of str
        Names of options without a default here.
    """
    hints = get_type_hints(kind)
    for field, option in options_of(kind):
        if field.name in leave_out:
            continue
        details: dict[str, Any] = {"dest": field.name, "default": default_of(field)}
        details["help"] = _help(option, details["default"], field.name)
        if hints[field.name] is bool:
            details["action"] = argparse.BooleanOptionalAction
        elif option.choices and field.name not in OPEN_CHOICES:
            values = {spelling(choice.value): choice.value for choice in option.choices}
            details |= {"type": _ChoiceType(values), "metavar": "|".join(values)}
        elif hints[field.name] == tuple[str, ...]:
            details |= {"type": names_in, "metavar": "NAME,NAME"}
        else:
            number = hints[field.name] in (int, float)
            details |= {
                "type": hints[field.name] if number else str,
                "metavar": "N" if number else "NAME",
            }
        if field.name in required or details["default"] is None:
            details["required"] = True
        parser.add_argument(f"--{option.flag or field.name.replace('_', '-')}", **details)


def values_of(kind: type, chosen: argparse.Namespace) -> dict[str, Any]:
    """Values of the options of a dataclass that a command has."""
    given = vars(chosen)
    return {field.name: given[field.name] for field, _ in options_of(kind) if field.name in given}


def add_quiet_option(parser) -> None:
    """Silence on stderr, but for errors."""
    parser.add_argument("--quiet", action="store_true", help="no progress on stderr")


def add_cache_option(parser) -> None:
    """Where matrices are kept."""
    parser.add_argument(
        "--cache",
        metavar="DIR|off",
        help="where the matrices of meshes are kept for the next run (default: the user's cache)",
    )


def names_in(text: str) -> tuple[str, ...]:
    """Names with commas between them."""
    return tuple(name.strip() for name in text.split(",") if name.strip())


def stage_lines(what: str, quiet: bool) -> Callable[[str, float], None]:
    """A progress that writes a line on stderr for each stage, once."""
    told = set()

    def progress(stage: str, fraction: float) -> None:
        if stage not in told and not quiet:
            told.add(stage)
            print(f"{what}: {stage}", file=sys.stderr, flush=True)

    return progress


class _ChoiceType:
    """Type of an option that is one of several words, in any case of letters."""

    def __init__(self, values: dict[str, str]):
        self._values = values

    def __call__(self, text: str) -> str:
        spelled = spelling(text)
        if spelled not in self._values:
            raise argparse.ArgumentTypeError(f"{text!r} is not one of {', '.join(self._values)}")
        return self._values[spelled]


def spelling(value: str) -> str:
    """A value as the command line spells it."""
    return value.lower().replace("_", "-")


def _help(option: Option, default: Any, name: str) -> str:
    text = option.help
    if option.choices:
        each = (f"{spelling(c.value)}: {c.help}" for c in option.choices)
        text += f" ({'; '.join(each)})"
    if default not in (None, "", ()) and not isinstance(default, bool):
        text += f" (default {spelling(str(default)) if option.choices else default})"
    return text.replace("%", "%%")
