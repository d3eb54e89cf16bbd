"""Human bodies in eight parts (Maron et al. 2017), as handed out and as MeshCNN simplified them.

The first has parts at triangles, from 1. FAUST, SCAPE and each take of the MIT animations have one
file of parts for all meshes. MeshCNN's has parts at edges, from 1, and a share of each part at each
edge; edges are numbered as they first come in the list of triangles. PD-MeshNet has the same
meshes as PLY, and parts at triangles, from 0, in files of the same names.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from diffusionnet_blender.surface.surface import Surface, triangle_areas

from ..matrices import LabelledElements
from .files import read_labels, read_mesh, wrong_layout

PARTS = 8
ORIGINAL, SIMPLIFIED = "sig17_seg_benchmark", "human_seg"
TAKES = ("bouncing", "crane", "handstand", "jumping", "march1", "march2", "squat1", "squat2")
# 16 and 18 were never among the shapes of the test.
TEST_NUMBERS = tuple(number for number in range(1, 21) if number not in (16, 18))
MESHES = (".off", ".obj", ".ply")
EXPECTED = {
    "original": """  meshes/train/adobe/NAME.off   segs/train/adobe/NAME.txt
  meshes/train/faust/*.ply      segs/train/faust/faust_corrected.txt
  meshes/train/scape/*.off      segs/train/scape/scape_corrected.txt
  meshes/train/MIT_animation/meshes_TAKE/meshes/*.obj   segs/train/mit/mit_TAKE_corrected.txt
  meshes/test/shrec/N.off       segs/test/shrec/shrec_N_full.txt
each text with a part from 1 to 8 for each triangle""",
    "simplified": """  train/NAME.obj, test/NAME.obj   the meshes
  seg/NAME.eseg                   a part from 1 to 8 for each edge
  sseg/NAME.seseg                 eight shares for each edge
or, with parts at triangles as PD-MeshNet has them,
  train/NAME.ply, test/NAME.ply   the meshes
  seg/NAME.eseg                   a part from 0 to 7 for each triangle""",
}


@dataclass(frozen=True, eq=False)
class Edges:
    """Edges of a mesh in MeshCNN's order.

    Attributes
    ----------
    corners : (E, 2) int
    area : (E,) float
        A third of the triangles at an edge, as a share of the mesh.
    first_face : (E,) int
        The first of `faces` at each.
    faces : (F, 3) int
        Triangles that are used: without an area, or with a side that another one has in the same
        direction, they are left out.
    of_face : (F, 3) int
        Edges of each of them.
    """

    corners: np.ndarray
    area: np.ndarray
    first_face: np.ndarray
    faces: np.ndarray
    of_face: np.ndarray


@dataclass(frozen=True, eq=False)
class Truth(LabelledElements):
    """A mesh with the parts of its triangles or edges.

    Attributes
    ----------
    right : (n, 8) bool
        Which parts count as right at each.
    share : (n,) float
        Of each in the accuracy of the mesh.
    """

    right: np.ndarray
    share: np.ndarray


def read(folder: Path, split: str, variant: str) -> Iterator[Truth]:
    """Meshes of a split, all of them read and checked before the first is given.

    Parameters
    ----------
    folder : Path
        The one of that layout, or the one that it lies in.
    split : {"train", "test"}
    variant : {"original", "edges", "faces"}
        The paper's three: parts at triangles of the benchmark; at edges of the simplified meshes,
        several of them right at a border; at triangles of these.

    Raises
    ------
    DiffusionNetError
        If files are missing, or labels do not fit.
    """
    place = _place(folder, variant)
    yield from (_original if variant == "original" else _simplified)(place, split, variant)


def count(folder: Path, split: str, variant: str) -> int:
    """How many meshes a split has; parameters and errors as of `read`."""
    place = _place(folder, variant)
    return len(
        _pairs(place, split) if variant == "original" else _simplified_meshes(place, split, variant)
    )


def _place(folder: Path, variant: str) -> Path:
    inner = folder / (ORIGINAL if variant == "original" else SIMPLIFIED)
    return inner if inner.is_dir() else folder


def training_files(origin: str, index: int, takes: int) -> tuple[Path, Path]:
    """Mesh and labels of a training shape, below `meshes` and `segs`."""
    train = Path("train")
    if origin == "adobe":
        return train / origin / f"{index}.off", train / origin / f"{index}.txt"
    if origin == "mit":
        take = TAKES[index % takes]
        mesh = (
            train / "MIT_animation" / f"meshes_{take}" / "meshes" / f"mesh_{index // takes:04d}.obj"
        )
        return mesh, train / "mit" / f"mit_{take}_corrected.txt"
    name = f"tr_reg_{index:03d}.ply" if origin == "faust" else f"mesh{index:03d}.off"
    return train / origin / name, train / origin / f"{origin}_corrected.txt"


def test_files(number: int) -> tuple[Path, Path]:
    """Mesh and labels of a test shape, below `meshes` and `segs`."""
    name = "12_fix_orientation" if number == 12 else str(number)
    shrec = Path("test") / "shrec"
    return shrec / f"{name}.off", shrec / f"shrec_{number}_full.txt"


def edges_of(surface: Surface) -> Edges:
    """Edges of a mesh in the order of MeshCNN."""
    faces, areas = surface.faces, triangle_areas(surface.vertices, surface.faces)
    seen: set[tuple[int, int]] = set()
    used = []
    for number, (a, b, c) in enumerate(faces.tolist()):
        directed = {(a, b), (b, c), (c, a)}
        if areas[number] > 0 and not directed & seen:
            seen |= directed
            used.append(number)
    faces, areas = faces[used], areas[used]
    sides = np.sort(np.stack([faces, np.roll(faces, -1, axis=1)], axis=2), axis=2).reshape(-1, 2)
    corners, first, of_side = np.unique(sides, axis=0, return_index=True, return_inverse=True)
    order = np.argsort(first)
    number = np.empty_like(order)
    number[order] = np.arange(len(order))
    of_face = number[of_side.ravel()].reshape(-1, 3)
    area = np.bincount(of_face.ravel(), np.repeat(areas / 3, 3)) / areas.sum()
    return Edges(corners[order], area, first[order] // 3, faces, of_face)


def majority(labels: np.ndarray) -> np.ndarray:
    """Of each three labels (n, 3) the one that comes twice, or the first where all differ, (n,)."""
    return np.where(labels[:, 1] == labels[:, 2], labels[:, 1], labels[:, 0])


def _original(folder: Path, split: str, variant: str) -> Iterator[Truth]:
    pairs = _pairs(folder, split)
    for path in (path for pair in pairs for path in pair):
        if not path.exists():
            raise wrong_layout(
                folder, f"{path.relative_to(folder)} is missing", EXPECTED["original"]
            )
    found = []
    for mesh, labels in pairs:
        surface = read_mesh(mesh)
        parts = read_labels(labels, len(surface.faces)) - 1
        name = str(mesh.relative_to(folder / "meshes").with_suffix(""))
        found.append(_truth(folder, name, surface, surface.faces, parts, "original"))
    yield from found


def _pairs(folder: Path, split: str) -> list[tuple[Path, Path]]:
    """Files of the meshes and of their labels."""
    return list(_training_pairs(folder) if split == "train" else _test_pairs(folder))


def _training_pairs(folder: Path) -> Iterator[tuple[Path, Path]]:
    origins = [("adobe", "adobe", None), ("faust", "faust", "faust"), ("scape", "scape", "scape")]
    origins += [(f"MIT_animation/meshes_{take}/meshes", "mit", f"mit_{take}") for take in TAKES]
    for meshes, segs, common in origins:
        place = folder / "meshes" / "train" / meshes
        paths = [path for path in sorted(place.glob("*")) if path.suffix.lower() in MESHES]
        if not paths:
            fault = f"there are no meshes in {place.relative_to(folder)}"
            raise wrong_layout(folder, fault, EXPECTED["original"])
        for path in paths:
            labels = f"{common}_corrected.txt" if common else f"{path.stem}.txt"
            yield path, folder / "segs" / "train" / segs / labels


def _test_pairs(folder: Path) -> Iterator[tuple[Path, Path]]:
    for number in TEST_NUMBERS:
        mesh, labels = test_files(number)
        yield folder / "meshes" / mesh, folder / "segs" / labels


def _simplified(folder: Path, split: str, variant: str) -> Iterator[Truth]:
    expected = EXPECTED["simplified"]
    found = []
    for path in _simplified_meshes(folder, split, variant):
        names = [f"seg/{path.stem}.eseg"] + [f"sseg/{path.stem}.seseg"] * (variant == "edges")
        for name in names:
            if not (folder / name).exists():
                raise wrong_layout(folder, f"{name} is missing", expected)
        surface = read_mesh(path)
        if path.suffix == ".ply":
            parts = read_labels(folder / names[0], len(surface.faces))
            found.append(_truth(folder, path.stem, surface, surface.faces, parts, "simplified"))
            continue
        edges = edges_of(surface)
        parts = read_labels(folder / names[0], len(edges.corners)) - 1
        if variant == "faces":
            parts = majority(parts[edges.of_face])
            found.append(_truth(folder, path.stem, surface, edges.faces, parts, "simplified"))
        else:
            truth = _truth(folder, path.stem, surface, edges.corners, parts, "simplified")
            soft = _shares(folder, names[1], len(parts))
            found.append(replace(truth, right=soft > 0, share=edges.area))
    yield from found


def _simplified_meshes(folder: Path, split: str, variant: str) -> list[Path]:
    """Files of the meshes: those with labels at faces where they are wanted and there."""
    at_faces = sorted((folder / split).glob("*.ply")) if variant == "faces" else []
    paths = at_faces or sorted((folder / split).glob("*.obj"))
    if not paths:
        raise wrong_layout(folder, f"there are no meshes in {split}", EXPECTED["simplified"])
    return paths


def _shares(folder: Path, name: str, count: int) -> np.ndarray:
    """The eight shares at each edge, (E, 8) float."""
    try:
        shares = np.loadtxt(folder / name, ndmin=2)
    except ValueError as error:
        raise wrong_layout(folder, f"{name} is damaged", EXPECTED["simplified"]) from error
    if shares.shape != (count, PARTS):
        fault = f"{name} has {shares.shape[0]} x {shares.shape[1]} shares for {count} edges"
        raise wrong_layout(folder, fault, EXPECTED["simplified"])
    return shares


def _truth(
    folder: Path, name: str, surface: Surface, corners: np.ndarray, parts: np.ndarray, layout: str
) -> Truth:
    """One right part at each edge or triangle, each of the same share."""
    if len(parts) and not 0 <= parts.min() <= parts.max() < PARTS:
        fault = f"the parts of {name} are {parts.min()} to {parts.max()}, counted from 0"
        raise wrong_layout(folder, fault, EXPECTED[layout])
    share = np.full(len(parts), 1 / len(parts))
    return Truth(name, surface, parts, corners, np.eye(PARTS, dtype=bool)[parts], share)
