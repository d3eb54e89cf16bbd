"""The part that each bone moves, from the hierarchy and the place of the bones alone.

A body has a plane of symmetry. Of the pairs of chains that leave it, the legs go down to the floor
and the arms reach farthest sideways. The joints of a limb are where its bones have the proportions
of a limb; where several choices are about as good, the bones that they disagree on stay unknown.
Left and right follow from where the feet point to.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from .skeleton import Skeleton

# Shares of the height.
MIRRORED = 0.04  # distance of a bone from the mirror image of its partner
MIDDLE = 0.015  # off the plane of symmetry
LONG = 0.2  # of a limb
POINTING = 0.015  # of feet
LOW = 0.25  # of ankles
# A second pair of chains with this share of the first one's length leaves open which is which.
RIVAL = 0.75
# Angle of the foot with the shin, in degrees.
TURN = 30.0
# Share of a bone's length from which on it is its far end.
FAR_END = 0.7
# Choices of joints whose costs differ by less are equally good, and one that costs more is none.
TIE, WORST = 0.2, 1.3
# Lengths of a limb in a body: upper over lower, hand over forearm, and the distance of the shoulder
# from the middle over the upper arm.
UPPER_TO_LOWER, HAND_TO_FOREARM, SHOULDER_TO_ARM = 1.05, 0.75, 0.6


def up_height(points: np.ndarray) -> np.ndarray:
    """Height of points, (..., 3)."""
    return np.asarray(points)[..., 2]


@dataclass(frozen=True)
class _Symmetry:
    """Pairs of bones, and the offset of each bone's head from the plane between them."""

    partner: np.ndarray
    offset: np.ndarray
    across: np.ndarray
    height: float

    def is_middle(self, bone: int) -> bool:
        return bool(abs(self.offset[bone]) <= MIDDLE * self.height)


def parts_by_place(skeleton: Skeleton, named: Sequence[str]) -> list[str]:
    """The part that each bone moves, known by its place; "" where it is not known.

    Parameters
    ----------
    skeleton : Skeleton
    named : sequence of B str
        Parts that are known by name, "" for none. Where the places contradict most of them they
        tell nothing.

    Returns
    -------
    list of B str
        ``head``, ``torso``, ``upper_arm.L`` ...
    """
    nothing = [""] * len(skeleton.names)
    symmetry = _symmetry(skeleton)
    if symmetry is None:
        return nothing
    limbs = _limbs(skeleton, symmetry)
    if limbs is None:
        return nothing
    arms, legs = limbs
    found = list(nothing)
    for bone, part in _limb_parts(skeleton, symmetry, legs, _leg_costs, "thigh", "shin", "foot"):
        found[bone] = part
    for bone, part in _limb_parts(
        skeleton, symmetry, arms, _arm_costs, "upper_arm", "forearm", "hand"
    ):
        found[bone] = part
    _trunk(skeleton, symmetry, arms, legs, found)
    _free_feet(skeleton, symmetry, found)
    _twigs(skeleton, found)
    _take_sides(skeleton, symmetry, found)
    known = [bone for bone, part in enumerate(named) if part and found[bone]]
    agreeing = [bone for bone in known if found[bone] == named[bone]]
    return found if 2 * len(agreeing) >= len(known) else nothing


