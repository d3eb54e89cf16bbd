"""Cleo, the sample that is several objects: what an artist imports, rigged, thirteen meshes."""

from __future__ import annotations

from pathlib import Path

import bpy
import numpy as np

from .dressed import Outfit, dress_body
from .dressed_scene import add_character
from .materials import plain_material
from .poses import Arm, Leg, Pose

CLEO = {"gender": 0.95, "age": 0.66, "muscle": 0.5, "weight": 0.42, "height": 0.55}
CLEO_FACE = {"mouth-laugh-lines-out": -0.2, "nose-volume-incr": -0.2}
CLEO_POSE = Pose(
    left_arm=Arm(raised=24, forward=8, twist=30, elbow=30, pronation=10, curl=20),
    right_arm=Arm(raised=30, forward=12, twist=35, elbow=48, pronation=15, wrist=5, curl=26),
    left_leg=Leg(hip=-2, spread=-5, turn=10, ankle=2),
    right_leg=Leg(hip=8, spread=-3, turn=16, knee=12, ankle=-2),
    spine=(1, -2, 5),
    neck=(0, 3, -12),
)
OUTFIT = Outfit(
    {
        "Suit": "clothes/male_casualsuit05/male_casualsuit05.mhclo",
        "Shoes": "clothes/shoes05/shoes05.mhclo",
        "Hair": "hair/ponytail01/ponytail01.mhclo",
        "Eyebrows": "eyebrows/eyebrow003/eyebrow003.mhclo",
        "Eyelashes": "eyelashes/eyelashes01/eyelashes01.mhclo",
        "Teeth": "teeth/teeth_base/teeth_base.mhclo",
    },
    hides_body=True,
    in_halves=True,
)
# Loose parts of the suit, in the order of the file.
GARMENTS = ("Collar", "Jacket", "Shirt")
# Linear, by the first word of what an object is called.
COLOURS = {
    "Body": (0.46, 0.25, 0.16),
    "Hair": (0.045, 0.018, 0.010),
    "Eyebrows": (0.10, 0.045, 0.028),
    "Eyelashes": (0.01, 0.01, 0.01),
    "Eye": (0.85, 0.85, 0.83),
    "Teeth": (0.80, 0.78, 0.70),
    "Jacket": (0.30, 0.14, 0.03),
    "Shirt": (0.62, 0.60, 0.54),
    "Collar": (0.16, 0.07, 0.02),
    "Trousers": (0.035, 0.065, 0.16),
    "Shoe": (0.07, 0.03, 0.02),
}
IRIS, PUPIL = (0.05, 0.12, 0.09), (0.004, 0.004, 0.004)
# Cosines of the angles from the middle of the eye to their edges.
IRIS_EDGE, PUPIL_EDGE = 0.86, 0.97


def make_cleo(path: Path, makehuman: Path) -> None:
    """Write a rigged glTF of several objects, in plain colours."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    resting = dress_body(CLEO, CLEO_FACE, OUTFIT, makehuman)
    dressed = resting.posed(CLEO_POSE)
    rig, meshes = add_character(dressed, "Cleo")
    low = min(member.vertices[:, 2].min() for member in dressed.members)
    rig.location.z -= low
    names = iter(GARMENTS)
    for obj, member in zip(meshes, resting.members, strict=True):
        if member.name == "Shirt":
            obj.name = obj.data.name = next(names)
        kind = obj.name.split(".")[0]
        obj.data.materials.append(_plain(kind))
        if kind == "Eye":
            _paint_iris(obj.data, member.vertices)
    bpy.ops.export_scene.gltf(
        filepath=str(path), export_format="GLB", export_animations=False, export_texcoords=False
    )


def _plain(name: str, colour: tuple[float, float, float] | None = None) -> bpy.types.Material:
    if name in bpy.data.materials:
        return bpy.data.materials[name]
    return plain_material(name, colour or COLOURS[name], roughness=0.7)


def _paint_iris(mesh: bpy.types.Mesh, resting: np.ndarray) -> None:
    """Give the faces of an eye that look forward, -y in the rest pose, the colours of its iris."""
    mesh.materials.append(_plain("Iris", IRIS))
    mesh.materials.append(_plain("Pupil", PUPIL))
    middle = (resting.min(axis=0) + resting.max(axis=0)) / 2
    for polygon in mesh.polygons:
        away = resting[list(polygon.vertices)].mean(axis=0) - middle
        forward = -away[1] / np.linalg.norm(away)
        polygon.material_index = int(forward > IRIS_EDGE) + int(forward > PUPIL_EDGE)
