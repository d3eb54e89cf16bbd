"""Which objects form a character, and which of them are left out.

An armature with the meshes that it deforms or that hang on its bones; else the meshes under one
parent; else those of a collection, or of the selection, that lie together in space; else one mesh.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations

import bpy
import numpy as np

from .armatures import hold_of
from .attributes import read_values

# Shapes for the collisions of games, by the prefixes of Unreal and by words.
_COLLISION = re.compile(
    r"^(UCX|UBX|USP|UCP|MCDCX)_|(?<![a-z])(collisions?|colliders?|hitbox(es)?)(?![a-z])", re.I
)
_LEVEL = re.compile(r"[ ._-]*lod[ ._-]*(\d+)", re.I)
# A mesh so many times as large as all others together is no part of a character: a ground, a sky.
_TOO_LARGE = 4.0
# Boxes that are nearer than this share of the larger one's size touch.
_REACH = 0.02
# Boxes with a larger common share are those of two figures in one place, not of two parts.
_SAME_BOX = 0.8
# Members whose names begin alike, as a share, that give the character its name.
_NAMED_ALIKE = 0.5


@dataclass(frozen=True)
class LeftOut:
    """An object that belongs to a character and is not processed with it."""

    obj: bpy.types.Object
    reason: str


@dataclass(frozen=True)
class Character:
    """Objects that are one character.

    Attributes
    ----------
    name : str
        Of the only member; else the word that the names of most members begin with, or the name
        of what they belong to.
    owner : str
        Name of the armature, parent or collection that the members belong to; empty for others.
    members : tuple of bpy.types.Object
        Meshes, at least one, in the order of the view layer.
    left_out : tuple of LeftOut
    """

    name: str
    owner: str
    members: tuple[bpy.types.Object, ...]
    left_out: tuple[LeftOut, ...] = ()

    @property
    def told(self) -> list[str]:
        """Objects that are left out, with the reasons, for a report."""
        return [f"{out.obj.name} ({out.reason})" for out in self.left_out]


def alone(obj: bpy.types.Object) -> Character:
    """A character of one object, whatever it is."""
    return Character(obj.name, "", (obj,))


def characters_of(
    objects: Iterable[bpy.types.Object], layer: bpy.types.ViewLayer, each: bool = False
) -> list[Character]:
    """Characters that some objects belong to.

    Parameters
    ----------
    objects : iterable of bpy.types.Object
        Meshes, of which those of one character count once; an armature counts for its meshes.
    layer : bpy.types.ViewLayer
        Whose objects may be members.
    each : bool
        Each mesh alone, and one object for each mesh.

    Returns
    -------
    list of Character
        In the order of their first objects.
    """
    objects = list(dict.fromkeys(objects))
    if each:
        meshes = {obj.data: obj for obj in reversed(objects) if obj.type == "MESH"}
        return [alone(obj) for obj in reversed(meshes.values())]
    scene = _Scene(layer, objects)
    found: list[Character] = []
    taken: set[bpy.types.Object] = set()
    for obj in objects:
        if obj not in taken:
            character, whole = scene.character(obj)
            taken |= whole
            found.append(character)
    return found


class _Scene:
    """Meshes of a view layer by what they belong to."""

    def __init__(self, layer: bpy.types.ViewLayer, chosen: Sequence[bpy.types.Object]):
        self._layer = layer
        self._in_layer = {obj for obj in layer.objects if obj}
        self._chosen = set(chosen)
        everything = [*self._in_layer_in_order(), *(o for o in bpy.data.objects if o.users_scene)]
        self._meshes = list(dict.fromkeys(o for o in [*everything, *chosen] if o.type == "MESH"))
        self._bone_shapes = {
            bone.custom_shape
            for rig in self._in_layer
            if rig.type == "ARMATURE"
            for bone in rig.pose.bones
        }
        self._owner = {obj: _owner_of(obj) for obj in self._meshes}
        self._groups: dict[bpy.types.ID, list[bpy.types.Object]] = {}
        for obj, owner in self._owner.items():
            if owner is not None:
                self._groups.setdefault(owner, []).append(obj)
        self._boxes: dict[bpy.types.Object, np.ndarray] = {}

    def character(self, obj: bpy.types.Object) -> tuple[Character, set[bpy.types.Object]]:
        """The character of an object, and all objects that are accounted for by it."""
        owner, whole = self._whole(obj)
        if not whole:
            # Reading it raises an error with the fix for its type.
            return alone(obj), {obj}
        members, left_out = self._sorted_out(whole, obj)
        name = members[0].name if len(members) == 1 else _common_name(members, owner)
        title = owner.name if owner is not None else ""
        return Character(name, title, tuple(members), tuple(left_out)), {obj, *whole}

    def _in_layer_in_order(self) -> list[bpy.types.Object]:
        return [obj for obj in self._layer.objects if obj]

    def _whole(self, obj: bpy.types.Object) -> tuple[bpy.types.ID | None, list[bpy.types.Object]]:
        """What an object belongs to, and all meshes that belong to it."""
        if obj.type == "ARMATURE":
            owner = _top_armature(obj)
        elif obj.type == "MESH":
            owner = self._owner[obj]
        else:
            return None, []
        if owner is not None and (len(self._groups.get(owner, ())) > 1 or owner.type == "ARMATURE"):
            owner, group = self._with_worn(owner, self._groups.get(owner, []))
            return owner, self._in_order(group)
        collection = self._own_collection(obj)
        if collection is not None:
            return collection, self._in_order(
                [o for o in collection.all_objects if o in self._owner]
            )
        together = self._together(obj, [o for o in self._chosen if self._is_free(o)])
        return None, self._in_order(together)

    def _is_free(self, obj: bpy.types.Object) -> bool:
        owner = self._owner.get(obj)
        return obj.type == "MESH" and (owner is None or len(self._groups[owner]) == 1)

    def _with_worn(
        self, owner: bpy.types.Object, group: list[bpy.types.Object]
    ) -> tuple[bpy.types.Object, list[bpy.types.Object]]:
        """A character with what it wears: small things in its place, with or without a rig."""
        if not group:
            return owner, []
        others = [(o, g) for o, g in self._groups.items() if o != owner and o.type == "ARMATURE"]
        box = self._box_of(group)
        for other, worn in others:
            own_box = self._box_of(worn)
            if _is_worn(box, own_box):
                # The character that wears this thing.
                return self._with_worn(other, worn)
        found = list(group)
        for _, worn in others:
            if _is_worn(self._box_of(worn), box):
                found += worn
        # Without a rig, only what is selected as well.
        free = [o for o in self._chosen if self._is_free(o)]
        found += [o for o in free if o not in found and _is_worn(self._box(o), box)]
        return owner, found

    def _own_collection(self, obj: bpy.types.Object) -> bpy.types.Collection | None:
        """A collection of meshes that lie together, and of nothing else."""
        for collection in obj.users_collection:
            if collection == self._layer.id_data.collection:
                continue
            objects = list(collection.all_objects)
            meshes = [o for o in objects if o in self._owner and o.visible_get()]
            if obj not in meshes or len(meshes) < 2:
                continue
            if any(o.type in {"CAMERA", "LIGHT", "LIGHT_PROBE", "SPEAKER"} for o in objects):
                continue
            if any(_is_flat(self._box(o)) for o in meshes):
                continue
            if len(self._together(obj, meshes)) == len(meshes):
                return collection
        return None

    def _together(
        self, obj: bpy.types.Object, others: Sequence[bpy.types.Object]
    ) -> list[bpy.types.Object]:
        """Those of some objects that an object touches, by way of one another."""
        found, waiting = [obj], [obj]
        # What has no size is told by itself.
        others = [other for other in others if _size(self._box(other)) > 0.0]
        while waiting and _size(self._box(obj)) > 0.0:
            box = self._box(waiting.pop())
            for other in others:
                if other not in found and _touch(box, self._box(other)):
                    found.append(other)
                    waiting.append(other)
        whole = self._box_of(found)
        figures = [o for o in found if _is_same_box(self._box(o), whole)]
        names = {_LEVEL.sub("", o.name).lower() for o in figures}
        is_one = len(figures) < 2 or (
            len(names) == 1 and all(_LEVEL.search(o.name) for o in figures)
        )
        sorted_into = {frozenset(o.users_collection) for o in found}
        is_one = is_one and not any(_are_apart(*pair) for pair in combinations(sorted_into, 2))
        # Else several whole figures in one place, and not one with its levels of detail.
        return found if is_one else [obj]

    def _in_order(self, objects: Iterable[bpy.types.Object]) -> list[bpy.types.Object]:
        wanted = set(objects)
        return [obj for obj in self._meshes if obj in wanted]

    def _sorted_out(
        self, whole: Sequence[bpy.types.Object], asked: bpy.types.Object
    ) -> tuple[list[bpy.types.Object], list[LeftOut]]:
        """Members of a character, and those that are left out, with reasons."""
        reasons = {obj: reason for obj in whole if (reason := self._reason_alone(obj))}
        rest = [obj for obj in whole if obj not in reasons]
        reasons |= _levels_of_detail(rest)
        rest = [obj for obj in rest if obj not in reasons]
        reasons |= _duplicates(rest)
        rest = [obj for obj in rest if obj not in reasons]
        reasons |= self._too_large(rest)
        for obj in whole:
            choice = obj.diffusionnet.membership
            if choice == "OUT":
                reasons[obj] = "left out in the panel"
            elif choice == "IN" and len(obj.data.polygons):
                reasons.pop(obj, None)
        members = [obj for obj in whole if obj not in reasons]
        if not members:
            # What was asked for is processed in any case.
            members = [asked if asked in whole else whole[0]]
        left_out = [LeftOut(o, reasons[o]) for o in whole if o in reasons and o not in members]
        return members, left_out

    def _reason_alone(self, obj: bpy.types.Object) -> str:
        """Reason for which an object is left out, whatever the others are; empty for none."""
        if obj not in self._in_layer:
            return "not in this view layer"
        if not obj.visible_get(view_layer=self._layer):
            return "hidden"
        if obj in self._bone_shapes:
            return "shape of a bone"
        if _COLLISION.search(obj.name) or obj.display_type in {"BOUNDS", "WIRE"}:
            return "collision shape"
        if not len(obj.data.polygons) and not obj.data.is_editmode and not obj.modifiers:
            return "has no faces"
        if _size(self._box(obj)) <= 0.0:
            return "has no size"
        return ""

    def _too_large(self, objects: Sequence[bpy.types.Object]) -> dict[bpy.types.Object, str]:
        if len(objects) < 2:
            return {}
        sizes = [_size(self._box(obj)) for obj in objects]
        largest = int(np.argmax(sizes))
        others = [obj for number, obj in enumerate(objects) if number != largest]
        if sizes[largest] > _TOO_LARGE * _size(self._box_of(others)):
            # Of two, a figure and its button, the small one is no measure.
            if len(others) > 1 or hold_of(objects[largest]) is None:
                return {objects[largest]: "much larger than the rest"}
        return {}

    def _box(self, obj: bpy.types.Object) -> np.ndarray:
        if obj not in self._boxes:
            self._boxes[obj] = world_box(obj)
        return self._boxes[obj]

    def _box_of(self, objects: Sequence[bpy.types.Object]) -> np.ndarray:
        boxes = [self._box(obj) for obj in objects]
        return np.array([np.min([b[0] for b in boxes], 0), np.max([b[1] for b in boxes], 0)])


def holders_of(members: Sequence[bpy.types.Object]) -> list[bpy.types.Object]:
    """What the members of a character hang on: its armatures, without one the parents."""
    found: dict[bpy.types.Object, None] = {}
    for obj in members:
        hold = hold_of(obj)
        top = _top_armature(hold.rig) if hold else None
        above = hold.rig if hold else obj.parent
        while above is not None:
            found[above] = None
            above = None if above == top else above.parent
    return [obj for obj in found if obj not in members]


def world_box(obj: bpy.types.Object) -> np.ndarray:
    """Lowest and highest corner of an object's bounding box in the world, (2, 3) float64."""
    to_world = np.array(obj.matrix_world, dtype=np.float64)
    corners = np.array([tuple(corner) for corner in obj.bound_box])
    corners = corners @ to_world[:3, :3].T + to_world[:3, 3]
    return np.array([corners.min(0), corners.max(0)])


