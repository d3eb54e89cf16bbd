"""The matrices of one shape as arrays of an engine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse

from ..surface.discretization import Discretization
from .implicit import ImplicitDiffusion

Array = Any


@dataclass(frozen=True, eq=False)
class Shape:
    """What the forward pass needs of a shape.

    Attributes
    ----------
    mass : (V,) array
    eigenvalues : (k,) array
    eigenvectors : (V, k) array
    gradient : sparse (2V, V)
        Rows of G_x and G_y by turns: one product gives both halves of each vertex side by side.
    implicit : ImplicitDiffusion
        The other way to diffuse.
    corners : (n, 2) or (n, 3) array of integers, optional
        Vertices of each edge or face, where outputs are wanted there.
    """

    mass: Array
    eigenvalues: Array
    eigenvectors: Array
    gradient: Any
    implicit: ImplicitDiffusion
    corners: Array | None = None


def shape_of(discretization: Discretization, engine, corners: np.ndarray | None = None) -> Shape:
    """Hand the matrices of a shape to an engine.

    Parameters
    ----------
    discretization : Discretization
    engine : NumpyEngine or TorchEngine
    corners : (n, 2) or (n, 3) int, optional
        Vertices of each edge or face.
    """
    gradient = sparse.vstack([discretization.gradient_x, discretization.gradient_y], format="csr")
    by_turns = np.arange(gradient.shape[0]).reshape(2, -1).T.ravel()
    return Shape(
        mass=engine.array(discretization.mass),
        eigenvalues=engine.array(discretization.eigenvalues),
        eigenvectors=engine.array(discretization.eigenvectors),
        gradient=engine.sparse(gradient[by_turns]),
        implicit=ImplicitDiffusion(discretization.laplacian, discretization.mass),
        corners=None if corners is None else engine.indices(corners),
    )
