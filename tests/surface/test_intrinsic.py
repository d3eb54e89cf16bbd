"""The Laplacian is safe on any mesh, and that of the paper that describes it."""

import numpy as np
import pytest
import robust_laplacian

from diffusionnet_blender.surface.intrinsic import (
    delaunay_laplacian,
    flip_to_delaunay,
    tufted_cover,
)
from diffusionnet_blender.surface.repair import repair
from diffusionnet_blender.surface.surface import Surface, triangle_areas
from tests.shapes import grid, icosphere, joined, lumpy_body


def rough_sheet():
    vertices, faces = grid(30, 20)
    return vertices + np.random.default_rng(0).uniform(-0.4, 0.4, vertices.shape), faces


def with_chords():
    """A body with triangles through it: edges of three and four triangles."""
    vertices, faces = lumpy_body(3)
    chords = np.random.default_rng(1).integers(0, len(vertices), (60, 3))
    return vertices, np.concatenate([faces, chords])


def tangle():
    rng = np.random.default_rng(2)
    return rng.standard_normal((40, 3)), rng.integers(0, 40, (250, 3))


def with_holes():
    vertices, faces = lumpy_body(3)
    return vertices, faces[np.random.default_rng(3).random(len(faces)) < 0.8]


def one_sided():
    """Three leaves at an edge, wound at random."""
    vertices = [[0, 0, 0], [0, 0, 1], [1, 0, 0.5], [-0.3, 0.8, 0.2], [-0.5, -1, 0.4]]
    return np.array(vertices), np.array([[0, 1, 2], [0, 1, 3], [1, 0, 4]])


SHAPES = {
    "ball": lambda: icosphere(2),
    "body": lambda: lumpy_body(3),
    "drawn out": lambda: (lumpy_body(3)[0] * [1, 1, 20], lumpy_body(3)[1]),
    "two": lambda: joined(icosphere(2), (lumpy_body(2)[0] + 5, lumpy_body(2)[1])),
    "sheet": rough_sheet,
    "holes": with_holes,
    "chords": with_chords,
    "leaves": one_sided,
    "tangle": tangle,
    "triangle": lambda: (np.eye(3), np.array([[0, 1, 2]])),
}


@pytest.fixture(params=SHAPES)
def shape(request):
    clean = repair(Surface(*SHAPES[request.param]())).surface
    return clean.vertices, clean.faces


def test_it_is_the_one_of_the_reference_implementation(shape):
    laplacian, mass = delaunay_laplacian(*shape)
    reference, reference_mass = robust_laplacian.mesh_laplacian(*shape)
    assert abs(laplacian - reference).max() < 1e-10 * abs(reference).max()
    np.testing.assert_allclose(mass, reference_mass.diagonal(), rtol=1e-9)


def test_no_weight_is_negative_and_constants_stay(shape):
    laplacian, mass = delaunay_laplacian(*shape)
    entries = laplacian.tocoo()
    largest = abs(entries.data).max()
    assert entries.data[entries.row != entries.col].max(initial=0.0) < 1e-6 * largest
    assert abs(laplacian - laplacian.T).max() == 0.0
    assert abs(laplacian @ np.ones(len(mass))).max() < 1e-12 * largest
    assert (mass > 0).all()


def test_the_mass_is_the_area_where_nothing_is_grown():
    vertices, faces = lumpy_body(4)
    area = triangle_areas(vertices, faces).sum()
    assert delaunay_laplacian(vertices, faces)[1].sum() == pytest.approx(area, rel=1e-9)


def test_every_side_has_a_twin_that_runs_the_other_way(shape):
    triangulation = tufted_cover(*shape)
    for _ in range(2):
        tail, twin = triangulation.tail, triangulation.twin
        head = tail.reshape(-1, 3)[:, [1, 2, 0]].ravel()
        assert np.array_equal(twin[twin], np.arange(len(twin)))
        assert (twin != np.arange(len(twin))).all()
        assert np.array_equal(tail[twin], head)
        np.testing.assert_array_equal(triangulation.length[twin], triangulation.length)
        flip_to_delaunay(triangulation)


def test_only_a_surface_whose_sides_do_not_meet_is_taken_once():
    assert tufted_cover(*icosphere(1)).cover == 1
    assert tufted_cover(*grid()).cover == 2
    vertices, faces = icosphere(1)
    assert tufted_cover(vertices, np.concatenate([faces[:1, ::-1], faces[1:]])).cover == 2


def test_the_way_a_plane_is_cut_makes_no_difference_to_a_linear_function():
    vertices, faces = grid(20, 15)
    x, y = vertices.T[:2]
    inside = (x > 4) & (x < 16) & (y > 4) & (y < 11)
    vertices[:, :2] += np.random.default_rng(0).uniform(-0.15, 0.15, (len(vertices), 2))
    # Drawn aslant, most triangles are obtuse and most edges are flipped.
    vertices[:, 0] += 1.5 * vertices[:, 1]
    laplacian, _ = delaunay_laplacian(vertices, faces)
    np.testing.assert_allclose((laplacian @ vertices[:, :2])[inside], 0.0, atol=1e-9)


def test_needles_a_millionth_wide_give_finite_numbers():
    vertices, faces = lumpy_body(3)
    laplacian, mass = delaunay_laplacian(vertices * [1, 1, 1e6], faces)
    assert np.isfinite(laplacian.data).all()
    assert np.isfinite(mass).all()
    assert (laplacian.diagonal() >= 0).all()


def test_it_can_be_stopped_between_its_steps():
    class Stopped(Exception):
        pass

    seen = []
    delaunay_laplacian(*rough_sheet(), seen.append)
    assert seen == sorted(seen)
    for at in set(seen):

        def stop(fraction, at=at):
            if fraction == at:
                raise Stopped

        with pytest.raises(Stopped):
            delaunay_laplacian(*rough_sheet(), stop)
