"""What meshes lack and have too much of: cuts, holes, missing ends, scan noise, loose pieces."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.spatial import cKDTree

from diffusionnet_blender.surface.winding import vertex_normals

from .meshes import Body, bumps, join_bodies
from .parts import PART_NAMES, SIDES

ENDS = ("head",) + tuple(
    f"{name}.{side}" for name in ("hand", "foot", "forearm", "shin") for side in SIDES
)
# What goes with an end that is missing.
_BEYOND = {"forearm": "hand", "shin": "foot"}


def cut(body: Body, rng: np.random.Generator) -> Body:
    """The body without what `left_by_cut` takes."""
    return body.with_faces(body.faces[left_by_cut(body, rng)])


def left_by_cut(body: Body, rng: np.random.Generator) -> np.ndarray:
    """Which triangles stay, (F,) bool, where hands, feet, the head or longer ends are lost; or
    everything beyond a plane; or a half.

    At least four parts and a third of the triangles are kept: cuts that would take more are not
    made.
    """
    for _ in range(10):
        left = _vertices_left(body, rng)[body.faces].all(axis=1)
        parts = np.unique(body.labels[body.faces[left]])
        if len(body.faces) / 3 < np.count_nonzero(left) < len(body.faces) and len(parts) >= 4:
            return left
    return np.ones(len(body.faces), bool)


def _vertices_left(body: Body, rng: np.random.Generator) -> np.ndarray:
    kind = str(rng.choice(["ends", "plane", "bust", "open neck"], p=(0.5, 0.25, 0.15, 0.1)))
    names = np.array(PART_NAMES)[body.labels]
    if kind == "ends":
        lost = set(rng.choice(ENDS, rng.integers(1, 4), replace=False).tolist())
        for name in list(lost):
            stem, _, side = name.partition(".")
            if stem in _BEYOND:
                lost.add(f"{_BEYOND[stem]}.{side}")
        return ~np.isin(names, list(lost))
    if kind == "open neck":
        return names != "head"
    stems = np.char.partition(names, ".")[:, 0]
    if kind == "bust":
        # Upper half or lower half.
        if rng.uniform() < 0.4:
            return ~np.isin(stems, ["hand", "forearm", "head"])
        return ~np.isin(stems, ["thigh", "shin", "foot"])
    low, high = body.vertices.min(axis=0), body.vertices.max(axis=0)
    axis = rng.choice(3, p=(0.2, 0.1, 0.7))
    normal = np.eye(3)[axis] * rng.choice([-1.0, 1.0]) + rng.normal(0, 0.2, 3)
    level = (low + rng.uniform(0.25, 0.75, 3) * (high - low)) @ normal
    return body.vertices @ normal < level


def bust(body: Body, rng: np.random.Generator) -> Body:
    """What is above a plane through the chest, the waist, the hips or the thighs of a standing
    figure, arms at times kept below it, hands or an arm at times missing.

    A cut that would leave less than a twentieth of the triangles is not made.
    """
    names = np.array(PART_NAMES)[body.labels]
    stems = np.char.partition(names, ".")[:, 0]
    torso, height = body.vertices[stems == "torso", 2], body.vertices[:, 2]
    if not len(torso):
        return body
    low, high = np.percentile(torso, [4, 96])
    level = low + (high - low) * rng.choice([rng.uniform(-0.6, 0.0), rng.uniform(0.0, 0.75)])
    tilt = rng.normal(0, 0.08, 2)
    away = body.vertices[:, :2] - body.vertices[stems == "torso", :2].mean(axis=0)
    keep = height > level + away @ tilt
    if rng.uniform() < 0.3:
        keep |= np.isin(stems, ["upper_arm", "forearm", "hand"])
    side = str(rng.choice(["L", "R"]))
    lost = rng.choice(4, p=(0.6, 0.15, 0.15, 0.1))
    if lost == 1:
        keep &= stems != "hand"
    elif lost == 2:
        keep &= ~np.isin(names, [f"hand.{side}", f"forearm.{side}"])
    elif lost == 3:
        keep &= ~np.isin(names, [f"{stem}.{side}" for stem in ("hand", "forearm", "upper_arm")])
    left = keep[body.faces].all(axis=1)
    return body.with_faces(body.faces[left]) if 20 * left.sum() > len(left) else body


def holes(body: Body, rng: np.random.Generator) -> Body:
    """The body with the holes of `left_by_holes`."""
    return body.with_faces(body.faces[left_by_holes(body, rng)])


def left_by_holes(body: Body, rng: np.random.Generator) -> np.ndarray:
    """Which triangles stay, (F,) bool, about round holes, where a scanner does not see or a
    sculptor has not finished; all where less than half would be left."""
    keep = np.ones(len(body.vertices), bool)
    size = np.ptp(body.vertices, axis=0).max()
    for _ in range(rng.integers(1, 9)):
        centre = body.vertices[rng.integers(len(body.vertices))]
        radius = size * rng.uniform(0.008, 0.05)
        keep &= np.linalg.norm(body.vertices - centre, axis=1) > radius
    if rng.uniform() < 0.3:  # soles on the floor
        keep &= body.vertices[:, 2] > body.vertices[:, 2].min() + 0.01 * size
    left = keep[body.faces].all(axis=1)
    return left if 2 * np.count_nonzero(left) > len(left) else np.ones(len(left), bool)


def scan(body: Body, rng: np.random.Generator) -> Body:
    """Uneven skin, as scanners and photographs give it."""
    size = np.ptp(body.vertices, axis=0).max()
    normals = vertex_normals(body.vertices, body.faces)
    amount = np.zeros(len(normals))
    for share in (0.02, 0.06):
        wave = bumps(body.vertices, rng, wavelength=share * size * rng.uniform(0.7, 1.5))
        amount += rng.uniform(0, 0.0025) * size * wave
    return replace(body, vertices=body.vertices + amount[:, None] * normals)


def loosen(body: Body, rng: np.random.Generator) -> Body:
    """One skin as several objects, cut along parts or planes, touching or a little apart; or pieces
    doubled."""
    kind = str(rng.choice(["parts", "planes", "patches", "doubled"], p=(0.4, 0.15, 0.2, 0.25)))
    middle = body.vertices[body.faces].mean(axis=1)
    if kind == "doubled":
        return double(body, rng)
    if kind == "parts":
        group = body.labels[body.faces[:, 0]]
        # Only some seams are open.
        count = len(body.anatomy.part_names)
        joined = rng.integers(0, 1 + count, count)
        group = np.where(rng.uniform() < 0.5, group, joined[group])
    elif kind == "planes":
        low, high = middle.min(axis=0), middle.max(axis=0)
        share = (middle - low) / (high - low)
        group = (share[:, 2] > rng.uniform(0.2, 0.8)) + 2 * (share[:, 0] > rng.uniform(0.3, 0.7))
    else:
        centres = middle[rng.choice(len(middle), int(rng.integers(3, 12)))]
        group = cKDTree(centres).query(middle)[1]
    gap = rng.choice([0.0, rng.uniform(0.0, 0.006)]) * np.ptp(body.vertices, axis=0).max()
    pieces = []
    for number in np.unique(group):
        piece = body.with_faces(body.faces[group == number])
        if not len(piece.faces):
            continue
        # Pieces must not weld again: even touching ones differ by a hair.
        shift = rng.normal(size=3)
        shift *= max(gap, 2e-5) / np.linalg.norm(shift)
        pieces.append(replace(piece, vertices=piece.vertices + shift))
    return join_bodies(pieces)


def double(body: Body, rng: np.random.Generator) -> Body:
    """Some parts twice, one within the other, as lining, armour or a copy left behind."""
    size = np.ptp(body.vertices, axis=0).max()
    chosen = rng.uniform(size=len(body.anatomy.part_names)) < rng.choice([0.3, 1.0])
    inside = chosen[body.labels][body.faces].all(axis=1)
    if not inside.any():
        return body
    lifted = body.vertices + size * rng.uniform(-0.012, 0.012) * vertex_normals(
        body.vertices, body.faces
    )
    copy = replace(body, vertices=lifted).with_faces(body.faces[inside])
    return join_bodies([body, copy])