def _owner_of(obj: bpy.types.Object) -> bpy.types.Object | None:
    """The armature of a mesh, else the topmost object that it is parented to; None without."""
    hold = hold_of(obj)
    if hold is not None:
        return _top_armature(hold.rig)
    top = obj
    while top.parent is not None:
        top = top.parent
    return top if top is not obj or obj.children else None


def _top_armature(rig: bpy.types.Object) -> bpy.types.Object:
    """The armature that carries others, such as those of clothes."""
    while rig.parent is not None and rig.parent.type == "ARMATURE":
        rig = rig.parent
    return rig


def _are_apart(one: frozenset, other: frozenset) -> bool:
    """Whether objects of a common collection are each in another one as well, as by kinds."""
    return bool(one & other and one - other and other - one)


def _levels_of_detail(objects: Sequence[bpy.types.Object]) -> dict[bpy.types.Object, str]:
    """All but the finest of the levels of detail that names tell."""
    levels: dict[str, list[tuple[int, bpy.types.Object]]] = {}
    for obj in objects:
        found = _LEVEL.search(obj.name)
        if found:
            levels.setdefault(_LEVEL.sub("", obj.name).lower(), []).append((int(found[1]), obj))
    coarse = {}
    for group in levels.values():
        finest = min(level for level, _ in group)
        coarse |= {obj: "level of detail" for level, obj in group if level > finest}
    return coarse


