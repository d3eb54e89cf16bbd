"""The tools that training figures are made with, on shapes whose answers are known."""

import numpy as np
import pytest

pytest.importorskip("fast_simplification", reason="remeshing needs the training extras")

from scipy.sparse import coo_matrix  # noqa: E402
from scipy.sparse.csgraph import connected_components  # noqa: E402

from diffusionnet_blender.surface.edges import boundary_edges  # noqa: E402
from diffusionnet_blender.surface.surface import triangle_areas  # noqa: E402
from diffusionnet_blender.surface.triangles import smooth  # noqa: E402
from diffusionnet_blender.surface.voxels import surface_nets  # noqa: E402
from training import meshes, primitives, remesh, voxels  # noqa: E402

BOX = np.array([2.0, 2.0, 2.0])


def volume(vertices, faces):
    a, b, c = vertices[faces].transpose(1, 0, 2)
    return (a * np.cross(b, c)).sum() / 6


def body(vertices, faces):
    number = np.zeros(len(vertices), np.int32)
    return meshes.Body(np.asarray(vertices, float), faces, number, number)


def pieces(faces, count):
    edges = faces[:, [0, 1, 1, 2]].reshape(-1, 2)
    graph = coo_matrix((np.ones(len(edges)), edges.T), shape=(count, count))
    return connected_components(graph, directed=False)[0]


@pytest.mark.parametrize(
    ("mesh", "expected"),
    [
        (primitives.ball(1.0, 48, 32), 4 / 3 * np.pi),
        (primitives.capsule(1.0, 2.0, 48, 16), 4 / 3 * np.pi + 2 * np.pi),
        (primitives.torus(1.0, 0.2, 64, 32), 2 * np.pi**2 * 0.04),
        (primitives.rounded_box(BOX, 0.0, 3), 8.0),
        (primitives.rounded_box(BOX, 1.0, 24), 4 / 3 * np.pi),
        (primitives.lathe(np.array([[1.0, 0.0], [1.0, 3.0]]), 64), 3 * np.pi),
        (primitives.tube(np.linspace([0, 0, 0], [0, 3.0, 0], 5), np.ones(5), 64), 3 * np.pi),
    ],
)
def test_solids_are_closed_outward_and_of_the_right_size(mesh, expected):
    vertices, faces = mesh
    assert len(boundary_edges(faces)) == 0
    assert volume(vertices, faces) == pytest.approx(expected, rel=0.03)


def test_an_open_mesh_is_closed_and_made_thick():
    vertices, faces = primitives.lathe(np.array([[1.0, 0.0], [1.0, 1.0], [1.0, 3.0]]), 48, False)
    assert len(boundary_edges(faces)) == 2 * 48
    closed, lids, near = meshes.close_holes(vertices, faces)
    assert len(near) == 2
    assert len(boundary_edges(lids)) == 0
    assert volume(closed, lids) == pytest.approx(3 * np.pi, rel=0.02)
    thick, shell = meshes.solidify(vertices, faces, 0.1)
    assert len(boundary_edges(shell)) == 0
    assert volume(thick, shell) == pytest.approx(3 * np.pi * (1 - 0.81), rel=0.02)


def test_smoothing_shrinks_bumps_and_keeps_borders_where_they_are():
    rng = np.random.default_rng(0)
    steps = np.linspace(0, 1, 15)
    x, y = (grid.ravel() for grid in np.meshgrid(steps, steps, indexing="ij"))
    sheet = np.stack([x, y, 0.05 * rng.normal(size=len(x))], axis=1)
    faces = primitives.grid_faces(15, 15)
    smoothed = smooth(sheet, faces, 10)
    assert smoothed[:, 2].std() < 0.3 * sheet[:, 2].std()
    border = np.unique(boundary_edges(faces))
    inside = (smoothed[border, :2] > 0.08).all(axis=1) & (smoothed[border, :2] < 0.92).all(axis=1)
    assert not inside.any()


def test_points_are_spread_evenly_over_the_area():
    vertices, faces = primitives.rounded_box(np.array([1.0, 1.0, 8.0]), 0.0, 2)
    points, face, corner = meshes.surface_points(vertices, faces, 4000, np.random.default_rng(0))
    assert (faces[face] == corner[:, None]).any(axis=1).all()
    ends = np.abs(np.abs(points[:, 2]) - 4.0) < 1e-9
    assert ends.mean() == pytest.approx(2 / 34, abs=0.01)


