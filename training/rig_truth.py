"""Joints and skin weights of rigged characters, to learn and to measure rigs by."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import bpy
import numpy as np

from diffusionnet_blender.scene.attachments import carried_members
from diffusionnet_blender.scene.bone_weights import read_bone_weights
from diffusionnet_blender.scene.character import Character, characters_of
from diffusionnet_blender.scene.character_read import CharacterGeometry, read_character
from diffusionnet_blender.scene.files import open_file
from diffusionnet_blender.tasks.segment.request import Carried

from .parts import FINE_NAMES, fine_part_of_bone
from .rig_parts import SKELETON_RIG, UNKNOWN, segment_of_bone

# The joint in which the link of a fine part begins.
JOINT_OF_LINK = {
    "neck": "neck",
    "head": "head",
    "upper_arm": "shoulder",
    "forearm": "elbow",
    "palm": "wrist",
    "thigh": "hip",
    "shin": "knee",
    "foot": "ankle",
}
MAIN_JOINTS = tuple(
    f"{joint}.{side}" for joint in ("elbow", "wrist", "knee", "ankle") for side in "LR"
)


@dataclass(frozen=True, eq=False)
class RigTruth:
    """A character of a file as it is imported, and what its own rig says.

    Attributes
    ----------
    character : Character
    geometry : CharacterGeometry
    carried : tuple of Carried
    joints : dict of str to (3,), in the space of the pooled surface; the sides are its bones'.
    weights : (V, 23), share of each link of the body.
    height : without what is carried.
    """

    character: Character
    geometry: CharacterGeometry
    carried: tuple[Carried, ...]
    joints: dict[str, np.ndarray]
    weights: np.ndarray
    height: float


def segment_of_template_bone(rig: str, bone: str) -> int:
    """As `rig_parts.segment_of_bone`, for the bones of `anny`."""
    try:
        return fine_part_of_bone(bone)
    except KeyError:
        return UNKNOWN


def read_truth(path: Path, segment_of: Callable[[str, str], int] = segment_of_bone) -> RigTruth:
    """The largest character of a file, at rest.

    Parameters
    ----------
    path : a .glb or .blend.
    segment_of : of the names of rig and bone, the number of the link that the bone moves.
    """
    found = characters_of(open_file(path), bpy.context.view_layer)
    character = max(found, key=lambda one: sum(len(o.data.vertices) for o in one.members))
    geometry = read_character(character)
    held = [read_bone_weights(member.find()) for member in geometry.members]
    weights = []
    for each in held:
        shares = np.zeros((len(each.weights), len(FINE_NAMES)))
        for bone, column in zip(each.bones, each.weights.T, strict=True):
            link = segment_of(each.hold.rig.name, bone)
            if link != UNKNOWN:
                shares[:, link] += column
        weights.append(shares)
    carried = tuple(carried_members(held, geometry.seen, geometry.placed))
    body = np.ones(len(geometry.placed.surface.vertices), bool)
    for thing in carried:
        body[thing.vertices] = False
    used = np.unique(geometry.placed.surface.faces)
    used = used[body[used]]
    rigs = dict.fromkeys(each.hold.rig for each in held if each.hold is not None)
    return RigTruth(
        character,
        geometry,
        carried,
        _joints(list(rigs), geometry.origin, segment_of),
        geometry.from_base(np.concatenate(weights)),
        float(np.ptp(geometry.placed.surface.vertices[used, 2])),
    )


def _joints(
    rigs: list[bpy.types.Object], origin: np.ndarray, segment_of: Callable[[str, str], int]
) -> dict[str, np.ndarray]:
    """Heads of the first bone of each link."""
    found: dict[str, np.ndarray] = {}
    for rig in rigs:
        matrix = np.array(rig.matrix_world)
        for bone in rig.data.bones:
            link = segment_of(rig.name, bone.name)
            above = (segment_of(rig.name, parent.name) for parent in bone.parent_recursive)
            if link == UNKNOWN or link in above:
                continue
            stem, _, side = FINE_NAMES[link].partition(".")
            if stem not in JOINT_OF_LINK:
                continue
            if rig.name == SKELETON_RIG and side:
                side = "R" if side == "L" else "L"
            name = f"{JOINT_OF_LINK[stem]}.{side}" if side else JOINT_OF_LINK[stem]
            place = matrix[:3, :3] @ np.array(bone.head_local) + matrix[:3, 3] - origin
            found.setdefault(name, place)
    return found
