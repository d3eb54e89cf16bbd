"""The low end of the Laplacian's spectrum (paper 3.3.2, eq. 3), on any mesh."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy import linalg, sparse
from scipy.sparse import linalg as sparse_linalg
from threadpoolctl import threadpool_limits

from ..errors import SurfaceError

# Vectors a step: a block as wide as the largest expected multiplicity finds every copy of a
# repeated eigenvalue, and many right-hand sides make each triangular solve cheaper.
BLOCK = 16
# Relative residual of an eigenpair of the inverse. The eigenvalue's error is its square.
TOLERANCE = 1e-3
# Convergence is looked at from this many times k dimensions on, every so many blocks; it is
# usually reached at the expected size.
CHECK_FROM = 2.0
CHECK_EVERY = 2
EXPECTED_SIZE = 2.75
# Below this size, or this many times k, a dense decomposition is as fast.
DENSE_SIZE = 400
DENSE_FACTOR = 3
# Fill-reducing orderings: minimum degree is better on small systems, column ordering on large.
MINIMUM_DEGREE_SIZE = 100_000


def eigenbasis(
    laplacian: sparse.spmatrix,
    mass: np.ndarray,
    k: int,
    progress: Callable[[float], None] = lambda fraction: None,
) -> tuple[np.ndarray, np.ndarray]:
    """Smallest eigenpairs of L phi = lambda M phi, every copy of a repeated one among them.

    Block Lanczos on the inverse of L + s M with full reorthogonalisation. The shift s is of
    the size of the second eigenvalue, which keeps the factorisation well conditioned.

    Parameters
    ----------
    laplacian : (V, V) sparse
        Symmetric, positive semi-definite.
    mass : (V,) float
        Diagonal of the mass matrix, above zero.
    k : int
        How many pairs; a shape with fewer vertices has as many as vertices.
    progress : callable
        Called with a fraction from 0 to 1 between steps; may raise to stop.

    Returns
    -------
    eigenvalues : (k,) float64
        Ascending, none below zero.
    eigenvectors : (V, k) float64
        Orthonormal: Phi^T M Phi is the identity.

    Raises
    ------
    SurfaceError
        If the matrices are too ill-conditioned to give a basis.
    """
    count = len(mass)
    k = min(k, count)
    root_mass = np.sqrt(mass)
    shift = 4.0 * np.pi / mass.sum()
    solve, shift = _factorise(laplacian, mass, shift)

    def inverse(block):
        """Symmetric operator M^1/2 (L + s M)^-1 M^1/2; its eigenvalues are 1 / (lambda + s)."""
        return root_mass[:, None] * solve(root_mass[:, None] * block)

    # The products are narrow: more BLAS threads gain little on an idle machine, and on a busy
    # one they wait for each other and cost several times more than they save.
    with threadpool_limits(limits=1, user_api="blas"):
        if count <= max(DENSE_SIZE, DENSE_FACTOR * k):
            top, vectors = _dense(inverse, count, k)
            progress(1.0)
        else:
            top, vectors = _block_lanczos(inverse, count, k, progress)
    if not (np.isfinite(top).all() and np.isfinite(vectors).all() and top.min() > 0):
        raise SurfaceError(
            "No eigenbasis could be computed for this mesh",
            "In Blender run Mesh > Clean Up > Merge by Distance and Degenerate Dissolve.",
        )
    return np.maximum(1.0 / top - shift, 0.0), vectors / root_mass[:, None]


def _factorise(laplacian, mass, shift):
    """Sparse LU of L + s M as a solve function, and the shift that made it regular."""
    ordering = "MMD_AT_PLUS_A" if len(mass) < MINIMUM_DEGREE_SIZE else "COLAMD"
    for attempt in range(4):
        matrix = (laplacian + sparse.diags(shift * mass)).tocsc()
        try:
            factor = sparse_linalg.splu(
                matrix,
                permc_spec=ordering,
                diag_pivot_thresh=0.0 if ordering == "MMD_AT_PLUS_A" else None,
                options={"SymmetricMode": ordering == "MMD_AT_PLUS_A"},
            )
        except RuntimeError as error:
            if attempt == 3:
                raise SurfaceError(
                    f"The Laplacian of this mesh could not be factorised ({error})",
                    "In Blender run Mesh > Clean Up > Merge by Distance and Degenerate Dissolve.",
                ) from error
            shift *= 10.0
        else:
            return factor.solve, shift


def _dense(apply, count, k):
    """Largest eigenpairs of a symmetric positive operator, by its matrix.

    Through the inverse and not L itself: on slivers the entries of L are so large that a
    decomposition of L loses the low end.
    """
    matrix = apply(np.eye(count))
    values, vectors = linalg.eigh(0.5 * (matrix + matrix.T), subset_by_index=[count - k, count - 1])
    return values[::-1], vectors[:, ::-1]


def _block_lanczos(apply, count, k, progress):
    """Largest eigenpairs of a symmetric positive operator on vectors of length `count`."""
    rng = np.random.default_rng(0)
    limit = min(count, max(6 * k, k + 40 * BLOCK)) // BLOCK * BLOCK
    basis = np.empty((count, limit), order="F")
    projected = np.zeros((limit, limit))
    block = np.linalg.qr(rng.standard_normal((count, BLOCK)))[0]
    size = 0
    while True:
        image = apply(block)
        basis[:, size : size + BLOCK] = block
        size += BLOCK
        # The image of the last block reaches back to the two last blocks only; taking those
        # out first leaves rounding, which one pass over the whole basis then removes.
        recent = basis[:, max(size - 2 * BLOCK, 0) : size]
        coupling = np.zeros((size, BLOCK))
        coupling[-recent.shape[1] :] = recent.T @ image
        image -= recent @ coupling[-recent.shape[1] :]
        correction = basis[:, :size].T @ image
        image -= basis[:, :size] @ correction
        projected[:size, size - BLOCK : size] = coupling + correction
        projected[size - BLOCK : size, :size] = projected[:size, size - BLOCK : size].T
        block, beyond = np.linalg.qr(image)

        last = size + BLOCK > limit
        if last or (size >= CHECK_FROM * k and (size // BLOCK) % CHECK_EVERY == 0):
            values, coefficients = linalg.eigh(projected[:size, :size])
            values, coefficients = values[::-1][:k], coefficients[:, ::-1][:, :k]
            residual = np.linalg.norm(beyond @ coefficients[-BLOCK:], axis=0)
            settled = residual <= TOLERANCE * np.abs(values)
            if settled.all() or last:
                progress(1.0)
                return values, basis[:, :size] @ coefficients
        progress(min(size / (EXPECTED_SIZE * k), 0.99))
        lost = np.abs(np.diag(beyond)) <= 1e-12 * np.abs(projected).max()
        if lost.any():
            # The space is closed under the operator: go on from new directions.
            block[:, lost] = rng.standard_normal((count, np.count_nonzero(lost)))
            for _ in range(2):
                block -= basis[:, :size] @ (basis[:, :size].T @ block)
                block = np.linalg.qr(block)[0]
