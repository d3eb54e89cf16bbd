"""Rigged four-legged animals of glTF files, as what `animals` makes figures of.

python -m training.animal_files --animals FOLDER
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from scipy import sparse

from diffusionnet_blender.tasks.skeleton import Skeleton

from .animal_rigs import AnimalRig, animal_rig
from .animals import FOLDER
from .commands import glb_files, leave, plain_errors
from .meshes import SKIN
from .parts import ANIMAL_PART_NAMES, LEGS, SIDES
from .rig_reading import read_meshes_with_bones


def read_animal(path: Path) -> dict[str, np.ndarray]:
    """The mesh of a file at rest with its rig: what `animals.Animal` is made of.

    Upright along +z on the ground, facing -y, a unit long from hips to shoulders.

    Returns
    -------
    dict of str to array
        `vertices`, `faces`; `held` (V, 16), how much the bones of each part move a vertex; and
        `line_NAME` (n, 3) for each part that has bones: where they begin, and where the last ends.
    """
    found = read_meshes_with_bones(path, lambda thing, material: SKIN)
    shape = len(found["vertices"]), len(found["bones"])
    by_bone = sparse.csr_matrix(
        (found["weights_data"], found["weights_indices"], found["weights_indptr"]), shape
    )
    holds = np.asarray(by_bone.sum(axis=0)).ravel() > 0
    skeleton = Skeleton(
        tuple(found["bones"]), found["parents"], found["heads"], found["tails"], holds
    )
    rig = animal_rig(skeleton, holds)
    held = np.zeros((len(found["vertices"]), len(ANIMAL_PART_NAMES)))
    for part, bones in rig.bones.items():
        held[:, ANIMAL_PART_NAMES.index(part)] = np.asarray(by_bone[:, bones].sum(axis=1)).ravel()
    turn = np.stack([rig.left, -rig.forward, [0, 0, 1.0]])
    ends = skeleton.heads[list(rig.hips.values())] @ turn.T
    low = found["vertices"][:, 2].min()
    shift = np.array([ends[:, 0].mean(), ends[:, 1].mean(), low])
    scale = 1.0 / _trunk(skeleton, rig)

    def placed(points: np.ndarray) -> np.ndarray:
        return (points @ turn.T - shift) * scale

    lines = {f"line_{part}": placed(_line(skeleton, rig, part)) for part in rig.bones}
    return {
        "vertices": placed(found["vertices"]),
        "faces": found["faces"],
        "held": held,
    } | lines


def _trunk(skeleton: Skeleton, rig: AnimalRig) -> float:
    front, hind = (
        np.mean([skeleton.heads[rig.hips[f"{leg}.{side}"]] @ rig.forward for side in SIDES])
        for leg in LEGS
    )
    return float(front - hind)


def _line(skeleton: Skeleton, rig: AnimalRig, part: str) -> np.ndarray:
    """Where the bones of a part begin, and where the last of them ends."""
    stem, _, side = part.partition(".")
    bones = rig.bones[part]
    if stem.endswith("upper_leg"):
        bones = [rig.hips[f"{stem.removesuffix('_upper_leg')}.{side}"]]
    last = bones[-1]
    # What follows holds no skin, or moves the next part: either way it begins where this one ends.
    children = [child for child in skeleton.children[last] if child not in bones]
    end = skeleton.heads[children[0]] if len(children) == 1 else skeleton.tails[last]
    return np.concatenate([skeleton.heads[bones], end[None]])


def write_animals(animals: Path) -> Iterator[Path]:
    """Read all animals of a folder into `animals.FOLDER`.

    Raises
    ------
    FileNotFoundError
        There are none in the folder.
    ValueError
        The bones of one are not those of a four-legged animal.
    """
    paths = glb_files(animals)
    FOLDER.mkdir(parents=True, exist_ok=True)
    for path in paths:
        written = FOLDER / f"{path.stem}.npz"
        np.savez_compressed(written, **read_animal(path))
        yield written


@plain_errors
def main() -> None:
    """Write what `animals` reads."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--animals", type=Path, required=True, help="folder of .glb files")
    for path in write_animals(parser.parse_args().animals):
        print(path)
    leave()


if __name__ == "__main__":
    main()
