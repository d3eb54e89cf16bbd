"""Remeshed bodies in the layout of the paper's (5.4, Figure 10), from meshes in correspondence.

python -m experiments.stand_ins.remeshings FOLDER                       our own bodies
python -m experiments.stand_ins.remeshings FOLDER --meshes REGISTRATIONS

Without `--meshes`, synthetic bodies in random poses, decimated once to a common connectivity. The
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
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from scipy import sparse
from scipy.sparse import csgraph
from scipy.spatial import cKDTree

from diffusionnet_blender.errors import DiffusionNetError
from diffusionnet_blender.matching.geodesic import surface_graph
from diffusionnet_blender.surface.surface import Surface, triangle_areas, triangle_vectors
from diffusionnet_blender.surface.triangles import compact
from diffusionnet_blender.surface.voxels import outer_skin
from training.commands import plain_errors
from training.meshes import Body, surface_points
from training.remesh import decimate, keep_skin, subdivide

from ..layouts.files import STAND_IN
from ..layouts.remeshed import REMESHED, read_mesh, remeshed_files, write_ply

# Vertices of the surface that is clustered for each cluster, and rounds of moving their centres.
FINENESS, ROUNDS = 40, 8
# How many places of `dense` are finer, by which factor, and in which part of the height.
PLACES, FINER, REACH = 5, 3.0, 0.12


def plain_body(surface: Surface) -> Body:
    """A mesh with its vertices' numbers as labels, for what is done to bodies."""
    number = np.arange(len(surface.vertices))
    return Body(surface.vertices, surface.faces, number, np.zeros(len(number), np.int32))


def refined(surface: Surface, count: int) -> Surface:
    """The same surface with at least so many vertices."""
    body = plain_body(surface)
    while len(body.vertices) < count:
        body = subdivide(body, smooth=False)
    return Surface(body.vertices, body.faces)


def clustered(
    surface: Surface, count: int, rng: np.random.Generator, finer_at: np.ndarray | None = None
) -> Surface:
    """About evenly spread vertices, each the centre of the region that is nearest to it.

    Centres are moved into the middle of their regions (Lloyd; along the surface, so that limbs that
    touch stay apart); three regions that meet in a triangle of the fine surface give one.

    Parameters
    ----------
    surface : Surface
    count : int
        Of vertices.
    rng : numpy.random.Generator
    finer_at : (P, 3) float, optional
        Places about which regions are smaller.
    """
    fine = refined(surface, FINENESS * count)
    graph = surface_graph(fine.vertices, fine.faces)
    area = np.repeat(triangle_areas(fine.vertices, fine.faces), 3)
    weight = np.bincount(fine.faces.ravel(), area, minlength=len(fine.vertices))
    if finer_at is not None:
        away = np.linalg.norm(fine.vertices[:, None] - finer_at, axis=2).min(axis=1)
        reach = REACH * np.ptp(fine.vertices, axis=0).max()
        scale = 1 + (FINER - 1) * np.exp(-((away / reach) ** 2))
        ends = graph.tocoo()
        ends.data *= (scale[ends.row] + scale[ends.col]) / 2
        graph, weight = ends.tocsr(), weight * scale**2
    centres = rng.choice(len(weight), count, replace=False, p=weight / weight.sum())
    for _ in range(ROUNDS):
        centres = _middles(fine.vertices, weight, _regions(graph, centres))
    region = _regions(graph, centres)
    corners = region[fine.faces]
    a, b, c = corners.T
    faces = corners[(a != b) & (b != c) & (c != a) & (corners >= 0).all(axis=1)]
    _, first = np.unique(np.sort(faces, axis=1), axis=0, return_index=True)
    faces, kept = compact(count, faces[np.sort(first)])
    return Surface(fine.vertices[centres][kept], faces)


def _regions(graph: sparse.csr_matrix, centres: np.ndarray) -> np.ndarray:
    """The nearest centre of each vertex, (V,) index into them, -1 on parts without any."""
    nearest = csgraph.dijkstra(graph, indices=centres, min_only=True, return_predecessors=True)[2]
    index = np.full(graph.shape[0], -1)
    index[centres] = np.arange(len(centres))
    return np.where(nearest >= 0, index[nearest], -1)


def _middles(vertices: np.ndarray, weight: np.ndarray, region: np.ndarray) -> np.ndarray:
    """Of each region the vertex nearest to the weighted mean of its vertices."""
    known = np.flatnonzero(region >= 0)
    region, weight = region[known], weight[known]
    weighted = weight[:, None] * vertices[known]
    total = np.stack([np.bincount(region, column) for column in weighted.T], axis=1)
    mean = total / np.maximum(np.bincount(region, weight), np.finfo(float).tiny)[:, None]
    off = np.linalg.norm(vertices[known] - mean[region], axis=1)
    order = np.lexsort((off, region))
    return known[order][np.unique(region[order], return_index=True)[1]]


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
    """Synthetic bodies in random poses, of one connectivity, the y axis upward.

    Parameters
    ----------
    count : int
    vertices : int
        Of each, about.
    """
    from training.bodies import FIRST_HELD_OUT_SEED, build_body, sample_body

    mean = build_body({})
    coarse = decimate(keep_skin(replace(mean, fine=np.arange(len(mean.vertices)))), vertices)
    train = 4 * count // 5
    for index in range(count):
        seed = index if index < train else FIRST_HELD_OUT_SEED + index
        x, y, z = sample_body(seed).vertices[coarse.fine].T
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


def make(folder: Path, surfaces: Iterator[Surface], origin: str) -> None:
    """Write surfaces as registrations, and remeshed versions of the last fifth.

    Parameters
    ----------
    folder : Path
    surfaces : iterator of Surface
    origin : str
        What they are, for the tables.
    """
    kept = list(surfaces)
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
    (folder / STAND_IN).write_text(f"{origin}\n")


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
        origin = f"{chosen.bodies} synthetic bodies of {chosen.vertices} vertices (stand-in)"
        make(chosen.folder, own_bodies(chosen.bodies, chosen.vertices), origin)
    else:
        origin = f"{chosen.meshes.name}, remeshed here"
        make(chosen.folder, in_correspondence(chosen.meshes), origin)


if __name__ == "__main__":
    main()
