"""Tasks that a library can run: the commands, with their own options."""

from __future__ import annotations

import argparse
import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, NoReturn

from ...errors import DiffusionNetError
from ...network.card import Purpose
from ...tasks.models import FROM_RIG, path_for
from ...worker.protocol import VERSION
from .. import classify, match, rig, segment, transfer
from ..pair import NO_MODEL
from ..session import library
from .inputs import fingerprint
from .items import Item

# Part of every key: raise it when results change that the version does not tell.
FORMAT = 1
ARRAYS = ".npz"


@dataclass(frozen=True)
class Task:
    """A command as a task of a library.

    Attributes
    ----------
    add_options : callable
        Adds its options to a parser.
    run : callable
        From chosen options and an account to an exit status.
    purpose : str
        Of its model.
    mesh, arrays : str
        Name of its option for the file of a mesh, and of arrays; empty without.
    results : tuple of str
        Suffixes of what it writes by default.
    paired : bool
        Whether it has a source.
    fixed : mapping
        Values of its other options.
    check : callable
        Raises DiffusionNetError for options that it will not take.
    """

    add_options: Callable[[argparse.ArgumentParser], None]
    run: Callable[..., int]
    purpose: Purpose
    mesh: str = ""
    arrays: str = ""
    results: tuple[str, ...] = ()
    paired: bool = False
    fixed: Mapping[str, Any] = field(default_factory=dict)
    check: Callable[[argparse.Namespace], object] = bool


TASKS: Mapping[str, Task] = {
    "segment": Task(
        segment.add_task_options, segment.run, "segment", "output", "labels", (".blend",)
    ),
    "classify": Task(
        classify.add_task_options, classify.run, "classify", "output", fixed={"table": None}
    ),
    "rig": Task(rig.add_task_options, rig.run, "segment", "output", "", (".blend",)),
    "match": Task(match.add_task_options, match.run, "match", "", "output", (".npz",), paired=True),
    "transfer": Task(
        transfer.add_task_options,
        transfer.run,
        "match",
        "output",
        "",
        (".blend",),
        paired=True,
        check=transfer.kinds_of,
    ),
}


@dataclass(frozen=True)
class Job:
    """What is done with each item of a library; sent to the workers with each of them.

    Attributes
    ----------
    task : str
        One of `TASKS`.
    output : str
        Folder of the results, a path or URL.
    arguments : tuple of str
        Options of the task, as on the command line.
    results : tuple of str
        Suffixes of the files that each item gets.
    pictures : bool
    cache : str or None
        Folder of matrices, "off", or None for the user's.
    seconds : float
        Limit of the time of an item.
    """

    task: str
    output: str
    arguments: tuple[str, ...] = ()
    results: tuple[str, ...] = ()
    pictures: bool = True
    cache: str | None = None
    seconds: float = 1800.0

    def options(self, item: Item) -> argparse.Namespace:
        """Options of the task for an item.

        Raises
        ------
        DiffusionNetError
            If one is not known, or has a wrong value.
        """
        if item.arguments:
            try:
                return parsed(self.task, self.arguments + item.arguments)
            except DiffusionNetError as error:
                raise DiffusionNetError(
                    f"{item.file}: {error.message}", "Correct its line of the manifest."
                ) from error
        return argparse.Namespace(**vars(_parsed_once(self.task, self.arguments)))

    def chosen(
        self, item: Item, files: Mapping[str, Path], results: Mapping[str, Path]
    ) -> argparse.Namespace:
        """What the command would have been given for an item.

        Parameters
        ----------
        item : Item
        files : mapping of str to Path
            Where the item's files are on this machine.
        results : mapping of str to Path
            Where to write the result of each suffix.
        """
        task = TASKS[self.task]
        chosen = self.options(item)
        given: dict[str, Any] = {"in_place": False, "quiet": True, "cache": self.cache}
        given |= dict.fromkeys(filter(None, (task.mesh, task.arrays)))
        given.update(task.fixed)
        for suffix, path in results.items():
            given[task.arrays if suffix == ARRAYS else task.mesh] = path
        path = files[item.file]
        if task.paired:
            given |= {"source": files[item.source], "target": path}
            sides = {"source_object": item.source_object, "target_object": item.object}
        else:
            given["files"] = [path]
            sides = {"object": item.object}
        given |= {name: value for name, value in sides.items() if value}
        vars(chosen).update(given)
        return chosen

    def key(self, item: Item) -> str:
        """Digest of all that the results of an item depend on.

        Raises
        ------
        OSError
            If a file cannot be read.
        """
        return self.key_with(item, *map(fingerprint, item.files))

    def key_with(self, item: Item, *contents: str) -> str:
        """The same with the fingerprints of the item's files."""
        task, options = TASKS[self.task], self.options(item)
        told = {n: value for n, value in vars(options).items() if n not in _WITHOUT_EFFECT}
        parts = [
            [FORMAT, VERSION, self.task, sorted(self.results), item.object, item.source_object],
            [model_digest(str(options.model), task.purpose), contents],
            sorted(told.items()),
        ]
        return hashlib.sha256(json.dumps(parts, default=str).encode()).hexdigest()[:40]


# Options that change where and how fast is computed.
_WITHOUT_EFFECT = {"engine", "device"}


class TaskParser(argparse.ArgumentParser):
    """Parser whose errors are raised."""

    def error(self, message: str) -> NoReturn:
        """Raise DiffusionNetError."""
        raise DiffusionNetError(message[:1].upper() + message[1:])


@lru_cache
def task_parser(task: str) -> TaskParser:
    """Parser of the options of a task alone."""
    parser = TaskParser(add_help=False, allow_abbrev=False)
    TASKS[task].add_options(parser)
    return parser


def parsed(task: str, arguments: tuple[str, ...]) -> argparse.Namespace:
    """Options of a task as it reads them; DiffusionNetError for those that it does not have."""
    chosen, unknown = task_parser(task).parse_known_args(list(arguments))
    if unknown:
        raise DiffusionNetError(
            f"{unknown[0]} is no option of the task {task}", f"See `{task} --help`."
        )
    return chosen


_parsed_once = lru_cache(parsed)


@lru_cache
def model_digest(name: str, purpose: Purpose) -> str:
    """Digest of the weights and the card of a model.

    Raises
    ------
    ModelError
        If there is no such model for the purpose.
    """
    if name.lower() == NO_MODEL and purpose == "match":
        return NO_MODEL
    weights = path_for(name, [library()], purpose)
    digest = hashlib.sha256(b"rig" if name == FROM_RIG else b"")
    for path in (weights, weights.with_suffix(".json")):
        digest.update(path.read_bytes())
    return digest.hexdigest()
