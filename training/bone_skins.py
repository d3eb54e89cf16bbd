"""Skins around skeletons: smooth unions of tapered capsules, with the weights of their bones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from diffusionnet_blender.surface.voxels import surface_nets

# Distance over which bones share what lies between them.
SHARED = 0.03


@dataclass(frozen=True, eq=False)
class SkinBone:
    """A bone with flesh.

    Attributes
    ----------
    head, tail : (3,) float
    radii : of the flesh at both.
    parent : the bone that carries it, "" for none.
    """

    head: np.ndarray
    tail: np.ndarray
    radii: tuple[float, float]
    parent: str = ""

    def beside(self, points: np.ndarray) -> np.ndarray:
        """Distance of points (V, 3) from its flesh, below zero inside."""
        along = self.tail - self.head
        share = np.clip((points - self.head) @ along / (along @ along), 0, 1)
        radius = self.radii[0] + share * (self.radii[1] - self.radii[0])
        return np.linalg.norm(points - self.head - share[:, None] * along, axis=1) - radius


def skin_around(
    bones: Mapping[str, SkinBone], cell: float, blend: float, margin: float | None = None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The skin around bones.

    Parameters
    ----------
    bones : by their names.
    cell : of the grid on which the skin is found, in the unit of the bones.
    blend : how gently bones run into each other.
    margin : of the grid around the bones; by default as much as their flesh needs.

    Returns
    -------
    vertices : (V, 3);  faces : (F, 3);  weights : (V, B)
        How much each bone moves a vertex; rows add up to 1.
    """
    ends = np.array([end for bone in bones.values() for end in (bone.head, bone.tail)])
    radii = np.array([radius for bone in bones.values() for radius in bone.radii])[:, None]
    # Where many bones meet their common skin stands off from each.
    needed = radii + blend * np.log(len(bones)) + 2 * cell
    around = needed if margin is None else margin
    low, high = (ends - around).min(axis=0), (ends + around).max(axis=0)
    axes = [np.arange(a, b, cell) for a, b in zip(low, high, strict=True)]
    points = np.stack(np.meshgrid(*axes, indexing="ij"), axis=3)
    field = 0.0
    for bone in bones.values():
        field = field + np.exp(-bone.beside(points.reshape(-1, 3)) / blend)
    field = blend * np.log(np.maximum(field, 1e-30)).reshape(points.shape[:3])
    vertices, faces = surface_nets(field, 0.0)
    vertices = low + cell * vertices
    away = np.stack([bone.beside(vertices) for bone in bones.values()], axis=1)
    weights = np.exp(-(away - away.min(axis=1, keepdims=True)) / SHARED)
    return vertices, faces, weights / weights.sum(axis=1, keepdims=True)
