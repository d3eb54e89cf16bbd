"""Paths of results, and the writing of files that are whole or absent."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from ..errors import DiffusionNetError
from ..leftovers import remove_staged, staged, sweep_beside


def require_places(
    files: Sequence[Path], target: Path | None, option: str, suffix: str = ""
) -> None:
    """Raise DiffusionNetError unless the result of each file has a path of its own."""
    if target is not None and not _is_folder(target):
        if len(files) > 1:
            raise DiffusionNetError(
                f"--{option} {target} is one file, and there are {len(files)} to write",
                "Give a folder.",
            )
        if suffix and target.suffix.lower() != suffix:
            raise DiffusionNetError(
                f"--{option} {target} is not a {suffix} file", f"Name it {suffix}."
            )
    stems = [path.stem for path in files]
    twice = next((stem for stem in stems if stems.count(stem) > 1), None)
    if target is not None and twice:
        raise DiffusionNetError(
            f"Two files are called {twice!r} and would be written to one place",
            "Run the command once for each.",
        )


def place(target: Path | None, source: Path, suffix: str) -> Path | None:
    """Path of the result of a file: the target, or inside the target if that is a folder."""
    if target is not None and _is_folder(target):
        return target / f"{source.stem}{suffix}"
    return target


def require_apart(
    files: Sequence[Path],
    outputs: Sequence[Path | None],
    option: str,
    in_place: bool | None = None,
    kind: str = "the input",
) -> None:
    """Raise DiffusionNetError for results that would overwrite an input or cannot be written.

    Parameters
    ----------
    files : sequence of Path
        Those that are read.
    outputs : sequence of Path or None
        Those to write.
    option : str
    in_place : bool, optional
        Whether an input may be overwritten; None: it cannot be allowed.
    kind : str
        What the files are, for the message.
    """
    for output in outputs:
        if output is None:
            continue
        source = next((file for file in files if _is_same(file, output)), None)
        if source is not None and not in_place:
            fix = "Choose another place" + (
                "." if in_place is None else ", or give --in-place to overwrite it."
            )
            raise DiffusionNetError(f"--{option} would overwrite {kind} {source}", fix)
        _require_writable(output)


def _is_same(one: Path, other: Path) -> bool:
    """Whether two paths lead to one file, also by links."""
    try:
        return os.path.samefile(one, other)
    except OSError:
        return os.path.realpath(one) == os.path.realpath(other)


def _require_writable(path: Path) -> None:
    """Raise DiffusionNetError if a file cannot be made; its folder may be missing."""
    folder = path.absolute().parent
    while not os.path.lexists(folder) and folder != folder.parent:
        folder = folder.parent
    reason = ""
    if os.path.isdir(path):
        reason = "it is a folder"
    elif not os.path.isdir(folder):
        reason = f"{folder} is no folder"
    else:
        # Rights alone do not tell: names may be too long, and file systems full or closed.
        probe = staged(folder / path.name)
        try:
            os.lstat(path.absolute())
        except (FileNotFoundError, NotADirectoryError):
            pass
        except OSError as error:
            reason = error.strerror or str(error)
        try:
            probe.open("xb").close()
        except OSError as error:
            reason = error.strerror or str(error)
        finally:
            remove_staged(probe)
    if reason:
        raise DiffusionNetError(f"{path} cannot be written ({reason})", "Choose another place.")


def _is_folder(path: Path) -> bool:
    return os.path.isdir(path) or not path.suffix


def save_arrays(path: Path, **arrays: ArrayLike) -> None:
    """Write an .npz under another name and rename it, so that a reader sees a whole file or none.

    Raises
    ------
    DiffusionNetError
        If it cannot be written.
    """
    with _written(path) as unfinished:
        np.savez_compressed(unfinished, **arrays)


def save_text(path: Path, text: str) -> None:
    """Write a text likewise."""
    with _written(path) as unfinished:
        unfinished.write_text(text, encoding="utf-8")


@contextlib.contextmanager
def _written(path: Path) -> Iterator[Path]:
    """Context that yields another name for a file, which gets its own at the end."""
    unfinished = staged(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        sweep_beside(path)
        yield unfinished
        os.replace(unfinished, path)
    except OSError as error:
        raise DiffusionNetError(
            f"{path} cannot be written ({error.strerror or error})", "Choose another place."
        ) from error
    finally:
        remove_staged(unfinished)
