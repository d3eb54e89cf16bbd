"""Skin weights moved between dressed characters of several objects, beside Blender's Data Transfer.

python -m benchmarks.transfer_characters --makehuman FOLDER --pairs 10

Both sides are unseen bodies of one template in other clothes, hair and shoes, the target posed as a
mesh; all weights are known on both. The target is then posed by the weights that it got, on the
joints of its own rig, and by the true ones: *posed* is the mean distance between the two, in
millimetres, over the area of all members; *weights* the mean over the area of half the absolute
differences added up over the bones (0 to 1). Data Transfer goes from the joined source to each
object of the target by the nearest face, interpolated, with both in one place.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import bpy
import numpy as np
from scipy import sparse

import diffusionnet_blender
from diffusionnet_blender.scene.character import Character
from diffusionnet_blender.scene.joined import joined
from diffusionnet_blender.scene.vertex_groups import read_weights
from diffusionnet_blender.surface.surface import vertex_areas
from training.bodies import (
    FIRST_HELD_OUT_SEED,
    bone_moves,
    sample_local_changes,
    sample_phenotype,
    skinned,
)
from training.commands import leave
from training.documents import table
from training.dressed import Dressed, dress_body, sample_outfit
from training.dressed_scene import add_character
from training.makehuman import triangles
from training.poses import sample_pose
from training.template import load_template

MILLIMETRES = 1000.0
# Metres between two characters that are matched; Data Transfer has them in one place.
APART = 3.0


def sampled(number: int, makehuman: Path, posed: bool) -> Dressed:
    """An unseen character."""
    rng = np.random.default_rng(FIRST_HELD_OUT_SEED + number)
    phenotype, changes = sample_phenotype(rng), sample_local_changes(rng)
    outfit = sample_outfit(rng, makehuman, woman=phenotype["gender"] > 0.5)
    dressed = dress_body(phenotype, changes, outfit, makehuman)
    return dressed.posed(sample_pose(rng)) if posed else dressed


def errors(dressed: Dressed, objects: list[bpy.types.Object], number: int) -> tuple[float, float]:
    """Errors of the weights of a target, and of its pose by them."""
    bones = load_template().bones
    moves = bone_moves(dressed.heads, sample_pose(np.random.default_rng(number)))
    sums, whole = np.zeros(2), 0.0
    for member, obj in zip(dressed.members, objects, strict=True):
        got = read_weights(obj, bones).astype(np.float64)
        got /= np.maximum(got.sum(axis=1, keepdims=True), 1e-9)
        places = [
            skinned(member.vertices, weights, moves)
            for weights in (sparse.csr_matrix(got), member.weights)
        ]
        areas = vertex_areas(member.vertices, triangles(member.polygons))
        apart = np.linalg.norm(places[0] - places[1], axis=1)
        wrong = 0.5 * np.abs(got - member.weights.toarray()).sum(axis=1)
        sums += areas @ np.stack([wrong, MILLIMETRES * apart], axis=1)
        whole += areas.sum()
    wrong, apart = sums / whole
    return float(wrong), float(apart)


def by_data_transfer(source: list[bpy.types.Object], target: list[bpy.types.Object]) -> None:
    """Weights of the nearest face of the joined source, on every object of the target."""
    with joined(Character("Source", "", tuple(source))) as whole:
        bpy.context.collection.objects.link(whole)
        bpy.context.view_layer.update()
        for obj in target:
            with bpy.context.temp_override(
                active_object=whole, object=whole, selected_editable_objects=[whole, obj],
                selected_objects=[whole, obj],
            ):  # fmt: skip
                bpy.ops.object.data_transfer(
                    data_type="VGROUP_WEIGHTS",
                    vert_mapping="POLYINTERP_NEAREST",
                    layers_select_src="ALL",
                    layers_select_dst="NAME",
                )


def scene_of(source: Dressed, target: Dressed, apart: float) -> list[list[bpy.types.Object]]:
    """Both characters in an empty scene, so far apart, the target without weights and rig."""
    bpy.ops.wm.read_homefile(app_template="", use_empty=True)
    found = []
    for dressed, name in ((source, "Source"), (target, "Target")):
        rig, objects = add_character(dressed, name)
        found.append(objects)
        if name == "Target":
            holder = bpy.data.objects.new("Target Root", None)
            holder.location.x = apart
            bpy.context.collection.objects.link(holder)
            for obj in objects:
                obj.modifiers.clear()
                obj.vertex_groups.clear()
                obj.parent = holder
            bpy.data.objects.remove(rig)
    bpy.context.view_layer.update()
    return found


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--makehuman", type=Path, metavar="FOLDER", required=True)
    parser.add_argument("--pairs", type=int, default=10)
    chosen = parser.parse_args()
    diffusionnet_blender.register()
    rows = []
    for number in range(chosen.pairs):
        source = sampled(2 * number, chosen.makehuman, posed=False)
        target = sampled(2 * number + 1, chosen.makehuman, posed=True)
        ours = scene_of(source, target, APART)
        names = {"source": ours[0][0].name, "target": ours[1][0].name}
        bpy.ops.diffusionnet.match(**names, method="MATCH")
        bpy.ops.diffusionnet.transfer(**names, weights=True, limit=0)
        rows.append([*errors(target, ours[1], number)])
        theirs = scene_of(source, target, 0.0)
        by_data_transfer(*theirs)
        rows[-1] += errors(target, theirs[1], number)
        print(number, *(f"{value:.3g}" for value in rows[-1]), file=sys.stderr, flush=True)
    means = np.mean(rows, axis=0)
    head = ["", "weights", "posed, mm"]
    print(
        table(
            head,
            [
                ["match of skins", f"{means[0]:.3f}", f"{means[1]:.1f}"],
                ["Data Transfer", f"{means[2]:.3f}", f"{means[3]:.1f}"],
            ],
        )
    )


if __name__ == "__main__":
    main()
    leave()
