"""Clothes: copies of regions of the body, inflated, smoothed, cut and thickened; and skirts.

A garment is made on the rest pose and moves with the skinning weights of the skin beneath it,
whose labels it carries; a skirt with pelvis and thighs.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from diffusionnet_blender.surface.triangles import compact, smooth
from diffusionnet_blender.surface.winding import vertex_normals

from .bodies import Rigged
from .landmarks import Landmarks, landmarks
from .meshes import CLOTHING, bumps, solidify
from .parts import FINE_NAMES, SIDES
from .primitives import grid_faces
from .template import load_template, weights_of_bones

Region = Callable[[Landmarks, np.random.Generator], np.ndarray]


@dataclass(frozen=True, eq=False)
class Garment:
    """One garment.

    Attributes
    ----------
    figure : Rigged
    covered : (V,) bool
        Vertices of the body beneath it, a little inside its rims.
    """

    figure: Rigged
    covered: np.ndarray


def _shirt(at: Landmarks, rng: np.random.Generator) -> np.ndarray:
    sleeve = rng.choice([rng.uniform(0.05, 0.35), rng.uniform(0.4, 0.95), rng.uniform(1.2, 2.0)])
    hem, neckline = rng.uniform(-0.15, 0.45), rng.uniform(0.85, 1.25)
    leg = rng.uniform(0.0, 0.15) if hem < 0.0 else -0.5
    torso = (at.height > hem) & (at.height < neckline) & (at.upwards == 0) & (at.leg < 0)
    return torso & (at.arm < sleeve) | (at.arm >= 0) & (at.arm < sleeve) | _between(at.leg, leg)


def _trousers(at: Landmarks, rng: np.random.Generator) -> np.ndarray:
    length = rng.choice([rng.uniform(0.3, 0.9), rng.uniform(1.2, 1.7), rng.uniform(1.8, 2.05)])
    waist = rng.uniform(0.12, 0.45)
    return (at.height < waist) & (at.leg < 0) & (at.arm < 0) | _between(at.leg, length)


def _overall(at: Landmarks, rng: np.random.Generator) -> np.ndarray:
    neckline = rng.uniform(0.9, 1.25)
    arm, leg = rng.uniform(0.3, 2.2), rng.uniform(1.0, 3.1)
    torso = (at.height < neckline) & (at.upwards == 0)
    return torso & (at.arm < arm) & (at.leg < leg)


def _vest(at: Landmarks, rng: np.random.Generator) -> np.ndarray:
    low, high = rng.uniform(0.1, 0.5), rng.uniform(0.8, 1.0)
    return (at.height > low) & (at.height < high) & (at.arm < 0.03) & (at.upwards == 0)


def _boots(at: Landmarks, rng: np.random.Generator) -> np.ndarray:
    return at.leg > rng.choice([rng.uniform(1.85, 2.1), rng.uniform(1.2, 1.8)])


def _gloves(at: Landmarks, rng: np.random.Generator) -> np.ndarray:
    top = rng.choice([2.05, rng.uniform(1.3, 2.0)])
    tip = 9.0 if rng.uniform() < 0.7 else rng.uniform(2.5, 2.7)
    return (at.arm > top) & (at.arm < tip)


def _cuffs(at: Landmarks, rng: np.random.Generator) -> np.ndarray:
    """Bracers, elbow pads, knee pads, greaves: a stretch of the limbs, on both sides or one."""
    along = at.arm if rng.uniform() < 0.5 else at.leg
    middle, half = rng.uniform(0.3, 1.9), rng.uniform(0.08, 0.4)
    chosen = np.abs(along - middle) < half
    return chosen & (at.side > 0) if rng.uniform() < 0.2 else chosen


def _collar(at: Landmarks, rng: np.random.Generator) -> np.ndarray:
    low, high = rng.uniform(0.88, 0.98), rng.uniform(1.08, 1.3)
    return (at.height > low) & (at.height < high) & (at.upwards <= 0) & (at.arm < 0)


def _belt(at: Landmarks, rng: np.random.Generator) -> np.ndarray:
    middle, half = rng.uniform(0.0, 0.35), rng.uniform(0.03, 0.09)
    return (np.abs(at.height - middle) < half) & (at.arm < 0)


def _hood(at: Landmarks, rng: np.random.Generator) -> np.ndarray:
    open_face = rng.uniform(0.3, 0.9)
    low = rng.uniform(0.85, 1.1)
    return (at.height > low) & (at.arm < 0) & (at.forwards < open_face)


def _mask(at: Landmarks, rng: np.random.Generator) -> np.ndarray:
    top = rng.uniform(-0.5, 1.0)
    return (at.forwards > rng.uniform(-0.2, 0.6)) & (at.upwards < top) & (at.height > 1.1)


def _between(along: np.ndarray, end: float) -> np.ndarray:
    return (along >= 0) & (along < end)


# Each outfit: the region, how far it stands off (metres, at least and at most), how many rounds of
# smoothing at most.
_SHIRT = (_shirt, (0.003, 0.03), 40)
_TROUSERS = (_trousers, (0.003, 0.035), 40)
_OVERALL = (_overall, (0.003, 0.03), 40)
_BOOTS = (_boots, (0.005, 0.03), 60)
_GLOVES = (_gloves, (0.002, 0.012), 12)
_ADDED = (
    (_vest, (0.01, 0.06), 60),
    (_cuffs, (0.008, 0.045), 50),
    (_collar, (0.006, 0.05), 30),
    (_belt, (0.006, 0.03), 30),
    (_hood, (0.008, 0.05), 80),
    (_mask, (0.006, 0.03), 40),
)


def dress(body: Rigged, rng: np.random.Generator) -> list[Garment]:
    """A random outfit: from a pair of trousers to a soldier's layers.

    Parameters
    ----------
    body : the bare body, all of the template's vertices, in the rest pose.
    """
    worn = []
    if rng.uniform() < 0.25:
        worn.append(_OVERALL)
    else:
        worn += [item for item in (_SHIRT, _TROUSERS) if rng.uniform() < 0.85]
    worn += [_BOOTS] * (rng.uniform() < 0.8) + [_GLOVES] * (rng.uniform() < 0.35)
    extra = rng.choice([0, 1, 2, 4], p=(0.35, 0.3, 0.2, 0.15))
    worn += [_ADDED[i] for i in rng.choice(len(_ADDED), extra, replace=False)]
    bulk = rng.uniform(1.5, 2.5) if rng.uniform() < 0.3 else 1.0
    garments = []
    for region, (least, most), steps in worn:
        mask = region(landmarks(), rng) & landmarks().skin
        thickness = bulk * float(np.exp(rng.uniform(np.log(least), np.log(most))))
        garment = tailor(body, mask, thickness, int(rng.integers(0, steps + 1)), rng)
        if garment is not None:
            garments.append(garment)
    if rng.uniform() < 0.22:
        garments.append(skirt(body, rng))
    for _ in range(rng.choice([0, 2, 5, 10], p=(0.55, 0.2, 0.15, 0.1))):
        garments += armour(body, rng)
    return garments


def tailor(
    body: Rigged, mask: np.ndarray, thickness: float, steps: int, rng: np.random.Generator
) -> Garment | None:
    """A copy of a region of the skin that stands off by about `thickness`.

    Returns
    -------
    Garment, or None where nothing is left of the region.
    """
    inside = mask[body.faces].all(axis=1)
    if np.count_nonzero(inside) < 40:
        return None
    faces, kept = compact(len(body.vertices), body.faces[inside])
    skin = body.vertices[kept]
    # Directions of the whole skin: at a rim its own triangles would not do.
    normals = smooth(vertex_normals(body.vertices, body.faces), body.faces, 3)[kept]
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-9)
    folds = 1.0 + rng.uniform(0.0, 0.5) * bumps(skin, rng, wavelength=rng.uniform(0.08, 0.4))
    vertices = smooth(skin + thickness * np.clip(folds, 0.2, 3.0)[:, None] * normals, faces, steps)
    sunk = 0.3 * thickness - np.einsum("vi,vi->v", vertices - skin, normals)
    vertices = vertices + np.maximum(sunk, 0.0)[:, None] * normals
    source = kept
    if rng.uniform() < 0.55:
        depth = min(thickness * rng.uniform(0.3, 0.8), 0.015)
        vertices, faces = solidify(vertices, faces, depth)
        source = np.concatenate([kept, kept])
    figure = Rigged(
        vertices,
        faces,
        body.fine[source],
        np.full(len(source), CLOTHING, np.int32),
        body.weights[source],
    )
    return Garment(figure, _well_inside(body.faces, mask))


def _well_inside(faces: np.ndarray, mask: np.ndarray, rings: int = 2) -> np.ndarray:
    for _ in range(rings):
        mask = mask.copy()
        mask[faces[~mask[faces].all(axis=1)]] = False
    return mask


def armour(body: Rigged, rng: np.random.Generator) -> list[Garment]:
    """A hard plate over a patch of the skin, mostly with its twin on the other side."""
    at = landmarks()
    skin = np.flatnonzero(at.skin & (at.arm < 2.4) & (at.leg < 2.6))
    middle = body.vertices[rng.choice(skin)]
    radius = rng.uniform(0.05, 0.17)
    thickness = rng.uniform(0.008, 0.05)
    steps, twin = int(rng.integers(5, 60)), rng.uniform() < 0.8
    stretch, state = np.exp(rng.uniform(-0.5, 0.5, 3)), int(rng.integers(2**31))
    plates = []
    for sign in (1.0, -1.0)[: 1 + twin]:
        away = body.vertices - middle * [sign, 1, 1]
        near = np.linalg.norm(away / stretch, axis=1) < radius
        # A plate lies on one side of a limb.
        normal = vertex_normals(body.vertices, body.faces)
        centre = normal[np.linalg.norm(away, axis=1).argmin()]
        near &= at.skin & (normal @ centre > 0.1)
        plate = tailor(body, near, thickness, steps, np.random.default_rng(state))
        if plate is not None:
            plates.append(Garment(plate.figure, np.zeros(len(at.skin), bool)))
    return plates


def skirt(body: Rigged, rng: np.random.Generator) -> Garment:
    """A skirt, the tails of a coat, or a robe: rings around both legs, from the waist down."""
    at, parts = landmarks(), np.array(FINE_NAMES)[body.fine]
    core = at.skin & (at.arm < 0) & ~np.char.startswith(parts, "shoulder") & (at.height < 0.9)
    points = body.vertices[core]
    floor, waist = points[:, 2].min(), body.vertices[at.skin & (np.abs(at.height - 0.3) < 0.05)]
    top = waist[:, 2].mean() + rng.uniform(-0.1, 0.06) * (waist[:, 2].mean() - floor)
    bottom = floor + rng.uniform(0.02, 0.8) * (top - floor)
    rows, columns = int(rng.integers(6, 24)), int(rng.integers(16, 56))
    heights = np.linspace(top, bottom, rows)
    axis = np.array([0.0, waist[:, 1].mean()])
    angle = np.arange(columns) * (2 * np.pi / columns)
    outward = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    slab = 1.5 * abs(heights[0] - heights[1]) + 0.02
    reach = reach_of(points, heights, axis, outward, slab)
    # Cloth falls: it never comes in again below a wide place.
    reach = np.maximum.accumulate(reach, axis=0)
    down = np.linspace(0, 1, rows)[:, None]
    flare = rng.uniform(0.0, 0.25) * down
    pleats = 1.0 + rng.uniform(0, 0.06) * down * np.cos(angle * rng.integers(4, 16))
    radius = (reach + rng.uniform(0.008, 0.025) + flare * (top - bottom)) * pleats
    ring = axis + radius[:, :, None] * outward
    grid = np.concatenate([ring, np.broadcast_to(heights[:, None, None], (rows, columns, 1))], 2)
    vertices = grid.reshape(-1, 3)
    faces = grid_faces(rows, columns, wrapped=True)[:, ::-1]
    if rng.uniform() < 0.3:  # open at the front, as a coat
        vertices, faces = opened(vertices, faces, angle, rng.uniform(0.05, 0.6))
    if rng.uniform() < 0.5:
        vertices, faces = solidify(vertices, faces, rng.uniform(0.003, 0.012))
    return Garment(hung(vertices, faces, body, 0.04), np.zeros(len(at.skin), bool))


def reach_of(
    points: np.ndarray, levels: np.ndarray, axis: np.ndarray, outward: np.ndarray, slab: float
) -> np.ndarray:
    """How far points (N, 3) reach from a vertical axis, at heights (R,), in directions (C, 2).

    Parameters
    ----------
    axis : (2,) x and y.
    slab : points that far above and below a height count as at it; where there are none, the
        height before it holds.

    Returns
    -------
    (R, C)
    """
    flat = (points[:, :2] - axis) @ outward.T
    reach = np.zeros((len(levels), len(outward)))
    for row, level in enumerate(levels):
        near = np.abs(points[:, 2] - level) < slab
        reach[row] = flat[near].max(axis=0) if near.any() else reach[row - 1]
    return reach


def opened(
    vertices: np.ndarray, faces: np.ndarray, angle: np.ndarray, width: float
) -> tuple[np.ndarray, np.ndarray]:
    """Rings without what is within `width` of the front; `angle` (C,) of the vertices of a ring."""
    gap = np.abs(np.angle(np.exp(1j * (angle + np.pi / 2)))) < width
    faces, kept = compact(len(vertices), faces[~gap[faces % len(angle)].any(axis=1)])
    return vertices[kept], faces


def hung(vertices: np.ndarray, faces: np.ndarray, body: Rigged, soft: float) -> Rigged:
    """A skirt that the pelvis and the thighs carry, blended over `soft` metres."""
    at = landmarks()
    hip = body.vertices[(at.leg >= 0) & (at.leg < 0.08), 2].mean()
    waist = body.vertices[at.skin & (np.abs(at.height - 0.3) < 0.05) & (at.arm < 0), 0]
    weights = _skirt_weights(vertices, hip, 0.25 * np.ptp(waist), soft)
    thighs = np.where(vertices[:, 0] > 0, _THIGHS[0], _THIGHS[1])
    waistline = np.mean([body.vertices[body.fine == part, 2].mean() for part in _TRUNK])
    trunk = np.where(vertices[:, 2] > waistline, _TRUNK[1], _TRUNK[0])
    fine = np.where(vertices[:, 2] > hip, trunk, thighs).astype(np.int32)
    return Rigged(vertices, faces, fine, np.full(len(vertices), CLOTHING, np.int32), weights)


def _skirt_weights(vertices: np.ndarray, hip: float, half: float, soft: float) -> sparse.csr_matrix:
    """Pelvis above the height of the hip joints, thighs below, blended over `soft` metres, and the
    thighs over the width `half` on either side of the middle."""
    template = load_template()
    thigh = np.clip((hip + soft - vertices[:, 2]) / (2 * soft), 0, 1)
    left = np.clip(0.5 + 0.5 * vertices[:, 0] / half, 0, 1)
    bones = [template.bone(name) for name in ("spine05", "upperleg01.L", "upperleg01.R")]
    values = np.stack([1 - thigh, thigh * left, thigh * (1 - left)], axis=1)
    return weights_of_bones(values, bones)


def undress(body: Rigged, garments: list[Garment], rng: np.random.Generator) -> Rigged | None:
    """The body as it is kept beneath its clothes.

    Returns
    -------
    Rigged
        All of it, or without what the clothes hide. None where nothing is left.
    """
    if rng.uniform() < 0.35:
        return body
    hidden = np.zeros(len(body.vertices), bool)
    for garment in garments:
        hidden |= garment.covered
    left = body.faces[~hidden[body.faces].all(axis=1)]
    return body.part(left) if len(left) else None


_TRUNK = [FINE_NAMES.index(name) for name in ("pelvis", "abdomen")]
_THIGHS = [FINE_NAMES.index(f"thigh.{side}") for side in SIDES]
