"""What the layouts have in common: files that must be there, and meshes in text files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import trimesh

from diffusionnet_blender.errors import DiffusionNetError
from diffusionnet_blender.surface.surface import Surface


def wrong_layout(folder: Path, fault: str, expected: str) -> DiffusionNetError:
    """The error of a folder that is no such data set.

    Parameters
    ----------
    folder : Path
    fault : str
        What is missing or does not fit.
    expected : str
        The layout, one line for each kind of file.
    """
    return DiffusionNetError(f"{folder}: {fault}", f"Expected are\n{expected}")


def read_off(path: Path) -> Surface:
    """A triangle mesh in the format OFF.

    Raises
    ------
    DiffusionNetError
        If the file is no such mesh.
    """
    try:
        words = path.read_text(encoding="ascii").split()
        # Some files have the counts in the line of the word OFF, without a space.
        head, words = words[0], words[1:]
        if head != "OFF":
            words = [head.removeprefix("OFF"), *words]
        count, triangles = int(words[0]), int(words[1])
        values = np.array(words[3 : 3 + 3 * count], dtype=np.float64).reshape(count, 3)
        corners = np.array(words[3 + 3 * count :][: 4 * triangles], dtype=np.int64).reshape(-1, 4)
        if not head.startswith("OFF") or len(corners) != triangles or (corners[:, 0] != 3).any():
            raise ValueError("no triangles in the format OFF")
        if triangles and not 0 <= corners[:, 1:].min() <= corners[:, 1:].max() < count:
            raise ValueError("a triangle of vertices that are not there")
    except (ValueError, IndexError, UnicodeDecodeError) as error:
        raise DiffusionNetError(
            f"{path} is no triangle mesh in the format OFF ({error})",
            "Save it as OFF again, with triangles alone.",
        ) from error
    return Surface(values, corners[:, 1:])


def read_labels(path: Path, count: int) -> np.ndarray:
    """Whole numbers of a text file, one for each of so many vertices or faces, (count,) int64.

    Raises
    ------
    DiffusionNetError
        If there are more, fewer, or other things in it.
    """
    try:
        # Some data sets write them as 1.000e+00.
        values = np.array(path.read_text(encoding="ascii").split(), dtype=np.float64)
        labels = values.astype(np.int64)
        if (labels != values).any():
            raise ValueError("not a whole number")
    except (ValueError, OverflowError, UnicodeDecodeError) as error:
        raise DiffusionNetError(
            f"{path} has more in it than whole numbers", "Give one number a line."
        ) from error
    if len(labels) != count:
        raise DiffusionNetError(
            f"{path} has {len(labels)} labels, and its mesh {count} places for them",
            "Labels and meshes are of two versions: take both from one.",
        )
    return labels


def read_mesh(path: Path) -> Surface:
    """A triangle mesh in the format OFF, OBJ or PLY, its vertices and triangles in their order.

    Raises
    ------
    DiffusionNetError
        If the file is no such mesh.
    """
    if path.suffix.lower() == ".off":
        return read_off(path)
    try:
        mesh = trimesh.load(
            path, process=False, maintain_order=True, skip_materials=True, force="mesh"
        )
        surface = Surface(np.asarray(mesh.vertices, np.float64), np.asarray(mesh.faces, np.int64))
        if not len(surface.faces):
            raise ValueError("no triangles")
    # Each of its readers raises errors of its own on damaged files.
    except Exception as error:
        raise DiffusionNetError(
            f"{path} is no triangle mesh in the format {path.suffix[1:].upper()} ({error})",
            "Save it again, with triangles alone.",
        ) from error
    return surface
