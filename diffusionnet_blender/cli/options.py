"""Options of the commands, made from the fields of the request dataclasses."""

from __future__ import annotations

import argparse
from collections.abc import Collection
from pathlib import Path
from typing import Any, TypeAlias, get_type_hints

from ..options import REQUIRED, Option, default_of, names_in, options_of
from ..tasks.progress import CallbackProgress, Progress
from .streams import note, stop_if_asked

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"
# That are read, for the help.
FORMATS = ".blend .obj .ply .stl .glb .gltf .vrm .fbx .usd"
# Their choices are those of the interface, and others are allowed: cuda:1, for example.
OPEN_CHOICES = {"device"}


def add_options(
    parser: argparse.ArgumentParser, kind: type, leave_out: Collection[str] = ()
) -> None:
    """Add an option of the command line for each option of a dataclass.

    Parameters
    ----------
    parser : argparse.ArgumentParser
    kind : type
    leave_out : collection of str
        Names of options that the command does not have.
    """
    hints = get_type_hints(kind)
    for field, option in options_of(kind):
        if field.name not in leave_out:
            flag = option.flag or field.name.replace("_", "-")
            parser.add_argument(
                f"--{flag}",
                dest=field.name,
                default=default_of(field),
                required=field.default is REQUIRED,
                help=_help(option, default_of(field)),
                **_value(field.name, option, hints[field.name]),
            )


def _value(name: str, option: Option, kind: Any) -> dict[str, Any]:
    """Arguments of `add_argument` about the value of an option."""
    if kind is bool:
        return {"action": argparse.BooleanOptionalAction}
    if option.choices and name not in OPEN_CHOICES:
        choices = OneOf([choice.value for choice in option.choices])
        return {"type": choices, "metavar": choices.metavar}
    if kind == tuple[str, ...]:
        return {"type": names_in, "metavar": "NAME,NAME"}
    if kind in (int, float):
        return {"type": _Number(kind, option), "metavar": "N"}
    return {"type": str, "metavar": "NAME"}


def values_of(kind: type, chosen: argparse.Namespace) -> dict[str, Any]:
    """Values of the options of a dataclass that a command has."""
    values = vars(chosen)
    return {field.name: values[field.name] for field, _ in options_of(kind) if field.name in values}


def file_path(text: str) -> Path:
    """Type of an option of the command line that is a path: an empty one would be this folder."""
    if not text.strip():
        raise argparse.ArgumentTypeError("the path is empty")
    return Path(text)


def add_quiet_option(parser: argparse.ArgumentParser) -> None:
    """Add --quiet."""
    parser.add_argument("--quiet", action="store_true", help="No progress on stderr")


def add_in_place_option(parser: argparse.ArgumentParser) -> None:
    """Add --in-place."""
    parser.add_argument(
        "--in-place",
        action="store_true",
        help="Allow that the file of --output is one of those that are read, which is overwritten",
    )


def add_cache_option(parser: argparse.ArgumentParser) -> None:
    """Add --cache."""
    parser.add_argument(
        "--cache",
        metavar="DIR|off",
        help="Folder in which the matrices of meshes are kept for the next run, a path or URL "
        "(default: the user's cache)",
    )


def stage_lines(title: str, quiet: bool) -> Progress[Any]:
    """Progress that writes a line on stderr at the start of each stage.

    After a signal that Blender has swallowed, as it does in handlers, it stops the work.
    """
    started = set()

    def progress(stage: str, fraction: float) -> None:
        stop_if_asked()
        if stage not in started and not quiet:
            started.add(stage)
            note(f"{title}: {stage}")

    return CallbackProgress(progress)


class OneOf:
    """Type of an option of the command line that is one of several words, in upper or lower case.

    Parameters
    ----------
    values : collection of str
        Values of the option; `spelling` gives the words.
    """

    def __init__(self, values: Collection[str]):
        self._values = {spelling(value): value for value in values}

    @property
    def metavar(self) -> str:
        """All words, for the help text."""
        return "|".join(self._values)

    def __call__(self, text: str) -> str:
        """The value of a word."""
        word = spelling(text)
        if word not in self._values:
            raise argparse.ArgumentTypeError(f"{text!r} is not one of {', '.join(self._values)}")
        return self._values[word]


class _Number:
    """Type of an option of the command line that is a number within a range."""

    def __init__(self, kind: type[int] | type[float], option: Option):
        self._kind = kind
        self._minimum, self._maximum = option.minimum, option.maximum

    def __call__(self, text: str) -> float:
        try:
            number = self._kind(text)
        except ValueError as error:
            kind = "whole number" if self._kind is int else "number"
            raise argparse.ArgumentTypeError(f"{text!r} is not a {kind}") from error
        # Written so that "nan" is refused as well.
        if self._minimum is not None and not number >= self._minimum:
            raise argparse.ArgumentTypeError(f"{text} is below {self._minimum}")
        if self._maximum is not None and not number <= self._maximum:
            raise argparse.ArgumentTypeError(f"{text} is above {self._maximum}")
        return number


def spelling(value: str) -> str:
    """A value of an option as a word of the command line."""
    return value.lower().replace("_", "-")


def _help(option: Option, default: Any) -> str:
    text = option.help
    if option.choices:
        text += ". " + "; ".join(f"{spelling(c.value)}: {c.help}" for c in option.choices)
    if isinstance(default, bool):
        text += f" (default: {'on' if default else 'off'})"
    elif default not in (None, "", ()):
        text += f" (default: {spelling(default) if option.choices else default})"
    # A percent sign starts a placeholder of argparse.
    return text.replace("%", "%%")
