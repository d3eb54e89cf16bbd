"""Joints and skin weights of animals whose rigs are known, to learn and to measure rigs by."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from diffusionnet_blender.surface.surface import Surface

from .animal_variety import VariedAnimal, varied
from .animals import FOLDER, LINKS, dense, load_animal
from .meshes import SKIN
from .parts import ANIMAL_PART_NAMES, SIDES

# The joint in which a link begins; front legs have the joints of arms.
JOINT_OF_LINK = {
    "neck.0": "neck",
    "head.0": "head",
    "tail.0": "tail",
    **{
        f"{leg}_{part}.{side}": f"{joint}.{side}"
        for leg, joints in (
            ("front", ("shoulder", "elbow", "wrist")),
            ("hind", ("hip", "knee", "ankle")),
        )
        for part, joint in zip(("upper_leg", "lower_leg", "foot"), joints, strict=True)
        for side in SIDES
    },
}
PART_OF_LINK = np.array(
    [
        ANIMAL_PART_NAMES.index(link if link in ANIMAL_PART_NAMES else link.partition(".")[0])
        for link in LINKS
    ]
)
"""(L,) index into `ANIMAL_PART_NAMES` of each link."""


@dataclass(frozen=True, eq=False)
class AnimalTruth:
    """An animal without what it wears.

    Attributes
    ----------
    name : str
    surface : Surface
    joints : dict of str to (3,), those that its rig has.
    weights : (V, 16), share of each part.
    trunk : from hips to shoulders.
    """

    name: str
    surface: Surface
    joints: dict[str, np.ndarray]
    weights: np.ndarray
    trunk: float


def animal_at_rest(name: str) -> AnimalTruth:
    """An animal of `animals.NAMES` as it is in its file."""
    animal = load_animal(name)
    whole = np.ones(len(animal.figure.vertices), bool)
    parts = _by_part(animal.figure.weights)
    surface = Surface(animal.figure.vertices, animal.figure.faces)
    return _truth(name, surface, whole, animal.joints, parts)


def posed_animal(name: str, rng: np.random.Generator) -> AnimalTruth:
    """An animal of `animals.NAMES`, subdivided once, in random proportions and some pose."""
    made: VariedAnimal = varied(dense(name, (True,)), rng)
    skin = made.body.component == SKIN
    surface = Surface(made.body.vertices, made.body.faces)
    return _truth(name, surface, skin, made.joints, _by_part(made.weights))


def _by_part(weights) -> np.ndarray:
    return np.asarray(weights @ np.eye(len(ANIMAL_PART_NAMES))[PART_OF_LINK])


def _truth(
    name: str, surface: Surface, kept: np.ndarray, joints: np.ndarray, parts: np.ndarray
) -> AnimalTruth:
    faces = surface.faces[kept[surface.faces].all(axis=1)]
    used, faces = np.unique(faces, return_inverse=True)
    with np.load(FOLDER / f"{name}.npz") as file:
        known = {each.removeprefix("line_") for each in file.files if each.startswith("line_")}
    found = {
        joint: joints[LINKS.index(link)]
        for link, joint in JOINT_OF_LINK.items()
        if link in known or link.partition(".")[0] in known
    }
    ends = (
        np.mean([found[f"{joint}.{side}"] for side in SIDES], axis=0)
        for joint in ("shoulder", "hip")
    )
    return AnimalTruth(
        name,
        Surface(surface.vertices[used], faces.reshape(-1, 3)),
        found,
        parts[used],
        float(np.linalg.norm(np.subtract(*ends))),
    )