def _duplicates(objects: Sequence[bpy.types.Object]) -> dict[bpy.types.Object, str]:
    """Objects with the geometry of an earlier one in the same place."""
    found: dict[bpy.types.Object, str] = {}
    alike: dict[tuple[int, int], list[bpy.types.Object]] = {}
    for obj in objects:
        size = len(obj.data.vertices), len(obj.data.polygons)
        earlier = alike.setdefault(size, [])
        twin = next((other for other in earlier if _coincide(obj, other)), None)
        if twin is None:
            earlier.append(obj)
        else:
            found[obj] = f"same as {twin.name}"
    return found


def _coincide(one: bpy.types.Object, other: bpy.types.Object) -> bool:
    boxes = world_box(one), world_box(other)
    tolerance = 1e-5 * max(_size(boxes[0]), 1e-30)
    if np.abs(boxes[0] - boxes[1]).max() > tolerance:
        return False
    placed = []
    for obj in (one, other):
        to_world = np.array(obj.matrix_world, dtype=np.float64)
        coordinates = read_values(obj.data.vertices, "co", np.float32, 3)
        placed.append(coordinates @ to_world[:3, :3].T + to_world[:3, 3])
    return bool(np.abs(placed[0] - placed[1]).max() <= tolerance)


def _size(box: np.ndarray) -> float:
    return float(np.linalg.norm(box[1] - box[0]))


