"""Transfer of a skeleton's joints, by similarity transforms of the skin around them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ...surface.surface import triangle_areas
from ..points import SurfacePoints
from ..rotations import nearest_rotations
from .shape_keys import global_scale

# Reach along a limb, in times a joint's distance from the skin: a ring around it. A longer one
# would cut the corner of a bent elbow.
REACH = 0.5
# The same at least, in units of the square root of the source's area: joints on the skin itself.
LEAST_REACH = 0.02
# Relative weight of the skin of other bones, which alone moves a bone without skin.
OF_OTHERS = 1e-4
# A vertex is skin of a joint from this skin weight on.
OF_ITS_OWN = 0.1
# A joint is one that is known if it is as near to that, in units of the square root of the source's
# area, and the nearest.
SAME_JOINT = 0.1
# Joints between known ones move with them; those farther away than this hardly do.
MOVES_ALONG = 0.1
# Limits of the local scale of target to source, relative to that of the whole.
SCALES = (0.2, 5.0)


@dataclass(frozen=True, eq=False)
class CarriedJoints:
    """Joints on the target, with the local transform of each.

    Attributes
    ----------
    positions : (J, 3) float64
    turns : (J, 3, 3) float64
        Rotation from source to target around each joint.
    scales : (J,) float64
        Local scale of target to source.
    """

    positions: np.ndarray
    turns: np.ndarray
    scales: np.ndarray


def carry_joints(
    target_to_source: SurfacePoints,
    source: tuple[np.ndarray, np.ndarray],
    target: tuple[np.ndarray, np.ndarray],
    joints: np.ndarray,
    influence: np.ndarray,
    confidence: np.ndarray,
    known: Sequence[tuple[np.ndarray, np.ndarray]] = (),
) -> CarriedJoints:
    """Each joint by the similarity transform that fits the skin around it best.

    Fitted by least squares (Umeyama 1991) over the target's vertices, weighted by area, proximity
    of their images to the joint, skin weights of the joint's bones, and confidence. A target that
    is a similarity transform of the source gets exactly its joints.

    Parameters
    ----------
    target_to_source : SurfacePoints
        One for each vertex of the target.
    source, target : (vertices, faces)
    joints : (J, 3) float
        In the space of the source's vertices.
    influence : (V_s, J) float
        Skin weights of the bones that meet in each joint; all 0 where it has none.
    confidence : (V_t,) float
    known : sequence of ((3,) float, (3,) float)
        Joints of source and target that correspond: the joint next to that of the source goes
        there.

    Returns
    -------
    CarriedJoints
    """
    vertices, faces = np.asarray(target[0], float), target[1]
    image = target_to_source.interpolate(np.asarray(source[0], float), source[1])
    skinned = target_to_source.interpolate(np.asarray(influence, float), source[1])
    corner_area = np.repeat(triangle_areas(vertices, faces), 3)
    mass = np.bincount(faces.ravel(), corner_area, minlength=len(vertices))
    mass = mass * np.maximum(confidence, 1e-3)
    size = np.sqrt(triangle_areas(source[0], source[1]).sum())
    least = LEAST_REACH * size
    positions, scales = np.empty((len(joints), 3)), np.empty(len(joints))
    turns = np.empty((len(joints), 3, 3))
    whole = global_scale(image, vertices, faces)
    for index, joint in enumerate(np.asarray(joints, float)):
        away = np.linalg.norm(image - joint, axis=1)
        own = skinned[:, index] > OF_ITS_OWN
        nearest = away[own].min() if own.any() else away.min()
        reach = max(REACH * nearest, least)
        closeness = np.exp(-0.5 * (np.square(away) - nearest**2) / reach**2)
        weight = mass * np.minimum(closeness, 1.0) * (skinned[:, index] + OF_OTHERS)
        weight /= max(weight.sum(), np.finfo(float).tiny)
        middles = weight @ image, weight @ vertices
        before, after = image - middles[0], vertices - middles[1]
        turns[index] = nearest_rotations((after.T @ (weight[:, None] * before))[None])[0]
        spread = [np.sqrt(weight @ np.square(d).sum(axis=1)) for d in (before, after)]
        local = spread[1] / (whole * spread[0]) if spread[0] > 0 else 1.0
        scales[index] = whole * np.clip(local, *SCALES)
        positions[index] = middles[1] + scales[index] * turns[index] @ (joint - middles[0])
    return CarriedJoints(_through_known(joints, positions, known, size), turns, scales)


def _through_known(
    joints: np.ndarray,
    positions: np.ndarray,
    known: Sequence[tuple[np.ndarray, np.ndarray]],
    size: float,
) -> np.ndarray:
    """Carried joints (J, 3) moved so that those of the source that are known go where they do.

    Parameters
    ----------
    joints, positions : (J, 3) float
        Before and after.
    known : sequence of ((3,) float, (3,) float)
    size : float
        Of the source.
    """
    fixed: dict[int, tuple[float, np.ndarray]] = {}
    for on_source, on_target in known:
        away = np.linalg.norm(joints - on_source, axis=1)
        nearest = int(away.argmin())
        if away[nearest] < min(SAME_JOINT * size, fixed.get(nearest, (np.inf,))[0]):
            fixed[nearest] = float(away[nearest]), on_target - positions[nearest]
    if not fixed:
        return positions
    chosen = np.array(list(fixed))
    shifts = np.stack([shift for _, shift in fixed.values()])
    squared = np.square(joints[:, None] - joints[chosen]).sum(axis=2)
    weight = 1.0 / np.maximum(squared, np.finfo(float).eps * size**2)
    weight /= weight.sum(axis=1, keepdims=True) + 1.0 / np.square(MOVES_ALONG * size)
    return positions + weight @ shifts
