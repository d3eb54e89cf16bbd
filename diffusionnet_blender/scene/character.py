"""Which objects form a character, and which of them are left out.

An armature with the meshes that it deforms or that hang on its bones; else the meshes under one
parent; else those of a collection, or of the selection, that lie together in space; else one mesh.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations, pairwise

import bpy
import numpy as np

from .armatures import hold_of
from .attributes import read_values
from .rig import is_figure

# Shapes for the collisions of games: Unreal's prefixes, and words.
_COLLISION_PREFIXES = ("UCX_", "UBX_", "USP_", "UCP_", "MCDCX_")
_COLLISION_WORDS = {"collision", "collisions", "collider", "colliders", "hitbox", "hitboxes"}
_LEVEL = re.compile(r"[ ._-]*lod[ ._-]*(\d+)", re.I)
# A mesh so many times as large as the armature is no part of a character: a ground, a sky.
_TOO_LARGE = 5.0
# Boxes that are nearer than this share of the larger one's size touch; small ones float farther.
_REACH = 0.02
_SMALL = 0.25
_REACH_OF_SMALL = 0.1
# Bones that are nearer than this share of the armature's size are the same.
_SAME_BONE = 0.01
# Boxes with a larger common share along each axis are those of two figures in one place, and not
# of a figure and what it wears; with one armature, a suit has nearly that of the body.
_SAME_BOX = 0.8
_SAME_BOX_ON_A_RIG = 0.9
# Objects of other types than those of a character.
_OF_A_SCENE = {"CAMERA", "LIGHT", "LIGHT_PROBE", "SPEAKER"}
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


def as_character(shape: bpy.types.Object | Character) -> Character:
    """A character as it is, and an object as one of one object."""
    return shape if isinstance(shape, Character) else alone(shape)


def characters_of(
    objects: Iterable[bpy.types.Object], layer: bpy.types.ViewLayer, each: bool = False
) -> list[Character]:
    """Characters that some objects belong to, one of those that share all of their meshes.

    Parameters
    ----------
    objects : iterable of bpy.types.Object
        Meshes, of which those of one character count once; an armature counts for its meshes.
    layer : bpy.types.ViewLayer
        Whose objects may be members.
    each : bool
        Each mesh alone.

    Returns
    -------
    list of Character
        In the order of their first objects.
    """
    found = shapes_of(objects, layer, each)
    by_meshes = {frozenset(obj.data for obj in one.members): one for one in reversed(found)}
    return list(reversed(by_meshes.values()))


def shapes_of(
    objects: Iterable[bpy.types.Object], layer: bpy.types.ViewLayer, each: bool = False
) -> list[Character]:
    """As `characters_of`, with all that share their meshes: what is told of objects differs."""
    objects = list(dict.fromkeys(objects))
    scene = _Scene(layer, objects)
    found: list[Character] = []
    taken: set[bpy.types.Object] = set()
    for obj in objects:
        if each and obj.type == "MESH":
            found.append(alone(obj))
        elif obj not in taken:
            character, whole = scene.character(obj)
            taken |= whole
            found += map(alone, character.members) if each else [character]
    return list({one.members: one for one in found}.values())


class _Scene:
    """Meshes of a view layer by what they belong to."""

    def __init__(self, layer: bpy.types.ViewLayer, chosen: Sequence[bpy.types.Object]):
        self._layer = layer
        if layer.depsgraph is None:
            layer.update()
        self._depsgraph = layer.depsgraph
        self._in_layer = {obj for obj in layer.objects if obj}
        self._chosen = set(chosen)
        everything = [
            *self._in_layer_in_order(),
            *(o for scene in bpy.data.scenes for o in scene.objects),
        ]
        self._meshes = list(dict.fromkeys(o for o in [*everything, *chosen] if o.type == "MESH"))
        self._bone_shapes = {
            bone.custom_shape
            for rig in self._in_layer
            if rig.type == "ARMATURE"
            for bone in rig.pose.bones
        }
        parents = {obj.parent for obj in bpy.data.objects}
        self._owner = {obj: _owner_of(obj, obj in parents) for obj in self._meshes}
        self._groups: dict[bpy.types.ID, list[bpy.types.Object]] = {}
        for obj, owner in self._owner.items():
            if owner is not None:
                self._groups.setdefault(owner, []).append(obj)
        self._figures: dict[bpy.types.ID, bool] = {}
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
            owner = self._owner[obj] if not self._is_free(obj) else self._wearer(obj)
        else:
            return None, []
        if owner is None:
            collection = self._own_collection(obj)
            if collection is None:
                free = [o for o in self._chosen if self._is_free(o)]
                return None, self._in_order(self._together(obj, free))
            meshes = self._meshes_of(collection)
            owner = next((self._owner[o] for o in meshes if not self._is_free(o)), None)
            if owner is None:
                return collection, self._in_order(meshes)
        owner, group = self._with_worn(owner, self._groups.get(owner, []))
        return owner, self._in_order(group)

    def _is_free(self, obj: bpy.types.Object) -> bool:
        """Whether a mesh belongs to no armature, and has no parent in common with others."""
        owner = self._owner.get(obj)
        return obj.type == "MESH" and (
            owner is None or (owner.type != "ARMATURE" and len(self._groups[owner]) == 1)
        )

    def _wearer(self, obj: bpy.types.Object) -> bpy.types.Object | None:
        """The smallest of the groups that are chosen as well which wears a free mesh."""
        groups = [
            (_size(self._box_of(group)), owner)
            for owner, group in self._groups.items()
            if not self._is_free(group[0])
            and (owner in self._chosen or not self._chosen.isdisjoint(group))
            and _is_worn(self._box(obj), self._box_of(group))
        ]
        return min(groups, key=lambda each: each[0])[1] if groups else None

    def _with_worn(
        self, owner: bpy.types.Object, group: list[bpy.types.Object]
    ) -> tuple[bpy.types.Object, list[bpy.types.Object]]:
        """A character with what it wears: small things in its place, with or without a rig."""
        if not group:
            return owner, []
        others = [(o, g) for o, g in self._groups.items() if o != owner and o.type == "ARMATURE"]
        box = self._box_of(group)
        for other, worn in others:
            if _is_worn(box, self._box_of(worn)) and not self._is_figure(owner):
                # The character that wears this thing.
                return self._with_worn(other, worn)
        found = list(group)
        for other, worn in others:
            own_box = self._box_of(worn)
            is_thing = _is_worn(own_box, box) and not self._is_figure(other)
            if is_thing or _is_copy_of_rig(owner, other, box, own_box):
                found += worn
        # Without a rig, only what is selected as well, or in a collection of the character's own.
        collection = self._own_collection(group[0])
        near = [*self._chosen, *(self._meshes_of(collection) if collection else ())]
        found += [o for o in near if self._is_free(o) and _is_worn(self._box(o), box)]
        return owner, list(dict.fromkeys(found))

    def _is_figure(self, owner: bpy.types.ID) -> bool:
        """Whether an armature is that of a whole figure, and not of a hat or of hair."""
        if owner not in self._figures:
            self._figures[owner] = owner.type == "ARMATURE" and is_figure(owner)
        return self._figures[owner]

    def _own_collection(self, obj: bpy.types.Object) -> bpy.types.Collection | None:
        """The largest collection of meshes that lie together, and of nothing else."""
        holding = [c for c, objects in self._collections.items() if obj in objects]
        for collection in sorted(holding, key=lambda c: -len(self._collections[c])):
            meshes = [o for o in self._meshes_of(collection) if o.visible_get()]
            if obj not in meshes or len(meshes) < 2:
                continue
            if any(o.type in _OF_A_SCENE for o in self._collections[collection]):
                continue
            if any(_is_flat(self._box(o)) for o in meshes):
                continue
            if self._is_one_place(collection) and len(self._together(obj, meshes)) == len(meshes):
                return collection
        return None

    @cached_property
    def _collections(self) -> dict[bpy.types.Collection, set[bpy.types.Object]]:
        """Objects of each collection of the scene and of those inside it."""
        inside = self._layer.id_data.collection.children_recursive
        return {collection: set(collection.all_objects) for collection in inside}

    def _meshes_of(self, collection: bpy.types.Collection) -> list[bpy.types.Object]:
        return [o for o in collection.all_objects if o in self._owner]

    def _is_one_place(self, collection: bpy.types.Collection) -> bool:
        """Whether a collection does not hold figures that stand side by side."""
        by_owner: dict[bpy.types.Object, list[bpy.types.Object]] = {}
        for obj in self._meshes_of(collection):
            if not self._is_free(obj):
                by_owner.setdefault(self._owner[obj], []).append(obj)
        inside = [meshes for child in collection.children if (meshes := self._meshes_of(child))]
        inside += by_owner.values()
        boxes = sorted((self._box_of(meshes) for meshes in inside), key=_size)
        return all(_is_centred_in(box, boxes[-1]) for box in boxes[:-1])

    def _together(
        self, obj: bpy.types.Object, others: Sequence[bpy.types.Object]
    ) -> list[bpy.types.Object]:
        """Those of some objects that an object touches, by way of one another."""
        objects = list(dict.fromkeys([obj, *others]))
        boxes = np.array([self._box(o) for o in objects])
        sizes = _size(boxes)
        # What has no size is told by itself.
        is_found, waiting = np.arange(len(objects)) == 0, [0] if sizes[0] > 0.0 else []
        while waiting:
            touched = _touch(boxes[waiting.pop()], boxes) & (sizes > 0.0) & ~is_found
            is_found |= touched
            waiting += np.flatnonzero(touched).tolist()
        found = [objects[number] for number in np.flatnonzero(is_found)]
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
        unseen = {obj: reason for obj in whole if (reason := self._unseen(obj))}
        hidden = {obj: "hidden" for obj in whole if obj not in unseen and not self._is_visible(obj)}
        if len(unseen) + len(hidden) == len(whole):
            # Of a character that is hidden as a whole, this tells nothing.
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
            # What was asked for is processed in any case.
            members = [asked if asked in whole else whole[0]]
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
        if _size(self._box(obj)) <= 0.0:
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
        tolerance = 1e-5 * max(float(_size(self._box(obj))), 1e-30)
        apart = np.abs(np.array([self._box(o) for o in others]) - self._box(obj)).max((1, 2))
        for number in np.flatnonzero(apart <= tolerance):
            if np.abs(_placed(obj) - _placed(others[number])).max() <= tolerance:
                return others[number]
        return None

    def _too_large(self, objects: Sequence[bpy.types.Object]) -> dict[bpy.types.Object, str]:
        holds = {obj: hold_of(obj) for obj in objects}
        flat = [o for o in objects if holds[o] is None and self._is_ground(o, objects)]
        rigs = {hold.rig for hold in holds.values() if hold is not None}
        joints = [joint for rig in rigs for joint in _joints(rig).values()]
        most = _TOO_LARGE * float(np.linalg.norm(np.ptp(joints, axis=0))) if joints else 0.0
        large = [obj for obj in objects if _size(self._box(obj)) > most > 0.0]
        if len(large) == len(objects):
            large = []
        return dict.fromkeys(flat, "flat and larger than the rest") | dict.fromkeys(
            large, "much larger than its armature"
        )

    def _is_ground(self, obj: bpy.types.Object, objects: Sequence[bpy.types.Object]) -> bool:
        others = [other for other in objects if other is not obj]
        box = self._box(obj)
        return bool(others) and _is_flat(box) and _size(box) > _size(self._box_of(others))

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


def _is_named_collision(name: str) -> bool:
    words = re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", name)
    pairs = ("".join(pair) for pair in pairwise(words))
    return name.upper().startswith(_COLLISION_PREFIXES) or any(
        word.lower() in _COLLISION_WORDS for word in (*words, *pairs)
    )


def _owner_of(obj: bpy.types.Object, is_parent: bool) -> bpy.types.Object | None:
    """The armature of a mesh, else the topmost object that it is parented to; None without."""
    hold = hold_of(obj)
    if hold is not None:
        return _top_armature(hold.rig)
    top = obj
    while top.parent is not None:
        top = top.parent
    return top if top is not obj or is_parent else None


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


def _placed(obj: bpy.types.Object) -> np.ndarray:
    """Vertices of an object in the world, (V, 3)."""
    to_world = np.array(obj.matrix_world, dtype=np.float64)
    return (
        read_values(obj.data.vertices, "co", np.float32, 3) @ to_world[:3, :3].T + to_world[:3, 3]
    )


def _is_copy_of_rig(
    one: bpy.types.ID, other: bpy.types.ID, box: np.ndarray, other_box: np.ndarray
) -> bool:
    """Whether two armatures are one twice, each with some of the clothes of a character."""
    if one.type != "ARMATURE" or not _touch(box, other_box):
        return False
    if _is_same_box(box, other_box, _SAME_BOX_ON_A_RIG):
        return False
    joints, others = _joints(one), _joints(other)
    common = joints.keys() & others.keys()
    if len(common) < 3 or len(common) < 0.8 * min(len(joints), len(others)):
        return False
    size = np.linalg.norm(np.ptp(list(joints.values()), axis=0))
    apart = [np.linalg.norm(joints[name] - others[name]) for name in common]
    return bool(np.median(apart) <= _SAME_BONE * size)


def _joints(rig: bpy.types.Object) -> dict[str, np.ndarray]:
    """Heads of the bones in rest pose, in the world."""
    to_world = np.array(rig.matrix_world, dtype=np.float64)
    return {
        bone.name: to_world[:3, :3] @ np.array(bone.head_local) + to_world[:3, 3]
        for bone in rig.data.bones
    }


def _size(boxes: np.ndarray) -> np.ndarray:
    """Diagonals of boxes (..., 2, 3)."""
    return np.linalg.norm(boxes[..., 1, :] - boxes[..., 0, :], axis=-1)


def _touch(box: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Whether a box (2, 3) touches each of others (..., 2, 3), or nearly."""
    large = np.maximum(_size(box), _size(others))
    is_small = np.minimum(_size(box), _size(others)) < _SMALL * large
    reach = (np.where(is_small, _REACH_OF_SMALL, _REACH) * large)[..., None]
    below = box[0] <= others[..., 1, :] + reach
    return (below & (others[..., 0, :] <= box[1] + reach)).all(-1)


def _is_worn(box: np.ndarray, character: np.ndarray) -> bool:
    """Whether something is smaller than a character, and in its place."""
    return bool(
        _size(box) < 0.75 * _size(character)
        and _touch(box, character)
        and _is_centred_in(box, character)
    )


def _is_centred_in(box: np.ndarray, character: np.ndarray) -> bool:
    """Whether the middle of a box is in another one, or nearly."""
    reach = _REACH * _size(character)
    middle = box.mean(0)
    return bool((middle >= character[0] - reach).all() and (middle <= character[1] + reach).all())


def _is_same_box(one: np.ndarray, other: np.ndarray, share: float = _SAME_BOX) -> bool:
    """Whether two boxes have nearly all of their extent in common, along every axis."""
    common = np.minimum(one[1], other[1]) - np.maximum(one[0], other[0])
    both = np.maximum(one[1], other[1]) - np.minimum(one[0], other[0])
    return bool((common >= share * np.maximum(both, 1e-30)).all())


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
