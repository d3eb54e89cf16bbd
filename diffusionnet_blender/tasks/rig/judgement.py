"""What may be wrong about the joints of a figure, by its proportions and by how sure its parts are.

Doubts are words: a limb (``left arm``) where it lacks joints or has odd lengths, `SIDES`, `PARTS`,
and `POSTURE` where the head is not above the hips.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

import numpy as np

from ...errors import SurfaceError
from ..family.request import FOUR_LEGS, Proposal

# Joints of a limb, the ratio of its bones, and its least and most length, by its name.
Limbs = Mapping[str, tuple[tuple[str, str, str], float, tuple[float, float]]]

SIDES, PARTS, POSTURE = "left and right", "body parts", "posture"
# Below these a figure is doubtful: probability that its sides are right, and mean probability of
# its parts.
SURE_OF_SIDES, SURE_OF_PARTS = 0.85, 0.68
# Ratio of the bones of an arm and of a leg, upper to lower, and of the limbs of both sides: by how
# much the logarithm may be off. Those of bodies and of artists' characters lie within.
ARM_RATIO, LEG_RATIO = 1.05, 1.05
OFF, UNEVEN = 0.45, 0.3
# Least and most length of arms and legs in heights of the figure.
ARM_LENGTHS, LEG_LENGTHS = (0.1, 0.6), (0.08, 0.65)
LIMBS: Limbs = {
    "arm": (("shoulder", "elbow", "wrist"), ARM_RATIO, ARM_LENGTHS),
    "leg": (("hip", "knee", "ankle"), LEG_RATIO, LEG_LENGTHS),
}
# Legs of animals: some rigs have their middle joint low, at the hock, others at the stifle.
ANIMAL_LIMBS: Limbs = {
    "front leg": (("shoulder", "elbow", "wrist"), 1.0, (0.15, 0.9)),
    "hind leg": (("hip", "knee", "ankle"), 1.0, (0.15, 0.9)),
}
ANIMAL_OFF = 1.4
CALLED = {"L": "left", "R": "right"}
# An animal on four legs has arms and legs that point to where its front would be (cosine at least),
# and parts that are less sure than those of nearly all figures on two.
POINTING, SURE_OF_TWO_LEGS = 0.7, 0.7
# Mean probability of the parts of a shape below which it is no animal, and how much more is needed
# for each leg that is missing or odd: people and things have less, and most legs odd.
SURE_OF_ANIMAL, SURER = 0.52, 0.035
# Mean probability of the parts that no shapes of other families have: it need not be asked for.
EVIDENT = 0.8


def doubts_of_joints(
    places: Mapping[str, np.ndarray],
    up: np.ndarray,
    height: float,
    confidence: float,
    side_confidence: float | None,
    four_legs: bool = False,
) -> tuple[str, ...]:
    """What is doubtful about the joints of a figure.

    Parameters
    ----------
    places : mapping of str to (3,) float
        Landmarks.
    up : (3,) float
    height : float
        Of the figure, in the unit of the places.
    confidence : float
        Mean probability of the parts.
    side_confidence : float or None
        Probability that left and right are not exchanged; None where they are known.
    four_legs : bool
        Whether it is an animal.
    """
    found = []
    limbs, off = (ANIMAL_LIMBS, ANIMAL_OFF) if four_legs else (LIMBS, OFF)
    for limb, (joints, ratio, (least, most)) in limbs.items():
        lengths: dict[str, tuple[float, float]] = {}
        for side, called in CALLED.items():
            chain = [places[f"{joint}.{side}"] for joint in joints if f"{joint}.{side}" in places]
            if len(chain) < len(joints):
                found.append(f"{called} {limb}")
                continue
            upper, lower = (
                float(np.linalg.norm(b - a)) for a, b in zip(chain[:-1], chain[1:], strict=True)
            )
            lengths[side] = upper, lower
            is_odd = min(upper, lower) < 1e-3 * height or (abs(np.log(upper / lower / ratio)) > off)
            if is_odd or not least * height < upper + lower < most * height:
                found.append(f"{called} {limb}")
        if len(lengths) == 2:
            pairs = zip(lengths["L"], lengths["R"], strict=True)
            uneven = any(abs(np.log(max(a, 1e-9) / max(b, 1e-9))) > UNEVEN for a, b in pairs)
            if uneven:
                found += [f"{called} {limb}" for called in CALLED.values()]
    if side_confidence is not None and side_confidence < SURE_OF_SIDES:
        found.append(SIDES)
    if confidence < SURE_OF_PARTS:
        found.append(PARTS)
    if four_legs:
        return tuple(dict.fromkeys(found))
    hips, head = places.get("hips"), places.get("head", places.get("neck"))
    if hips is None or head is None or up @ (head - hips) < 0.1 * height:
        found.append(POSTURE)
    return tuple(dict.fromkeys(found))


def require_of_family(
    four_legs: bool,
    places: Mapping[str, np.ndarray],
    frame: np.ndarray,
    confidence: float,
    doubts: Collection[str],
) -> None:
    """Raise SurfaceError for an animal that is taken for a person, or the other way round.

    Parameters
    ----------
    four_legs : bool
        Whether it is taken for an animal.
    places : mapping of str to (3,) float
        Landmarks.
    frame : (3, 3) float
        Rows: the directions to its left, to its back, and up.
    confidence : float
        Mean probability of the parts.
    doubts : collection of str
        See `doubts_of_joints`.
    """
    if not four_legs:
        if is_on_four_legs(places, frame, confidence):
            raise _no_person(FOUR_LEGS)
        return
    odd = sum(f"{called} {leg}" in doubts for leg in ANIMAL_LIMBS for called in CALLED.values())
    if confidence < SURE_OF_ANIMAL + SURER * odd:
        raise no_animal()


def require_no_other_family(own: str, other: Proposal) -> None:
    """Raise SurfaceError for a figure that is surely of another family.

    Parameters
    ----------
    own : str
        The family that it is taken for, `FOUR_LEGS` or `PEOPLE`.
    other : Proposal
        The most probable one of the others, and how probable these are.
    """
    if other.is_sure:
        raise no_animal() if own == FOUR_LEGS else _no_person(other.family)


def _no_person(family: str) -> SurfaceError:
    """The error of a shape that is taken for a person, and is of another family."""
    if family == FOUR_LEGS:
        return SurfaceError(
            "This shape seems to stand on four legs",
            "Choose the model Animal parts for an animal. If it is a figure on two legs, let "
            "its arms point to the sides.",
        )
    return SurfaceError(
        "This shape does not seem to be a person",
        "Rig needs a figure on two legs, or an animal on four and the model Animal parts. If it is "
        "one, leave out what is none of it, and see its parts with Segment.",
    )


def no_animal() -> SurfaceError:
    """The error of a shape that has no parts of an animal, or hardly any."""
    return SurfaceError(
        "This shape does not seem to be an animal on four legs",
        "The chosen model is one of these. Choose another for a person; there is none for birds "
        "and fish. If it is one, leave out what is none of it, and see its parts with Segment.",
    )


def is_on_four_legs(places: Mapping[str, np.ndarray], frame: np.ndarray, confidence: float) -> bool:
    """Whether a shape is rather an animal on four legs than a figure on two.

    Parameters
    ----------
    places : mapping of str to (3,) float
        Landmarks.
    frame : (3, 3) float
        Rows: the directions to its left, to its back, and up.
    confidence : float
        Mean probability of the parts.
    """
    if confidence > SURE_OF_TWO_LEGS:
        return False
    pointing = []
    for joints, *_ in LIMBS.values():
        ends = [(f"{joints[0]}.{side}", f"{joints[-1]}.{side}") for side in CALLED]
        ways = [places[b] - places[a] for a, b in ends if a in places and b in places]
        lengths = [float(np.linalg.norm(way)) for way in ways]
        if not ways or min(lengths) <= 0:
            return False
        units = [way / length for way, length in zip(ways, lengths, strict=True)]
        pointing.append(float(-frame[1] @ np.mean(units, axis=0)))
    return min(pointing) > POINTING
