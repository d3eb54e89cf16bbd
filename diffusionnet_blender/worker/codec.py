"""Requests and results of tasks as JSON and .npy files, by the annotations of their dataclasses.

A value is a dataclass, an array, a path, a string, number or None, or a tuple, list, dictionary or
union of those. What is written needs no annotation; it is read back as the type that is given, so
that a damaged or foreign file never chooses which class is made.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from functools import cache
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

import numpy as np

T = TypeVar("T")

_VALUE = "value.json"
_ARRAY = "__array__"
_PLAIN = (str, int, float, bool, NoneType)


def write_value(folder: Path, value: Any) -> None:
    """Save a value in a folder of its own: JSON, and a .npy file for each array.

    Parameters
    ----------
    folder : Path
        Made here.
    value
        As above.
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
    """Read what `write_value` saved, as a type.

    Raises
    ------
    OSError
        If a file is missing.
    ValueError
        If the content is not a value of that type.
    """

    def load(number: int) -> np.ndarray:
        return np.load(folder / f"{int(number)}.npy", allow_pickle=False)

    content = json.loads((folder / _VALUE).read_text(encoding="utf-8"))
    return _typed(content, kind, load)


def to_message(value: Any) -> Any:
    """A small value in JSON's types, arrays as lists."""
    return _plain(value, lambda array: {"dtype": str(array.dtype), "values": array.tolist()})


def from_message(content: Any, kind: type[T]) -> T:
    """The value of `to_message`, as a type.

    Raises
    ------
    ValueError
        If the content is not a value of that type.
    """
    return _typed(content, kind, lambda entry: np.array(entry["values"], dtype=entry["dtype"]))


def _plain(value: Any, store: Callable[[np.ndarray], Any]) -> Any:
    """A value in JSON's types; `store` gives the entry of an array."""
    if isinstance(value, np.ndarray):
        return {_ARRAY: store(value)}
    if is_dataclass(value):
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
    """The value of a type that `_plain` made JSON of."""
    try:
        return _read(content, kind, load)
    except (TypeError, KeyError, AttributeError) as error:
        raise ValueError(f"no value of {kind} ({error})") from error


def _read(content: Any, kind: Any, load: Callable[[Any], np.ndarray]) -> Any:
    origin = get_origin(kind)
    if kind is Any:
        return content
    if origin in (Union, UnionType):
        return _read(content, _member(content, get_args(kind)), load)
    if origin is Literal:
        return content
    if kind is np.ndarray or origin is np.ndarray:
        return load(content[_ARRAY])
    if is_dataclass(kind):
        hints = _hints(kind)
        return kind(**{name: _read(entry, hints[name], load) for name, entry in content.items()})
    if origin is tuple:
        kinds = get_args(kind)
        if len(kinds) == 2 and kinds[1] is Ellipsis:
            return tuple(_read(entry, kinds[0], load) for entry in content)
        pairs = zip(content, kinds, strict=True)
        return tuple(_read(entry, each, load) for entry, each in pairs)
    if origin is list:
        return [_read(entry, get_args(kind)[0], load) for entry in content]
    if origin is dict:
        of_key, of_value = get_args(kind)
        return {_read(key, of_key, load): _read(value, of_value, load) for key, value in content}
    if kind is Path:
        return Path(content)
    if kind is float:
        return float(content)
    if not isinstance(content, kind):
        raise TypeError(f"{content!r} is no {kind.__name__}")
    return content


def _member(content: Any, kinds: tuple) -> Any:
    """The member of a union that JSON is of: at most one of them is a dataclass."""
    if content is None:
        return NoneType
    if isinstance(content, dict):
        fitting = [k for k in kinds if (k is np.ndarray if _ARRAY in content else is_dataclass(k))]
    else:
        fitting = [k for k in kinds if k in _PLAIN and isinstance(content, k)]
        fitting = fitting or [k for k in kinds if k is float or k not in _PLAIN]
    if not fitting:
        raise TypeError(f"{content!r} is of none of {kinds}")
    return fitting[0]


@cache
def _hints(kind: type) -> dict[str, Any]:
    return get_type_hints(kind)
