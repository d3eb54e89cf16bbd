"""What grows on heads and is put on them: hair caps, strands, spikes, helmets and hats."""

from __future__ import annotations

import numpy as np
from scipy import sparse

from .bodies import Rigged, join
from .clothing import tailor
from .landmarks import landmarks
from .meshes import ACCESSORY, HAIR
from .parts import FINE_NAMES
from .primitives import Mesh, lathe, rounded_box, torus, tube
from .template import load_template


def on_head(body: Rigged, rng: np.random.Generator) -> list[Rigged]:
    """Hair, or a helmet or hat, or both, all part of the head; at times nothing."""
    kinds = ("none", "cap", "strands", "cards", "spikes", "tail", "helmet", "hat")
    kind = str(rng.choice(kinds, p=(0.14, 0.2, 0.16, 0.1, 0.1, 0.08, 0.12, 0.1)))
    worn = []
    if kind in ("cap", "strands", "cards", "spikes", "tail"):
        cap = _cap(body, rng)
        if cap is not None and (kind in ("cap", "tail") or rng.uniform() < 0.7):
            worn.append(cap)
        if kind != "cap":
            worn += _strands(body, rng, kind)
    if kind == "helmet":
        worn += _helmet(body, rng)
    if kind == "hat":
        worn += _hat(body, rng)
    return worn


def rigid(mesh: Mesh, bone: str, fine: str, component: int) -> Rigged:
    """A mesh in the rest pose that one bone carries; `component` as in `meshes.Body`."""
    template = load_template()
    vertices, faces = mesh
    count = len(vertices)
    weights = sparse.csr_matrix(
        (np.ones(count), (np.arange(count), np.full(count, template.bone(bone)))),
        shape=(count, len(template.bones)),
    )
    return Rigged(
        vertices,
        faces,
        np.full(count, FINE_NAMES.index(fine), np.int32),
        np.full(count, component, np.int32),
        weights,
    )


def head_piece(mesh: Mesh, component: int) -> Rigged:
    """A mesh in the rest pose that is head; `component` as in `meshes.Body`."""
    return rigid(mesh, "head", "head", component)


def all_head(figure: Rigged, component: int) -> Rigged:
    """A figure whose parts are all head."""
    return head_piece((figure.vertices, figure.faces), component)


def _scalp(rng: np.random.Generator) -> np.ndarray:
    at = landmarks()
    hairline, nape = rng.uniform(0.25, 0.75), rng.uniform(-0.75, -0.2)
    top = at.upwards > rng.uniform(0.25, 0.7)
    back = (at.forwards < rng.uniform(-0.1, 0.35)) & (at.upwards > nape)
    return (top & (at.forwards < hairline)) | back & (at.upwards != 0)


def _cap(body: Rigged, rng: np.random.Generator) -> Rigged | None:
    thickness = np.exp(rng.uniform(np.log(0.004), np.log(0.06)))
    cap = tailor(body, _scalp(rng), float(thickness), int(rng.integers(0, 60)), rng)
    return None if cap is None else all_head(cap.figure, HAIR)