def _symmetry(skeleton: Skeleton) -> _Symmetry | None:
    """The plane across x or across y that pairs most bones; None if there are few pairs."""
    heads, tails = skeleton.heads, skeleton.tails
    height = float(np.ptp(up_height(heads))) if len(heads) else 0.0
    if not height:
        return None
    # Bones at one place differ in what is above and below them.
    depth = np.array([len(skeleton.above(bone)) for bone in range(len(heads))])
    size = np.array([len(skeleton.below(bone)) for bone in range(len(heads))])
    best: tuple[int, _Symmetry] | None = None
    for axis in (0, 1):
        offset = heads[:, axis] - np.median(heads[:, axis])
        mirror = np.zeros(3)
        mirror[axis] = 2.0
        at_heads, at_tails = (
            np.linalg.norm((ends - mirror * shift[:, None])[:, None] - ends[None], axis=2)
            for ends, shift in ((heads, offset), (tails, offset + (tails - heads)[:, axis]))
        )
        # Importers guess tails, so that they only decide between bones at one place.
        distance = at_heads + 0.1 * at_tails
        distance += (size[:, None] != size[None]) * (MIRRORED * height / 2)
        distance[(depth[:, None] != depth[None]) | (at_heads > MIRRORED * height)] = np.inf
        off = np.abs(offset) > MIDDLE * height
        distance[np.sign(offset)[:, None] == np.sign(offset)[None]] = np.inf
        partner = distance.argmin(axis=1)
        fits = off & np.isfinite(distance.min(axis=1))
        fits &= partner[partner] == np.arange(len(heads))
        partner = np.where(fits, partner, -1)
        across = np.eye(3)[axis]
        count = int(fits.sum())
        if best is None or count > best[0]:
            best = count, _Symmetry(partner, offset, across, height)
    if best is None or best[0] < 8:
        return None
    return best[1]


def _limbs(skeleton: Skeleton, symmetry: _Symmetry) -> tuple[list[int], list[int]] | None:
    """Chains of bones of one arm and one leg, from the body outwards; None if they are unclear."""
    bottom = float(up_height(skeleton.heads).min())
    height = symmetry.height
    legs, arms = [], []
    for bone in range(len(skeleton.names)):
        above = int(skeleton.parents[bone])
        if symmetry.partner[bone] < 0 and not _leaves(skeleton, symmetry, bone):
            continue
        if symmetry.offset[_first_off(skeleton, symmetry, bone)] <= 0:
            continue
        if above >= 0 and not _is_trunk(skeleton, symmetry, above):
            continue
        chain = _chain(skeleton, bone)
        joints = skeleton.heads[chain]
        way = joints[-1] - joints[0]
        length = float(np.linalg.norm(np.diff(joints, axis=0), axis=1).sum())
        if length < LONG * height:
            continue
        reaches_floor = up_height(joints).min() < bottom + LOW * height / 2
        if reaches_floor and -way[2] > 0.7 * np.linalg.norm(way):
            legs.append((length, chain))
        else:
            sideways = float(way @ symmetry.across)
            if sideways > LONG * height / 2:
                arms.append((sideways, chain))
    chosen = []
    for candidates in (arms, legs):
        candidates.sort(key=lambda item: -item[0])
        if not candidates or (len(candidates) > 1 and candidates[1][0] > RIVAL * candidates[0][0]):
            return None
        chosen.append(candidates[0][1])
    arm, leg = chosen
    if up_height(skeleton.heads[arm[0]]) <= up_height(skeleton.heads[leg[0]]):
        return None
    return arm, leg


def _is_trunk(skeleton: Skeleton, symmetry: _Symmetry, bone: int) -> bool:
    """Whether limbs may leave a bone: it lies in the middle, has no mirror image, and goes on."""
    near = abs(symmetry.offset[bone]) <= MIRRORED * symmetry.height
    return near and symmetry.partner[bone] < 0 and not _leaves(skeleton, symmetry, bone)


def _leaves(skeleton: Skeleton, symmetry: _Symmetry, bone: int) -> bool:
    """Whether a bone starts in the middle and leads a whole branch to one side of it."""
    return symmetry.is_middle(bone) and _first_off(skeleton, symmetry, bone) != bone


def _first_off(skeleton: Skeleton, symmetry: _Symmetry, bone: int) -> int:
    """The bone, or the only child of one in the middle if that is paired."""
    children = skeleton.children[bone]
    if symmetry.is_middle(bone) and len(children) == 1 and symmetry.partner[children[0]] >= 0:
        return children[0]
    return bone


def _chain(skeleton: Skeleton, bone: int) -> list[int]:
    """The longest way from a bone to one without children."""
    children = skeleton.children[bone]
    if not children:
        return [bone]
    ways = [_chain(skeleton, child) for child in children]
    return [bone, *max(ways, key=lambda way: _length(skeleton, [bone, *way]))]


def _length(skeleton: Skeleton, chain: list[int]) -> float:
    return float(np.linalg.norm(np.diff(skeleton.heads[chain], axis=0), axis=1).sum())


