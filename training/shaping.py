"""Bodies as toys and games have them: round heads, mittens and stubs, limbs like pipes."""

from __future__ import annotations

import numpy as np

from diffusionnet_blender.surface.triangles import smooth

from .landmarks import landmarks
from .parts import SIDES
from .poses import unit
from .template import load_template


def reshape_head(vertices: np.ndarray, heads: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The head rounder, wider or flatter, at times without a face.

    Parameters
    ----------
    vertices : (V, 3) rest vertices;  heads : (B, 3) where the bones begin.
    """
    template, at = load_template(), landmarks()
    bones = [template.bone(name) for name in ("head", "eye.L", "eye.R")]
    weight = np.asarray(template.weights[:, bones].sum(axis=1))
    skull = vertices[at.upwards != 0]
    middle, size = (skull.min(axis=0) + skull.max(axis=0)) / 2, np.ptp(skull, axis=0)
    stretch = np.exp(rng.uniform(-0.3, 0.3, 3)) * [1.15, 1.0, 0.9]
    away = vertices - middle
    if rng.uniform() < 0.7:
        # Towards an ellipsoid, or a box with round edges.
        power = rng.choice([2.0, 2.0, 4.0, 8.0])
        radii = 0.5 * size * [1.0, 0.95, 0.97]
        level = (np.abs(away / radii) ** power).sum(axis=1) ** (1 / power)
        amount = rng.uniform(0.3, 1.0) * (at.skin & (weight[:, 0] > 0))
        round_ = away / np.maximum(level, 0.3)[:, None]
        away = away + amount[:, None] * (round_ - away)
    shaped = middle + away * stretch
    # The chin stays where it is, so that a flatter head does not leave its neck.
    pivot = heads[bones[0]]
    shaped = shaped + (1 - stretch) * (pivot - middle) * [0, 0, 1.0]
    return vertices + weight * (shaped - vertices)


def simplify_ends(vertices: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Hands as mittens or balls, feet as lumps, or either left as it is."""
    at = landmarks()
    for along, first, limb in ((at.arm, 1.95, "hand"), (at.leg, 2.05, "foot")):
        if rng.uniform() > (0.75 if limb == "hand" else 0.5):
            continue
        amount, puff = rng.uniform(0.5, 1.0), rng.uniform(0.9, 1.5)
        shaped = vertices.copy()
        for sign in (1, -1):
            own = at.skin & (at.side == sign)
            end = np.flatnonzero(own & (along > first))
            points = vertices[end]
            middle = (points.min(axis=0) + points.max(axis=0)) / 2
            axes = np.linalg.svd(points - points.mean(axis=0), full_matrices=False)[2]
            away = (points - middle) @ axes.T
            radii = np.maximum(np.percentile(np.abs(away), 92, axis=0), 1e-3)
            radii = np.maximum(radii * puff, 0.45 * radii[0])
            level = np.linalg.norm(away / radii, axis=1)
            target = middle + (away / np.maximum(level, 0.25)[:, None]) @ axes
            share = amount * np.clip((along[end] - first) / 0.3, 0, 1)
            shaped[end] = points + share[:, None] * (target - points)
        settled = smooth(shaped, load_template().faces, 6)
        ends = at.skin & (along > first - 0.1)
        vertices = np.where(ends[:, None], settled, vertices)
    return vertices


def straighten_limbs(
    vertices: np.ndarray, heads: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Arms and legs as pipes: of one girth, or wider towards one end."""
    template, at = load_template(), landmarks()
    shaped = vertices.copy()
    for along, names in (
        (at.arm, ("upperarm01", "lowerarm01", "wrist")),
        (at.leg, ("upperleg01", "lowerleg01", "foot")),
    ):
        amount, taper = rng.uniform(0.5, 1.0), rng.uniform(0.7, 1.4)
        for side, sign in zip(SIDES, (1, -1), strict=True):
            joints = [heads[template.bone(f"{name}.{side}")] for name in names]
            own = at.skin & (at.side == sign) & (along > 0.0) & (along < 2.0)
            middle = own & (along > 0.4) & (along < 1.9)
            girth = np.nan
            for segment in (0, 1):
                axis = unit(joints[segment + 1] - joints[segment])
                for pick in (middle, own):
                    chosen = np.flatnonzero(pick & (along >= segment) & (along < segment + 1))
                    away = vertices[chosen] - joints[segment]
                    radial = away - (away @ axis)[:, None] * axis
                    radius = np.linalg.norm(radial, axis=1)
                    if pick is middle:
                        girth = radius.mean() if np.isnan(girth) else girth
                        continue
                    wanted = girth * taper ** (along[chosen] - 1.0)
                    ends = np.clip(
                        np.minimum(along[chosen] / 0.35, (2 - along[chosen]) / 0.15), 0, 1
                    )
                    share = amount * ends * (wanted / np.maximum(radius, 1e-3) - 1)
                    shaped[chosen] = vertices[chosen] + share[:, None] * radial
    settled = smooth(shaped, template.faces, 3)
    limbs = at.skin & ((at.arm > 0.02) & (at.arm < 2.0) | (at.leg > 0.02) & (at.leg < 2.0))
    return np.where(limbs[:, None], settled, shaped)
