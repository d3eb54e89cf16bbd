"""Objects that belong to a character and are not processed with it, and the reasons."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import bpy
import numpy as np

from .armatures import hold_of, joints_of
from .attributes import read_values
from .boxes import Boxes, is_flat, size

# Shapes for the collisions of games: Unreal's prefixes, and words.
_COLLISION_PREFIXES = ("UCX_", "UBX_", "USP_", "UCP_", "MCDCX_")
_COLLISION_WORDS = {"collision", "collisions", "collider", "colliders", "hitbox", "hitboxes"}
LEVEL = re.compile(r"[ ._-]*lod[ ._-]*(\d+)", re.I)
# A mesh so many times as large as the armature is no part of a character: a ground, a sky.
_TOO_LARGE = 5.0


@dataclass(frozen=True)
class LeftOut:
    """An object that belongs to a character and is not processed with it."""

    obj: bpy.types.Object
    reason: str


class LeavingOut:
    """What is left out of characters in a view layer.

    Parameters
    ----------
    layer : bpy.types.ViewLayer
    boxes : Boxes
    """

    def __init__(self, layer: bpy.types.ViewLayer, boxes: Boxes):
        self._layer, self._boxes = layer, boxes
        if layer.depsgraph is None:
            layer.update()
        self._depsgraph = layer.depsgraph
        self._in_layer = {obj for obj in layer.objects if obj}
        self._bone_shapes = {
            bone.custom_shape
            for rig in self._in_layer
            if rig.type == "ARMATURE"
            for bone in rig.pose.bones
        }

    def sorted_out(
        self, whole: Sequence[bpy.types.Object], wanted: bpy.types.Object
    ) -> tuple[list[bpy.types.Object], list[LeftOut]]:
        """Members of a character, and those that are left out, with reasons."""
        if not whole:
            return [], []
        unseen = {obj: reason for obj in whole if (reason := self._unseen(obj))}
        hidden = {obj: "hidden" for obj in whole if obj not in unseen and not self._is_visible(obj)}
        if len(unseen) + len(hidden) == len(whole):
            # A character that is hidden as a whole is processed as a whole.
            hidden = {}
        reasons = unseen | hidden
        reasons |= {
            obj: reason
            for obj in whole
            if obj not in reasons and (reason := self._reason_alone(obj))
        }
        rest = [obj for obj in whole if obj not in reasons]
        reasons |= _levels_of_detail(rest)
        rest = [obj for obj in rest if obj not in reasons]
        reasons |= self._duplicates(rest)
        rest = [obj for obj in rest if obj not in reasons]
        reasons |= self._too_large(rest)
        for obj in whole:
            choice = obj.diffusionnet.membership
            if obj in unseen:
                continue
            if choice == "OUT":
                reasons[obj] = "left out in the panel"
            elif choice == "IN" and self._has_faces(obj):
                reasons.pop(obj, None)
        members = [obj for obj in whole if obj not in reasons]
        if not members:
            # What is wanted is processed in any case.
            members = [wanted if wanted in whole else whole[0]]
        left_out = [LeftOut(o, reasons[o]) for o in whole if o in reasons and o not in members]
        return members, left_out

    def _unseen(self, obj: bpy.types.Object) -> str:
        """Reason for which Blender has no place for an object; empty where it has."""
        if obj not in self._in_layer:
            return "not in this view layer"
        if not self._evaluated(obj).is_evaluated:
            return "disabled in viewports"
        return ""

    def _has_faces(self, obj: bpy.types.Object) -> bool:
        """Whether a mesh has faces, itself or by its modifiers."""
        return bool(
            obj.data.is_editmode
            or len(obj.data.polygons)
            or len(self._evaluated(obj).data.polygons)
        )

    def _evaluated(self, obj: bpy.types.Object) -> bpy.types.Object:
        return obj.evaluated_get(self._depsgraph)

    def _is_visible(self, obj: bpy.types.Object) -> bool:
        return obj.visible_get(view_layer=self._layer)

    def _reason_alone(self, obj: bpy.types.Object) -> str:
        """Reason for which an object is left out, whatever the others are; empty for none."""
        if obj in self._bone_shapes:
            return "shape of a bone"
        if _is_named_collision(obj.name) or obj.display_type in {"BOUNDS", "WIRE"}:
            return "collision shape"
        if not self._has_faces(obj):
            return "has no faces"
        if size(self._boxes.of(obj)) <= 0.0:
            return "has no size"
        return ""

    def _duplicates(self, objects: Sequence[bpy.types.Object]) -> dict[bpy.types.Object, str]:
        """Objects with the geometry of an earlier one in the same place."""
        found: dict[bpy.types.Object, str] = {}
        alike: dict[tuple[int, int], list[bpy.types.Object]] = {}
        for obj in objects:
            earlier = alike.setdefault((len(obj.data.vertices), len(obj.data.polygons)), [])
            twin = self._twin(obj, earlier)
            if twin is None:
                earlier.append(obj)
            else:
                found[obj] = f"same as {twin.name}"
        return found

    def _twin(
        self, obj: bpy.types.Object, others: Sequence[bpy.types.Object]
    ) -> bpy.types.Object | None:
        """The first of some objects, of as many vertices, that an object coincides with."""
        if not others:
            return None
        tolerance = 1e-5 * max(float(size(self._boxes.of(obj))), 1e-30)
        apart = np.abs(np.array([self._boxes.of(o) for o in others]) - self._boxes.of(obj)).max(
            (1, 2)
        )
        for number in np.flatnonzero(apart <= tolerance):
            if np.abs(_placed(obj) - _placed(others[number])).max() <= tolerance:
                return others[number]
        return None

    def _too_large(self, objects: Sequence[bpy.types.Object]) -> dict[bpy.types.Object, str]:
        holds = {obj: hold_of(obj) for obj in objects}
        flat = [o for o in objects if holds[o] is None and self._is_ground(o, objects)]
        rigs = {hold.rig for hold in holds.values() if hold is not None}
        joints = [joint for rig in rigs for joint in joints_of(rig).values()]
        most = _TOO_LARGE * float(np.linalg.norm(np.ptp(joints, axis=0))) if joints else 0.0
        large = [obj for obj in objects if size(self._boxes.of(obj)) > most > 0.0]
        if len(large) == len(objects):
            large = []
        return dict.fromkeys(flat, "flat and larger than the rest") | dict.fromkeys(
            large, "much larger than its armature"
        )

    def _is_ground(self, obj: bpy.types.Object, objects: Sequence[bpy.types.Object]) -> bool:
        others = [other for other in objects if other is not obj]
        box = self._boxes.of(obj)
        return bool(others) and is_flat(box) and size(box) > size(self._boxes.around(others))


def _is_named_collision(name: str) -> bool:
    words = re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", name)
    pairs = ("".join(pair) for pair in pairwise(words))
    return name.upper().startswith(_COLLISION_PREFIXES) or any(
        word.lower() in _COLLISION_WORDS for word in (*words, *pairs)
    )


def _levels_of_detail(objects: Sequence[bpy.types.Object]) -> dict[bpy.types.Object, str]:
    """All but the finest of the levels of detail, by their names."""
    levels: dict[str, list[tuple[int, bpy.types.Object]]] = {}
    for obj in objects:
        found = LEVEL.search(obj.name)
        if found:
            levels.setdefault(LEVEL.sub("", obj.name).lower(), []).append((int(found[1]), obj))
    coarse = {}
    for group in levels.values():
        finest = min(level for level, _ in group)
        coarse |= {obj: "level of detail" for level, obj in group if level > finest}
    return coarse


def _placed(obj: bpy.types.Object) -> np.ndarray:
    """Vertices of an object in the world, (V, 3)."""
    to_world = np.array(obj.matrix_world, dtype=np.float64)
    return (
        read_values(obj.data.vertices, "co", np.float32, 3) @ to_world[:3, :3].T + to_world[:3, 3]
    )