def _limb_parts(skeleton, symmetry, chain, costs, upper, lower, end):
    """Part of each bone of a chain and of its mirror image, "+" and "-" for the sides."""
    choices = sorted(costs(skeleton, symmetry, chain))
    if not choices or choices[0][0] > WORST:
        return
    good = [joints for cost, joints in choices if cost < choices[0][0] + TIE]
    for number, bone in enumerate(chain):
        parts = {
            ("torso", upper, lower, end)[sum(number >= joint for joint in joints)]
            for joints in good
        }
        if len(parts) != 1:
            continue
        (part,) = parts
        if part == "torso":
            yield bone, part
            mirrored = _mirrored(skeleton, symmetry, bone)
            if mirrored >= 0:
                yield mirrored, part
            continue
        yield bone, f"{part}.+"
        if symmetry.partner[bone] >= 0:
            yield int(symmetry.partner[bone]), f"{part}.-"


def _mirrored(skeleton: Skeleton, symmetry: _Symmetry, bone: int) -> int:
    """Mirror image of a bone, also of one that starts in the middle; -1 for none."""
    if symmetry.partner[bone] >= 0:
        return int(symmetry.partner[bone])
    first = _first_off(skeleton, symmetry, bone)
    other = int(symmetry.partner[first])
    return int(skeleton.parents[other]) if other >= 0 and first != bone else -1


def _arm_costs(skeleton: Skeleton, symmetry: _Symmetry, chain: list[int]):
    """Cost and joints (shoulder, elbow, wrist: numbers in the chain) of each choice for an arm."""
    joints = skeleton.heads[chain]
    offset = np.abs(symmetry.offset[chain])
    branches = [len(skeleton.children[bone]) > 1 for bone in chain]
    for shoulder, elbow, wrist in combinations(range(len(chain)), 3):
        upper, lower = (
            float(np.linalg.norm(joints[b] - joints[a]))
            for a, b in ((shoulder, elbow), (elbow, wrist))
        )
        hand = _length(skeleton, chain[wrist:]) + float(
            np.linalg.norm(skeleton.tails[chain[-1]] - joints[-1])
        )
        if min(upper, lower, hand, offset[shoulder]) <= 0:
            continue
        cost = abs(np.log(upper / lower / UPPER_TO_LOWER))
        cost += 0.5 * abs(np.log(hand / lower / HAND_TO_FOREARM))
        cost += 0.5 * abs(np.log(offset[shoulder] / upper / SHOULDER_TO_ARM))
        # Fingers part at the wrist.
        cost -= 0.5 * branches[wrist]
        yield float(cost), (shoulder, elbow, wrist)


def _leg_costs(skeleton: Skeleton, symmetry: _Symmetry, chain: list[int]):
    """Cost and joints (hip, knee, ankle: numbers in the chain) of each choice for a leg."""
    joints = skeleton.heads[chain]
    heights = up_height(joints) - up_height(skeleton.heads).min()
    offset = np.abs(symmetry.offset[chain])
    ways = np.diff(np.vstack([joints, skeleton.tails[chain[-1]]]), axis=0)
    ways /= np.maximum(np.linalg.norm(ways, axis=1, keepdims=True), 1e-12)
    turns = np.degrees(np.arccos(np.clip((ways[:-1] * ways[1:]).sum(axis=1), -1, 1)))
    low = [n for n in range(2, len(chain)) if heights[n] < LOW * symmetry.height]
    turned = [n for n in low if turns[n - 1] > TURN]
    ankle = turned[0] if turned else low[-1] if low else None
    if ankle is None:
        return
    for hip, knee in combinations(range(ankle), 2):
        upper, lower = (
            float(np.linalg.norm(joints[b] - joints[a])) for a, b in ((hip, knee), (knee, ankle))
        )
        if min(upper, lower) <= 0:
            continue
        cost = 2 * abs(np.log(upper / lower / UPPER_TO_LOWER))
        # The hip lies over the ankle, and what leads to it at the middle.
        cost += 2 * max(0.0, 0.6 - offset[hip] / max(offset[ankle], 1e-12))
        # Nothing of the leg lies above its hip.
        cost += 2 * _length(skeleton, chain[: hip + 1]) / upper
        yield float(cost), (hip, knee, ankle)


