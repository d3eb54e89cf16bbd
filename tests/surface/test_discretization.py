"""Gradients, frames, normalisation and bridges, on shapes with analytic solutions."""

import numpy as np
import pytest

from diffusionnet_blender.errors import SurfaceError
from diffusionnet_blender.surface.discretization import discretize, normalise
from diffusionnet_blender.surface.edges import directed_edges
from diffusionnet_blender.surface.frames import cloud_normals, nearest_neighbours, tangent_frames
from diffusionnet_blender.surface.gradient import gradient_matrices
from diffusionnet_blender.surface.repair import repair
from diffusionnet_blender.surface.settings import DiscretizationSettings
from diffusionnet_blender.surface.signatures import (
    HKS_TIMES,
    heat_kernel_signature,
    wave_kernel_signature,
)
from diffusionnet_blender.surface.surface import Surface
from diffusionnet_blender.surface.winding import vertex_normals
from tests.shapes import grid, icosphere, joined, lumpy_body, random_rotation, subdivide


def test_the_gradient_of_a_linear_function_is_exact_on_a_plane():
    vertices, faces = grid()
    rotation = random_rotation(5)
    vertices = vertices @ rotation.T
    frames = tangent_frames(vertex_normals(vertices, faces))
    slope = rotation @ [0.7, -1.3, 0.0]
    gradients = gradient_matrices(vertices, directed_edges(faces), frames)
    for axis, matrix in enumerate(gradients):
        # The regulariser takes a known thousandth off, and no more.
        np.testing.assert_allclose(
            matrix @ (vertices @ slope), frames[:, axis] @ slope, rtol=2e-3, atol=2e-3
        )
        np.testing.assert_allclose(matrix @ np.full(len(vertices), 3.0), 0.0, atol=1e-12)


def test_directed_edges_are_both_directions_of_each_edge_once_and_sorted():
    for vertices, faces in (icosphere(2), grid(), (np.eye(3), np.array([[0, 1, 2], [2, 1, 0]]))):
        edges = directed_edges(faces)
        wanted = {
            (f[i], f[j]) for f in faces.tolist() for i in range(3) for j in range(3) if i != j
        }
        assert [tuple(edge) for edge in edges.tolist()] == sorted(wanted)
        assert len(vertices) > edges.max()


def test_gradients_do_not_depend_on_the_order_of_the_edges():
    vertices, faces = lumpy_body(2)
    frames = tangent_frames(vertex_normals(vertices, faces))
    edges = directed_edges(faces)
    shuffled = np.random.default_rng(0).permutation(edges)
    for one, other in zip(
        gradient_matrices(vertices, edges, frames),
        gradient_matrices(vertices, shuffled, frames),
        strict=True,
    ):
        assert one.has_canonical_format
        np.testing.assert_allclose(one.toarray(), other.toarray(), rtol=1e-9, atol=1e-9)


def test_gradient_lengths_do_not_fade_on_dense_meshes_unless_the_published_rule_is_asked_for():
    def lengths(rule):
        vertices, faces = icosphere(2)
        vertices *= 0.1
        for _ in range(4):
            frames = tangent_frames(vertex_normals(vertices, faces))
            gradients = gradient_matrices(vertices, directed_edges(faces), frames, rule)
            yield np.median(np.hypot(*(matrix @ vertices[:, 2] for matrix in gradients)))
            vertices, faces = subdivide(vertices, faces)
            vertices /= 10 * np.linalg.norm(vertices, axis=1, keepdims=True)

    relative, published = list(lengths("relative")), list(lengths("published"))
    assert max(relative) / min(relative) < 1.01
    assert published[-1] < 0.85 * published[0]


def test_frames_are_right_handed_about_the_outward_normal():
    vertices, faces = icosphere(3)
    frames = tangent_frames(vertex_normals(vertices, faces))
    np.testing.assert_allclose(np.linalg.det(frames), 1.0, atol=1e-12)
    np.testing.assert_allclose(
        frames @ frames.transpose(0, 2, 1), np.tile(np.eye(3), (len(frames), 1, 1)), atol=1e-12
    )
    assert (np.einsum("ij,ij->i", frames[:, 2], vertices) > 0.99).all()


