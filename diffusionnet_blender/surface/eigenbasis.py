"""The low end of the Laplacian's spectrum (paper 3.3.2, eq. 3), on any mesh."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy import linalg, sparse
from threadpoolctl import threadpool_limits

from ..errors import SurfaceError
from .factorisation import Factorisation

# Vectors a step. Every copy of an eigenvalue that is repeated no more often than this is found
# at once; further copies, which the inertia of the factorisation betrays, widen the block.
BLOCK = 8
# Relative residual of an eigenpair of the inverse. The eigenvalue's error is its square.
TOLERANCE = 3e-3
# Where the shift lies between zero and the last eigenvalue wanted, as Weyl's law expects that.
# Eigenvalues on both sides of it converge at once, in two thirds of the steps that a shift
# below zero takes.
SHIFT = 0.5
# Convergence is checked from this many times k dimensions on, every so many steps.
CHECK_FROM = 1.4
CHECK_EVERY = 2
EXPECTED_SIZE = 1.75
# Dimensions, in k, beyond which a shift has turned out to be a bad one.
INSIDE_LIMIT = 4
OUTSIDE_LIMIT = 8
# From this size on vectors are kept in single precision, which costs the eigenvalues about a
# millionth of the shift and halves time and memory.
SINGLE_SIZE = 5_000
# Below this size, or this many times k, a dense decomposition is as fast.
DENSE_SIZE = 400
DENSE_FACTOR = 3


def eigenbasis(
    laplacian: sparse.csr_matrix,
    mass: np.ndarray,
    k: int,
    progress: Callable[[float], None] = lambda fraction: None,
) -> tuple[np.ndarray, np.ndarray]:
    """Smallest eigenpairs of L phi = lambda M phi, every copy of a repeated one among them.

    Block Lanczos with full reorthogonalisation on the inverse of L - s M, factorised in double
    precision. The shift s lies amid the wanted eigenvalues (Ericsson and Ruhe 1980).

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
    eigenvectors : (V, k) float32
        Orthonormal: Phi^T M Phi is the identity.

    Raises
    ------
    SurfaceError
        If the matrices are too ill-conditioned to give a basis.
    """
    count = len(mass)
    k = min(k, count)
    first = 4.0 * np.pi / mass.sum()
    shifts = [SHIFT * k * first, -first, -10 * first, -100 * first]
    if count <= max(DENSE_SIZE, DENSE_FACTOR * k):
        del shifts[0]
    # The products are narrow: more BLAS threads gain little on an idle machine, and on a busy
    # one they wait for each other and cost several times more than they save.
    with threadpool_limits(limits=1, user_api="blas"):
        for shift in shifts:
            try:
                values, vectors = _at_shift(laplacian, mass, k, shift, progress)
            except ArithmeticError:
                continue
            if np.isfinite(values).all() and np.isfinite(vectors).all():
                progress(1.0)
                return np.maximum(values, 0.0), vectors
    raise SurfaceError(
        "No eigenbasis could be computed for this mesh",
        "In Blender run Mesh > Clean Up > Merge by Distance and Degenerate Dissolve.",
    )


def _at_shift(
    laplacian: sparse.csr_matrix,
    mass: np.ndarray,
    k: int,
    shift: float,
    progress: Callable[[float], None],
) -> tuple[np.ndarray, np.ndarray]:
    """Eigenvalues (k,) and eigenvectors (V, k) by shift-and-invert.

    Raises ArithmeticError where the shift is unusable.
    """
    count = len(mass)
    progress(0.0)
    factors = Factorisation((laplacian - sparse.diags(shift * mass)).tocsr(), lambda: progress(0.0))
    root_mass = np.sqrt(mass)[:, None]

    def inverse(block: np.ndarray) -> np.ndarray:
        """M^1/2 (L - s M)^-1 M^1/2 times (V, n); its eigenvalues are 1 / (lambda - s)."""
        return root_mass * factors.solve(root_mass * block)

    if shift < 0 and count <= max(DENSE_SIZE, OUTSIDE_LIMIT * k):
        values, vectors = _dense(inverse, count, k, shift)
    else:
        below = factors.negative_eigenvalues() if shift > 0 else 0
        if below > 0.8 * k:
            raise ArithmeticError("the shift is above too many eigenvalues")
        values, vectors = _block_lanczos(inverse, count, k, shift, below, progress)
    vectors /= root_mass.astype(vectors.dtype)
    return values, vectors.astype(np.float32, copy=False)


def _dense(
    apply: Callable[[np.ndarray], np.ndarray], count: int, k: int, shift: float
) -> tuple[np.ndarray, np.ndarray]:
    """Eigenpairs (k,), (count, k) from the matrix of a symmetric positive operator.

    Through the inverse and not L itself: on slivers the entries of L are so large that a
    decomposition of L loses the low end.
    """
    matrix = apply(np.eye(count))
    values, vectors = linalg.eigh(0.5 * (matrix + matrix.T), subset_by_index=[count - k, count - 1])
    if values[0] <= 0:
        raise ArithmeticError("the inverse is not positive")
    return shift + 1.0 / values[::-1], vectors[:, ::-1]


def _block_lanczos(
    apply: Callable[[np.ndarray], np.ndarray],
    count: int,
    k: int,
    shift: float,
    below: int,
    progress: Callable[[float], None],
) -> tuple[np.ndarray, np.ndarray]:
    """The k smallest lambda (k,), none below zero, and their vectors (count, k).

    `apply` takes (count, n) to (count, n) and has eigenvalues 1 / (lambda - shift). `below` is the
    number of eigenvalues from zero to a shift above it.
    """
    rng = np.random.default_rng(0)
    precision: type[np.float32] | type[np.float64]
    precision = np.float32 if count >= SINGLE_SIZE else np.float64

    def random(width: int) -> np.ndarray:
        return rng.standard_normal((count, width), dtype=precision)

    limit = min((INSIDE_LIMIT if shift > 0 else OUTSIDE_LIMIT) * k + 8 * BLOCK, count)
    basis: np.ndarray = np.empty((count, limit), dtype=precision, order="F")
    projected = np.zeros((limit, limit))
    block = np.linalg.qr(random(BLOCK))[0]
    size, before, steps = 0, 0, 0
    while True:
        width = block.shape[1]
        if size + width > limit:
            raise ArithmeticError("the space is spent")
        image: np.ndarray = apply(block).astype(precision)
        basis[:, size : size + width] = block
        size, steps = size + width, steps + 1
        # The image of the last block reaches back to the two last blocks only; taking those
        # out first leaves rounding, which one pass over the whole basis then removes.
        recent = basis[:, before:size]
        nearby = recent.T @ image
        image -= recent @ nearby
        coupling = basis[:, :size].T @ image
        image -= basis[:, :size] @ coupling
        coupling[before:] += nearby
        projected[:size, size - width : size] = coupling
        projected[size - width : size, :size] = coupling.T
        before = size - width
        block, beyond = np.linalg.qr(image)

        # Where the residual loses rank, the space is closed under the operator: new directions.
        lost = np.abs(np.diag(beyond)) <= np.finfo(precision).eps * 10 * np.abs(coupling).max()
        missing = False
        if size >= CHECK_FROM * k and steps % CHECK_EVERY == 0:
            inverse_values, coefficients = linalg.eigh(projected[:size, :size])
            values = shift + 1.0 / inverse_values
            # Values below zero have not converged: the matrix has no such eigenvalues.
            possible = np.flatnonzero(values > -1e-4 * abs(shift))
            chosen = possible[np.argsort(values[possible])[:k]]
            residual = np.linalg.norm(beyond @ coefficients[-width:, chosen], axis=0)
            settled = residual <= TOLERANCE * np.abs(inverse_values[chosen])
            if len(chosen) == k and settled.all():
                missing = np.count_nonzero(values[chosen] < shift) < below
                if not missing:
                    coefficients = coefficients[:, chosen].astype(precision)
                    return values[chosen], basis[:, :size] @ coefficients
        progress(min(size / (EXPECTED_SIZE * k), 0.99))
        if lost.any() or missing:
            fresh = np.count_nonzero(lost) + (BLOCK if missing else 0)
            block = np.concatenate([block[:, ~lost], random(fresh)], axis=1)
            block = _orthogonalised(block, basis[:, :size])


def _orthogonalised(block: np.ndarray, basis: np.ndarray) -> np.ndarray:
    """Orthonormal columns (V, n) that span a block's projection off an orthonormal basis (V, m)."""
    for _ in range(2):
        block = np.linalg.qr(block - basis @ (basis.T @ block))[0]
    return block