def _trunk(skeleton, symmetry, arms, legs, found) -> None:
    """The bones from which the limbs leave are the torso, those that go on above them the head."""
    bottom = up_height(skeleton.heads).min()
    hips = up_height(skeleton.heads[legs[0]])
    over_arms, over_legs = skeleton.above(arms[0]), skeleton.above(legs[0])
    for bone in {*over_arms, *over_legs}:
        # A root on the floor moves all.
        if up_height(skeleton.heads[bone]) > (hips + bottom) / 2:
            found[bone] = "torso"
    if not over_arms:
        return
    shoulder = up_height(skeleton.heads[arms]).max() - MIRRORED * symmetry.height
    for bone in skeleton.children[over_arms[0]]:
        if not symmetry.is_middle(bone) or bone in arms or _leaves(skeleton, symmetry, bone):
            continue
        below = skeleton.below(bone)
        ends = np.append(up_height(skeleton.tails[below]), up_height(skeleton.heads[below]))
        if up_height(skeleton.heads[bone]) > shoulder and ends.max() > shoulder:
            for each in below:
                found[each] = "head"


def _free_feet(skeleton, symmetry, found) -> None:
    """A pair of bones of their own at the ankles moves the feet, where the legs end without any."""
    ends = {part for part in found if part.startswith("foot.")}
    shins = [bone for bone, part in enumerate(found) if part == "shin.+"]
    if not shins:
        return
    last = shins[-1]
    feet = [bone for bone, part in enumerate(found) if part == "foot.+"]
    ankle = skeleton.heads[feet[0]] if ends and feet else skeleton.tails[last]
    for bone in range(len(found)):
        partner = int(symmetry.partner[bone])
        if found[bone] or partner < 0 or symmetry.offset[bone] <= 0:
            continue
        if np.linalg.norm(skeleton.heads[bone] - ankle) < MIRRORED * symmetry.height:
            found[bone], found[partner] = "foot.+", "foot.-"


def _twigs(skeleton: Skeleton, found: list[str]) -> None:
    """What else hangs on a limb or on the head moves with it.

    But at the far end of a bone it may as well belong to the next one.
    """
    for bone in skeleton.order:
        above = int(skeleton.parents[bone])
        if found[bone] or above < 0 or found[above] in ("", "torso"):
            continue
        is_end = found[above].startswith(("head", "hand", "foot"))
        if is_end or _share_along(skeleton, above, skeleton.heads[bone]) < FAR_END:
            found[bone] = found[above]


def _share_along(skeleton: Skeleton, bone: int, point: np.ndarray) -> float:
    """How far along a bone a point lies: 0 at its head, 1 at the head of its child or its tail."""
    ends = [skeleton.heads[child] for child in skeleton.children[bone]]
    end = max(
        [skeleton.tails[bone], *ends], key=lambda end: np.linalg.norm(end - skeleton.heads[bone])
    )
    way = end - skeleton.heads[bone]
    return float((point - skeleton.heads[bone]) @ way / max(way @ way, 1e-24))


def _take_sides(skeleton: Skeleton, symmetry: _Symmetry, found: list[str]) -> None:
    """Left and right from where the feet point to; limbs without a side if that is unknown."""
    front = np.zeros(3)
    for side in "+-":
        feet = [bone for bone, part in enumerate(found) if part == f"foot.{side}"]
        if feet:
            front += skeleton.tails[feet].mean(axis=0) - skeleton.heads[feet[0]]
    front[2] = 0.0
    front -= (front @ symmetry.across) * symmetry.across
    points = np.linalg.norm(front) > 2 * POINTING * symmetry.height
    left = np.cross((0.0, 0.0, 1.0), front) @ symmetry.across
    sides = {"+": "L", "-": "R"} if left > 0 else {"+": "R", "-": "L"}
    for bone, part in enumerate(found):
        stem, _, side = part.partition(".")
        if side:
            found[bone] = f"{stem}.{sides[side]}" if points else ""
