"""Four-legged animals of no species: skins around skeletons of any proportions.

A few modelled animals are soon known by heart; of these no two are alike.
"""

from __future__ import annotations

import numpy as np
from scipy import sparse

from .animals import LINKS, Animal, bordered
from .bodies import Rigged
from .bone_skins import SkinBone, skin_around
from .meshes import SKIN
from .parts import ANIMAL_PART_NAMES, NO_PART, SIDES
from .poses import unit

CELL = 0.038
# Of tails that the trunk runs out into, and of hind legs whose thighs cover the flanks.
TAPERING_SHARE, HAUNCHES_SHARE = 0.35, 0.4
_ARM = "arm"


def sample_quadruped(rng: np.random.Generator, human: bool = False) -> Animal:
    """An animal at rest, a unit long from hips to shoulders.

    Parameters
    ----------
    rng : the only source of chance.
    human : whether it has a human torso for a neck, as a centaur; its arms have no part.
    """
    bones, link_of = _skeleton(rng, human)
    vertices, faces, by_bone = skin_around(bones, CELL, rng.uniform(0.02, 0.05))
    weights = np.zeros((len(vertices), len(LINKS)))
    for column, name in enumerate(bones):
        weights[:, LINKS.index(link_of[name])] += by_bone[:, column]
    held = np.zeros((len(vertices), len(ANIMAL_PART_NAMES)))
    joints, ends = np.zeros((2, len(LINKS), 3))
    for number, link in enumerate(LINKS):
        held[:, ANIMAL_PART_NAMES.index(_part(link))] += weights[:, number]
        joints[number], ends[number] = bones[link].head, bones[link].tail
    joints[LINKS.index("torso.0")], ends[LINKS.index("torso.0")] = (
        bones["torso.0"].tail,
        bones["torso.0"].head,
    )
    labels = bordered(vertices, faces, held.argmax(axis=1), joints).astype(np.int32)
    arms = [name.startswith(_ARM) for name in bones]
    labels[by_bone[:, arms].sum(axis=1) > 0.5] = NO_PART
    skin = np.full(len(vertices), SKIN, np.int32)
    return Animal(Rigged(vertices, faces, labels, skin, sparse.csr_matrix(weights)), joints, ends)


def _part(link: str) -> str:
    return link if link in ANIMAL_PART_NAMES else link.partition(".")[0]


def _between(rng: np.random.Generator, low: float, high: float) -> float:
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def _way(degrees: float) -> np.ndarray:
    """Ahead, so many degrees upward."""
    angle = np.radians(degrees)
    return np.array([0.0, -np.cos(angle), np.sin(angle)])


def _skeleton(rng: np.random.Generator, human: bool) -> tuple[dict[str, SkinBone], dict[str, str]]:
    """Bones, one of each link by its name, and others; and the link of each."""
    height, depth = _between(rng, 0.35, 1.5), _between(rng, 0.14, 0.5)
    chest, rump = depth * rng.uniform(0.85, 1.15), depth * rng.uniform(0.8, 1.1)
    level = height + 0.5 * depth
    # Most animals are as high at the hips as at the shoulders; a stegosaurus is 1.6 times as high.
    hips = 0.88 + 0.72 * rng.uniform() ** 2.5
    front, hind = np.array([0, -0.5, level]), np.array([0, 0.5, level * hips])
    waist = (front + hind) / 2 + [0, 0, rng.normal(0.02, 0.07)]
    belly = depth * rng.uniform(0.8, 1.3)
    bones = {
        "torso.0": SkinBone(waist, hind, (belly, rump)),
        "torso.1": SkinBone(waist, front, (belly, chest)),
    }
    if human:
        size, skull = _upper_body(rng, bones, front, chest)
    else:
        size, skull = _neck_and_head(rng, bones, front, chest)
    link_of = {name: "neck.0" if name.startswith(_ARM) else name for name in bones}
    if rng.uniform() < 0.8:
        tip = skull + [size * rng.uniform(0.4, 1.2), size * rng.uniform(-0.5, 0.8), 0]
        tip = tip + [0, 0, size * rng.uniform(0.3, 2.5)]
        width = size * rng.uniform(0.12, 0.35)
        for side, sign in zip(SIDES, (1, -1), strict=True):
            mirror = np.array([sign, 1, 1])
            root = (skull + [0.6 * size, 0, 0.5 * size]) * mirror
            bones[f"ear.{side}"] = SkinBone(root, tip * mirror, (width, 0.6 * width))
            link_of[f"ear.{side}"] = "head.0"
    _tail(rng, bones, link_of, hind, rump)
    for leg, top, width in (("front", front, chest), ("hind", hind, rump)):
        # Legs begin inside the trunk, as hips and shoulders do.
        _legs(rng, bones, link_of, leg, top, width, top[2] - rng.uniform(0.0, 0.35) * depth)
    return bones, link_of


