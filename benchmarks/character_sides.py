"""Characters of `training.rigged.PACKS` as sides of a match, with their parts and joints.

Parts and sides are those by place, as models learn them: where the bones of a rig are called left
on its right, places count. What a character carries in its hands is no part of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

import bpy
import numpy as np

from diffusionnet_blender.matching.joint_rings import JointPair
from diffusionnet_blender.matching.points import SurfacePoints
from diffusionnet_blender.scene.armatures import read_bones, rig_of
from diffusionnet_blender.scene.bone_weights import read_bone_weights
from diffusionnet_blender.scene.character import characters_of
from diffusionnet_blender.scene.files import open_file
from diffusionnet_blender.scene.match_jobs import ReadToMatch, read_to_match
from diffusionnet_blender.surface.surface import Surface, vertex_areas
from diffusionnet_blender.tasks.transfer import job as transfer_job
from diffusionnet_blender.tasks.transfer.layers import Bones, Layers, MeshShape
from training.left_out import example_of
from training.parts import FINE_NAMES, PART_NAMES, PART_OF_LABEL
from training.rig_parts import UNKNOWN
from training.rigged import FOLDER, load_rigged

# The links that begin in each joint.
LINK_OF_JOINT = {
    f"{joint}.{side}": FINE_NAMES.index(f"{link}.{side}")
    for side in "LR"
    for joint, link in (
        *(("shoulder", "upper_arm"), ("elbow", "forearm"), ("wrist", "palm")),
        *(("hip", "thigh"), ("knee", "shin"), ("ankle", "foot")),
    )
}


@dataclass(frozen=True, eq=False)
class Side:
    """A character that is matched, and the truth about it.

    Attributes
    ----------
    name : str
    surface : Surface
    labels : (V,) int, index into `PART_NAMES` or `UNKNOWN`.
    bones : Bones, in the space of the surface, with their influence on it.
    first_bones : numbers of the bones that begin in a joint, by the names of `LINK_OF_JOINT`.
    read : ReadToMatch, optional, of a file.
    """

    name: str
    surface: Surface
    labels: np.ndarray
    bones: Bones
    first_bones: dict[str, np.ndarray]
    read: ReadToMatch | None = None

    @cached_property
    def areas(self) -> np.ndarray:
        """(V,) around each vertex."""
        return vertex_areas(self.surface.vertices, self.surface.faces)

    @cached_property
    def height(self) -> float:
        """Of what has known parts."""
        return float(np.ptp(self.surface.vertices[self.labels != UNKNOWN, 2]))

    def joints(self, bones: Bones) -> dict[str, np.ndarray]:
        """Where the joints of its rig are, (3,) by name, when its bones are these."""
        return {name: bones.heads[first].mean(axis=0) for name, first in self.first_bones.items()}


def joint_errors(
    source: Side,
    target: Side,
    points: SurfacePoints,
    confidence: np.ndarray,
    joints: dict[str, JointPair],
) -> dict[str, float]:
    """How far off the joints of the source come to lie, in shares of the target's height.

    They are carried along the map (V_t,), and to joints that are known beyond it, as Transfer does
    with an armature. Joints that one of the rigs has not are left out.
    """
    request = transfer_job.TransferRequest(
        MeshShape.of(source.surface),
        MeshShape.of(target.surface),
        points,
        confidence,
        Layers(bones=source.bones),
        joints=joints,
        accept_uncertain=True,
    )
    carried = source.joints(transfer_job.run(request).bones)
    right = target.joints(target.bones)
    return {
        name: float(np.linalg.norm(carried[name] - right[name]) / target.height)
        for name in LINK_OF_JOINT
        if name in carried and name in right
    }


@lru_cache(maxsize=64)
def merged_side(name: str) -> Side:
    """All that a character of `PACKS` wears as one mesh at rest, without what it carries."""
    example = example_of(name)
    character = load_rigged(name)
    there = [index for index in range(len(FINE_NAMES)) if character.has(index)]
    bare = character.only(~character.carried)
    bones = Bones(
        tuple(FINE_NAMES[index] for index in there),
        character.joints[there],
        character.ends[there],
        np.tile([0.0, 0.0, 1.0], (len(there), 1)),
        bare.weights[:, there].toarray(),
    )
    first = {
        joint: np.array([there.index(link)])
        for joint, link in LINK_OF_JOINT.items()
        if link in there
    }
    return Side(name, example.surface, example.labels, bones, first)


@lru_cache(maxsize=64)
def file_side(path: Path) -> Side:
    """The largest character of a file of `PACKS`, as the extension reads it."""
    meshes = open_file(path)
    largest = max(meshes, key=lambda obj: len(obj.data.vertices))
    (character,) = characters_of([largest], bpy.context.view_layer)
    read = read_to_match(character)
    geometry = read.geometry
    surface = geometry.placed.surface
    objects = [member.find() for member in geometry.members]
    table = _bone_table(path.stem)
    rig = rig_of(objects)
    names = list(rig.data.bones.keys())
    influence = np.zeros((len(surface.vertices), len(names)))
    labels = np.full(len(surface.vertices), UNKNOWN)
    start = 0
    for obj in objects:
        held = read_bone_weights(obj)
        own = slice(start, start + len(held.weights))
        start = own.stop
        if held.hold is None:
            continue
        parts = [table[f"{held.hold.rig.name}:{bone}"][0] for bone in held.bones]
        if not (held.hold.bone and "handslot" in held.hold.bone):
            labels[own] = _strongest(held.weights, parts)
        if held.hold.rig == rig:
            influence[own, [names.index(bone) for bone in held.bones]] = held.weights
    bones = read_bones(rig, geometry.origin, influence)
    links = np.array([table[f"{rig.name}:{name}"][1] for name in names])
    above = [bone.parent and bone.parent.name for bone in rig.data.bones]
    starts = links != [links[names.index(name)] if name else UNKNOWN for name in above]
    first = {
        joint: np.flatnonzero((links == link) & starts)
        for joint, link in LINK_OF_JOINT.items()
        if (links == link).any()
    }
    return Side(path.stem, surface, labels, bones, first, read)


def _bone_table(name: str) -> dict[str, tuple[int, int]]:
    """Of each bone of a character of `PACKS` ("rig:bone") the part and the link, by place."""
    with np.load(FOLDER / f"{name}.npz") as file:
        labels, links = file["labels"], file["segments"]
        parts = np.where(labels == UNKNOWN, UNKNOWN, PART_OF_LABEL[labels])
        return {
            bone: (int(part), int(link))
            for bone, part, link in zip(file["bones"].tolist(), parts, links, strict=True)
        }


def _strongest(weights: np.ndarray, parts: list[int]) -> np.ndarray:
    """The part (V,) of those bones that hold most of a vertex, of weights (V, B)."""
    held = np.zeros((len(weights), len(PART_NAMES)))
    for bone, part in enumerate(parts):
        if part != UNKNOWN:
            held[:, part] += weights[:, bone]
    return np.where(held.any(axis=1), held.argmax(axis=1), UNKNOWN)
