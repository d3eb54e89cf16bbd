"""The bones of a kind of skeleton on a figure, from its landmarks and points of the template."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ...matching.limbs.directions import SIDES, across, transported, unit
from .bends import bends
from .bone_specs import BoneSpec
from .kinds import FACE, FINGER, FINGERS, KINDS, TOE, Kind

# An elbow or knee that is off the straight line by less than this share of the limb's length is off
# it to the natural side at least as much as to any other: its plane is that of its turn.
HARDLY_BENT = 0.15
# A bone shorter than this share of the figure's height is none.
SHORTEST = 2e-3


@dataclass(frozen=True, eq=False)
class Skeleton:
    """Bones of a rig that is to be made.

    Attributes
    ----------
    kind : str
    names : tuple of B str
        As the kind calls them.
    roles : tuple of B str
        As the humanoid calls them, see `kinds.HUMANOID`.
    parents : (B,) int
        Each bone after its parent; -1 for one without.
    heads, tails : (B, 3) float64
        In the space of the surface.
    z : (B, 3) float64
        Direction of each bone's own z axis: about its x axis it turns the natural way.
    """

    kind: str
    names: tuple[str, ...]
    roles: tuple[str, ...]
    parents: np.ndarray
    heads: np.ndarray
    tails: np.ndarray
    z: np.ndarray


def skeleton_of(
    places: Mapping[str, np.ndarray],
    frame: np.ndarray,
    kind: str,
    fingers: bool = True,
    toes: bool = True,
    face: bool = False,
) -> Skeleton:
    """Bones of a kind between the places that a figure has.

    Parameters
    ----------
    places : mapping of str to (3,) float
        Landmarks and points of the template.
    frame : (3, 3) float
        Rows to the left, to the back and up.
    kind : str
        One of `kinds.KINDS`.
    fingers, toes, face : bool
        Whether these have bones of their own.
    """
    found = KINDS[kind]
    places = _with_hooves(places) if found.four_legs else _with_between(places, frame)
    height = max(float(np.ptp([frame[2] @ place for place in places.values()])), 1e-12)
    names = found.names
    left_out = {group for group, kept in ((FINGER, fingers), (TOE, toes), (FACE, face)) if not kept}
    specs = {
        spec.name: spec
        for spec in found.bones
        if spec.name in names and spec.group not in left_out and spec.head in places
    }
    parent_of = {spec.name: spec.parent for spec in found.bones}
    rows: list[tuple[BoneSpec, int, np.ndarray, np.ndarray]] = []
    index: dict[str, int] = {}
    for name, spec in specs.items():
        head = places[spec.head]
        tail = _tail(spec, specs, places, found)
        if tail is None or np.linalg.norm(tail - head) < SHORTEST * height:
            continue
        above = parent_of[name]
        while above and above not in index:
            above = parent_of[above]
        index[name] = len(rows)
        rows.append((spec, index[above] if above else -1, head, tail))
    axes = {"front": -frame[1], "back": frame[1], "up": frame[2], "down": -frame[2]}
    z: list[np.ndarray] = []
    for spec, parent, head, tail in rows:
        wanted = _palm(spec.name[-1], places, frame) if spec.z == "palm" else axes[spec.z]
        # Along a chain it goes along as the bones bend: controls of Rigify roll none of them, and
        # a tail that hangs down and then ahead passes the direction that is wanted.
        if parent >= 0 and any({spec.name, rows[parent][0].name} <= set(c) for c in found.chains):
            _, _, start, end = rows[parent]
            wanted = transported(z[parent], unit(end - start), unit(tail - head))
        z.append(_axis_across(tail - head, wanted, frame))
    return Skeleton(
        kind,
        tuple(names[spec.name] for spec, *_ in rows),
        tuple(spec.name for spec, *_ in rows),
        np.array([parent for _, parent, *_ in rows], dtype=np.int64),
        np.array([head for *_, head, _ in rows]).reshape(-1, 3),
        np.array([tail for *_, tail in rows]).reshape(-1, 3),
        np.array(z).reshape(-1, 3),
    )


def _with_between(places: Mapping[str, np.ndarray], frame: np.ndarray) -> dict[str, np.ndarray]:
    """Places with those between others, and what takes the place of what a figure lacks."""
    found = dict(places)
    if "hips" in found and "neck" in found:
        for name, share in (("waist", 0.3), ("chest", 0.6)):
            found.setdefault(name, found["hips"] + share * (found["neck"] - found["hips"]))
        # Hips turn a little above the line between the hip joints.
        found["hips"] = found["hips"] + 0.25 * (found["waist"] - found["hips"])
    for name, one, other in (("middle", "waist", "chest"), ("nape", "neck", "head")):
        if one in found and other in found:
            found[name] = (found[one] + found[other]) / 2
    _turn_planes(found, frame[1])
    for side in SIDES:
        if f"knuckles.{side}" not in found and f"wrist.{side}" in found:
            elbow = found.get(f"elbow.{side}")
            if elbow is not None:
                wrist = found[f"wrist.{side}"]
                found[f"knuckles.{side}"] = wrist + 0.35 * (wrist - elbow)
        for finger in FINGERS[1:]:
            knuckle = found.get(f"{finger}1.{side}")
            if knuckle is not None and f"wrist.{side}" in found:
                wrist = found[f"wrist.{side}"]
                found[f"palm_{finger}.{side}"] = wrist + 0.35 * (knuckle - wrist)
    if "hips" in found:
        low = min(float(frame[2] @ place) for place in found.values())
        floor = found["hips"] - (frame[2] @ found["hips"] - low) * frame[2]
        found["floor"] = floor
        size = float(np.ptp([frame[2] @ place for place in found.values()]))
        found["floor_front"] = floor - 0.1 * size * frame[1]
    return found


def _with_hooves(places: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Places of an animal with those where hooves begin, halfway along its feet."""
    found = dict(places)
    for side in SIDES:
        for leg, start, end in (("front", "wrist", "fingertips"), ("hind", "ankle", "toe_tip")):
            ends = found.get(f"{start}.{side}"), found.get(f"{end}.{side}")
            if ends[0] is not None and ends[1] is not None:
                found[f"{leg}_hoof.{side}"] = (ends[0] + ends[1]) / 2
    return found


