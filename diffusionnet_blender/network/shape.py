"""The matrices of one shape as arrays of an engine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse

from ..surface.discretization import Discretization
from .engine import Array, Engine
from .implicit import ImplicitDiffusion


@dataclass(frozen=True, eq=False)
class Shape:
    """A shape's matrices for the forward pass.

    Attributes
    ----------
    mass : (V,) array
    eigenvalues : (k,) array
    eigenvectors : (V, k) array
    gradient : sparse (2V, V)
        Rows of G_x and G_y by turns: one product gives both halves of each vertex side by side.
    implicit : ImplicitDiffusion
        For direct implicit diffusion (3.3.1).
    corners : (n, 2) or (n, 3) array of integers, optional
        Vertices of each edge or face, where outputs are wanted there.
    """

    mass: Array
    eigenvalues: Array
    eigenvectors: Array
    gradient: Any
    implicit: ImplicitDiffusion
    corners: Array | None = None


def shape_of(
    discretization: Discretization, engine: Engine, corners: np.ndarray | None = None
) -> Shape:
    """The matrices of a shape as arrays of an engine.

    Parameters
    ----------
    discretization : Discretization
    engine : Engine
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
