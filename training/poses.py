"""Poses within the limits of the joints, and the turn of every bone that makes them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike
from scipy.spatial.transform import Rotation

from .parts import SIDES
from .template import Template


@dataclass(frozen=True)
class Arm:
    """Pose of one arm, degrees.

    raised : 0 hanging, 90 level, 180 overhead;  forward : 0 sideways, 90 to the front;
    twist : of the upper arm;  elbow : 0 straight, 140 folded;  pronation : of the forearm;
    wrist : bent towards the palm;  curl : of the fingers.
    """

    raised: float = 40.0
    forward: float = 0.0
    twist: float = 0.0
    elbow: float = 25.0
    pronation: float = 0.0
    wrist: float = 0.0
    curl: float = 10.0

    def aim(self, mirror: float) -> np.ndarray:
        """Unit direction (3,) of the upper arm; `mirror` is 1 on the left, -1 on the right."""
        raised, forward = np.radians([self.raised, self.forward])
        return np.array(
            [
                mirror * np.sin(raised) * np.cos(forward),
                -np.sin(raised) * np.sin(forward),
                -np.cos(raised),
            ]
        )


@dataclass(frozen=True)
class Leg:
    """Pose of one leg, degrees: hip to the front, sideways and turned outward; knee; ankle."""

    hip: float = 0.0
    spread: float = 0.0
    turn: float = 0.0
    knee: float = 0.0
    ankle: float = 0.0

    def hip_turn(self, mirror: float) -> Rotation:
        """Rotation of the thigh; `mirror` is 1 on the left, -1 on the right."""
        return (
            about([0, 1, 0], -mirror * self.spread)
            * about([1, 0, 0], -self.hip)
            * about([0, 0, 1], mirror * self.turn)
        )


@dataclass(frozen=True)
class Pose:
    """Pose of the whole body, degrees.

    spine, neck : bent to the front, bent to the left, turned to the left.
    """

    left_arm: Arm = Arm()
    right_arm: Arm = Arm()
    left_leg: Leg = Leg()
    right_leg: Leg = Leg()
    spine: tuple[float, float, float] = (0.0, 0.0, 0.0)
    neck: tuple[float, float, float] = (0.0, 0.0, 0.0)


def unit(vector: np.ndarray) -> np.ndarray:
    return vector / np.linalg.norm(vector)


def about(axis: ArrayLike, degrees: float) -> Rotation:
    """The turn about an axis (3,) by some degrees."""
    return Rotation.from_rotvec(np.radians(degrees) * unit(np.asarray(axis, float)))


def between(source: np.ndarray, target: np.ndarray) -> Rotation:
    """The smallest rotation that takes the direction source to target."""
    axis = np.cross(source, target)
    sine = np.linalg.norm(axis)
    if sine < 1e-9:
        return Rotation.identity()
    return Rotation.from_rotvec(axis / sine * np.arctan2(sine, source @ target))


def chain_turn(angles: tuple[float, float, float], count: int) -> Rotation:
    """Rotation of each of `count` links that share the angles of a spine or a neck, see `Pose`."""
    front, side, turn = np.asarray(angles) / count
    return about([0, 0, 1], turn) * about([0, 1, 0], side) * about([1, 0, 0], front)


def bone_turns(template: Template, heads: np.ndarray, pose: Pose) -> np.ndarray:
    """Rotation of every bone against its parent, in the axes of the rest pose: (B, 3, 3)."""
    turns: dict[str, Rotation] = {}
    spine = [f"spine0{i}" for i in (5, 4, 3, 2, 1)]
    for chain, angles in ((spine, pose.spine), (["neck01", "neck02", "neck03", "head"], pose.neck)):
        turns.update(dict.fromkeys(chain, chain_turn(angles, len(chain))))
    for side, arm, leg in (
        ("L", pose.left_arm, pose.left_leg),
        ("R", pose.right_arm, pose.right_leg),
    ):
        turns.update(_arm_turns(template, heads, side, arm))
        turns.update(_leg_turns(side, leg))
    matrices = np.tile(np.eye(3), (len(template.bones), 1, 1))
    for name, rotation in turns.items():
        matrices[template.bone(name)] = rotation.as_matrix()
    return matrices


def _arm_turns(template: Template, heads: np.ndarray, side: str, arm: Arm) -> dict[str, Rotation]:
    def at(name: str) -> np.ndarray:
        return heads[template.bone(f"{name}.{side}")]

    mirror = 1.0 if side == "L" else -1.0
    upper = unit(at("lowerarm01") - at("upperarm01"))
    fore = unit(at("wrist") - at("lowerarm01"))
    whole = between(upper, arm.aim(mirror)) * about(upper, mirror * arm.twist)
    # Above the level of the shoulder the shoulder blade takes a third of the way.
    lift = max(arm.raised - 80.0, 0.0) / 3.0
    clavicle = about([0, 1, 0], -mirror * lift)
    rest_of_arm = clavicle.inv() * whole
    shoulder = Rotation.from_rotvec(0.25 * rest_of_arm.as_rotvec())
    turns = {
        f"clavicle.{side}": clavicle,
        f"shoulder01.{side}": shoulder,
        f"upperarm01.{side}": shoulder.inv() * rest_of_arm,
    }
    hinge = np.cross(upper, fore)
    rest_elbow = np.degrees(np.arctan2(np.linalg.norm(hinge), upper @ fore))
    turns[f"lowerarm01.{side}"] = about(hinge, arm.elbow - rest_elbow)
    half_twist = about(fore, mirror * arm.pronation / 2)
    turns[f"lowerarm02.{side}"] = half_twist

    index, little = at("finger2-1") - at("wrist"), at("finger5-1") - at("wrist")
    palm = unit(np.cross(index, little)) * -mirror
    along = unit(at("finger3-1") - at("wrist"))
    turns[f"wrist.{side}"] = half_twist * about(np.cross(along, palm), arm.wrist)
    for finger in range(1, 6):
        # The thumb folds across the palm, and less far.
        strength = 0.5 if finger == 1 else 1.0
        direction = at(f"finger{finger}-2") - at(f"finger{finger}-1")
        for joint in (1, 2, 3):
            turns[f"finger{finger}-{joint}.{side}"] = about(
                np.cross(direction, palm), strength * arm.curl
            )
    return turns


def _leg_turns(side: str, leg: Leg) -> dict[str, Rotation]:
    mirror = 1.0 if side == "L" else -1.0
    return {
        f"upperleg01.{side}": leg.hip_turn(mirror),
        f"lowerleg01.{side}": about([1, 0, 0], leg.knee),
        f"foot.{side}": about([1, 0, 0], leg.ankle),
    }


def sample_game_pose(rng: np.random.Generator) -> Pose:
    """A pose as characters are delivered in: mostly an exact T- or A-pose, at times any other."""
    kind = rng.choice(("t_pose", "a_pose", "any"), p=(0.45, 0.25, 0.3))
    return sample_pose(rng) if kind == "any" else _exact_pose(rng, kind == "t_pose")


def _exact_pose(rng: np.random.Generator, level: bool) -> Pose:
    raised = rng.uniform(86, 94) if level else rng.uniform(30, 70)
    arm = Arm(
        raised=raised,
        elbow=float(rng.choice([0.0, rng.uniform(0, 25)])),
        twist=rng.uniform(-25, 25),
        pronation=rng.uniform(-60, 60),
        curl=float(rng.choice([0.0, rng.uniform(0, 20), rng.uniform(40, 80)], p=(0.5, 0.4, 0.1))),
    )
    leg = Leg(spread=rng.uniform(-9, 10), turn=float(rng.choice([0.0, rng.uniform(-5, 15)])))
    return Pose(arm, arm, leg, leg)


def sample_exact_pose(rng: np.random.Generator) -> Pose:
    """The pose of a figure that is modelled with a mirror: an exact T- or A-pose, at times with
    the arms a little lower or higher, or hanging straight; both sides alike to the last digit."""
    kind = rng.choice(("t_pose", "near_t", "a_pose", "hanging"), p=(0.45, 0.2, 0.27, 0.08))
    raised = {
        "t_pose": 90.0,
        "near_t": rng.uniform(72, 112),
        "a_pose": rng.uniform(28, 70),
        "hanging": rng.uniform(12, 24),
    }[str(kind)]
    bent = rng.uniform() < 0.3
    arm = Arm(
        raised=float(raised),
        forward=float(rng.uniform(-6, 10)) if bent else 0.0,
        elbow=float(rng.uniform(0, 30)) if bent else 0.0,
        twist=float(rng.choice([0.0, rng.uniform(-25, 25)])),
        pronation=float(rng.choice([0.0, rng.uniform(-60, 60)])),
        curl=float(rng.choice([0.0, rng.uniform(0, 20), rng.uniform(40, 80)], p=(0.5, 0.4, 0.1))),
    )
    leg = Leg(
        spread=float(rng.choice([0.0, rng.uniform(-3, 12)])),
        turn=float(rng.choice([0.0, rng.uniform(-5, 20)])),
    )
    return Pose(arm, arm, leg, leg)


def sample_gesture(rng: np.random.Generator) -> Pose:
    """Arms where they are rarely: one or both overhead or spread high, hands on the hips, arms
    crossed before the chest."""
    kind = str(rng.choice(("overhead", "one_overhead", "spread", "hips", "crossed")))
    return _add_slack(_GESTURES[kind](rng), rng)


def sample_raised_arms(rng: np.random.Generator) -> Pose:
    """One or both arms raised or spread, as busts of scanned people hold them."""
    kind = str(rng.choice(("overhead", "one_overhead", "spread"), p=(0.4, 0.25, 0.35)))
    return _add_slack(_GESTURES[kind](rng), rng)


def sample_calm_pose(rng: np.random.Generator) -> Pose:
    """Standing or a small stride: what a floor-length skirt allows."""
    stride = float(rng.normal(0, 10))
    legs = (
        Leg(hip=stride, knee=float(rng.uniform(0, 12)), spread=float(rng.uniform(-2, 8))),
        Leg(hip=-stride, knee=float(rng.uniform(0, 12)), spread=float(rng.uniform(-2, 8))),
    )
    arms = _arms(rng, raised=(15, 100), forward=(-20, 70), twist=(-25, 25), elbow=(0, 100))
    return _add_slack(Pose(*arms, *legs), rng)


def sample_pose(rng: np.random.Generator) -> Pose:
    """A random pose within the limits of the joints, from an A-pose to strongly bent."""
    kinds = ("a_pose", "t_pose", "relaxed", "walking", "sitting", "raised", "squatting", "free")
    kind = rng.choice(kinds, p=(0.12, 0.1, 0.13, 0.15, 0.12, 0.12, 0.06, 0.2))
    return _add_slack(_POSES[kind](rng), rng)


def _arms(rng: np.random.Generator, **limits: tuple[float, float]) -> tuple[Arm, Arm]:
    sides = [{name: float(rng.uniform(*limit)) for name, limit in limits.items()} for _ in SIDES]
    return Arm(**sides[0]), Arm(**sides[1])


def _legs(rng: np.random.Generator, **limits: tuple[float, float]) -> tuple[Leg, Leg]:
    sides = [{name: float(rng.uniform(*limit)) for name, limit in limits.items()} for _ in SIDES]
    return Leg(**sides[0]), Leg(**sides[1])


def _a_pose(rng: np.random.Generator) -> Pose:
    raised, elbow = rng.uniform(25, 60), rng.uniform(0, 30)
    arm = Arm(raised=raised, elbow=elbow, curl=rng.uniform(0, 20))
    leg = Leg(spread=rng.uniform(-3, 12))
    return Pose(arm, arm, leg, leg)


def _t_pose(rng: np.random.Generator) -> Pose:
    arm = Arm(raised=rng.uniform(75, 98), elbow=rng.uniform(0, 20), curl=rng.uniform(0, 15))
    leg = Leg(spread=rng.uniform(-3, 15))
    return Pose(arm, arm, leg, leg)


def _relaxed(rng: np.random.Generator) -> Pose:
    arms = _arms(
        rng, raised=(10, 25), forward=(-20, 50), twist=(-20, 20), elbow=(5, 60), curl=(5, 35)
    )
    legs = _legs(rng, hip=(-5, 15), spread=(-3, 12), turn=(-5, 25), knee=(0, 20))
    return Pose(*arms, *legs)


def _walking(rng: np.random.Generator) -> Pose:
    stride = rng.uniform(15, 55)
    fold = rng.uniform(10, 100)
    swing = rng.uniform(0.5, 1.2) * stride
    front = Leg(hip=stride, knee=rng.uniform(5, 60), ankle=rng.uniform(-15, 10))
    back = Leg(hip=-0.5 * stride, knee=rng.uniform(10, 90), ankle=rng.uniform(0, 30))
    ahead = Arm(raised=max(swing, 12), forward=80, elbow=fold, curl=rng.uniform(0, 50))
    behind = Arm(raised=max(0.8 * swing, 12), forward=-70, elbow=fold, curl=rng.uniform(0, 50))
    lean = (rng.uniform(0, 15), 0.0, rng.uniform(-12, 12))
    if rng.uniform() < 0.5:
        return Pose(ahead, behind, back, front, spine=lean)
    return Pose(behind, ahead, front, back, spine=lean)


def _sitting(rng: np.random.Generator) -> Pose:
    arms = _arms(
        rng, raised=(15, 60), forward=(10, 90), twist=(-30, 30), elbow=(20, 110), curl=(0, 50)
    )
    legs = _legs(rng, hip=(65, 105), spread=(-3, 30), knee=(40, 115), ankle=(-15, 15))
    return Pose(*arms, *legs, spine=(float(rng.uniform(-10, 35)), 0.0, 0.0))


def _raised(rng: np.random.Generator) -> Pose:
    arms = _arms(
        rng, raised=(90, 170), forward=(0, 80), twist=(-30, 30), elbow=(0, 100), curl=(0, 60)
    )
    if rng.uniform() < 0.4:
        arms = (arms[0], _relaxed(rng).right_arm)
        arms = arms if rng.uniform() < 0.5 else arms[::-1]
    legs = _legs(rng, hip=(-10, 40), spread=(-3, 20), turn=(-5, 20), knee=(0, 40))
    return Pose(*arms, *legs)


def _squatting(rng: np.random.Generator) -> Pose:
    hip, knee = rng.uniform(50, 115), rng.uniform(60, 125)
    leg = Leg(hip=hip, spread=rng.uniform(5, 30), knee=knee, ankle=-rng.uniform(10, 30))
    arms = _arms(rng, raised=(15, 90), forward=(20, 90), elbow=(10, 110), curl=(0, 60))
    return Pose(*arms, leg, leg, spine=(float(rng.uniform(5, 50)), 0.0, 0.0))


def _free(rng: np.random.Generator) -> Pose:
    arms = _arms(
        rng,
        raised=(12, 150),
        forward=(-40, 100),
        twist=(-45, 45),
        elbow=(0, 130),
        pronation=(-40, 60),
        wrist=(-30, 40),
        curl=(0, 70),
    )
    legs = _legs(
        rng, hip=(-20, 95), spread=(-8, 40), turn=(-20, 30), knee=(0, 115), ankle=(-20, 30)
    )
    spine = rng.uniform((-15, -15, -25), (40, 15, 25))
    return Pose(*arms, *legs, spine=tuple(spine.tolist()))


def _standing_legs(rng: np.random.Generator) -> tuple[Leg, Leg]:
    return _legs(rng, hip=(-8, 15), spread=(-2, 14), turn=(-5, 20), knee=(0, 15))


def _overhead(rng: np.random.Generator) -> Pose:
    arms = _arms(
        rng, raised=(125, 178), forward=(0, 50), twist=(-30, 30), elbow=(0, 110), curl=(0, 60)
    )
    if rng.uniform() < 0.5:
        arms = (arms[0], arms[0])
    return Pose(*arms, *_standing_legs(rng))


def _one_overhead(rng: np.random.Generator) -> Pose:
    up, other = _overhead(rng).left_arm, _relaxed(rng).right_arm
    arms = (up, other) if rng.uniform() < 0.5 else (other, up)
    return Pose(*arms, *_standing_legs(rng))


def _spread(rng: np.random.Generator) -> Pose:
    arms = _arms(
        rng, raised=(85, 145), forward=(-15, 60), twist=(-30, 30), elbow=(0, 70), curl=(0, 40)
    )
    return Pose(*arms, *_standing_legs(rng))


def _on_hips(rng: np.random.Generator) -> Pose:
    arm = Arm(
        raised=float(rng.uniform(38, 58)),
        forward=float(rng.uniform(-20, 10)),
        twist=float(rng.uniform(70, 95)),
        elbow=float(rng.uniform(85, 110)),
        curl=float(rng.uniform(10, 60)),
    )
    other = arm if rng.uniform() < 0.6 else _relaxed(rng).right_arm
    arms = (arm, other) if rng.uniform() < 0.5 else (other, arm)
    return Pose(*arms, *_standing_legs(rng))


def _crossed(rng: np.random.Generator) -> Pose:
    folded = rng.uniform(95, 118, 2)
    arms = tuple(
        Arm(
            raised=float(rng.uniform(38, 52) + 10 * i),
            forward=float(rng.uniform(50, 75)),
            twist=float(rng.uniform(25, 50)),
            elbow=float(folded[i]),
            curl=float(rng.uniform(5, 40)),
        )
        for i in range(2)
    )
    return Pose(*arms, *_standing_legs(rng))


_GESTURES = {
    "overhead": _overhead,
    "one_overhead": _one_overhead,
    "spread": _spread,
    "hips": _on_hips,
    "crossed": _crossed,
}
_POSES = {
    "a_pose": _a_pose,
    "t_pose": _t_pose,
    "relaxed": _relaxed,
    "walking": _walking,
    "sitting": _sitting,
    "raised": _raised,
    "squatting": _squatting,
    "free": _free,
}


def _add_slack(pose: Pose, rng: np.random.Generator) -> Pose:
    """No pose is held exactly: a few degrees everywhere, and the head looks about."""

    def arm(given: Arm) -> Arm:
        return replace(
            given,
            raised=given.raised + rng.normal(0, 3),
            forward=given.forward + rng.normal(0, 5),
            twist=given.twist + rng.normal(0, 8),
            pronation=given.pronation + rng.normal(0, 15),
            wrist=given.wrist + rng.normal(0, 8),
        )

    def leg(given: Leg) -> Leg:
        return replace(
            given,
            hip=given.hip + rng.normal(0, 3),
            spread=given.spread + rng.normal(0, 2),
            turn=given.turn + rng.normal(0, 4),
            ankle=given.ankle + rng.normal(0, 5),
        )

    sigma = rng.choice([4.0, 12.0])
    spine = np.asarray(pose.spine) + rng.normal(0, sigma / 2, 3)
    neck = np.clip(rng.normal(0, sigma, 3) * (1.2, 1.0, 2.0), (-35, -25, -60), (35, 25, 60))
    return Pose(
        arm(pose.left_arm),
        arm(pose.right_arm),
        leg(pose.left_leg),
        leg(pose.right_leg),
        spine=tuple(spine.tolist()),
        neck=tuple(neck.tolist()),
    )
