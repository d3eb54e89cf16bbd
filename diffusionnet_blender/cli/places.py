"""Paths of results, and the writing of files that are whole or absent."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from ..errors import DiffusionNetError


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


def _is_folder(path: Path) -> bool:
    return path.is_dir() or not path.suffix


def save_arrays(path: Path, **arrays: ArrayLike) -> None:
    """Write an .npz under another name and rename it, so that a reader sees a whole file or none.

    Raises
    ------
    DiffusionNetError
        If it cannot be written.
    """
    staged = path.with_name(f".{path.stem}.{os.getpid()}.npz")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        np.savez_compressed(staged, **arrays)
        os.replace(staged, path)
    except OSError as error:
        if staged.exists():
            staged.unlink()
        raise DiffusionNetError(
            f"{path} cannot be written ({error.strerror})", "Choose another place."
        ) from error
