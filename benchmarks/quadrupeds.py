"""Four-legged animals of known correspondence, for what matches shapes that no weights know.

All are one dense template, a skin around a skeleton, with bones of other lengths and thicknesses
and in another pose; each is then remeshed. The template is alike on both sides, as animals are.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
from scipy.spatial.transform import Rotation

from diffusionnet_blender.matching.closest import ClosestPoints
from diffusionnet_blender.surface.winding import vertex_normals
from training.bone_skins import SkinBone, skin_around
from training.matched_bodies import MatchedBody
from training.meshes import Body, shuffle
from training.remesh import remesh

# Joints of an animal a metre long that faces -y, on its left side or in the middle.
JOINTS = {
    "rump": (0.0, 0.42, 0.62),
    "waist": (0.0, 0.1, 0.6),
    "chest": (0.0, -0.3, 0.62),
    "neck": (0.0, -0.52, 0.84),
    "head": (0.0, -0.7, 0.9),
    "nose": (0.0, -0.86, 0.84),
    "tail": (0.0, 0.62, 0.66),
    "tail end": (0.0, 0.9, 0.5),
    "ear": (0.06, -0.6, 1.0),
    "ear end": (0.1, -0.56, 1.12),
    "shoulder": (0.12, -0.32, 0.54),
    "elbow": (0.13, -0.28, 0.3),
    "fore paw": (0.13, -0.32, 0.05),
    "hip": (0.12, 0.4, 0.56),
    "knee": (0.13, 0.46, 0.3),
    "hind paw": (0.13, 0.4, 0.05),
}
# Bones from joint to joint, each after the one that carries it, with the radii of their ends.
BONES = {
    "back": ("waist", "rump", 0.15, 0.14, ""),
    "belly": ("waist", "chest", 0.15, 0.17, ""),
    "neck": ("chest", "neck", 0.13, 0.085, "belly"),
    "head": ("neck", "head", 0.09, 0.1, "neck"),
    "snout": ("head", "nose", 0.085, 0.05, "head"),
    "tail": ("rump", "tail", 0.06, 0.045, "back"),
    "tail end": ("tail", "tail end", 0.045, 0.03, "tail"),
    "ear": ("ear", "ear end", 0.035, 0.02, "head"),
    "upper arm": ("shoulder", "elbow", 0.085, 0.06, "belly"),
    "forearm": ("elbow", "fore paw", 0.055, 0.05, "upper arm"),
    "thigh": ("hip", "knee", 0.11, 0.065, "back"),
    "shank": ("knee", "hind paw", 0.055, 0.05, "thigh"),
}
PAIRED = ("ear", "upper arm", "forearm", "thigh", "shank")
CELL = 0.014
# How gently bones run into each other, in metres.
BLEND = 0.035
# Of the joints, in degrees; and of lengths and thicknesses.
POSES = 25.0
PROPORTIONS = 0.2


@cache
def _bones() -> dict[str, SkinBone]:
    found = {}
    for name, (head, tail, *radii, parent) in BONES.items():
        for side in (".L", ".R") if name in PAIRED else ("",):
            mirror = np.array([-1.0 if side == ".R" else 1.0, 1, 1])
            above = parent + side if parent in PAIRED else parent
            found[name + side] = SkinBone(
                np.array(JOINTS[head]) * mirror, np.array(JOINTS[tail]) * mirror, radii, above
            )
    return found


@cache
def template() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Vertices (T, 3), faces and weights of the bones (T, B) of the animal that all others are."""
    return skin_around(_bones(), CELL, BLEND, margin=0.25)


def sample_animal(seed: int, vertex_count: int, variety: float = 1.0) -> MatchedBody:
    """An animal in a pose, remeshed; the same for the same seed.

    Parameters
    ----------
    seed : int
    vertex_count : int
    variety : float
        Of the proportions; 0: all are one animal in other poses.
    """
    rng = np.random.default_rng(seed)
    rest, faces, weights = template()
    posed = _posed(rest, weights, rng, variety)
    body = Body(posed, faces, np.zeros(len(posed), np.int32), np.zeros(len(posed), np.int32))
    made = remesh(body, rng, str(rng.choice(["even", "uneven", "flipped"])), vertex_count)
    order = np.arange(len(made.vertices), dtype=np.int64)
    made = shuffle(replace(made, fine=order), rng)
    normals = vertex_normals(made.vertices, made.faces)
    points, _ = ClosestPoints(posed, faces)(made.vertices, normals, 60.0)
    return MatchedBody(made.vertices, made.faces, points, posed)


def _posed(rest, weights, rng, variety) -> np.ndarray:
    """The template with every bone turned, stretched and thickened."""
    moves: dict[str, tuple[np.ndarray, np.ndarray]] = {}
    stretches: dict[str, tuple[float, float]] = {}
    made = np.zeros_like(rest)
    for number, (name, bone) in enumerate(_bones().items()):
        plain = name.rsplit(".", 1)[0]
        if plain not in stretches:
            stretches[plain] = tuple(np.exp(variety * PROPORTIONS * rng.standard_normal(2)))
        long, thick = stretches[plain]
        along = (bone.tail - bone.head) / np.linalg.norm(bone.tail - bone.head)
        scale = thick * np.eye(3) + (long - thick) * np.outer(along, along)
        angles = rng.uniform(-1, 1, 3) * np.radians(POSES) * (0.3 if not bone.parent else 1.0)
        turn = Rotation.from_rotvec(angles).as_matrix()
        carried, shift = moves.get(bone.parent, (np.eye(3), np.zeros(3)))
        head = carried @ bone.head + shift
        turn = _turn_of(carried) @ turn
        linear = turn @ scale
        moves[name] = linear, head - linear @ bone.head
        made += weights[:, number, None] * (rest @ linear.T + moves[name][1])
    return made


def _turn_of(linear: np.ndarray) -> np.ndarray:
    u, _, v = np.linalg.svd(linear)
    return u @ v
