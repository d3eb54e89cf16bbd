"""Members of a rigged character that it carries: rigid things on a bone that moves other members.

A helmet on the bone of a head, a sword in the slot of a hand. What hangs on a bone that moves
nothing else is no such thing: it is the limb itself, as of a robot of stiff parts.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import bpy
import numpy as np

from ..surface.character import Character
from ..surface.surface import vertex_areas
from ..tasks.segment.request import Carried
from .armatures import hold_of
from .seen import Seen
from .vertex_groups import read_weights

# Words in the names of bones that hold things; "slot" also at the end of one.
_SLOT_WORDS = frozenset(
    "slot weapon prop attach attachment socket item tool holder holster grip mount sword shield "
    "gun rifle pistol axe hammer staff wand bow quiver knife dagger spear lantern torch backpack "
    "bag accessory".split()
)
# What carries a thing has at least this share of its area.
_LEAST_SHARE = 0.25


@dataclass(frozen=True, eq=False)
class _Held:
    """How bones hold a member.

    Attributes
    ----------
    bones : list of bpy.types.Bone
    of_vertex : (V,) int
        The bone that holds most of each vertex; -1 for none.
    hangs : bool
        Parented to a bone, without weights.
    """

    bones: list[bpy.types.Bone]
    of_vertex: np.ndarray
    hangs: bool

    @property
    def rigid_bone(self) -> bpy.types.Bone | None:
        """The only bone that holds it."""
        used = np.unique(self.of_vertex)
        return self.bones[used[0]] if len(used) == 1 and used[0] >= 0 else None


def carried_members(
    objects: Sequence[bpy.types.Object], seen: Sequence[Seen], placed: Character
) -> list[Carried]:
    """What a character carries.

    Parameters
    ----------
    objects : sequence of bpy.types.Object
        Its members.
    seen : sequence of Seen
        As they were read.
    placed : Character
        Their surfaces.
    """
    if len(objects) < 2:
        return []
    held = [_held(obj, own) for obj, own in zip(objects, seen, strict=True)]
    areas = vertex_areas(placed.surface.vertices, placed.surface.faces)
    vertices = placed.split(np.arange(len(placed.member)))
    flexible: dict[bpy.types.Bone, list[np.ndarray]] = {}
    stiff: dict[bpy.types.Bone, list[np.ndarray]] = {}
    for of_member, own in zip(held, vertices, strict=True):
        if of_member is None or of_member.hangs:
            continue
        kind = flexible if of_member.rigid_bone is None else stiff
        for number, bone in enumerate(of_member.bones):
            of_bone = own[of_member.of_vertex == number]
            if len(of_bone):
                kind.setdefault(bone, []).append(of_bone)
    found = []
    for of_member, own in zip(held, vertices, strict=True):
        bone = of_member.rigid_bone if of_member is not None else None
        if bone is None:
            continue
        needed = _LEAST_SHARE * areas[own].sum()
        is_slot = _is_slot(bone)
        kinds = [flexible, stiff] if of_member.hangs or is_slot else [flexible]
        for kind in kinds:
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
    words = re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", bone.name)
    return any(word.lower() in _SLOT_WORDS or word.lower().endswith("slot") for word in words)


def _by_the_body(found: list[Carried]) -> list[Carried]:
    """Those whose carriers are not carried themselves."""
    carried = np.concatenate([thing.vertices for thing in found]) if found else np.zeros(0, int)
    of_body = [Carried(t.vertices, np.setdiff1d(t.carrier, carried)) for t in found]
    return [thing for thing in of_body if len(thing.carrier)]


def _held(obj: bpy.types.Object, seen: Seen) -> _Held | None:
    """How bones hold an object; None where none does."""
    hold = hold_of(obj)
    if hold is None:
        return None
    if not hold.deforms:
        bone = hold.rig.data.bones.get(hold.bone)
        everywhere = np.zeros(len(seen.geometry.coordinates), dtype=int)
        return _Held([bone], everywhere, hangs=True) if bone else None
    bones = [b for b in hold.rig.data.bones if b.use_deform and b.name in obj.vertex_groups]
    if not bones:
        return None
    weights = read_weights(obj, [bone.name for bone in bones])
    of_vertex = np.where(weights.any(1), weights.argmax(1), -1)
    return _Held(bones, seen.from_base(of_vertex), hangs=False)
