"""Rigged characters of glTF files, as what `rigged` makes figures of.

python -m training.rigged_files --characters FOLDER
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from functools import partial
from itertools import groupby
from operator import itemgetter
from pathlib import Path

import numpy as np

from .commands import glb_files, plain_errors
from .meshes import ACCESSORY, CLOTHING, EYES, HAIR, MACHINE, SKIN, UNKNOWN
from .parts import FINE_NAMES, MIRRORED_LABEL
from .rig_parts import SKELETON_RIG, labels_of_bones, segment_of_bone
from .rig_reading import read_meshes_with_bones
from .rigged import FOLDER, HEIGHT

# What an object or a material is, by the words of its name; the first that fits.
COMPONENT_OF_WORD = (
    ("eyebrows hair hairbase hair2", HAIR),
    ("eyes", EYES[0]),
    ("skin nails skeleton", SKIN),
    ("hat helmet glass hatbrown hatlightbrown details", ACCESSORY),
    (
        "cape shirt shirt2 pants shoes socks jacket lightjacket dress boots beltboots scarf armor "
        "tietexture",
        CLOTHING,
    ),
)
# By the name of the file, where a material is called by its colour.
COMPONENT_OF_MATERIAL = {
    ("q_cowboy", "Brown"): CLOTHING,
    ("q_cowboy", "DarkBrown"): CLOTHING,
    ("q_alien", "Main"): SKIN,
    ("q_alien", "Stripe"): SKIN,
    ("q_alien", "White"): SKIN,
    ("q_alien_helmet", "Main"): SKIN,
    ("q_alien_helmet", "Stripe"): SKIN,
    ("q_alien_helmet", "White"): ACCESSORY,
}
MACHINES = ("q_robot",)


def component_of(character: str, thing: str, material: str) -> int:
    """What a material of an object of a character is, as in `meshes.Body.component`."""
    if character in MACHINES:
        return MACHINE
    if (character, material) in COMPONENT_OF_MATERIAL:
        return COMPONENT_OF_MATERIAL[character, material]
    for name in (material, thing.rpartition("_")[2]):
        for words, component in COMPONENT_OF_WORD:
            if name.lower() in words.split():
                return component
    return UNKNOWN


def read_rigged(path: Path) -> dict[str, np.ndarray]:
    """The meshes of a file at rest with their rig: what `rigged.Character` is made of.

    Upright along +z, facing -y, `HEIGHT` high without what is carried; coincident vertices of an
    object are one.
    """
    found = read_meshes_with_bones(path, partial(component_of, path.stem))
    labels, segments = [], []
    for rig, bones in groupby((bone.split(":", 1) for bone in found["bones"]), itemgetter(0)):
        names = [name for _, name in bones]
        labels.append(labels_of_bones(rig, names))
        segments += [segment_of_bone(rig, name) for name in names]
    found |= {"labels": np.concatenate(labels), "segments": np.array(segments)}
    return _sides_by_place(_upright(found))


def _upright(found: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Turned about the vertical by quarters until its left is at +x; on the ground, in size."""
    vertices, heads = found["vertices"], found["heads"]
    segments = np.array([FINE_NAMES[i] if i >= 0 else "" for i in found["segments"]])
    left, right = (
        heads[np.isin(segments, [f"{part}.{side}" for part in ("thigh", "upper_arm")])].mean(axis=0)
        for side in "LR"
    )
    body = vertices[~found["carried"]]
    low, high = body[:, 2].min(), body[:, 2].max()
    towards = left - right
    if any(bone.startswith(f"{SKELETON_RIG}:") for bone in found["bones"]):
        towards = -towards
    side = np.zeros(3)
    across = np.abs(towards[:2]).argmax()
    side[across] = np.sign(towards[across])
    forward = np.cross(side, [0, 0, 1.0])
    turn = np.stack([side, -forward, [0, 0, 1.0]])
    middle = (body @ turn.T)[:, 0]
    shift = np.array([-(middle.min() + middle.max()) / 2, 0.0, -low])
    scale = HEIGHT / (high - low)
    moved = {
        name: (found[name] @ turn.T + shift) * scale for name in ("vertices", "heads", "tails")
    }
    return found | moved


def _sides_by_place(found: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Sides of bones by where they are at rest, whatever they are called: left at +x."""
    is_left = found["heads"][:, 0] > 0
    component = found["component"].copy()
    component[(component == EYES[0]) & (found["vertices"][:, 0] < 0)] = EYES[1]
    sided = {"component": component}
    for name in ("labels", "segments"):
        turned = found[name].copy()
        known = np.flatnonzero(turned >= 0)
        other = MIRRORED_LABEL[turned[known]]
        # Left comes right before its twin.
        swap = (other != turned[known]) & ((turned[known] < other) != is_left[known])
        turned[known[swap]] = other[swap]
        sided[name] = turned
    return found | sided


def write_rigged(characters: Path) -> Iterator[Path]:
    """Read all characters of a folder into `rigged.FOLDER`.

    Raises
    ------
    FileNotFoundError
        There are none in the folder.
    """
    paths = glb_files(characters)
    FOLDER.mkdir(parents=True, exist_ok=True)
    for path in paths:
        written = FOLDER / f"{path.stem}.npz"
        np.savez_compressed(written, **read_rigged(path))
        yield written


@plain_errors
def main() -> None:
    """Write what `rigged` reads."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--characters", type=Path, required=True, help="folder of .glb files")
    for path in write_rigged(parser.parse_args().characters):
        print(path)


if __name__ == "__main__":
    main()