def test_the_outer_skin_of_nested_and_crossing_balls_is_one_closed_surface():
    outer, inner, other = (primitives.ball(radius, 32, 20) for radius in (1.0, 0.6, 0.8))
    heap = meshes.join_bodies([body(*outer), body(*inner), body(other[0] + [0, 0, 1.2], other[1])])
    labelled = meshes.Body(
        heap.vertices,
        heap.faces,
        np.repeat([0, 1, 2], len(outer[0])).astype(np.int32),
        np.repeat([meshes.SKIN, meshes.HAIR, meshes.CLOTHING], len(outer[0])).astype(np.int32),
    )
    skin = voxels.outer_skin(labelled, 60)
    assert pieces(skin.faces, len(skin.vertices)) == 1
    assert len(boundary_edges(skin.faces)) == 0
    assert volume(skin.vertices, skin.faces) > 0
    nearest = np.minimum(
        np.abs(np.linalg.norm(skin.vertices, axis=1) - 1.0),
        np.abs(np.linalg.norm(skin.vertices - [0, 0, 1.2], axis=1) - 0.8),
    )
    assert np.quantile(nearest, 0.95) < 2 * 3.0 / 60
    assert set(skin.fine) == {0, 2}  # nothing is seen of the ball within
    worn = skin.layers == meshes.LAYER_NAMES.index("clothing")
    assert (worn == (skin.fine == 2)).all()
    assert (skin.layers[~worn] == meshes.LAYER_NAMES.index("body")).all()


def test_surface_nets_find_a_sphere():
    grid = np.stack(np.meshgrid(*[np.arange(24.0)] * 3, indexing="ij"), axis=3)
    field = 8.0 - np.linalg.norm(grid - 11.5, axis=3)
    vertices, faces = surface_nets(field, 0.0)
    assert len(boundary_edges(faces)) == 0
    assert np.abs(np.linalg.norm(vertices - 11.5, axis=1) - 8.0).max() < 0.2
    assert volume(vertices - 11.5, faces) == pytest.approx(4 / 3 * np.pi * 512, rel=0.03)


def test_decimation_stands_triangles_without_area():
    vertices, faces = primitives.ball(1.0, 40, 30)
    flat = np.array([[5, 5, 6], [7, 8, 7]])
    vertices = np.concatenate([vertices, vertices[:3]])
    extra = np.array([[0, len(vertices) - 3, 1]])
    made = remesh.decimate(body(vertices, np.concatenate([faces, flat, extra])), 200)
    assert np.isfinite(made.vertices).all()
    assert 150 < len(made.vertices) < 260
    assert np.abs(np.linalg.norm(made.vertices, axis=1) - 1.0).max() < 0.1


def test_turned_diagonals_leave_the_shape():
    vertices, faces = primitives.rounded_box(BOX, 0.5, 8)
    made = remesh.flip_diagonals(body(vertices, faces), np.random.default_rng(0), 0.1)
    assert len(made.faces) == len(faces)
    assert len(boundary_edges(made.faces)) == 0
    assert volume(vertices, made.faces) == pytest.approx(volume(vertices, faces), rel=0.02)
    before = {tuple(sorted(face)) for face in faces.tolist()}
    turned = np.mean([tuple(sorted(face)) not in before for face in made.faces.tolist()])
    # A tenth of the edges, two triangles each, is a third of the triangles at most.
    assert 0.2 < turned < 0.31


@pytest.mark.parametrize("turned", [1, -1])
def test_borders_stay_where_they_are_when_a_body_is_made_coarse_and_subdivided(turned):
    """Whichever of two parts comes first in the mesh."""
    points, faces = primitives.ball(1.0, 96, 64)
    order = np.argsort(turned * points[:, 2], kind="stable")
    points, faces = points[order], np.argsort(order)[faces]
    upper = (points[:, 2] > 0.1).astype(np.int32)
    dense = meshes.Body(points, faces, upper, np.zeros_like(upper))
    for seed in range(3):
        rng = np.random.default_rng(seed)
        made = remesh.remesh(dense, rng, "subdivided", 800)
        found = np.average(made.fine[made.faces].mean(axis=1), weights=areas(made))
        # Of a ball, the share of the surface above a height is linear in that height.
        assert found == pytest.approx(0.45, abs=0.01)


def areas(body):
    return triangle_areas(body.vertices, body.faces)
