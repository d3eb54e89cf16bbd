"""Files of labels beside a mesh: NAME.npy or NAME.txt, with one label a vertex or a face."""

from __future__ import annotations

import os
import re
from pathlib import Path

import numpy as np

from ..errors import DiffusionNetError
from .train.training_set import UNLABELLED, NamedLabels

SUFFIXES = (".npy", ".txt")


def find_label_file(mesh: Path) -> tuple[Path, str]:
    """Path of the labels of a mesh file.

    Parameters
    ----------
    mesh : Path

    Returns
    -------
    path : Path
        NAME.npy or NAME.txt beside it; or, for a mesh of as many faces as vertices,
        NAME.vertices.npy, NAME.faces.txt and so on.
    domain : {"vertices", "faces", ""}
        Elements in the name; empty without.

    Raises
    ------
    DiffusionNetError
        If there is no such file.
    """
    for domain in ("vertices", "faces", ""):
        for suffix in SUFFIXES:
            path = mesh.with_suffix(f".{domain}{suffix}" if domain else suffix)
            if os.path.isfile(path):
                return path, domain
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
        Of the numbers from 0 on; by default the numbers themselves. Below 0: no label.

    Raises
    ------
    DiffusionNetError
        If the file is damaged or of another content, or has numbers beyond the names.
    """
    fix = "Write whole numbers, -1 for no label; in a .txt one a line, or names."
    try:
        if path.suffix.lower() == ".npy":
            values = np.load(path, allow_pickle=False)
            if not isinstance(values, np.ndarray):
                values.close()
                raise ValueError("an archive of arrays, .npz")
        else:
            lines = [line.strip() for line in path.read_text(encoding="utf-8-sig").splitlines()]
            if not all(re.fullmatch(r"-?[0-9]+", line) for line in lines if line):
                names = tuple(dict.fromkeys(line for line in lines if line))
                index = {name: number for number, name in enumerate(names)}
                return NamedLabels(np.array([index.get(n, UNLABELLED) for n in lines]), names)
            values = np.array([int(line) if line else UNLABELLED for line in lines], dtype=np.int64)
    # A damaged header of a .npy makes errors of many kinds, of Python's tokenizer too.
    except Exception as error:
        raise DiffusionNetError(f"{path.name} cannot be read ({error!s:.200})", fix) from error
    if values.ndim != 1 or values.dtype.kind not in "iu" or not len(values):
        raise DiffusionNetError(
            f"{path.name} holds an array of shape {values.shape} and type {values.dtype}", fix
        )
    if values.max() > np.iinfo(np.int64).max:
        raise DiffusionNetError(f"{path.name} has the class {values.max()}", fix)
    values = np.maximum(values.astype(np.int64), UNLABELLED)
    if class_names:
        if values.max() >= len(class_names):
            raise DiffusionNetError(
                f"{path.name} has the class {values.max()}, and {len(class_names)} are named",
                "Name one for each number from 0 on.",
            )
        return NamedLabels(values, class_names)
    classes = np.unique(values[values >= 0])
    labels = np.where(values >= 0, np.searchsorted(classes, values), UNLABELLED)
    return NamedLabels(labels, tuple(str(value) for value in classes))
