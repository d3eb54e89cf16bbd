"""Bodies in correspondence and remeshed versions of the last fifth of them (paper 5.4).

The registrations of MPI-FAUST (Bogo et al. 2014), and the remeshings that the paper's authors hand
out beside them. The y axis is the vertical.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import trimesh

from diffusionnet_blender.surface.surface import Surface
from diffusionnet_blender.tasks.train.training_set import LabelledSurface

from .files import read_labels, read_mesh, wrong_layout

REMESHED = ("iso", "dense", "qes", "mc", "cloud")
KINDS = ("orig", *REMESHED)
VERTICAL = (0.0, 1.0, 0.0)
EXPECTED = """\
  registrations/tr_reg_000.ply ... 099.ply   the training/registrations of MPI-FAUST, of one
                                             connectivity; the last fifth is the test split
  iso/tr_reg_iso_080.ply ... 099.ply         the test split remeshed; so dense, qes and mc, and
                                             cloud, which are points with normals
  iso/tr_reg_iso_080.txt ... 099.txt         of each vertex the nearest one before remeshing"""


def registrations(folder: Path) -> tuple[list[Path], list[Path]]:
    """Files of the bodies in correspondence, to train on and to test on: four fifths and the rest.

    Raises
    ------
    DiffusionNetError
        If there are fewer than five, or remeshed versions are missing.
    """
    files = sorted((folder / "registrations").glob("*.ply"))
    if len(files) < 5:
        fault = f"there are {len(files)} files registrations/*.ply, and five are the fewest"
        raise wrong_layout(folder, fault, EXPECTED)
    split = 4 * len(files) // 5
    for kind in REMESHED:
        for file in files[split:]:
            for path in remeshed_files(folder, kind, file):
                if not path.exists():
                    fault = f"{path.relative_to(folder)} is missing"
                    raise wrong_layout(folder, fault, EXPECTED)
    return files[:split], files[split:]


def remeshed_files(folder: Path, kind: str, registration: Path) -> tuple[Path, Path]:
    """The mesh and the labels of a remeshed version: `tr_reg_080` becomes `tr_reg_iso_080`."""
    name, _, number = registration.stem.rpartition("_")
    stem = f"{name}_{kind}_{number}"
    return folder / kind / f"{stem}.ply", folder / kind / f"{stem}.txt"


def read(folder: Path, split: str, kind: str = "orig") -> Iterator[LabelledSurface]:
    """Bodies with the number of the template's vertex at each of theirs.

    Parameters
    ----------
    folder : Path
    split : {"train", "test"}
    kind : str
        One of `KINDS`; remeshed are those of the test split alone.

    Raises
    ------
    DiffusionNetError
        If files are missing, of several connectivities, or labels do not fit.
    """
    train, test = registrations(folder)
    first = read_mesh(train[0])
    for file in train if split == "train" else test:
        if kind == "orig":
            surface, labels = read_mesh(file), np.arange(len(first.vertices))
            if not np.array_equal(surface.faces, first.faces):
                fault = f"{file.name} has another connectivity than {train[0].name}"
                raise wrong_layout(folder, fault, EXPECTED)
        else:
            path, numbers = remeshed_files(folder, kind, file)
            surface = read_cloud(path) if kind == "cloud" else read_mesh(path)
            labels = read_labels(numbers, len(surface.vertices))
            if len(labels) and not 0 <= labels.min() <= labels.max() < len(first.vertices):
                fault = f"{numbers.name} names vertices that {train[0].name} has not"
                raise wrong_layout(folder, fault, EXPECTED)
        yield LabelledSurface(f"{kind} {file.stem}", surface, labels)


def read_cloud(path: Path) -> Surface:
    """Points with normals as PLY.

    Raises
    ------
    DiffusionNetError
        If it is none, or has no normals.
    """
    try:
        cloud = trimesh.load(path, process=False)
        # Trimesh keeps what it has no place for as the file has it.
        vertex = cloud.metadata["_ply_raw"]["vertex"]["data"]
        normals = np.stack([np.ravel(vertex[name]) for name in ("nx", "ny", "nz")], axis=1)
        return Surface(np.asarray(cloud.vertices, float), normals=normals.astype(float))
    # Trimesh raises errors of its own on damaged files.
    except Exception as error:
        fault = f"{path.name} is no PLY file of points with normals ({error})"
        raise wrong_layout(path.parent, fault, EXPECTED) from error


def write_ply(path: Path, surface: Surface) -> None:
    """Write a mesh, or points with normals, as PLY."""
    names, columns = ["x", "y", "z"], [surface.vertices]
    if surface.normals is not None:
        names, columns = [*names, "nx", "ny", "nz"], [*columns, surface.normals]
    faces = np.empty(len(surface.faces), [("count", "u1"), ("index", "<i4", 3)])
    faces["count"], faces["index"] = 3, surface.faces
    head = [
        "ply",
        "format binary_little_endian 1.0",
        f"element vertex {len(surface.vertices)}",
        *(f"property float {name}" for name in names),
    ]
    if len(faces):
        head += [f"element face {len(faces)}", "property list uchar int vertex_indices"]
    values = np.concatenate(columns, axis=1).astype("<f4").tobytes()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes("\n".join([*head, "end_header\n"]).encode() + values + faces.tobytes())
