"""What meshes belong to: an armature, a parent, a collection, or one another's place."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property
from itertools import combinations

import bpy
import numpy as np

from .armatures import hold_of, joints_of, top_armature
from .boxes import Boxes, is_centred_in, is_flat, is_same_box, is_worn, size, touch
from .leaving_out import LEVEL
from .rig import is_figure

# Bones that are nearer than this share of the armature's size are the same.
_SAME_BONE = 0.01
# On one armature, a suit has nearly the box of the body: two figures have more in common, in height
# and in width. How far a dress or a bag stands out does not matter.
_SAME_BOX_ON_A_RIG, _HEIGHT_AND_WIDTH = 0.9, 2
# Objects of other types than those of a character.
_OF_A_SCENE = {"CAMERA", "LIGHT", "LIGHT_PROBE", "SPEAKER"}


class Belonging:
    """Meshes of a view layer by what they belong to.

    Parameters
    ----------
    layer : bpy.types.ViewLayer
    chosen : sequence of bpy.types.Object
        Those that are processed, by whose company some belong to others.
    boxes : Boxes
    """

    def __init__(
        self, layer: bpy.types.ViewLayer, chosen: Sequence[bpy.types.Object], boxes: Boxes
    ):
        self._layer, self._boxes = layer, boxes
        self._chosen = set(chosen)
        everything = [
            *(obj for obj in layer.objects if obj),
            *(o for scene in bpy.data.scenes for o in scene.objects),
        ]
        self._meshes = list(dict.fromkeys(o for o in [*everything, *chosen] if o.type == "MESH"))
        parents = {obj.parent for obj in bpy.data.objects}
        self._owner = {obj: _owner_of(obj, obj in parents) for obj in self._meshes}
        self._groups: dict[bpy.types.ID, list[bpy.types.Object]] = {}
        for obj, owner in self._owner.items():
            if owner is not None:
                self._groups.setdefault(owner, []).append(obj)
        self._figures: dict[bpy.types.ID, bool] = {}

    def whole(self, obj: bpy.types.Object) -> tuple[bpy.types.ID | None, list[bpy.types.Object]]:
        """What an object belongs to, and all meshes that belong to it."""
        if obj.type == "ARMATURE":
            owner = top_armature(obj)
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
            (size(self._boxes.around(group)), owner)
            for owner, group in self._groups.items()
            if not self._is_free(group[0])
            and (owner in self._chosen or not self._chosen.isdisjoint(group))
            and is_worn(self._boxes.of(obj), self._boxes.around(group))
        ]
        return min(groups, key=lambda each: each[0])[1] if groups else None

    def _with_worn(
        self, owner: bpy.types.Object, group: list[bpy.types.Object]
    ) -> tuple[bpy.types.Object, list[bpy.types.Object]]:
        """A character with what it wears: small things in its place, with or without a rig."""
        if not group:
            return owner, []
        others = [(o, g) for o, g in self._groups.items() if o != owner and o.type == "ARMATURE"]
        box = self._boxes.around(group)
        for other, worn in others:
            if is_worn(box, self._boxes.around(worn)) and not self._is_figure(owner):
                # The character that wears this thing.
                return self._with_worn(other, worn)
        found = list(group)
        for other, worn in others:
            own_box = self._boxes.around(worn)
            is_thing = is_worn(own_box, box) and not self._is_figure(other)
            if is_thing or _is_copy_of_rig(owner, other, box, own_box):
                found += worn
        # Without a rig, only what is selected as well, or in a collection of the character's own.
        collection = self._own_collection(group[0])
        near = [*self._chosen, *(self._meshes_of(collection) if collection else ())]
        found += [o for o in near if self._is_free(o) and is_worn(self._boxes.of(o), box)]
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
            if any(is_flat(self._boxes.of(o)) for o in meshes):
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
        boxes = sorted((self._boxes.around(meshes) for meshes in inside), key=size)
        return all(is_centred_in(box, boxes[-1]) for box in boxes[:-1])

    def _together(
        self, obj: bpy.types.Object, others: Sequence[bpy.types.Object]
    ) -> list[bpy.types.Object]:
        """Those of some objects that an object touches, by way of one another."""
        objects = list(dict.fromkeys([obj, *others]))
        boxes = np.array([self._boxes.of(o) for o in objects])
        sizes = size(boxes)
        # What has no size is by itself, and so is its error.
        is_found, waiting = np.arange(len(objects)) == 0, [0] if sizes[0] > 0.0 else []
        while waiting:
            touched = touch(boxes[waiting.pop()], boxes) & (sizes > 0.0) & ~is_found
            is_found |= touched
            waiting += np.flatnonzero(touched).tolist()
        found = [objects[number] for number in np.flatnonzero(is_found)]
        whole = self._boxes.around(found)
        figures = [o for o in found if is_same_box(self._boxes.of(o), whole)]
        names = {LEVEL.sub("", o.name).lower() for o in figures}
        is_one = len(figures) < 2 or (
            len(names) == 1 and all(LEVEL.search(o.name) for o in figures)
        )
        sorted_into = {frozenset(o.users_collection) for o in found}
        is_one = is_one and not any(_are_apart(*pair) for pair in combinations(sorted_into, 2))
        # Else several whole figures in one place, and not one with its levels of detail.
        return found if is_one else [obj]

    def _in_order(self, objects: Iterable[bpy.types.Object]) -> list[bpy.types.Object]:
        wanted = set(objects)
        return [obj for obj in self._meshes if obj in wanted]


def _owner_of(obj: bpy.types.Object, is_parent: bool) -> bpy.types.Object | None:
    """The armature of a mesh, else the topmost object that it is parented to; None without."""
    hold = hold_of(obj)
    if hold is not None:
        return top_armature(hold.rig)
    top = obj
    while top.parent is not None:
        top = top.parent
    return top if top is not obj or is_parent else None


def _are_apart(one: frozenset, other: frozenset) -> bool:
    """Whether objects of a common collection are each in another one as well, as by kinds."""
    return bool(one & other and one - other and other - one)


def _is_copy_of_rig(
    one: bpy.types.ID, other: bpy.types.ID, box: np.ndarray, other_box: np.ndarray
) -> bool:
    """Whether two armatures are one twice, each with some of the clothes of a character."""
    if one.type != "ARMATURE" or not touch(box, other_box):
        return False
    if is_same_box(box, other_box, _SAME_BOX_ON_A_RIG, _HEIGHT_AND_WIDTH):
        return False
    joints, others = joints_of(one), joints_of(other)
    common = joints.keys() & others.keys()
    if len(common) < 3 or len(common) < 0.8 * min(len(joints), len(others)):
        return False
    size = np.linalg.norm(np.ptp(list(joints.values()), axis=0))
    apart = [np.linalg.norm(joints[name] - others[name]) for name in common]
    return bool(np.median(apart) <= _SAME_BONE * size)
