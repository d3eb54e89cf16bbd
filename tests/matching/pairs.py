"""Pairs of meshes of one shape, with their true map."""

import numpy as np

from diffusionnet_blender.matching.spectral import spectral_mesh
from diffusionnet_blender.surface.discretization import discretize
from diffusionnet_blender.surface.settings import DiscretizationSettings
from diffusionnet_blender.surface.surface import Surface
from tests.shapes import icosphere, random_rotation


def lumps(directions: np.ndarray) -> np.ndarray:
    """Points of an asymmetric body in directions from its middle, (N, 3)."""
    x, y, z = directions.T
    radius = 1 + 0.3 * x * y + 0.4 * z**2 + 0.2 * np.sin(3 * x + 1) + 0.15 * y * z
    return directions * radius[:, None] * [1.0, 0.7, 1.4]


def lumpy_surface(subdivisions: int, seed: int | None = None) -> tuple[Surface, np.ndarray]:
    """The body meshed along an icosphere turned at random, and the directions of its vertices.

    The same direction is the same point of the body on every mesh.
    """
    directions, faces = icosphere(subdivisions)
    if seed is not None:
        directions = directions @ random_rotation(seed).T
    return Surface(lumps(directions), faces), directions


def spectral(surface: Surface, k: int = 60):
    return spectral_mesh(discretize(surface, DiscretizationSettings(k=k)))


def mapped_directions(points, surface, directions):
    """Directions of points on a lumpy surface, unit length."""
    mapped = points.interpolate(directions, surface.faces)
    return mapped / np.linalg.norm(mapped, axis=1, keepdims=True)
