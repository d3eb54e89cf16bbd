"""Orders of elimination: complete, small in fill, and chosen where they pay."""

import numpy as np
import pytest
from scipy import sparse
from scipy.sparse import linalg as sparse_linalg

from diffusionnet_blender.surface.laplacian import laplacian_and_mass
from diffusionnet_blender.surface.ordering import SYMMETRIC, elimination_order, nested_dissection
from tests.shapes import grid, icosphere, joined


def shifted_laplacian(vertices, faces):
    laplacian, mass = laplacian_and_mass(vertices, faces)
    return (laplacian + sparse.diags(mass)).tocsr()


def fill(matrix, order):
    ordered = matrix[order][:, order].tocsc()
    return sparse_linalg.splu(ordered, permc_spec="NATURAL", **SYMMETRIC).nnz


@pytest.mark.parametrize(
    "mesh",
    [grid(40, 25), icosphere(4), joined(icosphere(2), (icosphere(3)[0] + 3, icosphere(3)[1]))],
)
def test_every_vertex_has_one_place_and_the_factors_stay_small(mesh):
    matrix = shifted_laplacian(*mesh)
    order = nested_dissection(matrix, mesh[0])
    np.testing.assert_array_equal(np.sort(order), np.arange(len(mesh[0])))
    by_rows = np.lexsort(mesh[0].T)
    assert fill(matrix, order) < 0.8 * fill(matrix, by_rows)


def test_the_two_halves_of_a_path_come_before_the_vertex_that_parts_them():
    count = 33
    matrix = sparse.diags([np.ones(count - 1), np.ones(count), np.ones(count - 1)], [-1, 0, 1])
    points = np.arange(count)[:, None] * [1.0, 0.0, 0.0]
    order = nested_dissection(matrix.tocsr(), points)
    assert order[-1] in (count // 2 - 1, count // 2)
    halves = order[:-1] < order[-1]
    assert halves[: halves.sum()].all() or not halves[: (~halves).sum()].any()


def test_a_large_regular_mesh_is_dissected_and_a_small_one_left_to_minimum_degree():
    vertices, faces = icosphere(6)
    assert elimination_order(shifted_laplacian(vertices, faces), vertices) is not None
    vertices, faces = icosphere(4)
    assert elimination_order(shifted_laplacian(vertices, faces), vertices) is None
