"""The low end of the spectrum: analytic shapes, and degenerate ones."""

import numpy as np
import pytest
from scipy import linalg, sparse

from diffusionnet_blender.errors import Cancelled
from diffusionnet_blender.surface.discretization import discretize
from diffusionnet_blender.surface.eigenbasis import eigenbasis
from diffusionnet_blender.surface.laplacian import laplacian_and_mass
from diffusionnet_blender.surface.repair import repair
from diffusionnet_blender.surface.settings import DiscretizationSettings
from diffusionnet_blender.surface.surface import Surface
from tests.shapes import grid, icosphere, joined, lumpy_body, random_rotation


def count_below(laplacian, mass, bound):
    """Number of eigenvalues below a bound, by Sylvester's law of inertia (dense)."""
    shifted = laplacian.toarray() - bound * np.diag(mass)
    scale = 1 / np.sqrt(mass)
    return np.count_nonzero(np.linalg.eigvalsh(shifted * scale[:, None] * scale) < 0)


def test_a_sphere_has_the_eigenvalues_l_times_l_plus_1_with_their_multiplicities():
    vertices, faces = icosphere(4)
    laplacian, mass = laplacian_and_mass(vertices, faces)
    values, _ = eigenbasis(laplacian, mass, 64)
    exact = np.concatenate([[degree * (degree + 1)] * (2 * degree + 1) for degree in range(8)])
    np.testing.assert_allclose(values, exact, rtol=0.02, atol=1e-9)


def test_a_flat_grid_has_the_neumann_eigenvalues_of_a_rectangle():
    vertices, faces = grid(48, 36)
    laplacian, mass = laplacian_and_mass(vertices, faces)
    values, _ = eigenbasis(laplacian, mass, 20)
    i, j = np.meshgrid(np.arange(10), np.arange(10))
    exact = np.sort((np.pi * i / 48).ravel() ** 2 + (np.pi * j / 36).ravel() ** 2)[:20]
    np.testing.assert_allclose(values, exact, rtol=0.01, atol=1e-9)


@pytest.mark.parametrize("mesh", [icosphere(3), lumpy_body(3), grid(40, 40)])
def test_pairs_are_orthonormal_and_solve_the_eigenproblem(mesh):
    laplacian, mass = laplacian_and_mass(*mesh)
    values, vectors = eigenbasis(laplacian, mass, 100)
    np.testing.assert_allclose(vectors.T @ (mass[:, None] * vectors), np.eye(100), atol=1e-5)
    exact, basis = linalg.eigh(laplacian.toarray(), np.diag(mass), subset_by_index=[0, 119])
    np.testing.assert_allclose(values, exact[:100], rtol=1e-5, atol=1e-8)
    # What the last few pairs may mix with lies just beyond them.
    outside = vectors[:, :90] - basis @ (basis.T @ (mass[:, None] * vectors[:, :90]))
    assert np.sqrt(mass @ np.square(outside)).max() < 1e-2


def test_no_copy_of_a_repeated_eigenvalue_is_lost():
    ball = icosphere(3)
    vertices, faces = joined(*[(ball[0] @ random_rotation(i).T + 4 * i, ball[1]) for i in range(3)])
    laplacian, mass = laplacian_and_mass(vertices, faces)
    values, _ = eigenbasis(laplacian, mass, 60)
    gap = 0.5 * (values[26] + values[27])
    # Three times the degrees 0, 1 and 2: 3 * (1 + 3 + 5).
    assert np.count_nonzero(values < gap) == 27 == count_below(laplacian, mass, gap)


@pytest.mark.parametrize("count", [3, 4, 12, 40, 162])
def test_a_shape_with_fewer_vertices_than_k_has_as_many_pairs_as_vertices(count):
    values, vectors = eigenbasis(
        sparse.diags(np.arange(count, dtype=float)), np.full(count, 0.5), 200
    )
    assert values.shape == (count,)
    assert vectors.shape == (count, count)
    np.testing.assert_allclose(values, 2.0 * np.arange(count), atol=1e-6)


def slivers():
    vertices, faces = grid(30, 30)
    return vertices * [1.0, 1e-4, 1.0], faces


def triangle_soup():
    rng = np.random.default_rng(3)
    corners = rng.random((400, 1, 3)) + 0.05 * rng.standard_normal((400, 3, 3))
    return corners.reshape(-1, 3), np.arange(1200).reshape(-1, 3)


def tangled_scan():
    """Noise, fins on edges that three triangles share, doubled and flipped triangles, holes."""
    rng = np.random.default_rng(4)
    vertices, faces = icosphere(3)
    vertices = vertices + 0.05 * rng.standard_normal(vertices.shape)
    faces = faces[rng.random(len(faces)) < 0.8]
    fins = rng.integers(0, len(vertices), (60, 3))
    return vertices, np.concatenate([faces, fins, faces[:80, ::-1]])


@pytest.mark.parametrize("make", [slivers, triangle_soup, tangled_scan])
@pytest.mark.parametrize("scale", [1e-4, 1.0, 1e4])
def test_awkward_meshes_have_a_basis(make, scale):
    vertices, faces = make()
    surface = repair(Surface(vertices * scale, faces)).surface
    found = discretize(surface, DiscretizationSettings(k=64))
    count = len(found.eigenvalues)
    assert count == min(64, len(surface.vertices))
    assert found.eigenvalues[0] == pytest.approx(0.0, abs=1e-3)
    assert (np.diff(found.eigenvalues) >= -1e-3).all()
    gram = found.eigenvectors.T @ (found.mass[:, None] * found.eigenvectors)
    np.testing.assert_allclose(gram, np.eye(count), atol=1e-3)


def test_the_solver_can_be_stopped():
    vertices, faces = icosphere(4)
    laplacian, mass = laplacian_and_mass(vertices, faces)

    def stop(fraction):
        raise Cancelled

    with pytest.raises(Cancelled):
        eigenbasis(laplacian, mass, 128, stop)