def _neck_and_head(rng, bones, front, chest) -> tuple[float, np.ndarray]:
    """The girth of the head, and where it begins."""
    long, up = _between(rng, 0.08, 2.2), rng.uniform(-15, 80)
    thick = min(chest * rng.uniform(0.4, 0.95), 0.35)
    thin = thick * rng.uniform(0.5, 1.0)
    start = front + chest * rng.uniform(0.3, 0.8) * _way(rng.uniform(0, 50))
    middle = start + long / 2 * _way(up + rng.uniform(-25, 10))
    skull = middle + long / 2 * _way(up)
    bones["neck.0"] = SkinBone(start, middle, (thick, (thick + thin) / 2))
    bones["neck.1"] = SkinBone(middle, skull, ((thick + thin) / 2, thin))
    size = max(thin * rng.uniform(0.75, 1.7), 0.06)
    nose = skull + size * rng.uniform(0.8, 3.0) * _way(rng.uniform(-60, 5))
    bones["head.0"] = SkinBone(skull, nose, (size, size * rng.uniform(0.35, 0.8)))
    return size, skull


def _upper_body(rng, bones, front, chest) -> tuple[float, np.ndarray]:
    """A human torso with arms, a neck and a head: the girth of the head, and where it begins."""
    long, up = rng.uniform(0.45, 0.85), rng.uniform(75, 100)
    waist = front + chest * rng.uniform(0.2, 0.6) * _way(rng.uniform(10, 50))
    top = waist + long * _way(up)
    wide = long * rng.uniform(0.2, 0.32)
    bones["neck.0"] = SkinBone(waist, top, (chest * rng.uniform(0.6, 0.9), 0.8 * wide))
    size = long * rng.uniform(0.16, 0.26)
    skull = top + (0.8 * wide + long * rng.uniform(0.05, 0.15)) * _way(up)
    bones["neck.1"] = SkinBone(top, skull, (0.6 * size, 0.5 * size))
    skull = skull + 0.6 * size * _way(90)
    bones["head.0"] = SkinBone(skull, skull + 0.5 * size * _way(10), (size, 0.8 * size))
    # Arms hang, are stretched out or reach ahead; both do the same, as all at rest.
    shoulder = top + [1.5 * wide, 0, -0.3 * wide]
    down, ahead = rng.uniform(-1.0, 0.4), rng.uniform(-0.2, 0.8)
    upper = unit(np.array([rng.uniform(0.2, 1.0), -ahead, down]))
    lower = unit(upper + [0, -rng.uniform(0.0, 1.2), rng.uniform(-0.4, 0.6)])
    elbow = shoulder + 0.5 * long * upper
    hand = elbow + 0.55 * long * lower
    thick = wide * rng.uniform(0.25, 0.45)
    for side, sign in zip(SIDES, (1, -1), strict=True):
        path = np.stack([top, shoulder, elbow, hand]) * [sign, 1, 1]
        radii = (0.8 * wide, 1.2 * thick, thick, 0.7 * thick)
        for number in range(3):
            bones[f"{_ARM}.{number}.{side}"] = SkinBone(
                path[number], path[number + 1], radii[number : number + 2]
            )
    return size, skull


