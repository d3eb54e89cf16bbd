"""Where parts of an animal meet, by its joints and its skin, the same on every species.

Riggers let a neck begin at the chest of one animal and halfway to the skull of another, a leg at
the belly or near the back, and a tail above the hips or behind them: whoever learns from their
weights learns borders that contradict each other. Which bones a part has is theirs; how far up on
the trunk it goes is decided here.
"""

from __future__ import annotations

import numpy as np

from diffusionnet_blender.surface.edges import edges_of_sides

from .parts import ANIMAL_PART_NAMES, LEG_PARTS, LEGS, SIDES
from .poses import unit

# A neck begins so far from the shoulders towards the skull, in units of the height of the withers
# above the shoulder joints; and at most at so much of the way.
NECK_AT, NECK_AT_MOST = 0.9, 0.6
# And what stands up ahead of the shoulders to more than so much of that height, with a margin
# behind them, in lengths of the trunk: a frill.
ABOVE, MARGIN = 1.35, 0.05
# The back is measured above the joints and this share of the trunk further in, where less is grown.
INWARD = 0.2
# A leg fans out from a point above its joint, so much of the way from there to the back, to so many
# degrees from its middle on either side.
FAN_TOP, FAN = 0.5, 38.0
# Of the way from the middle to a joint: nearer to the middle is trunk.
INNER = 0.3
# Of an upper leg's length, from the hip: what the rig calls leg below this is leg.
FREE = 0.6
# A tail begins at least so far behind the hips, in units of the height of the back above them, but
# for what stands up so high.
TAIL_AT, TAIL_TOP = 0.5, 1.2

_TORSO, _NECK, _TAIL = (ANIMAL_PART_NAMES.index(name) for name in ("torso", "neck", "tail"))


def with_even_borders(
    vertices: np.ndarray,
    faces: np.ndarray,
    labels: np.ndarray,
    joints: dict[str, np.ndarray],
) -> np.ndarray:
    """Labels with the borders of the trunk at the same places on all animals.

    Parameters
    ----------
    vertices : (V, 3)
        An animal at rest, along +z, facing -y, a unit long from hips to shoulders.
    faces : (F, 3) int
    labels : (V,) int
        Index into `ANIMAL_PART_NAMES` by its bones.
    joints : dict of str to (3,)
        Where each upper and lower leg, and the head, begin.

    Returns
    -------
    (V,) int
    """
    labels = labels.copy()
    shoulders, hips = (
        np.mean([joints[f"{leg}_upper_leg.{side}"] for side in SIDES], axis=0) for leg in LEGS
    )
    trunk = np.isin(labels, [_TORSO, _NECK, _TAIL, *_upper_legs()])
    every, _ = edges_of_sides(faces)
    edges = every[trunk[every].all(axis=1)]
    # A tail may begin above the hips, and further in it can only be held up over the back.
    bare = edges[(labels[edges] != _TAIL).all(axis=1)]
    middle = edges[np.isin(labels[edges], [_TORSO, _NECK]).all(axis=1)]
    back = {}
    for leg, at, other in zip(LEGS, (shoulders, hips), (hips, shoulders), strict=True):
        inward = at[1] + INWARD * (other - at)[1]
        top = _top(vertices, edges, at[1])
        # Thighs alone are no back.
        if len(_section(vertices, middle, inward)):
            top = min(top, _top(vertices, bare, inward))
        # A huge head or tail may leave no trunk above a leg.
        back[leg] = (top if np.isfinite(top) else _top(vertices, every, at[1])) - at[2]
    halfway = (shoulders + hips)[1] / 2
    belly = next(
        section[:, 2].min()
        for section in (_section(vertices, those, halfway) for those in (edges, every))
        if len(section)
    )

    way = unit(joints["head"] - shoulders)
    length = np.linalg.norm(joints["head"] - shoulders)
    begin = min(NECK_AT * back["front"], NECK_AT_MOST * length)
    beyond = (vertices - shoulders) @ way > begin
    # The back of an upright neck, and not what stands up behind it.
    beyond &= vertices[:, 1] < shoulders[1] + back["front"]
    beyond |= (vertices[:, 1] < shoulders[1] + MARGIN) & (
        vertices[:, 2] > shoulders[2] + ABOVE * back["front"]
    )
    # A tail that is held up may reach ahead of where it begins.
    rump = (vertices[:, 1] < hips[1] + TAIL_AT * back["hind"]) & (
        vertices[:, 2] < hips[2] + TAIL_TOP * back["hind"]
    )
    labels[(labels == _TAIL) & rump] = _TORSO
    for leg in LEGS:
        for side in SIDES:
            name = f"{leg}_upper_leg.{side}"
            hip, knee = joints[name], joints[f"{leg}_lower_leg.{side}"]
            part = ANIMAL_PART_NAMES.index(name)
            own = labels == part
            trunk = np.isin(labels, [_TORSO, _NECK])
            along = unit(knee - hip)
            middle = unit(along + [0, 0, -1.0])
            top = hip - FAN_TOP * back[leg] * middle
            inside = (vertices - top)[:, 1:]
            spread = np.degrees(np.arccos(_cosine(inside, unit(middle[1:]))))
            outer = vertices[:, 0] * np.sign(hip[0]) > INNER * abs(hip[0])
            fan = outer & (spread < FAN) & ~beyond
            free = (vertices[:, 2] < belly) | (
                (vertices - hip) @ along > FREE * np.linalg.norm(knee - hip)
            )
            labels[own & ~free & ~fan] = _TORSO
            labels[trunk & fan & ~free & (vertices[:, 2] < top[2])] = part
    either = np.isin(labels, [_TORSO, _NECK])
    labels[either] = np.where(beyond, _NECK, _TORSO)[either]
    return labels


def _upper_legs() -> list[int]:
    return [
        ANIMAL_PART_NAMES.index(f"{leg}_{LEG_PARTS[0]}.{side}") for leg in LEGS for side in SIDES
    ]


def _cosine(ways: np.ndarray, along: np.ndarray) -> np.ndarray:
    return np.clip(ways @ along / np.maximum(np.linalg.norm(ways, axis=1), 1e-12), -1, 1)


def _section(vertices: np.ndarray, edges: np.ndarray, y: float) -> np.ndarray:
    """Where edges cross a plane across the animal, (n, 3)."""
    one, two = vertices[edges[:, 0]], vertices[edges[:, 1]]
    crossed = (one[:, 1] - y) * (two[:, 1] - y) < 0
    one, two = one[crossed], two[crossed]
    share = (y - one[:, 1]) / (two[:, 1] - one[:, 1])
    return one + share[:, None] * (two - one)


def _top(vertices: np.ndarray, edges: np.ndarray, y: float) -> float:
    """Height of the highest skin in a plane across the animal, infinity where there is none."""
    heights = _section(vertices, edges, y)[:, 2]
    return float(heights.max()) if len(heights) else np.inf
