"""Requests and results of tasks as JSON and .npy files, by the annotations of their dataclasses.

A value is a dataclass, an array, a path, a string, a number, None, or a tuple, list or dictionary
of values. Writing needs no annotations. Reading needs the type: its annotations select the classes,
so that a damaged or foreign file never does.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from functools import cache
from pathlib import Path
from tokenize import TokenError
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

import numpy as np

from ..errors import DiffusionNetError

T = TypeVar("T")

_VALUE = "value.json"
_ARRAY = "__array__"
_PLAIN = (str, int, float, bool, NoneType)
# Raised for content of another structure, for damaged arrays, and by dataclasses that check their
# fields.
_UNREADABLE = (
    TypeError,
    KeyError,
    AttributeError,
    OverflowError,
    EOFError,
    SyntaxError,
    TokenError,
    DiffusionNetError,
)


def write_value(folder: Path, value: Any) -> None:
    """Save a value in a folder of its own: JSON, and a .npy file for each array.

    Parameters
    ----------
    folder : Path
        Must not exist yet.
    value
        See the module.

    Raises
    ------
    OSError
        If a file cannot be written.
    TypeError
        If the value has a member of another type.
    """
    folder.mkdir()
    arrays: list[np.ndarray] = []

    def store(array: np.ndarray) -> int:
        arrays.append(array)
        return len(arrays) - 1

    text = json.dumps(_plain(value, store))
    for number, array in enumerate(arrays):
        np.save(folder / f"{number}.npy", array, allow_pickle=False)
    (folder / _VALUE).write_text(text, encoding="utf-8")


def read_value(folder: Path, kind: type[T]) -> T:
    """Read a value that `write_value` saved, as a type.

    Raises
    ------
    OSError
        If a file is missing.
    ValueError
        If the content is not a value of that type.
    """

    def load(number: int) -> np.ndarray:
        path = folder / f"{_of_type(number, int)}.npy"
        with open(path, "rb") as file:
            return np.lib.format.read_array(file, allow_pickle=False)

    content = json.loads((folder / _VALUE).read_text(encoding="utf-8"))
    return _typed(content, kind, load)


def to_message(value: Any) -> Any:
    """A small value in JSON's types, arrays as lists."""

    def store(array: np.ndarray) -> dict[str, Any]:
        # Lists alone do not hold the shape of an array without elements.
        values = array.ravel().tolist()
        return {"dtype": str(array.dtype), "shape": array.shape, "values": values}

    return _plain(value, store)


def from_message(content: Any, kind: type[T]) -> T:
    """Read a value that `to_message` gave, as a type.

    Raises
    ------
    ValueError
        If the content is not a value of that type.
    """

    def load(entry: dict[str, Any]) -> np.ndarray:
        return np.array(entry["values"], dtype=entry["dtype"]).reshape(entry["shape"])

    return _typed(content, kind, load)


def _plain(value: Any, store: Callable[[np.ndarray], Any]) -> Any:
    """A value in JSON's types; `store` gives the entry of an array."""
    if isinstance(value, np.ndarray):
        return {_ARRAY: store(value)}
    if is_dataclass(value) and not isinstance(value, type):
        return {
            each.name: _plain(getattr(value, each.name), store)
            for each in fields(value)
            if each.init
        }
    if isinstance(value, dict):
        # JSON has no keys but strings.
        return [[_plain(key, store), _plain(entry, store)] for key, entry in value.items()]
    if isinstance(value, tuple | list):
        return [_plain(entry, store) for entry in value]
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, _PLAIN):
        return value
    raise TypeError(f"{type(value).__name__} cannot be handed to another process")


def _typed(content: Any, kind: Any, load: Callable[[Any], np.ndarray]) -> Any:
    """The value of a type whose JSON `_plain` gave; ValueError for any other content."""
    try:
        return _read(content, kind, load)
    except _UNREADABLE as error:
        raise ValueError(f"no value of {kind} ({error})") from error


def _read(content: Any, kind: Any, load: Callable[[Any], np.ndarray]) -> Any:
    origin, members = get_origin(kind), get_args(kind)
    if kind is Any:
        return content
    if origin in (Union, UnionType):
        return _read(content, _member(content, members), load)
    if origin is Literal:
        if content not in members:
            raise TypeError(f"{content!r} is none of {members}")
        return content
    if kind is np.ndarray or origin is np.ndarray:
        return load(content[_ARRAY])
    if isinstance(kind, type) and is_dataclass(kind):
        hints = _hints(kind)
        return kind(**{name: _read(entry, hints[name], load) for name, entry in content.items()})
    if origin is tuple:
        entries = _of_type(content, list)
        if len(members) == 2 and members[1] is Ellipsis:
            members = (members[0],) * len(entries)
        return tuple(_read(e, m, load) for e, m in zip(entries, members, strict=True))
    if origin is list:
        return [_read(entry, members[0], load) for entry in _of_type(content, list)]
    if origin is dict:
        of_key, of_value = members
        return {_read(key, of_key, load): _read(value, of_value, load) for key, value in content}
    if kind is Path:
        return Path(content)
    if kind is float and type(content) is int:
        # Python takes whole numbers for floats, and so does JSON.
        return float(content)
    if kind in _PLAIN:
        return _of_type(content, kind)
    raise TypeError(f"values of {kind} cannot be read")


def _of_type(content: Any, kind: type[T]) -> T:
    """Content of exactly one of JSON's types: a bool is no int here."""
    if type(content) is not kind:
        raise TypeError(f"{content!r} is no {kind.__name__}")
    return content


def _member(content: Any, kinds: tuple[Any, ...]) -> Any:
    """The type of content among the members of a union, of which one at most is a dataclass."""
    if isinstance(content, dict):
        fitting = [k for k in kinds if (k is np.ndarray if _ARRAY in content else is_dataclass(k))]
    elif type(content) in kinds:
        return type(content)
    else:
        # A path, a list, or a whole number for a float.
        fitting = [k for k in kinds if k is float or k not in _PLAIN]
    if not fitting:
        raise TypeError(f"{content!r} is of none of {kinds}")
    return fitting[0]


@cache
def _hints(kind: type) -> dict[str, Any]:
    return get_type_hints(kind)
