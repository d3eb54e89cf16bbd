"""SHREC 2011, shapes of thirty classes (Lian et al. 2011), as handed out and as MeshCNN simplified.

The first has one folder of meshes T0.off to T599.off and a list of the classes with the numbers of
their members, in the format of the Princeton Shape Benchmark. The second has a folder for each
class. Both are split by chance, as in the paper.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from diffusionnet_blender.tasks.train.training_set import LabelledSurface

from .files import read_mesh, wrong_layout

CLASSES, MEMBERS = 30, 20
ORIGINAL, SIMPLIFIED = "shrec_11", "shrec_16"
LISTS = ("test.cla", "categories.txt", "*.cla")
EXPECTED = {
    "original": """  T0.off ... T599.off            the meshes, here or in folders within
  test.cla (or categories.txt)   PSB 1, then 30 600, then for each class a line
                                 NAME 0 20, and the numbers of its meshes""",
    "simplified": "  CLASS/train/*.obj, CLASS/test/*.obj   for each of 30 classes",
}


def read(folder: Path, variant: str) -> Iterator[LabelledSurface]:
    """All shapes, with the classes numbered in the order of their names.

    All are read before the first is given, so that a damaged one is told before hours are spent.

    Parameters
    ----------
    folder : Path
        The one of that layout, or the one that it lies in.
    variant : {"original", "simplified"}

    Raises
    ------
    DiffusionNetError
        If files are missing, or the list and the meshes do not fit.
    """
    name = ORIGINAL if variant == "original" else SIMPLIFIED
    inner = folder / name
    folder = inner if inner.is_dir() else folder
    found = _listed(folder) if variant == "original" else _by_folder(folder)
    if len(found) != CLASSES:
        fault = f"there are {len(found)} classes, not {CLASSES}"
        raise wrong_layout(folder, fault, EXPECTED[variant])
    few = [name for name, paths in found.items() if len(paths) < 2]
    if few:
        raise wrong_layout(folder, f"there is no pair of {few[0]}", EXPECTED[variant])
    yield from [
        LabelledSurface(f"{name}/{path.stem}", read_mesh(path), number)
        for number, name in enumerate(sorted(found))
        for path in found[name]
    ]


def _listed(folder: Path) -> dict[str, list[Path]]:
    """Meshes of each class, by the list."""
    expected = EXPECTED["original"]
    lists = [path for pattern in LISTS for path in sorted(folder.glob(pattern))]
    if not lists:
        raise wrong_layout(folder, "the list of classes is missing", expected)
    meshes = {path.stem: path for path in sorted(folder.rglob("T*.off"))}
    if not meshes:
        raise wrong_layout(folder, "there are no meshes T0.off, ...", expected)
    words = lists[0].read_text(encoding="utf-8", errors="replace").split()
    found: dict[str, list[Path]] = {}
    try:
        if words[0] != "PSB":
            raise ValueError("it does not begin with PSB")
        place = 4
        while place < len(words):
            name, count = words[place], int(words[place + 2])
            numbers = words[place + 3 : place + 3 + count]
            if len(numbers) != count:
                raise ValueError(f"{name} has fewer members than {count}")
            found[name] = [meshes[f"T{int(number)}"] for number in numbers]
            place += 3 + count
    except KeyError as error:
        raise wrong_layout(folder, f"{error.args[0]}.off is missing", expected) from error
    except (ValueError, IndexError) as error:
        raise wrong_layout(
            folder, f"{lists[0].name} is no such list ({error})", expected
        ) from error
    return found


def _by_folder(folder: Path) -> dict[str, list[Path]]:
    """Meshes of each class, by their folders."""
    found = {}
    for place in sorted(path for path in folder.glob("*") if path.is_dir()):
        paths = sorted((place / "train").glob("*.obj")) + sorted((place / "test").glob("*.obj"))
        if paths:
            found[place.name] = paths
    return found
