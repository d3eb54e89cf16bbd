"""Skirts, robes, dresses, long coats and wide sleeves, each part of the bones that riggers give it.

Below the hip joints a skirt belongs to the thigh that moves it, left or right by the nearer leg,
down to its hem; above them to the pelvis. A sleeve belongs to the upper arm up to the elbow and to
the forearm from there on, however far it hangs over the hand.
"""

from __future__ import annotations

import numpy as np

from .bodies import Rigged
from .clothing import Garment, hung, opened, reach_of, tailor
from .landmarks import landmarks
from .meshes import CLOTHING, solidify
from .parts import FINE_NAMES, SIDES
from .poses import unit
from .primitives import grid_faces
from .template import load_template, weights_of_bones


def gown(body: Rigged, rng: np.random.Generator) -> list[Garment]:
    """A skirt, dress, robe, kimono, long coat or tunic with what is worn above and below it."""
    at = landmarks()
    kind = str(
        rng.choice(
            ["skirt", "dress", "robe", "kimono", "coat", "tunic", "shorts", "wide trousers"],
            p=(0.2, 0.16, 0.16, 0.12, 0.14, 0.1, 0.06, 0.06),
        )
    )
    worn: list[Garment | None] = []
    bulk = float(np.exp(rng.uniform(np.log(0.004), np.log(0.03))))
    neckline, steps = rng.uniform(0.85, 1.2), int(rng.integers(0, 50))
    trunk = (at.height > 0.1) & (at.height < neckline) & (at.upwards == 0) & (at.leg < 0)
    if kind in ("shorts", "wide trousers"):
        length = rng.uniform(0.35, 1.1) if kind == "shorts" else rng.uniform(1.3, 2.0)
        legs = (at.height < rng.uniform(0.15, 0.4)) & (at.leg < 0) & (at.arm < 0)
        legs |= (at.leg >= 0) & (at.leg < length)
        wide = float(rng.uniform(0.015, 0.05))
        worn.append(tailor(body, legs & at.skin, wide, int(rng.integers(10, 60)), rng))
    else:
        least, most = {"skirt": (0.15, 1.0), "tunic": (0.12, 0.45)}.get(kind, (0.35, 1.0))
        opening = rng.uniform(0.05, 0.8) if kind == "coat" else 0.0
        worn.append(long_skirt(body, rng, float(rng.uniform(least, most)), opening))
    sleeve = float(rng.choice([0.03, rng.uniform(0.2, 0.9), rng.uniform(1.2, 1.95)]))
    wide_sleeves = {"kimono": 0.95, "robe": 0.7, "dress": 0.25, "coat": 0.3}.get(kind, 0.08)
    if rng.uniform() < wide_sleeves:
        worn += sleeves(body, rng)
        sleeve = 0.35
    if kind != "skirt" or rng.uniform() < 0.8:
        top = trunk & (at.arm < sleeve) | (at.arm >= 0) & (at.arm < sleeve)
        worn.append(tailor(body, top & at.skin, bulk, steps, rng))
    if rng.uniform() < 0.6:
        boots = at.leg > rng.choice([rng.uniform(1.85, 2.1), rng.uniform(1.2, 1.8)])
        worn.append(tailor(body, boots & at.skin, rng.uniform(0.005, 0.04), 20, rng))
    if rng.uniform() < 0.4:
        belt = (np.abs(at.height - rng.uniform(0.15, 0.4)) < rng.uniform(0.03, 0.1)) & (at.arm < 0)
        worn.append(tailor(body, belt & at.skin, bulk + rng.uniform(0.01, 0.04), 10, rng))
    return [garment for garment in worn if garment is not None]


def long_skirt(body: Rigged, rng: np.random.Generator, length: float, opening: float) -> Garment:
    """Rings from the waist down around both legs: straight, flared, a bell, pleated, in points.

    Parameters
    ----------
    length : 0 at the waist, 1 at the floor.
    opening : radians on either side of the front that are left open.
    """
    at = landmarks()
    arms = (at.arm >= 0) | np.isin(body.fine, _SHOULDERS)
    points = body.vertices[at.skin & ~arms & (at.height < 0.9)]
    floor = points[:, 2].min()
    waist = body.vertices[at.skin & (np.abs(at.height - rng.uniform(0.15, 0.4)) < 0.05)]
    top = waist[:, 2].mean()
    bottom = top - length * (top - floor) * rng.uniform(0.94, 0.99)
    rows, columns = int(rng.integers(4, 22)), int(rng.choice([8, 12, 16, 24, 32, 44]))
    levels, middle = np.linspace(top, bottom, rows), waist[:, 1].mean()
    angle = (np.arange(columns) + 0.5) * (2 * np.pi / columns)
    outward = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    axis, slab = np.array([0.0, middle]), 1.2 * abs(levels[0] - levels[1]) + 0.02
    reach = reach_of(points, levels, axis, outward, slab)
    down = np.linspace(0, 1, rows)[:, None]
    shape = str(rng.choice(["straight", "line", "bell", "pencil", "trumpet"]))
    # Cloth falls: only a pencil skirt comes in again below a wide place.
    hips = np.maximum.accumulate(reach, axis=0)
    reach = 0.5 * (reach + hips) if shape == "pencil" else hips
    flare = rng.uniform(0.05, 0.5) * (top - bottom)
    spread = {
        "straight": 0.05 * down,
        "pencil": 0.0 * down,
        "line": down,
        "bell": np.sqrt(np.clip(1 - (1 - down) ** 2, 0, 1)),
        "trumpet": down**3,
    }[shape]
    folds = rng.integers(4, 16)
    pleats = 1.0 + rng.choice([0.0, rng.uniform(0, 0.08)]) * down * np.cos(angle * folds)
    radius = (reach + rng.uniform(0.008, 0.03) + flare * spread) * pleats
    ring = axis + radius[:, :, None] * outward
    hem = np.broadcast_to(levels[:, None], (rows, columns)).copy()
    hem -= (
        rng.choice([0.0, 0.0, rng.uniform(-0.2, 0.2)])
        * down**2
        * np.cos(angle * folds)
        * (top - bottom)
        * (1 if length < 0.8 else 0)
    )
    vertices = np.concatenate([ring, hem[:, :, None]], axis=2).reshape(-1, 3)
    faces = grid_faces(rows, columns, wrapped=True)[:, ::-1]
    if opening:
        vertices, faces = opened(vertices, faces, angle, opening)
    if rng.uniform() < 0.5:
        vertices, faces = solidify(vertices, faces, rng.uniform(0.003, 0.015))
    hidden = at.skin & ~arms & (at.upwards == 0) & (at.height < 1) & (opening < 0.25)
    hidden &= (body.vertices[:, 2] < top - 0.03) & (body.vertices[:, 2] > bottom + 0.05)
    return Garment(hung(vertices, faces, body, rng.uniform(0.02, 0.06)), hidden)


