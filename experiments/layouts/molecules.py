"""Surfaces of RNA with a class at each vertex (Poulenard, Rakotosaona, Ponty and Ovsjanikov 2019).

Two layouts: packed as `{train,test}-NN.npz.xz`, and as the authors hand it out.
"""

from __future__ import annotations

import io
import lzma
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from diffusionnet_blender.surface.surface import Surface
from diffusionnet_blender.tasks.train.training_set import LabelledSurface

from .files import read_labels, read_off, wrong_layout

# 259 kinds of atoms, and vertices without one.
CLASSES = 260
EXPECTED = """  train-00.npz.xz, ..., test-00.npz.xz, ...   the packed meshes, or
  train.txt, test.txt                         names of .off files, one a line
  off/NAME.off                                meshes
  labels/NAME.txt                             -1 to 258, one for each vertex"""


def read(folder: Path, split: str) -> Iterator[LabelledSurface]:
    """Meshes of a split with classes 0 to 259.

    Parameters
    ----------
    folder : Path
    split : {"train", "test"}

    Raises
    ------
    DiffusionNetError
        If files are missing, or labels do not fit.
    """
    packed, listed = _files(folder, split)
    for shard in packed:
        yield from _unpacked(shard)
    for name in listed:
        yield _from_text(folder, name)


def count(folder: Path, split: str) -> int:
    """How many meshes a split has; parameters and errors as of `read`."""
    packed, listed = _files(folder, split)
    return sum(len(_names(_arrays(shard))) for shard in packed) + len(listed)


def _files(folder: Path, split: str) -> tuple[list[Path], list[str]]:
    """Packed files of a split, or else the names of its meshes in text."""
    packed = sorted(folder.glob(f"{split}-*.npz.xz"))
    if packed:
        return packed, []
    listed = folder / f"{split}.txt"
    if not listed.exists():
        fault = f"neither {split}-*.npz.xz nor {split}.txt is there"
        raise wrong_layout(folder, fault, EXPECTED)
    return [], [Path(name).stem for name in listed.read_text().split()]


def _arrays(shard: Path) -> np.lib.npyio.NpzFile:
    try:
        return np.load(io.BytesIO(lzma.decompress(shard.read_bytes())))
    except (lzma.LZMAError, ValueError, OSError) as error:
        raise wrong_layout(shard.parent, f"{shard.name} is damaged", EXPECTED) from error


def _names(arrays: np.lib.npyio.NpzFile) -> list[str]:
    """Names of the meshes of a packed file, in its order."""
    return list(dict.fromkeys(key.split("/")[0] for key in arrays.files))


def _unpacked(shard: Path) -> Iterator[LabelledSurface]:
    """Meshes of one packed file: differences along the lists, in thousandths, a plane a byte."""
    arrays = _arrays(shard)
    for name in _names(arrays):
        vertices = np.cumsum(_integers(arrays[f"{name}/v"]), axis=0) / 1000
        steps = _integers(arrays[f"{name}/f"])
        steps[:, 0] = np.cumsum(steps[:, 0])
        faces = np.stack([steps[:, 0], steps[:, :2].sum(axis=1), steps[:, [0, 2]].sum(axis=1)], 1)
        yield _labelled(shard.parent, name, Surface(vertices, faces), arrays[f"{name}/labels"])


def _integers(planes: np.ndarray) -> np.ndarray:
    """(n, 3) int64 of the four byte planes that they were split into."""
    return np.ascontiguousarray(planes.T).view("<i4").reshape(-1, 3).astype(np.int64)


def _from_text(folder: Path, name: str) -> LabelledSurface:
    mesh, labels = folder / "off" / f"{name}.off", folder / "labels" / f"{name}.txt"
    for path in (mesh, labels):
        if not path.exists():
            raise wrong_layout(folder, f"{path.relative_to(folder)} is missing", EXPECTED)
    surface = read_off(mesh)
    return _labelled(folder, name, surface, read_labels(labels, len(surface.vertices)))


def _labelled(folder: Path, name: str, surface: Surface, labels: np.ndarray) -> LabelledSurface:
    classes = labels.astype(np.int64) + 1
    if len(classes) != len(surface.vertices) or not 0 <= classes.min() <= classes.max() < CLASSES:
        raise wrong_layout(folder, f"the labels of {name} do not fit its mesh", EXPECTED)
    return LabelledSurface(name, surface, classes)