def _tail(rng, bones, link_of, hind, rump) -> None:
    if rng.uniform() < TAPERING_SHARE:
        # As a lizard's: the trunk runs out into it.
        place = hind + rump * rng.uniform(0.1, 0.5) * np.array([0, 1, 0])
        long, thick = _between(rng, 0.6, 3.6), rump * rng.uniform(0.7, 1.0)
        tip = rng.uniform(0.05, 0.3)
        radii = thick * np.linspace(1, tip, 5) ** rng.uniform(0.8, 1.4)
        angle, curl = rng.uniform(150, 205), rng.uniform(-18, 8)
    else:
        place = hind + rump * 0.8 * np.array([0, 1, rng.uniform(0, 0.5)])
        long, thick = _between(rng, 0.12, 2.5), rump * rng.uniform(0.1, 0.55)
        # As a fox's: a brush that may be larger than the head.
        brush = rng.uniform(1.2, 2.6) if rng.uniform() < 0.35 else 1.0
        growth = rng.uniform(0.6, 1.05, 4) * np.sqrt([brush, brush, 1, 1])
        radii = thick * np.cumprod([1, *growth])
        angle, curl = rng.uniform(100, 250), rng.normal(0, 18)
    for number in range(4):
        end = place + long / 4 * _way(angle)
        bones[f"tail.{number}"] = SkinBone(place, end, tuple(radii[number : number + 2]))
        link_of[f"tail.{number}"] = f"tail.{number}"
        place, angle = end, angle + curl


def _legs(rng, bones, link_of, leg, top, width, height) -> None:
    out = width * rng.uniform(0.45, 1.0)
    thick = min(width * rng.uniform(0.25, 0.6), 0.5 * height)
    knee_radius = thick * rng.uniform(0.4, 0.8)
    if leg == "hind" and rng.uniform() < HAUNCHES_SHARE:
        thick = min(width * rng.uniform(0.6, 1.0), 0.6 * height)
        knee_radius = min(knee_radius, 0.5 * thick)
        out = width * rng.uniform(0.6, 0.9)
        height = height - 0.4 * thick
    ankle_radius = knee_radius * rng.uniform(0.55, 1.0)
    hip = np.array([out, top[1] + rng.uniform(-0.08, 0.08), height])
    # Of files by artists most ankles are next to the sole.
    ankle_height = height * rng.uniform(0.01, 0.16)
    # Where the knee is between hip and ankle, and how far behind; how far behind the hip the ankle.
    if leg == "front":
        middle, bend, behind = rng.uniform([0.33, -0.12, -0.15], [0.7, 0.12, 0.12])
    else:
        middle, bend, behind = rng.uniform([0.28, -0.08, -0.06], [0.62, 0.28, 0.3])
    ankle = np.array([out * rng.uniform(0.8, 1.2), hip[1] + behind * min(height, 1), ankle_height])
    knee = hip + middle * (ankle - hip) + [0, bend * height, 0]
    foot = _between(rng, 0.03, 0.35) * min(height, 1.0)
    paw = max(ankle_radius * rng.uniform(0.9, 1.7), 0.035)
    toe = np.array([ankle[0], ankle[1] - foot, min(paw * 0.7, ankle_height)])
    chain = {
        "upper_leg": (hip, knee, (thick, knee_radius)),
        "lower_leg": (knee, ankle, (knee_radius, ankle_radius)),
        "foot": (ankle, toe, (max(ankle_radius, 0.03), paw)),
    }
    for side, mirrored in zip(SIDES, (1, -1), strict=True):
        for part, (head, tail, radii) in chain.items():
            name = f"{leg}_{part}.{side}"
            mirror = np.array([mirrored, 1, 1])
            bones[name] = SkinBone(head * mirror, tail * mirror, radii)
            link_of[name] = name