def _strands(body: Rigged, rng: np.random.Generator, kind: str) -> list[Rigged]:
    """Locks that fall, stand up or are tied together, as tubes or flat cards."""
    scalp = np.flatnonzero(_scalp(rng))
    if not len(scalp):
        return []
    head = body.vertices[landmarks().upwards != 0]
    middle, size = head.mean(axis=0), np.ptp(head[:, 2])
    count = {"strands": 45, "cards": 60, "spikes": 30, "tail": 12}[kind]
    count = int(rng.integers(count // 4, count + 1))
    length = (
        size
        * {
            "strands": rng.uniform(0.3, 2.2),
            "cards": rng.uniform(0.3, 2.2),
            "spikes": rng.uniform(0.2, 0.9),
            "tail": rng.uniform(0.5, 2.5),
        }[kind]
    )
    thick = size * {"spikes": rng.uniform(0.06, 0.2), "tail": rng.uniform(0.06, 0.2)}.get(
        kind, rng.uniform(0.02, 0.1)
    )
    roots = body.vertices[rng.choice(scalp, count)]
    if kind == "tail":
        roots = middle + size * np.array([0, 0.45, rng.uniform(0.0, 0.5)])
        roots = roots + rng.normal(0, 0.04 * size, (count, 3))
    steps, sides = int(rng.integers(3, 7)), int(rng.integers(3, 6))
    flatness = 0.12 if kind == "cards" else rng.uniform(0.5, 1.0)
    droop = 0.0 if kind == "spikes" else rng.uniform(1.5, 4.0)
    locks = []
    for root in roots:
        direction = root - middle + rng.normal(0, 0.15 * size, 3)
        direction /= np.linalg.norm(direction)
        path = [root - 0.05 * size * direction]
        for step in range(steps):
            fall = min(droop * (step + 1) / steps, 1.0) if droop else 0.0
            heading = direction * (1.0 - fall) ** 2 + fall * np.array([0, 0.02, -1.0])
            heading /= np.linalg.norm(heading)
            here = path[-1] + heading * length * rng.uniform(0.8, 1.1) / steps
            path.append(_outside(here, middle, size))
        taper = np.linspace(1.0, 0.15 if kind == "spikes" else 0.45, len(path))
        mesh = tube(np.array(path), thick * taper * rng.uniform(0.6, 1.3), sides, flatness)
        locks.append(head_piece(mesh, HAIR))
    return [join(locks)]


def _outside(point: np.ndarray, middle: np.ndarray, size: float) -> np.ndarray:
    """Pushed out of an ellipsoid around the skull and of a post for the neck and the back."""
    away = (point - middle) / (size * np.array([0.36, 0.46, 0.5]))
    distance = np.linalg.norm(away)
    if distance < 1.0:
        point = middle + (point - middle) / max(distance, 0.3)
    if point[2] < middle[2] - 0.4 * size:
        flat = point[:2] - middle[:2]
        reach = np.linalg.norm(flat)
        least = 0.45 * size
        if reach < least:
            point = np.append(middle[:2] + flat * least / max(reach, 1e-6), point[2])
    return point


def skull(body: Rigged) -> tuple[np.ndarray, np.ndarray]:
    """Middle and extents of the head in the rest pose."""
    head = body.vertices[landmarks().upwards != 0]
    return (head.min(axis=0) + head.max(axis=0)) / 2, np.ptp(head, axis=0)


def _helmet(body: Rigged, rng: np.random.Generator) -> list[Rigged]:
    """A shell around the head, closed or open at the face, with what helmets carry."""
    at = landmarks()
    low, face = rng.uniform(-1.0, 0.3), rng.choice([2.0, rng.uniform(0.2, 0.8)])
    mask = (at.upwards > low) & (at.upwards != 0) & (at.forwards < face)
    shell = tailor(body, mask, rng.uniform(0.015, 0.06), int(rng.integers(40, 150)), rng)
    worn = [] if shell is None else [all_head(shell.figure, ACCESSORY)]
    middle, size = skull(body)
    if rng.uniform() < 0.4:  # a visor or goggles
        box = rounded_box(size * rng.uniform([0.5, 0.1, 0.1], [0.9, 0.4, 0.4]), 0.3, 4)
        place = middle + size * [0, -0.5, rng.uniform(-0.1, 0.25)]
        worn.append(head_piece((box[0] + place, box[1]), ACCESSORY))
    if rng.uniform() < 0.4:  # ear pieces
        for side in (-1, 1):
            box = rounded_box(size * rng.uniform(0.12, 0.35, 3), rng.uniform(0.1, 1.0), 4)
            worn.append(
                head_piece((box[0] + middle + size * [side * 0.5, 0, 0], box[1]), ACCESSORY)
            )
    if rng.uniform() < 0.3:  # a crest, an antenna or horns
        for side in (-1, 1) if rng.uniform() < 0.6 else (0,):
            root = middle + size * [side * 0.35, 0, 0.4]
            tip = root + size * [side * rng.uniform(0, 0.6), rng.uniform(-0.2, 0.3), 0.5]
            path = np.linspace(root, tip, 5)
            radii = size[0] * rng.uniform(0.02, 0.12) * np.linspace(1, 0.3, 5)
            worn.append(head_piece(tube(path, radii, 6), ACCESSORY))
    return worn


def _hat(body: Rigged, rng: np.random.Generator) -> list[Rigged]:
    """A crown turned on the lathe, with a brim, flat, tall or pointed."""
    middle, size = skull(body)
    radius = 0.55 * max(size[0], size[1]) * rng.uniform(0.95, 1.25)
    tall = size[2] * rng.uniform(0.2, 1.0)
    heights = np.linspace(0, 1, 6)
    shape = np.clip(1 - heights ** rng.uniform(1.0, 6.0), 0.03, 1)
    profile = np.stack([radius * shape, tall * heights], axis=1)
    if rng.uniform() < 0.6:
        profile = np.concatenate([[[radius * rng.uniform(1.1, 1.9), -0.02 * tall]], profile])
    mesh = lathe(profile, int(rng.integers(8, 32)))
    base = middle + size * [0, 0, rng.uniform(0.1, 0.3)]
    worn = [head_piece((mesh[0] + base, mesh[1]), ACCESSORY)]
    if rng.uniform() < 0.4:
        band = torus(radius, 0.04 * size[2], 24, 5)
        worn.append(head_piece((band[0] + base, band[1]), ACCESSORY))
    if rng.uniform() < 0.5:
        worn += _strands(body, rng, "strands")
    return worn
