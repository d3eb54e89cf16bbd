"""Members of a rigged character that it carries: rigid things on a bone that moves other members.

A helmet on the bone of a head, a sword in the slot of a hand. What hangs on a bone that moves
nothing else is no such thing: it is the limb itself, as of a robot of stiff parts.
"""

from __future__ import annotations

from collections.abc import Sequence

import bpy
import numpy as np

from ..surface.character import Character
from ..surface.surface import vertex_areas
from ..tasks.segment.request import Carried
from ..tasks.skeleton import words_of
from .bone_weights import BoneWeights
from .seen import Seen

# Words in the names of bones that hold things; "slot" also at the end of one.
_SLOT_WORDS = frozenset(
    "slot weapon prop attach attachment socket item tool holder holster grip mount sword shield "
    "gun rifle pistol axe hammer staff wand bow quiver knife dagger spear lantern torch backpack "
    "bag accessory".split()
)
# What carries a thing has at least this share of its area.
_LEAST_SHARE = 0.25


def carried_members(
    held: Sequence[BoneWeights], seen: Sequence[Seen], placed: Character
) -> list[Carried]:
    """What a character carries.

    Parameters
    ----------
    held : sequence of BoneWeights
        Of its members.
    seen : sequence of Seen
        The members as they were read.
    placed : Character
        Their surfaces.
    """
    if len(held) < 2:
        return []
    areas = vertex_areas(placed.surface.vertices, placed.surface.faces)
    vertices = placed.split(np.arange(len(placed.member)))
    flexible: dict[bpy.types.Bone, list[np.ndarray]] = {}
    stiff: dict[bpy.types.Bone, list[np.ndarray]] = {}
    rigid: list[tuple[bpy.types.Bone, np.ndarray, bool]] = []
    for member, shown, own in zip(held, seen, vertices, strict=True):
        if member.hold is None or not member.bones:
            continue
        bones = [member.hold.rig.data.bones[name] for name in member.bones]
        most = np.where(member.weights.any(axis=1), member.weights.argmax(axis=1), -1)
        of_vertex = shown.from_base(most)
        used = np.unique(of_vertex)
        is_rigid = len(used) == 1 and used[0] >= 0
        if is_rigid:
            rigid.append((bones[used[0]], own, not member.hold.deforms))
        if member.hold.deforms:
            kind = stiff if is_rigid else flexible
            for number in used[used >= 0]:
                kind.setdefault(bones[number], []).append(own[of_vertex == number])
    found = []
    for bone, own, hangs in rigid:
        needed = _LEAST_SHARE * areas[own].sum()
        is_slot = _is_slot(bone)
        for kind in [flexible, stiff] if hangs or is_slot else [flexible]:
            carrier = _carrier(bone, kind, areas, needed, is_slot)
            if len(carrier):
                found.append(Carried(own, carrier))
                break
    return _by_the_body(found)


def _carrier(bone, kind, areas: np.ndarray, needed: float, is_slot: bool) -> np.ndarray:
    """Vertices that a bone moves; of a slot, those that the next bone above with any moves."""
    if not is_slot:
        own = np.concatenate(kind.get(bone, [np.zeros(0, dtype=int)]))
        return own if areas[own].sum() >= needed else own[:0]
    while bone is not None:
        own = np.concatenate(kind.get(bone, [np.zeros(0, dtype=int)]))
        if len(own) and not _is_slot(bone):
            return own
        bone = bone.parent
    return np.zeros(0, dtype=int)


def _is_slot(bone: bpy.types.Bone) -> bool:
    words = words_of(bone.name)
    return any(word in _SLOT_WORDS or word.endswith("slot") for word in words)


def _by_the_body(found: list[Carried]) -> list[Carried]:
    """Those whose carriers are not carried themselves."""
    carried = np.concatenate([thing.vertices for thing in found]) if found else np.zeros(0, int)
    of_body = [Carried(t.vertices, np.setdiff1d(t.carrier, carried)) for t in found]
    return [thing for thing in of_body if len(thing.carrier)]
