"""Solids that no bend takes to each other, and the bends and twists themselves."""

from __future__ import annotations

import numpy as np
from scipy.spatial.transform import Rotation

from training.meshes import Body
from training.primitives import Mesh, ball, capsule, lathe, rounded_box, torus, tube
from training.voxels import outer_skin


def solids() -> dict[str, Mesh]:
    """Solids that no isometry takes to each other, the most different ones first."""
    angle = np.linspace(0, 2 * np.pi, 121)[:-1]
    trefoil = np.stack(
        [
            np.sin(angle) + 2 * np.sin(2 * angle),
            np.cos(angle) - 2 * np.cos(2 * angle),
            -np.sin(3 * angle),
        ],
        axis=1,
    )
    turns = np.linspace(0, 6 * np.pi, 90)
    spring = np.stack([np.cos(turns), np.sin(turns), 0.18 * turns], axis=1)
    line = np.linspace(0, 1, 60)
    snake = np.stack([3 * line, 0.2 * np.sin(9 * line), 0 * line], axis=1)
    height = np.linspace(-1, 1, 40)

    def turned(radius: np.ndarray) -> Mesh:
        return lathe(np.stack([radius, height], axis=1), 40)

    found = {
        "ring": torus(1.0, 0.3, 60, 24),
        "vase": turned(0.35 + 0.15 * np.sin(3.0 * height + 0.6) + 0.1 * (height > 0.8)),
        "dumbbell": turned(0.12 + 0.4 * height**4),
        "slab": rounded_box(np.array([1.6, 1.0, 0.25]), 0.2, 14),
        "snake": tube(snake, 0.02 + 0.12 * np.sin(np.pi * line) ** 0.7, 20),
        "spring": tube(spring, np.full(len(turns), 0.16), 14),
        "star": _rays(5, flat=True),
        "jack": _rays(6, flat=False),
        "bowling_pin": turned(0.2 + 0.12 * np.cos(3.2 * (height + 0.5)) - 0.06 * height),
        "knot": tube(np.concatenate([trefoil, trefoil[:1]]), np.full(121, 0.45), 16),
        "thin_ring": torus(1.0, 0.12, 80, 14),
        "three_rays": _rays(3, flat=True),
        "cone": turned(0.05 + 0.25 * (1 - height)),
        "barrel": turned(0.5 - 0.12 * height**2),
    }
    for first, second, longer in (
        (0.4, 0.4, 1.0),
        (1.0, 2.2, 1.0),
        (1.0, 1.0, 2.0),
        (2.2, 2.2, 1.0),
        (0.4, 1.0, 1.8),
        (1.0, 0.4, 0.5),
        (1.8, 0.5, 1.5),
        (0.5, 1.8, 0.6),
        (1.0, 1.0, 0.4),
        (2.2, 1.0, 1.8),
        (0.3, 2.0, 1.6),
    ):
        name = f"superquadric_{first}_{second}_{longer}".replace(".", "")
        found[name] = _superquadric(first, second, longer)
    return found


def _superquadric(first: float, second: float, longer: float) -> Mesh:
    """A superellipsoid of two exponents, with one axis so much longer; 0.5 and 0.8 the others'."""
    points, faces = ball(1.0, 64, 48)
    x, y, z = points.T
    around, up = np.arctan2(y, x), np.arcsin(np.clip(z, -1, 1))

    def power(value: np.ndarray, exponent: float) -> np.ndarray:
        return np.sign(value) * np.abs(value) ** exponent

    flat = power(np.cos(up), first)
    made = np.stack(
        [
            0.8 * flat * power(np.cos(around), second),
            0.5 * flat * power(np.sin(around), second),
            longer * power(np.sin(up), first),
        ],
        axis=1,
    )
    return made, faces


def _rays(count: int, flat: bool) -> Mesh:
    """Capsules from one point, melted into one skin."""
    pieces, start = [], 0
    for number in range(count):
        points, faces = capsule(0.22, 0.9 + 0.12 * number, 20, 6)
        if flat:
            turn = Rotation.from_euler("yz", [np.pi / 2, 2 * np.pi * number / count])
        else:
            axes = [[0, 0], [np.pi, 0]] + [[np.pi / 2, q * np.pi / 2] for q in range(4)]
            turn = Rotation.from_euler("yz", axes[number])
        pieces.append((turn.apply(points), faces + start))
        start += len(points)
    body = plain(np.concatenate([p for p, _ in pieces]), np.concatenate([f for _, f in pieces]))
    skin = outer_skin(body, 90)
    return skin.vertices, skin.faces


def plain(vertices: np.ndarray, faces: np.ndarray) -> Body:
    """A mesh without labels, its largest extent 1."""
    centred = vertices - vertices.mean(axis=0)
    nothing = np.zeros(len(vertices), np.int32)
    return Body(
        centred / np.ptp(centred, axis=0).max(), np.asarray(faces, np.int64), nothing, nothing
    )


def longest_along_z(points: np.ndarray) -> np.ndarray:
    """The rotation (3, 3) that turns the principal axes to x, y and z, the longest to z."""
    _, _, axes = np.linalg.svd(points - points.mean(axis=0), full_matrices=False)
    axes = axes[::-1]
    return axes * [[1], [1], [np.sign(np.linalg.det(axes))]]


def bent(points: np.ndarray, angle: float) -> np.ndarray:
    """Points (V, 3) with their line along z bent to an arc of so many radians, of its length."""
    low, high = points[:, 2].min(), points[:, 2].max()
    if abs(angle) < 1e-6:
        return points
    radius = (high - low) / angle
    turn = (points[:, 2] - (low + high) / 2) / radius
    away = radius - points[:, 0]
    return np.stack([radius - away * np.cos(turn), points[:, 1], away * np.sin(turn)], axis=1)


def twisted(points: np.ndarray, angle: float) -> np.ndarray:
    """Points (V, 3) turned about z, from one end to the other by so many radians."""
    low, high = points[:, 2].min(), points[:, 2].max()
    turn = angle * ((points[:, 2] - low) / (high - low) - 0.5)
    return Rotation.from_rotvec(np.outer(turn, [0, 0, 1])).apply(points)
