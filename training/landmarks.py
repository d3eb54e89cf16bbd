"""Where on the body a vertex lies: along its limb, up the torso, around the head."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from .parts import FINE_NAMES, SIDES
from .template import load_template


@dataclass(frozen=True, eq=False)
class Landmarks:
    """Coordinates of the template's vertices, measured on the mean body in its rest pose.

    Attributes
    ----------
    arm : (V,) 0 at the shoulder, 1 at the elbow, 2 at the wrist, 3 at the finger tips; below 0 off
        the arms.
    leg : (V,) 0 at the hip, 1 at the knee, 2 at the ankle, up to 3 at the toes; below 0 off the
        legs.
    height : (V,) 0 at the hips, 1 at the root of the neck, along the spine.
    upwards, forwards : (V,) on the head, direction from its middle: sine of the elevation, and
        cosine of the angle to the line of sight. 0 elsewhere.
    side : (V,) 1 on the left half (+x), -1 on the right.
    skin : (V,) bool, not eyes or tongue.
    """

    arm: np.ndarray
    leg: np.ndarray
    height: np.ndarray
    upwards: np.ndarray
    forwards: np.ndarray
    side: np.ndarray
    skin: np.ndarray


@lru_cache(maxsize=1)
def landmarks() -> Landmarks:
    """Measure the template once in a process."""
    template = load_template()
    points, heads = template.vertices.astype(float), template.heads.astype(float)
    arm, leg = np.full(len(points), -1.0), np.full(len(points), -1.0)
    parts = np.array(FINE_NAMES)[template.fine]
    for side in SIDES:

        def at(name: str, side: str = side) -> np.ndarray:
            return heads[template.bone(f"{name}.{side}")]

        arms = ("upper_arm", "forearm", "palm", "fingers")
        legs = ("thigh", "shin", "foot", "toes")
        for field, names, joints in (
            (arm, arms, ("upperarm01", "lowerarm01", "wrist", "finger3-3")),
            (leg, legs, ("upperleg01", "lowerleg01", "foot", "toe3-3")),
        ):
            for segment in range(3):
                start, end = at(joints[segment]), at(joints[segment + 1])
                along = end - start
                own = [names[segment]] if segment < 2 else names[2:]
                chosen = np.isin(parts, [f"{name}.{side}" for name in own])
                share = (points[chosen] - start) @ along / (along @ along)
                field[chosen] = segment + np.clip(share, 0.0, 1.0)
    hips, neck = heads[template.bone("upperleg01.L")][2], heads[template.bone("neck01")][2]
    head = (parts == "head") & (template.component == 0)
    low, high = points[head].min(axis=0), points[head].max(axis=0)
    away = points - (low + high) / 2
    away /= np.linalg.norm(away, axis=1, keepdims=True)
    return Landmarks(
        arm=arm,
        leg=leg,
        height=(points[:, 2] - hips) / (neck - hips),
        upwards=away[:, 2] * head,
        forwards=-away[:, 1] * head,
        side=np.where(points[:, 0] > 0, 1.0, -1.0),
        skin=template.component == 0,
    )
