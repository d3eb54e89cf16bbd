"""Factorisations: solutions, inertia, singular matrices, cancel and memory."""

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from scipy import sparse

from diffusionnet_blender.errors import Cancelled
from diffusionnet_blender.surface.factorisation import Factorisation
from diffusionnet_blender.surface.laplacian import laplacian_and_mass
from tests.shapes import icosphere

STATM = Path("/proc/self/statm")


def sphere(subdivisions, shift):
    vertices, faces = icosphere(subdivisions)
    laplacian, mass = laplacian_and_mass(vertices, faces)
    return (laplacian - sparse.diags(shift * mass)).tocsr()


@pytest.mark.parametrize("subdivisions", [3, 6])
def test_solutions_and_inertia_of_an_indefinite_matrix(subdivisions):
    # Between degree 2 and degree 3: 1 + 3 + 5 eigenvalues of the sphere lie below.
    matrix = sphere(subdivisions, 9.0)
    factors = Factorisation(matrix)
    wanted = np.random.default_rng(1).standard_normal((matrix.shape[0], 3))
    np.testing.assert_allclose(factors.solve(matrix @ wanted), wanted, atol=1e-6)
    assert factors.negative_eigenvalues() == 9


def test_a_singular_matrix_is_refused():
    matrix = sparse.diags([1.0, 0.0, 2.0], format="csr")
    with pytest.raises(ArithmeticError):
        Factorisation(matrix)


@pytest.mark.slow
def test_a_caller_can_leave_while_the_factors_are_computed():
    matrix = sphere(7, -1.0)
    threads = set(threading.enumerate())
    asked = []

    def leave():
        asked.append(time.perf_counter())
        raise Cancelled

    with pytest.raises(Cancelled):
        Factorisation(matrix, leave)
    assert len(asked) == 1
    left = set(threading.enumerate()) - threads
    assert left
    for thread in left:
        thread.join(60)
        assert not thread.is_alive()


@pytest.mark.parametrize("seed", [None, 0, 1])
def test_factors_of_a_regular_mesh_stay_small_however_its_vertices_come(seed):
    matrix = sphere(5, -1.0)
    if seed is not None:
        order = np.random.default_rng(seed).permutation(matrix.shape[0])
        matrix = matrix[order][:, order]
    # Nested dissection of a mesh leaves some 8 n log2(n) entries, here 1.1 million.
    count = matrix.shape[0]
    assert Factorisation(matrix).size < 8 * count * np.log2(count)


@pytest.mark.skipif(not STATM.exists(), reason="only Linux says how much memory a process has")
def test_factors_that_are_let_go_give_their_memory_back():
    # In a process that nothing else has happened in: what freed memory an older one keeps for later
    # depends on its past.
    script = "from tests.surface.test_factorisation import growth; print(growth())"
    root = Path(__file__).parents[2]
    told = subprocess.run(
        [sys.executable, "-c", script], cwd=root, capture_output=True, text=True, check=True
    )
    assert float(told.stdout) < 2


def growth() -> float:
    """How many times the factors of a mesh the process has grown by after ten of them."""
    matrix = sphere(5, -1.0)
    resident = []
    for _ in range(12):
        factors = Factorisation(matrix)
        resident.append(int(STATM.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE"))
        # Each entry takes a double and an index.
        size = 12 * factors.size
        del factors
    assert threading.active_count() == 1
    return (resident[-1] - resident[1]) / size
