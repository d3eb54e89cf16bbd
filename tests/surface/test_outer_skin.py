"""One skin around all parts of a mesh, and values interpolated from it."""

import tracemalloc

import numpy as np
import pytest
from scipy.spatial import ConvexHull

from diffusionnet_blender.errors import Cancelled
from diffusionnet_blender.surface.edges import boundary_edges
from diffusionnet_blender.surface.outer_skin import CELLS, make_skin, most_vertices
from diffusionnet_blender.surface.prepare import prepare_skin
from diffusionnet_blender.surface.settings import DiscretizationSettings
from diffusionnet_blender.surface.surface import Surface
from tests.shapes import icosphere, joined, lumpy_body

SETTINGS = DiscretizationSettings(k=16)


def scaled(mesh, size, place=(0.0, 0.0, 0.0)):
    vertices, faces = mesh
    return size * vertices + np.asarray(place), faces


def volume(surface):
    a, b, c = surface.vertices[surface.faces].transpose(1, 0, 2)
    return (a * np.cross(b, c)).sum() / 6


def test_nested_and_crossing_shells_get_one_closed_skin():
    ball = icosphere(3)
    heap = joined(scaled(ball, 1.0), scaled(ball, 0.6), scaled(ball, 0.8, (0, 0, 1.2)))
    skin = make_skin(Surface(*heap)).surface
    assert len(boundary_edges(skin.faces)) == 0
    off = np.minimum(
        np.abs(np.linalg.norm(skin.vertices, axis=1) - 1.0),
        np.abs(np.linalg.norm(skin.vertices - [0, 0, 1.2], axis=1) - 0.8),
    )
    assert np.quantile(off, 0.95) < 3.0 / CELLS


def test_a_wide_opening_does_not_let_the_outside_in():
    vertices, faces = icosphere(4)
    bowl = Surface(vertices, faces[(vertices[faces][:, :, 2] < 0.6).all(axis=1)])
    # Full, but for the cap; a skin of two sides would hold next to nothing.
    assert volume(make_skin(bowl).surface) > 0.75 * 4 / 3 * np.pi


def test_values_are_read_back_where_the_skin_is_and_nowhere_else():
    ball = icosphere(3)
    count = len(ball[0])
    heap = Surface(*joined(scaled(ball, 1.0), scaled(ball, 0.7), scaled(ball, 0.1, (0, 0, 3.0))))
    skin = prepare_skin(heap, SETTINGS)
    height = skin.discretization.vertices[:, 2:]
    returned = skin.to_user_vertices(np.concatenate([np.ones_like(height), height], axis=1))
    assert returned.shape == (len(heap.vertices), 2)
    # What lies within is told by the skin over it; the small ball far outside by nothing.
    np.testing.assert_allclose(returned[: 2 * count, 0], 1.0, atol=1e-5)
    assert not returned[2 * count :].any()
    order = np.corrcoef(returned[:count, 1], heap.vertices[:count, 2])[0, 1]
    assert order > 0.999


def test_what_has_no_inside_has_no_skin():
    x, y = np.meshgrid(np.linspace(0, 1, 20), np.linspace(0, 1, 20), indexing="ij")
    i = np.arange(400).reshape(20, 20)
    faces = np.stack([i[:-1, :-1], i[1:, :-1], i[1:, 1:]], axis=-1).reshape(-1, 3)
    sheet = Surface(np.stack([x.ravel(), y.ravel(), 0 * x.ravel()], axis=1), faces)
    assert prepare_skin(sheet, SETTINGS) is None
    assert prepare_skin(Surface(np.eye(3), [[0, 1, 2]]), SETTINGS) is None


def test_stray_vertices_do_not_change_the_skin():
    vertices, faces = icosphere(3)
    clean = make_skin(Surface(vertices, faces)).surface
    stray = np.concatenate([vertices, [[1e6, 0, 0]]])
    found = make_skin(Surface(stray, faces))
    np.testing.assert_array_equal(found.surface.vertices, clean.vertices)
    assert not found.weights[len(vertices)].nnz or not found.weights[len(vertices)].data.any()


@pytest.mark.parametrize(
    "offset", [(0, 0, 0), pytest.param((60, 60, 60), marks=pytest.mark.slow), (1e4, 0, 0)]
)
def test_a_triangle_that_is_a_point_does_not_change_the_skin(offset):
    """Far from the origin, too: all points of the skin are on the mesh."""
    vertices, faces = icosphere(3)
    vertices = vertices + offset
    clean = make_skin(Surface(vertices, faces)).surface
    found = make_skin(Surface(vertices, np.concatenate([faces, [[5, 5, 5]]]))).surface
    np.testing.assert_allclose(found.vertices, clean.vertices, atol=1e-9 * np.abs(vertices).max())


@pytest.mark.parametrize(
    "offset", [(3, 3, 3), (10, 0, 0), (30, 30, 30), (1e4, -1e4, 0), (1e6, 0, 0)]
)
@pytest.mark.parametrize("kind", ["figure", "box"])
def test_the_place_of_an_object_does_not_change_its_skin(kind, offset):
    """A box has its sides on borders of cells, were the grid not beside it."""
    low = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 0], [1, 0, 1], [0, 1, 1]])
    box = (
        np.concatenate([low, [[1, 1, 1]]]) * [1.0, 0.5, 0.25],
        ConvexHull(np.concatenate([low, [[1, 1, 1]]])).simplices,
    )
    vertices, faces = joined(box, scaled(box, 0.5, (0.3, 0.1, 0.25)))
    if kind == "figure":
        vertices, faces = joined(lumpy_body(2), scaled(lumpy_body(2), 1.0, (3, 0, 0)))
    here = make_skin(Surface(vertices, faces))
    there = make_skin(Surface(vertices + offset, faces))
    np.testing.assert_array_equal(there.surface.faces, here.surface.faces)
    np.testing.assert_allclose(there.surface.vertices - offset, here.surface.vertices, atol=1e-6)


@pytest.mark.parametrize("subdivisions", [1, 2, 3])
def test_few_vertices_have_a_skin_of_few(subdivisions):
    """Two balls in a row fill their grid as few figures do."""
    ball = icosphere(subdivisions)
    balls = Surface(*joined(ball, scaled(ball, 1.0, (0, 0, 0.5))))
    skin = make_skin(balls)
    assert len(skin.surface.vertices) <= most_vertices(len(balls.vertices))
    returned = skin.weights @ np.ones(len(skin.surface.vertices))
    np.testing.assert_allclose(returned, 1.0, atol=1e-5)


@pytest.mark.parametrize(
    "kind", ["slivers", pytest.param("large triangles", marks=pytest.mark.slow)]
)
def test_memory_follows_the_grid_and_not_the_triangles(kind):
    random = np.random.default_rng(0)
    points = random.normal(size=(1000, 3))
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    faces = random.integers(0, len(points), (len(points), 3))
    if kind == "slivers":
        points = np.concatenate([points, -points, points + 1e-3])
        faces = np.arange(1000)[:, None] + [0, 1000, 2000]
    tracemalloc.start()
    make_skin(Surface(points, faces))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 6e8


def test_it_can_be_cancelled():
    def stop(stage, fraction):
        assert stage == "outer skin"
        if fraction > 0.35:
            raise Cancelled

    with pytest.raises(Cancelled):
        prepare_skin(Surface(*icosphere(3)), SETTINGS, stop)
