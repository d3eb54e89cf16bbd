"""What the bones of a four-legged animal's rig move, from their hierarchy and place alone.

Names tell little: many rigs number their bones. Chains of bones off the plane of symmetry are legs,
feet point forward, and the middle bones ahead of the front legs are neck and head, those behind the
hind legs the tail.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from diffusionnet_blender.tasks.skeleton import Skeleton

from .parts import LEG_PARTS, LEGS, SIDES

# Shares of the trunk's length, from hips to shoulders, by which the middle of a bone lies ahead of
# the front legs or behind the hind legs.
NECK, TAIL = 0.127, 0.1
# Nearer to the plane of symmetry, as a share of half the width of all bones, is the middle.
MIDDLE = 0.2


@dataclass(frozen=True, eq=False)
class AnimalRig:
    """The bones of an animal by the parts that they move.

    Attributes
    ----------
    bones : dict of str to list of int
        Of each part that has any, from the trunk outwards; legs with the bones of shoulders and
        hips in their upper part.
    forward, left : (3,) float
        Horizontal unit axes of the animal.
    hips : dict of str to int
        The bone that begins at the topmost joint of each leg, by `front.L` and so on.
    """

    bones: dict[str, list[int]]
    forward: np.ndarray
    left: np.ndarray
    hips: dict[str, int]


def animal_rig(skeleton: Skeleton, holds: np.ndarray) -> AnimalRig:
    """The parts that bones move.

    Parameters
    ----------
    skeleton : Skeleton
    holds : (B,) bool
        Whether a bone holds any skin.

    Raises
    ------
    ValueError
        If there are not two pairs of legs.
    """
    across, offset, mirror = _plane(skeleton, holds)
    # Where one of a pair holds skin, the other has forgotten to.
    holds = holds | holds[mirror]
    side_of = _sides(skeleton, holds, offset)
    legs = {sign: _legs(skeleton, holds & (side_of == sign)) for sign in (1, -1)}
    if any(len(chains) != 2 for chains in legs.values()):
        raise ValueError("the bones have not two legs on either side")
    feet = [chain[-1] for chains in legs.values() for chain in chains]
    points = (skeleton.tails[feet] - skeleton.heads[feet]).mean(axis=0)
    along = np.cross(across, [0, 0, 1.0])
    forward = along * np.sign(points @ along)
    left = np.cross([0, 0, 1.0], forward)
    bones: dict[str, list[int]] = {}
    hips = {}
    for sign, chains in legs.items():
        side = SIDES[0] if sign * (left @ across) > 0 else SIDES[1]
        chains.sort(key=lambda chain: -skeleton.heads[chain[-3]] @ forward)
        for leg, chain in zip(LEGS, chains, strict=True):
            hips[f"{leg}.{side}"] = chain[-3]
            for part, those in zip(LEG_PARTS, (chain[:-2], chain[-2:-1], chain[-1:]), strict=True):
                bones[f"{leg}_{part}.{side}"] = those
    front, hind = (
        float(np.mean([skeleton.heads[hips[f"{leg}.{side}"]] @ forward for side in SIDES]))
        for leg in LEGS
    )
    middle = [bone for bone in skeleton.order if holds[bone] and side_of[bone] == 0]
    ahead, behind = [], []
    for bone in middle:
        above = next((each for each in skeleton.above(bone) if holds[each]), -1)
        start, end = skeleton.heads[bone] @ forward, skeleton.tails[bone] @ forward
        following = [child for child in skeleton.children[bone] if child in middle]
        reach = skeleton.heads[following[0]] @ forward if following else end
        if above in ahead or (start + reach) / 2 > front + NECK * (front - hind):
            ahead.append(bone)
        elif above in behind or start > end and (start + end) / 2 < hind - TAIL * (front - hind):
            behind.append(bone)
    bones |= {"neck": ahead[:-1], "head": ahead[-1:], "tail": behind}
    bones["torso"] = [bone for bone in middle if bone not in ahead + behind]
    return AnimalRig({part: those for part, those in bones.items() if those}, forward, left, hips)


def _plane(skeleton: Skeleton, holds: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The plane, across x or y, that mirrors the bones best: its normal, and of each bone the
    offset along it, as a share of half the width, and the bone nearest to its mirror image."""
    best = np.inf
    for axis in (0, 1):
        places = skeleton.heads[holds][:, axis]
        low, high = places.min(), places.max()
        middle = (low + high) / 2 * np.eye(3)[axis]
        offset = (skeleton.heads - middle)[:, axis]
        mirror = np.ones(3) - 2 * np.eye(3)[axis]
        # Of bones at one place the tails decide.
        apart = sum(
            share * np.linalg.norm((ends * mirror)[:, None] - ends[None], axis=2)
            for share, ends in ((1.0, skeleton.heads - middle), (0.1, skeleton.tails - middle))
        )
        cost = apart[holds].min(axis=1).mean()
        if cost < best:
            best = cost
            found = np.eye(3)[axis], 2 * offset / max(high - low, 1e-12), apart.argmin(axis=1)
    return found


def _sides(skeleton: Skeleton, holds: np.ndarray, offset: np.ndarray) -> np.ndarray:
    """(B,) 1 or -1 for a bone that leads to one side alone, 0 for the others."""
    sides = np.zeros(len(holds), np.int64)
    for bone in range(len(holds)):
        below = [each for each in skeleton.below(bone) if holds[each]]
        signs = {int(np.sign(offset[each])) for each in below if abs(offset[each]) > MIDDLE}
        if len(signs) == 1:
            sides[bone] = signs.pop()
    return sides


def _legs(skeleton: Skeleton, chosen: np.ndarray) -> list[list[int]]:
    """Chains of the bones of one side from the trunk outwards; a foot of its own ends the nearest.

    Parameters
    ----------
    skeleton : Skeleton
    chosen : (B,) bool
    """
    chains = []
    for bone in np.flatnonzero(chosen):
        if skeleton.parents[bone] < 0 or not chosen[skeleton.parents[bone]]:
            chain = [int(bone)]
            while following := [c for c in skeleton.children[chain[-1]] if chosen[c]]:
                chain.append(following[0])
            chains.append(chain)
    whole = [chain for chain in chains if len(chain) > 1]
    for foot in (chain[0] for chain in chains if len(chain) == 1 and whole):
        ends = [_end(skeleton, chain[-1]) for chain in whole]
        nearest = np.linalg.norm(np.array(ends) - skeleton.heads[foot], axis=1).argmin()
        whole[nearest].append(foot)
    return [chain for chain in whole if len(chain) > 2]


def _end(skeleton: Skeleton, bone: int) -> np.ndarray:
    """Where a bone ends: where the next one begins, or its tail."""
    children = skeleton.children[bone]
    return skeleton.heads[children[0]] if children else skeleton.tails[bone]
