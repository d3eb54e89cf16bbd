"""What animals wear and grow: collars, saddles, blankets, boots; horns, plates along the back."""

from __future__ import annotations

import numpy as np
from scipy.spatial import cKDTree

from .bodies import Rigged
from .clothing import tailor
from .meshes import ACCESSORY
from .parts import ANIMAL_PART_NAMES
from .primitives import tube


def worn(figure: Rigged, head: np.ndarray, rng: np.random.Generator) -> list[Rigged]:
    """One or two things on an animal at rest, with the parts of the skin beneath them.

    Parameters
    ----------
    figure : the bare animal.
    head : (3,) where its head begins.
    rng : the only source of chance.
    """
    made = []
    kinds = ["collar", "saddle", "blanket", "boots", "horns", "plates"]
    for kind in rng.choice(kinds, 2, replace=False):
        if kind == "horns":
            made += _horns(figure, head, rng)
            continue
        if kind == "plates":
            made += _plates(figure, rng)
            continue
        garment = tailor(figure, _region(figure, str(kind), rng), rng.uniform(0.01, 0.04), 1, rng)
        if garment is not None:
            made.append(garment.figure)
        if rng.uniform() < 0.5:
            break
    return made


def _is(figure: Rigged, stems: tuple[str, ...]) -> np.ndarray:
    """(V,) bool, whether a vertex has one of some parts, on either side."""
    wanted = [name.partition(".")[0] in stems for name in ANIMAL_PART_NAMES]
    return np.append(wanted, False)[figure.fine]


def _region(figure: Rigged, kind: str, rng: np.random.Generator) -> np.ndarray:
    """(V,) bool, the skin that a thing covers."""
    points = figure.vertices
    if kind == "boots":
        return _is(figure, ("front_foot", "hind_foot") if rng.uniform() < 0.7 else ("front_foot",))
    if kind == "collar":
        neck = _is(figure, ("neck",))
        if not neck.any():
            return neck
        along = points[neck].mean(axis=0) - points[_is(figure, ("torso",))].mean(axis=0)
        place = points @ (along / np.linalg.norm(along))
        low, high = np.percentile(place[neck], [5, 95])
        start = rng.uniform(0, 0.6)
        share = (place - low) / max(high - low, 1e-9)
        return neck & (share > start) & (share < start + rng.uniform(0.25, 0.45))
    torso = _is(figure, ("torso",))
    low, high = np.percentile(points[torso], [2, 98], axis=0)
    share = (points - low) / (high - low)
    if kind == "saddle":
        middle, half = rng.uniform(0.35, 0.6), rng.uniform(0.12, 0.25)
        return torso & (np.abs(share[:, 1] - middle) < half) & (share[:, 2] > rng.uniform(0.4, 0.7))
    return torso & (share[:, 2] > rng.uniform(0.1, 0.5))


def _horns(figure: Rigged, head: np.ndarray, rng: np.random.Generator) -> list[Rigged]:
    """A pair of horns or antlers' beams on the top of the head, or a single one on the nose."""
    skin = np.flatnonzero(_is(figure, ("head",)))
    points = figure.vertices[skin]
    size = np.ptp(points, axis=0).max()
    length, girth = size * rng.uniform(0.3, 1.2), size * rng.uniform(0.04, 0.1)
    single = rng.uniform() < 0.25
    wide = 0.0 if single else rng.uniform(0.1, 0.25) * size
    ahead = rng.uniform(0.0, 0.8)
    y = head[1] + ahead * (points[:, 1].min() - head[1])
    near = np.linalg.norm(points[:, :2] - [wide, y], axis=1) < 0.2 * size
    if not near.any():
        return []
    root = np.array([wide, y, points[near, 2].max() - girth])
    share = np.linspace(0, 1, 8)[:, None]
    lean = np.array([0.0 if single else rng.uniform(0.2, 1.0), rng.uniform(-0.6, 0.8), 1.0])
    curl = np.array([0.0 if single else rng.uniform(-0.6, 0.6), rng.uniform(-0.8, 0.8), 0.0])
    path = root + length * (share * lean / np.linalg.norm(lean) + share**2 * curl)
    vertices, faces = tube(path, girth * (1.05 - share[:, 0]), int(rng.integers(5, 9)))
    nearest = skin[cKDTree(points).query(root)[1]]
    part = np.full(len(vertices), ANIMAL_PART_NAMES.index("head"), np.int32)
    kind = np.full(len(vertices), ACCESSORY, np.int32)
    weights = figure.weights[np.full(len(vertices), nearest)]
    horn = Rigged(vertices, faces, part, kind, weights)
    if single:
        return [horn]
    twin = Rigged(vertices * [-1, 1, 1], faces[:, ::-1], part, kind, weights)
    return [horn, twin]


def _plates(figure: Rigged, rng: np.random.Generator) -> list[Rigged]:
    """A row of spikes or flat plates along the top of trunk, neck and tail, or of some of them."""
    stems = ("torso", "tail", "neck")[: int(rng.integers(1, 4))]
    points = figure.vertices
    near_middle = np.abs(points[:, 0]) < 0.06
    skin = np.flatnonzero(_is(figure, stems) & near_middle)
    if not len(skin):
        return []
    low, high = points[skin, 1].min(), points[skin, 1].max()
    count = int(rng.integers(5, 16))
    step = (high - low) / count
    tallest, flat, lean = step * rng.uniform(0.6, 2.2), rng.uniform(0.2, 1.0), rng.normal(0, 0.3)
    made = []
    for number in range(count):
        place = low + step * (number + 0.5)
        there = skin[np.abs(points[skin, 1] - place) < step / 2]
        if not len(there):
            continue
        root = there[points[there, 2].argmax()]
        # Tallest in the middle of the row.
        height = tallest * (0.4 + 0.6 * np.sin(np.pi * (number + 0.5) / count))
        share = np.linspace(0, 1, 4)[:, None]
        start = points[root] * [0, 1, 1] - [0, 0, 0.2 * height]
        path = start + 1.2 * height * share * [0.0, lean, 1.0]
        vertices, faces = tube(path, 0.45 * step * (1.05 - share[:, 0]), int(rng.integers(4, 7)))
        vertices[:, 0] *= flat
        part = np.full(len(vertices), figure.fine[root], np.int32)
        kind = np.full(len(vertices), ACCESSORY, np.int32)
        weights = figure.weights[np.full(len(vertices), root)]
        made.append(Rigged(vertices, faces, part, kind, weights))
    return made
