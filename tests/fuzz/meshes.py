"""Meshes as nobody would model them, and as scans, imports and broken exporters give them."""

from typing import NamedTuple

import numpy as np
from hypothesis import strategies as st

from tests.shapes import grid, icosphere, joined, lumpy_body, random_rotation

TETRAHEDRON = (np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1.0]]),
               np.array([[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]]))  # fmt: skip
BASES = (
    "soup", "sphere", "body", "grid", "tetrahedra", "points", "fan", "strip", "triangle", "shells",
)  # fmt: skip
DAMAGES = (
    "collapse", "sliver", "repeat", "flip", "split", "copy vertices", "isolated", "stray", "fin",
    "cut", "flat", "line", "noise", "shuffle", "grid of floats", "point triangle",
)  # fmt: skip
SCALES = (1.0, 1e-3, 1e3, 1e-12, 1e12, 1e-30, 1e30, 1e-150, 1e150, 1e-300)
PLACES = (0.0, 1.0, 1e3, 1e6, 1e9, -1e5)


def base(kind: str, random: np.random.Generator, size: int):
    match kind:
        case "soup":
            count = 3 + size
            return random.normal(size=(count, 3)), random.integers(0, count, (2 * size + 1, 3))
        case "sphere":
            return icosphere(size % 3)
        case "body":
            return lumpy_body(1 + size % 2)
        case "grid":
            return grid(1 + size % 12, 1 + size // 12)
        case "tetrahedra":
            return joined(
                *((TETRAHEDRON[0] * random.uniform(0.1, 2) + random.normal(size=3) * 5,
                   TETRAHEDRON[1]) for _ in range(1 + size))
            )  # fmt: skip
        case "points":
            return random.normal(size=(3 + size, 3)), np.zeros((0, 3), int)
        case "fan":
            around = np.linspace(0, 6, 3 + size)
            rim = np.stack([np.cos(around), np.sin(around), 0.1 * around], axis=1)
            index = np.arange(1, len(rim))
            return (np.concatenate([[[0, 0, 0.5]], rim]),
                    np.stack([0 * index, index, index + 1], axis=1))  # fmt: skip
        case "strip":
            index = np.arange(1 + size)
            return random.normal(size=(3 + size, 3)), np.stack(
                [index, index + 1, index + 2], axis=1
            )
        case "triangle":
            return np.eye(3), np.array([[0, 1, 2]])
    ball = icosphere(1)
    return joined(*((ball[0] * (1 + 0.3 * i), ball[1]) for i in range(2 + size % 4)))


def with_damage(kind: str, vertices, faces, random: np.random.Generator):
    """A mesh with one more fault."""
    v, f = vertices.copy(), faces.copy()
    count, few = len(v), random.integers(1, 5)
    if len(f) and kind in ("collapse", "sliver", "repeat", "flip", "fin", "cut", "point triangle"):
        rows = random.integers(0, len(f), few)
        match kind:
            case "collapse":
                f[rows, 1] = f[rows, 0]
            case "point triangle":
                f[rows] = f[rows, :1]
            case "sliver":
                v[f[rows, 2]] = 0.5 * (v[f[rows, 0]] + v[f[rows, 1]]) + 1e-13
            case "repeat":
                f = np.concatenate([f, f[rows], f[rows][:, [1, 2, 0]], f[rows][:, ::-1]])
            case "flip":
                f[rows] = f[rows][:, ::-1]
            case "fin":
                v = np.concatenate([v, random.normal(size=(few, 3))])
                f = np.concatenate(
                    [f, np.stack([f[rows, 0], f[rows, 1], count + np.arange(few)], 1)]
                )
            case "cut":
                f = f[random.random(len(f)) < 0.7]
    match kind:
        case "split" if len(f):
            v, f = v[f.ravel()], np.arange(f.size).reshape(-1, 3)
        case "copy vertices":
            v = np.concatenate([v, v[random.integers(0, count, few)]])
        case "isolated":
            v = np.concatenate([v, v.mean(axis=0) + random.normal(size=(few, 3))])
        case "stray":
            v = np.concatenate([v, [10.0 ** random.integers(1, 12) * np.ones(3)]])
        case "flat":
            v[:, random.integers(3)] = v[0, 0]
        case "line":
            v = v[:, :1] * random.normal(size=3)
        case "noise":
            v = v + 10.0 ** -random.integers(1, 16) * random.normal(size=v.shape)
        case "shuffle":
            order = random.permutation(count)
            v, f = v[order], np.argsort(order)[f]
        case "grid of floats":
            v = np.round(v, 1)
    return v, f


class Recipe(NamedTuple):
    """A mesh in one line, as a failing example is printed and kept."""

    kind: str
    size: int
    damages: tuple[str, ...] = ()
    seed: int = 0
    scale: float = 1.0
    place: float = 0.0
    squash: bool = False

    def make(self):
        """Vertices and faces; all coordinates are finite."""
        random = np.random.default_rng(self.seed)
        vertices, faces = base(self.kind, random, self.size)
        for kind in self.damages:
            vertices, faces = with_damage(kind, vertices, faces, random)
        if self.seed % 2:
            vertices = vertices @ random_rotation(self.seed % 99).T
        vertices = vertices * self.scale * [1.0, 1.0, 1e-7 if self.squash else 1.0]
        return vertices + self.scale * self.place, faces


def recipes(kinds=BASES, largest=40, scales=SCALES, places=PLACES):
    """Recipes of meshes."""
    return st.builds(
        Recipe,
        st.sampled_from(kinds),
        st.integers(0, largest),
        st.lists(st.sampled_from(DAMAGES), max_size=4).map(tuple),
        st.integers(0, 9999),
        st.sampled_from(scales),
        st.sampled_from(places),
        st.booleans(),
    )
