"""The plain way: DiffusionNet's matrices and network as the published implementation makes them.

What the two sides compare is how the matrices are made and applied, not which matrices: the
Laplacian, the bridges between loose parts and the tangent frames are those of this project.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import robust_laplacian
import torch
from scipy import sparse
from scipy.sparse import linalg as sparse_linalg

from diffusionnet_blender.surface.loose_parts import bridge_laplacian, label_parts

SIGMA = 1e-8
LAPLACIAN_SHIFT = 1e-8
GRADIENT_REGULARISER = 1e-5
SHORTEST_TIME = 1e-8


def laplacian_and_mass(
    vertices: np.ndarray, faces: np.ndarray, edges: np.ndarray
) -> tuple[sparse.csr_matrix, np.ndarray]:
    """Weak Laplacian with bridges (V, V), and lumped mass (V,)."""
    laplacian, mass = robust_laplacian.mesh_laplacian(vertices, faces)
    mass = mass.diagonal()
    part = label_parts(len(vertices), edges)
    return (laplacian + bridge_laplacian(vertices, mass, part)).tocsr(), mass


def eigenbasis(laplacian, mass: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """ARPACK in shift-invert mode with SuperLU's defaults: eigenvalues (k,), vectors (V, k)."""
    shifted = (laplacian + LAPLACIAN_SHIFT * sparse.identity(len(mass))).tocsc()
    values, vectors = sparse_linalg.eigsh(shifted, k=k, M=sparse.diags(mass).tocsc(), sigma=SIGMA)
    return np.maximum(values, 0.0), vectors


def gradient_matrices(
    vertices: np.ndarray, edges: np.ndarray, frames: np.ndarray
) -> tuple[sparse.csr_matrix, sparse.csr_matrix]:
    """Least squares in the tangent plane, vertex after vertex, with an absolute regulariser.

    Parameters
    ----------
    vertices : (V, 3) float
    edges : (E, 2) int
        From a vertex to each of its neighbours, sorted.
    frames : (V, 3, 3) float
        Rows: tangent x, tangent y, normal.
    """
    count = len(vertices)
    first = np.searchsorted(edges[:, 0], np.arange(count + 1))
    rows, columns, values = [], [], []
    for vertex in range(count):
        neighbours = edges[first[vertex] : first[vertex + 1], 1]
        around = np.zeros((len(neighbours), 2))
        differences = np.zeros((len(neighbours), len(neighbours) + 1))
        members = [vertex]
        for row, neighbour in enumerate(neighbours):
            around[row] = frames[vertex, :2] @ (vertices[neighbour] - vertices[vertex])
            differences[row, 0] = -1.0
            differences[row, row + 1] = 1.0
            members.append(neighbour)
        normal = around.T @ around + GRADIENT_REGULARISER * np.eye(2)
        solution = np.linalg.inv(normal) @ around.T @ differences
        for member, (x, y) in zip(members, solution.T, strict=True):
            rows.append(vertex)
            columns.append(member)
            values.append(complex(x, y))
    gradient = sparse.csr_matrix((values, (rows, columns)), shape=(count, count))
    return gradient.real, gradient.imag


def class_probabilities(
    weights: Mapping[str, np.ndarray],
    blocks: int,
    mass: np.ndarray,
    eigenvalues: np.ndarray,
    eigenvectors: np.ndarray,
    gradients: tuple[sparse.spmatrix, sparse.spmatrix],
    features: np.ndarray,
    other_side: Sequence[int] | None = None,
    temperature: float = 1.0,
) -> np.ndarray:
    """The spectral network with complex gradient features, in torch: (V, C) float32.

    Parameters
    ----------
    weights : mapping of str to array
        As `Architecture.weight_shapes` names them.
    blocks : int
    mass, eigenvalues, eigenvectors, gradients
        Of the shape.
    features : (V, inputs) float
    other_side : sequence of int, optional
        For each class that on the other side: the mean with what a mirror shows is taken.
    temperature : float
    """

    weight = {name: tensor(value) for name, value in weights.items()}
    shape = [*map(tensor, (mass, eigenvalues, eigenvectors)), *map(sparse_tensor, gradients)]

    def outputs(gradient_y):
        return network(weight, blocks, *shape[:4], gradient_y, tensor(features))

    with torch.no_grad():
        mean = outputs(shape[4])
        if other_side is not None:
            mean = (mean + outputs(-shape[4])[:, list(other_side)]) / 2
        return torch.softmax(mean / temperature, dim=-1).numpy()


def network(
    weight: Mapping[str, torch.Tensor],
    blocks: int,
    mass: torch.Tensor,
    eigenvalues: torch.Tensor,
    eigenvectors: torch.Tensor,
    gradient_x: torch.Tensor,
    gradient_y: torch.Tensor,
    features: torch.Tensor,
) -> torch.Tensor:
    """Outputs (V, C) before any softmax; all tensors are on one device, the gradients sparse."""

    def linear(values, name):
        return values @ weight[f"{name}.weight"].T + weight[f"{name}.bias"]

    x = linear(features, "first")
    for block in (f"block_{index}" for index in range(blocks)):
        time = weight[f"{block}.time"].clamp(min=SHORTEST_TIME)
        spectrum = eigenvectors.T @ (x * mass[:, None])
        decay = torch.exp(-eigenvalues[:, None] * time[None, :])
        diffused = eigenvectors @ (decay * spectrum)
        real = torch.mm(gradient_x, diffused)
        imaginary = torch.mm(gradient_y, diffused)
        a_real, a_imaginary = weight[f"{block}.gradient_re"], weight[f"{block}.gradient_im"]
        turned_real = real @ a_real.T - imaginary @ a_imaginary.T
        turned_imaginary = imaginary @ a_real.T + real @ a_imaginary.T
        features_of_gradient = torch.tanh(real * turned_real + imaginary * turned_imaginary)
        mixed = torch.cat([x, diffused, features_of_gradient], dim=-1)
        layers = sum(name.startswith(f"{block}.mlp_") for name in weight) // 2
        for layer in range(layers):
            mixed = linear(torch.relu(mixed) if layer else mixed, f"{block}.mlp_{layer}")
        x = x + mixed
    return linear(x, "last")


def tensor(array: np.ndarray) -> torch.Tensor:
    """An array in single precision."""
    return torch.as_tensor(np.asarray(array, dtype=np.float32))


def sparse_tensor(matrix: sparse.spmatrix) -> torch.Tensor:
    """A sparse matrix in single precision, as a list of coordinates."""
    matrix = matrix.tocoo()
    place = torch.as_tensor(np.stack([matrix.row, matrix.col]).astype(np.int64))
    values = torch.as_tensor(matrix.data.astype(np.float32))
    return torch.sparse_coo_tensor(place, values, matrix.shape, check_invariants=False).coalesce()
