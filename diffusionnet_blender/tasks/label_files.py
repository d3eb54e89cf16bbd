"""Labels in a file beside a mesh: NAME.npy or NAME.txt, one a vertex or one a face."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ..errors import DiffusionNetError
from .train.training_set import UNLABELLED, NamedLabels

SUFFIXES = (".npy", ".txt")


def find_label_file(mesh: Path) -> tuple[Path, str]:
    """The file with the labels of a mesh file.

    Parameters
    ----------
    mesh : Path

    Returns
    -------
    path : Path
        NAME.npy or NAME.txt beside it, or where their numbers are alike, NAME.vertices.npy,
        NAME.faces.txt and so on.
    where : {"vertices", "faces", ""}
        What its name says.

    Raises
    ------
    DiffusionNetError
        If there is none.
    """
    for where in ("vertices", "faces", ""):
        for suffix in SUFFIXES:
            path = mesh.with_suffix(f".{where}{suffix}" if where else suffix)
            if path.is_file():
                return path, where
    raise DiffusionNetError(
        f"There are no labels beside {mesh.name}",
        f"Put them into {mesh.stem}.npy or {mesh.stem}.txt, one for each vertex or face.",
    )


def read_label_file(path: Path, class_names: tuple[str, ...] = ()) -> NamedLabels:
    """Read labels.

    Parameters
    ----------
    path : Path
        .npy: whole numbers. .txt: a line each, whole numbers or names; an empty line is no label.
    class_names : tuple of str
        Of the numbers from 0 on; without, the numbers are the names. Below 0: no label.

    Raises
    ------
    DiffusionNetError
        If the file cannot be read as that, or has numbers beyond the names.
    """
    fix = "Write whole numbers, -1 for no label; in a .txt one a line, or names."
    try:
        if path.suffix.lower() == ".npy":
            values = np.load(path, allow_pickle=False)
        else:
            lines = [line.strip() for line in path.read_text(encoding="utf-8").splitlines()]
            if not all(line.lstrip("-").isdecimal() for line in lines if line):
                names = tuple(dict.fromkeys(line for line in lines if line))
                place = {name: number for number, name in enumerate(names)}
                return NamedLabels(np.array([place.get(n, UNLABELLED) for n in lines]), names)
            values = np.array([int(line) if line else UNLABELLED for line in lines], dtype=int)
    except (OSError, ValueError) as error:
        raise DiffusionNetError(f"{path.name} cannot be read ({error})", fix) from error
    if values.ndim != 1 or values.dtype.kind not in "iu" or not len(values):
        raise DiffusionNetError(
            f"{path.name} holds an array of shape {values.shape} and type {values.dtype}", fix
        )
    values = np.maximum(values.astype(np.int64), UNLABELLED)
    if class_names:
        if values.max() >= len(class_names):
            raise DiffusionNetError(
                f"{path.name} has the class {values.max()}, and {len(class_names)} are named",
                "Name one for each number from 0 on.",
            )
        return NamedLabels(values, class_names)
    known = np.unique(values[values >= 0])
    labels = np.where(values >= 0, np.searchsorted(known, values), UNLABELLED)
    return NamedLabels(labels, tuple(str(value) for value in known))