def _touch(one: np.ndarray, other: np.ndarray) -> bool:
    reach = _REACH * max(_size(one), _size(other))
    return bool((one[0] <= other[1] + reach).all() and (other[0] <= one[1] + reach).all())


def _is_worn(box: np.ndarray, character: np.ndarray) -> bool:
    """Whether something is smaller than a character, and in its place."""
    return bool(
        _size(box) < 0.75 * _size(character)
        and _touch(box, character)
        and (box.mean(0) >= character[0] - _REACH * _size(character)).all()
        and (box.mean(0) <= character[1] + _REACH * _size(character)).all()
    )


def _is_same_box(one: np.ndarray, other: np.ndarray) -> bool:
    """Whether two boxes have nearly all of their extent in common, along every axis."""
    common = np.minimum(one[1], other[1]) - np.maximum(one[0], other[0])
    both = np.maximum(one[1], other[1]) - np.minimum(one[0], other[0])
    return bool((common >= _SAME_BOX * np.maximum(both, 1e-30)).all())


def _is_flat(box: np.ndarray) -> bool:
    """Whether a box is that of a ground or a backdrop."""
    extent = np.sort(box[1] - box[0])
    return bool(extent[0] < 1e-3 * extent[1])


def _common_name(members: Sequence[bpy.types.Object], owner: bpy.types.ID | None) -> str:
    """The word that the names of most members begin with, else the name of their owner."""
    first = [re.split(r"[ ._-]", obj.name, maxsplit=1)[0] for obj in members]
    most = max(dict.fromkeys(first), key=first.count)
    if len(most) > 1 and first.count(most) > max(1, _NAMED_ALIKE * len(first)):
        return most
    return owner.name if owner is not None else members[0].name