def _turn_planes(found: dict[str, np.ndarray], back: np.ndarray) -> None:
    """Move joints of limbs that are hardly bent so that they bend the natural way."""
    for bend in bends(found, back):
        way = across(bend.natural, bend.along)
        if np.linalg.norm(way) < 0.5:
            # The limb points to the front or to the back.
            continue
        way = unit(way)
        aside = float(np.linalg.norm(across(bend.off, way)))
        if np.linalg.norm(bend.off) < HARDLY_BENT * bend.length:
            missing = max(aside - float(bend.off @ way), 0.0)
            found[bend.joint] = found[bend.joint] + missing * way


def _tail(
    spec: BoneSpec, specs: Mapping[str, BoneSpec], places: Mapping[str, np.ndarray], kind: Kind
) -> np.ndarray | None:
    """Where a bone ends: where the next of its chain begins that the kind has."""
    chain = next((chain for chain in kind.chains if spec.name in chain), (spec.name,))
    for following in chain[chain.index(spec.name) + 1 :]:
        if following in specs:
            return places[specs[following].head]
    if spec.tail in places:
        return places[spec.tail]
    if spec.name == "head" and "neck" in places:
        return 2 * places["head"] - places["neck"]
    return None


def _palm(side: str, places: Mapping[str, np.ndarray], frame: np.ndarray) -> np.ndarray:
    """Direction to which the palm of a hand faces."""
    names = [f"{name}.{side}" for name in ("wrist", "index1", "pinky1")]
    if not set(names) <= places.keys():
        return -frame[1]
    wrist, index, pinky = (places[name] for name in names)
    normal = np.cross(index - wrist, pinky - wrist)
    return -normal if side == "L" else normal


def _axis_across(along: np.ndarray, wanted: np.ndarray, frame: np.ndarray) -> np.ndarray:
    """Unit direction (3,) across a bone that is nearest to a wanted one."""
    along = along / np.linalg.norm(along)
    for direction in (wanted, -frame[1], frame[2], frame[0]):
        found = across(direction, along)
        if np.linalg.norm(found) > 0.1 * max(float(np.linalg.norm(direction)), 1e-12):
            return found / np.linalg.norm(found)
    raise AssertionError("three directions cannot all lie along a bone")