def test_normals_exist_where_triangles_cancel():
    vertices = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [3.0, 3, 3]])
    normals = vertex_normals(vertices, np.array([[0, 1, 2], [0, 2, 1]]))
    np.testing.assert_allclose(np.linalg.norm(normals, axis=1), 1.0)
    assert np.isfinite(normals).all()


@pytest.mark.parametrize("centre", ["area", "vertices"])
def test_any_placement_gives_the_same_normalised_shape(centre):
    vertices, faces = lumpy_body(2)
    rotation = random_rotation(1)
    original = normalise(Surface(vertices, faces), centre)
    moved = normalise(Surface(40 * vertices @ rotation.T + [5, 6, 7], faces), centre)
    np.testing.assert_allclose(original @ rotation.T, moved, atol=1e-9)
    assert np.linalg.norm(original, axis=1).max() == pytest.approx(1.0)


def test_the_area_centre_does_not_move_when_half_the_mesh_is_refined():
    vertices, faces = icosphere(3)
    upper = (vertices[faces][:, :, 2] > 0).all(axis=1)
    fine, fine_faces = subdivide(vertices, faces[upper])
    uneven = Surface(fine, np.concatenate([faces[~upper], fine_faces]))
    moved = {centre: np.linalg.norm(_origin(uneven, centre)) for centre in ("area", "vertices")}
    assert moved["area"] < 1e-3 < 0.1 < moved["vertices"]


def _origin(surface, centre):
    """Where normalisation sends the point that was the origin."""
    normalised = normalise(surface, centre)
    a = np.c_[surface.vertices, np.ones(len(normalised))]
    return np.linalg.lstsq(a, normalised, rcond=None)[0][3]


def test_a_point_cloud_has_the_spectrum_and_the_gradient_lengths_of_its_sphere():
    rng = np.random.default_rng(0)
    points = rng.standard_normal((3000, 3))
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    found = discretize(repair(Surface(points)).surface, DiscretizationSettings(k=9))
    exact = [0, 2, 2, 2, 6, 6, 6, 6, 6]
    np.testing.assert_allclose(found.eigenvalues, exact, rtol=0.1, atol=1e-3)
    z = points[:, 2].astype(np.float32)
    length = np.hypot(found.gradient_x @ z, found.gradient_y @ z)
    np.testing.assert_allclose(length, np.sqrt(1 - z**2), atol=0.12)


@pytest.mark.parametrize("with_normals", [False, True])
def test_cloud_normals_point_outward(with_normals):
    rng = np.random.default_rng(0)
    points = rng.standard_normal((2000, 3))
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    given = points if with_normals else None
    normals = cloud_normals(points, nearest_neighbours(points, 30), np.ones(2000), given)
    assert (np.einsum("ij,ij->i", normals, points) > 0.9).all()


def test_clouds_smaller_than_a_neighbourhood_work():
    found = discretize(Surface(icosphere(0)[0]), DiscretizationSettings(k=128))
    assert found.eigenvectors.shape == (12, 12)


@pytest.mark.parametrize("points", [np.eye(3), np.outer(np.arange(10.0), [1, 2, 3])])
def test_points_that_span_no_surface_are_refused(points):
    with pytest.raises(SurfaceError, match="No surface runs through") as caught:
        discretize(Surface(points))
    assert "four points" in caught.value.fix


