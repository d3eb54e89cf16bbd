"""Remeshed bodies in the layout of the paper's (5.4, Figure 10), from meshes in correspondence.

python -m experiments.stand_ins.remeshings FOLDER                       our own bodies
python -m experiments.stand_ins.remeshings FOLDER --meshes REGISTRATIONS

Without `--meshes`, synthetic people in ten poses each, decimated once to a common connectivity. The
last fifth of the meshes is remeshed:

iso     vertices evenly over the surface, triangles about equilateral
dense   likewise, much finer about five random places
qes     refined, then simplified to twice as many vertices by quadric errors
mc      the surface of a volume, drawn from a grid (surface nets, the dual of marching cubes)
cloud   points evenly over the area, with normals

A vertex belongs to the nearest one of the mesh that it was remeshed from.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from scipy.spatial import cKDTree

from diffusionnet_blender.errors import DiffusionNetError
from diffusionnet_blender.surface.surface import Surface, triangle_areas, triangle_vectors
from diffusionnet_blender.surface.voxels import outer_skin
from training.commands import plain_errors
from training.meshes import surface_points
from training.remesh import decimate, keep_skin

from ..layouts.files import read_mesh
from ..layouts.remeshed import REMESHED, remeshed_files, write_ply
from ..layouts.stand_in import mark
from .clusters import clustered, plain_body, refined

# Places where `dense` is finer.
PLACES = 5
# Poses of each of our own people, and what their chance starts from.
POSES, PEOPLE, POSED = 10, 1, 2


def remeshed(surface: Surface, kind: str, rng: np.random.Generator) -> Surface:
    """The surface in the way of one of `layouts.remeshed.REMESHED`."""
    count = len(surface.vertices)
    if kind == "iso":
        return clustered(surface, count, rng)
    if kind == "dense":
        places = surface.vertices[rng.choice(count, PLACES, replace=False)]
        return clustered(surface, int(1.5 * count), rng, places)
    if kind == "qes":
        fine = refined(surface, 4 * count)
        made = decimate(plain_body(fine), 2 * count)
        return Surface(made.vertices, made.faces)
    if kind == "mc":
        # A grid of this width has some three cells on the surface for each vertex.
        cell = np.sqrt(triangle_areas(surface.vertices, surface.faces).sum() / (2 * count))
        cells = int(np.ptp(surface.vertices, axis=0).max() / cell)
        skin = outer_skin(surface.vertices, surface.faces, cells)
        return Surface(skin.vertices, skin.faces)
    points, face, _ = surface_points(surface.vertices, surface.faces, count, rng)
    normals = triangle_vectors(surface.vertices, surface.faces)[face]
    return Surface(points, normals=normals / np.linalg.norm(normals, axis=1, keepdims=True))


def own_bodies(count: int, vertices: int) -> Iterator[Surface]:
    """Synthetic people in the same ten poses each, of one connectivity, the y axis upward.

    In the order of MPI-FAUST: the ten poses of the first, then those of the next, so that the last
    fifth are people who are not learned from, in known poses.

    Parameters
    ----------
    count : int
    vertices : int
        Of each, about.
    """
    # Here, since the bodies take seconds to load, and other meshes need none of them.
    from training.bodies import build_body, sample_local_changes, sample_phenotype
    from training.poses import sample_pose

    mean = build_body({})
    coarse = decimate(keep_skin(replace(mean, fine=np.arange(len(mean.vertices)))), vertices)
    for index in range(count):
        person, pose = divmod(index, POSES)
        rng = np.random.default_rng([PEOPLE, person])
        body = build_body(
            sample_phenotype(rng),
            sample_local_changes(rng),
            sample_pose(np.random.default_rng([POSED, pose])),
        )
        x, y, z = body.vertices[coarse.fine].T
        yield Surface(np.stack([x, z, -y], axis=1), coarse.faces)


def in_correspondence(folder: Path) -> Iterator[Surface]:
    """Meshes of a folder by name, PLY or OFF.

    Raises
    ------
    DiffusionNetError
        If there are fewer than five, or of several connectivities.
    """
    files = sorted([*folder.glob("*.ply"), *folder.glob("*.off")])
    if len(files) < 5:
        raise DiffusionNetError(
            f"{folder} has {len(files)} meshes",
            "Name a folder of five or more .ply or .off files, such as the training/registrations "
            "of MPI-FAUST.",
        )
    faces = read_mesh(files[0]).faces
    for file in files:
        surface = read_mesh(file)
        if not np.array_equal(surface.faces, faces):
            raise DiffusionNetError(
                f"{file} has another connectivity than {files[0].name}",
                "All meshes have to be the same one in other shapes, vertex by vertex.",
            )
        yield surface


def make(folder: Path, surfaces: Iterable[Surface], made_of: str) -> None:
    """Write surfaces as registrations, and remeshed versions of the last fifth.

    Parameters
    ----------
    folder : Path
    surfaces : iterable of Surface
    made_of : str
        What they are.
    """
    kept = list(surfaces)
    mark(folder, made_of)
    for index, surface in enumerate(kept):
        file = folder / "registrations" / f"tr_reg_{index:03d}.ply"
        write_ply(file, surface)
        if index < 4 * len(kept) // 5:
            continue
        # As the file has them, in single precision.
        tree = cKDTree(read_mesh(file).vertices)
        for number, kind in enumerate(REMESHED):
            made = remeshed(surface, kind, np.random.default_rng([index, number]))
            mesh, labels = remeshed_files(folder, kind, file)
            write_ply(mesh, made)
            nearest = tree.query(made.vertices)[1]
            labels.write_text("".join(f"{vertex}\n" for vertex in nearest))


@plain_errors
def main() -> None:
    """Write the folder."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--meshes", type=Path, help="folder of meshes in correspondence")
    parser.add_argument("--bodies", type=int, default=100, help="how many of our own")
    parser.add_argument("--vertices", type=int, default=1500, help="of each of them")
    chosen = parser.parse_args()
    if chosen.meshes is None:
        bodies = own_bodies(chosen.bodies, chosen.vertices)
        make(chosen.folder, bodies, "synthetic people in ten poses each")
    else:
        made_of = f"the meshes of {chosen.meshes.name}, remeshed by this command"
        make(chosen.folder, in_correspondence(chosen.meshes), made_of)


if __name__ == "__main__":
    main()
