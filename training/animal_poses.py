"""Poses of four-legged animals: standing, walking to galloping, sitting, lying; heads and tails
turned."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .poses import about

# Steps of the legs in a gait: left front, right front, left hind, right hind, in shares of a cycle.
GAITS = {
    "walk": (0.25, 0.75, 0.0, 0.5),
    "trot": (0.0, 0.5, 0.5, 0.0),
    "pace": (0.0, 0.5, 0.0, 0.5),
    "gallop": (0.0, 0.12, 0.5, 0.62),
}
KINDS = {"rest": 0.2, "stand": 0.22, "gait": 0.33, "sit": 0.12, "lie": 0.13}
X, Y, Z = np.eye(3)


def pose_turns(rng: np.random.Generator, links: Sequence[str]) -> np.ndarray:
    """Rotation (L, 3, 3) of each link against the one before it, in the axes of rest.

    Parameters
    ----------
    rng : the only source of chance.
    links : as `animals.LINKS`.
    """
    kind = str(rng.choice(list(KINDS), p=list(KINDS.values())))
    # Degrees about the axis to the left: legs swing backward, the head goes down.
    swing = {"stand": _standing, "gait": _gait, "sit": _sitting, "lie": _lying}
    bend = {} if kind == "rest" else swing[kind](rng)
    turns = np.tile(np.eye(3), (len(links), 1, 1))
    loose = rng.uniform() < 0.75 and kind != "rest"
    neck, tail = rng.uniform([-35, -35, -20], [55, 35, 20]), rng.uniform([-55, -45], [55, 45])
    head = rng.uniform([-30, -30, -20], [30, 30, 20])
    for index, link in enumerate(links):
        part = link.partition(".")[0]
        turn = about(X, bend.get(link, 0.0))
        if loose and part == "neck":
            turn = turn * about(X, neck[0] / 2) * about(Z, neck[1] / 2) * about(Y, neck[2] / 2)
        if loose and part == "head":
            turn = turn * about(X, head[0]) * about(Z, head[1]) * about(Y, head[2])
        if loose and part == "tail":
            turn = turn * about(X, tail[0] / 3) * about(Z, tail[1] / 3)
        if kind != "rest" and part.endswith("upper_leg"):
            turn = turn * about(Y, rng.normal(0, 5)) * about(Z, rng.normal(0, 5))
        if kind != "rest" and link == "torso.1":
            turn = turn * about(Z, rng.normal(0, 8)) * about(Y, rng.normal(0, 4))
        turns[index] = turn.as_matrix()
    return turns


def _standing(rng: np.random.Generator) -> dict[str, float]:
    bend = {}
    for side in "LR":
        for leg, sign in (("front", 1.0), ("hind", -1.0)):
            swing, fold = rng.normal(0, 8), abs(rng.normal(0, 8))
            bend |= _leg(leg, side, swing, sign * fold, rng.normal(0, 5))
    return bend


def _gait(rng: np.random.Generator) -> dict[str, float]:
    phases = GAITS[str(rng.choice(list(GAITS)))]
    start, wide, high = rng.uniform(), rng.uniform(8, 40), rng.uniform(5, 65)
    bend = {"torso.1": rng.normal(0, 6)}
    legs = [(leg, side) for leg in ("front", "hind") for side in "LR"]
    for (leg, side), phase in zip(legs, phases, strict=True):
        angle = 2 * np.pi * (start + phase)
        # A leg is lifted on its way to the front.
        fold = high * max(0.0, -np.cos(angle)) ** 1.5
        sign = 1.0 if leg == "front" else -1.0
        bend |= _leg(leg, side, wide * np.sin(angle), sign * fold, 0.5 * fold)
    return bend


def _sitting(rng: np.random.Generator) -> dict[str, float]:
    """The front upright, the hind legs folded beside the hips."""
    pitch, folded = rng.uniform(20, 50), rng.uniform(35, 75)
    bend = {"torso.0": -pitch, "neck.0": 0.5 * pitch, "head.0": 0.4 * pitch}
    for side in "LR":
        bend |= _leg("front", side, pitch + rng.normal(0, 5), 0.0, 0.0)
        # Knees forward, hocks on the ground.
        bend |= _leg("hind", side, pitch - folded, 1.4 * folded, -0.4 * folded)
    return bend


def _lying(rng: np.random.Generator) -> dict[str, float]:
    """On the belly, legs before it or folded beneath."""
    bend = {"torso.1": rng.normal(0, 5)}
    stretched = rng.uniform() < 0.5
    for side in "LR":
        if stretched:
            bend |= _leg("front", side, -rng.uniform(60, 85), rng.uniform(-5, 15), 0.0)
        else:
            fold = rng.uniform(80, 125)
            bend |= _leg("front", side, -rng.uniform(25, 60), fold, rng.uniform(0, 25))
        fold = rng.uniform(70, 110)
        bend |= _leg("hind", side, -rng.uniform(40, 70), fold, -rng.uniform(20, 50))
    return bend


def _leg(leg: str, side: str, upper: float, lower: float, foot: float) -> dict[str, float]:
    return {
        f"{leg}_upper_leg.{side}": upper,
        f"{leg}_lower_leg.{side}": lower,
        f"{leg}_foot.{side}": foot,
    }