def test_loose_parts_are_seen_as_one_shape():
    """An eyeball inside a head has the low eigenfunctions and the late HKS of the head."""
    head, eye = icosphere(3), icosphere(2)
    eye = (0.12 * eye[0] + [0.0, 0.86, 0.0], eye[1])
    vertices, faces = joined(head, eye)
    surface = repair(Surface(vertices, faces)).surface
    found = discretize(surface)
    assert found.bridged_parts == 1
    assert np.count_nonzero(found.eigenvalues < 1e-3) == 1
    inside = np.arange(len(vertices)) >= len(head[0])
    near = ~inside & (np.linalg.norm(vertices - [0, 1, 0], axis=1) < 0.2)
    # A body in the unit sphere has an area near 1, this head 4 pi: the same times, in its units.
    signature = heat_kernel_signature(
        found.eigenvalues, found.eigenvectors, found.mass.sum() * HKS_TIMES
    )
    assert np.abs(signature[inside].mean(0) / signature[near].mean(0) - 1).max() < 0.2
    assert np.abs(signature[inside].mean(0) / signature[near].mean(0) - 1)[-8:].max() < 0.02
    modes = found.eigenvectors[:, :9]
    assert np.abs(modes[inside].mean(0) - modes[near].mean(0)).max() < 0.2 * np.abs(modes).max()


def test_many_loose_parts_hang_together():
    ball = icosphere(1)
    places = np.random.default_rng(2).random((150, 3)) * 20
    vertices, faces = joined(
        *[(ball[0] * (0.2 + 0.01 * i) + p, ball[1]) for i, p in enumerate(places)]
    )
    found = discretize(repair(Surface(vertices, faces)).surface, DiscretizationSettings(k=200))
    assert found.bridged_parts == 149
    assert np.count_nonzero(found.eigenvalues < 1e-3) == 1


def test_bridges_do_not_depend_on_the_meshing():
    def second_eigenvalue(subdivisions):
        one, other = icosphere(subdivisions), icosphere(subdivisions)
        mesh = joined(one, (other[0] + [2.2, 0, 0], other[1]))
        return discretize(repair(Surface(*mesh)).surface, DiscretizationSettings(k=8)).eigenvalues[
            1
        ]

    coarse, fine = second_eigenvalue(2), second_eigenvalue(4)
    assert coarse == pytest.approx(fine, rel=0.5)


def test_signatures_do_not_change_under_rotation_and_see_what_is_symmetric():
    vertices, faces = lumpy_body(3)
    original = discretize(Surface(vertices, faces), DiscretizationSettings(k=60))
    moved = discretize(
        Surface(vertices @ random_rotation(2).T, faces), DiscretizationSettings(k=60)
    )
    for signature in (heat_kernel_signature, wave_kernel_signature):
        a = signature(original.eigenvalues, original.eigenvectors)
        b = signature(moved.eigenvalues, moved.eigenvectors)
        np.testing.assert_allclose(a, b, rtol=0.01, atol=0.01 * a.max())
        assert a.shape == (len(vertices), 16)
        assert (a >= 0).all()


def test_the_heat_kernel_signature_is_the_heat_kernel():
    """On the unit sphere h_t(x, x) = sum of (2 l + 1) / (4 pi) exp(-l (l + 1) t)."""
    found = discretize(Surface(*icosphere(4)), DiscretizationSettings(k=128))
    times = np.array([0.1, 0.3, 1.0])
    degree = np.arange(11)
    exact = ((2 * degree + 1) / (4 * np.pi)) @ np.exp(-np.outer(degree * (degree + 1), times))
    signature = heat_kernel_signature(found.eigenvalues, found.eigenvectors, times)
    np.testing.assert_allclose(signature, np.tile(exact, (len(signature), 1)), rtol=0.03)


@pytest.mark.parametrize("offset", [(3, 3, 3), (30, 30, 30), (1e4, 0, -1e4)])
def test_rounding_does_not_decide_between_congruent_parts(offset):
    """The two ends of a bridge are different ones."""
    vertices, faces = lumpy_body(2)
    row = [(vertices + [3.0 * i, 0.0, 0.0], faces) for i in range(4)]
    vertices, faces = joined(*row)
    here, there = (
        discretize(Surface(place, faces), DiscretizationSettings(k=16)).laplacian
        for place in (vertices, vertices + offset)
    )
    assert abs(here - there).max() < 1e-6 * abs(here).max()