def sleeves(body: Rigged, rng: np.random.Generator) -> list[Garment]:
    """Wide sleeves, alike on both sides: cones or bells, or a kimono's that hang down."""
    at, template = landmarks(), load_template()
    start, end = rng.uniform(0.0, 0.5), rng.uniform(1.3, 2.15)
    rows, columns = int(rng.integers(4, 14)), int(rng.integers(6, 18))
    flare, hang = rng.uniform(0.02, 0.14), rng.choice([0.0, rng.uniform(0.05, 0.4)])
    power, close = rng.uniform(0.7, 2.5), rng.uniform(0.008, 0.025)
    thick = rng.uniform(0.003, 0.012) if rng.uniform() < 0.5 else 0.0
    sharp = rng.uniform(0.05, 0.2)
    made = []
    for side in SIDES:
        sign = 1 if side == "L" else -1
        own = at.skin & (at.side == sign) & (at.arm >= 0)
        elbow = body.vertices[own & (np.abs(at.arm - 1) < 0.06)].mean(axis=0)
        ends = [body.vertices[own & (np.abs(at.arm - e) < 0.08)].mean(axis=0) for e in (0.1, 1.95)]
        joints = np.array(
            [elbow - (elbow - ends[0]) / 0.9, elbow, elbow + (ends[1] - elbow) / 0.95]
        )
        joints = np.concatenate([joints, [joints[2] + 0.8 * (joints[2] - joints[1])]])
        along = np.linspace(start, end, rows)
        path = np.stack([np.interp(along, np.arange(4), joints[:, i]) for i in range(3)], axis=1)
        arm = unit(joints[2] - joints[0])
        below = unit(np.array([0, 0, -1.0]) + arm * arm[2])
        aside = np.cross(arm, below)
        girth = np.array(
            [
                np.linalg.norm(
                    np.cross(body.vertices[own & (np.abs(at.arm - a) < 0.12)] - p, arm), axis=1
                ).max()
                for a, p in zip(np.minimum(along, 1.95), path, strict=True)
            ]
        )
        share = ((along - start) / (end - start)) ** power
        radius = np.minimum(girth, 0.12) + close + flare * share
        turn = np.arange(columns) * (2 * np.pi / columns)
        low = (radius + hang * share)[:, None] * np.maximum(np.cos(turn), 0)
        high = radius[:, None] * np.minimum(np.cos(turn), 0)
        across = radius[:, None] * np.sin(turn)
        grid = path[:, None] + (low + high)[..., None] * below + across[..., None] * aside
        vertices, faces = grid.reshape(-1, 3), grid_faces(rows, columns, wrapped=True)
        outward = np.cross(grid[1, 0] - grid[0, 0], grid[0, 1] - grid[0, 0]) @ (
            grid[0, 0] - path[0]
        )
        if outward > 0:  # rows run along the arm, columns around it
            faces = faces[:, ::-1]
        steps = np.repeat(along, columns)
        if thick:
            vertices, faces = solidify(vertices, faces, thick)
            steps = np.tile(steps, 2)
        fore = np.clip(0.5 + (steps - 1.0) / (2 * sharp), 0, 1)
        bones = [template.bone(f"{name}.{side}") for name in ("upperarm01", "lowerarm01")]
        weights = weights_of_bones(np.stack([1 - fore, fore], axis=1), bones)
        parts = [FINE_NAMES.index(f"{name}.{side}") for name in ("upper_arm", "forearm")]
        fine = np.where(fore > 0.5, parts[1], parts[0]).astype(np.int32)
        hidden = own & (at.arm > start + 0.15) & (at.arm < min(end, 2.0) - 0.15)
        worn = np.full(len(vertices), CLOTHING, np.int32)
        made.append(Garment(Rigged(vertices, faces, fine, worn, weights), hidden))
    return made


_SHOULDERS = [index for index, name in enumerate(FINE_NAMES) if name.startswith("shoulder")]
