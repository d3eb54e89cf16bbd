"""The sample animal: a skin around a skeleton, of a seed that is never trained on."""

from __future__ import annotations

from pathlib import Path

import bpy
import numpy as np

from .animals import LINKS, PARENTS
from .bodies import FIRST_HELD_OUT_SEED, chain_moves, skinned
from .materials import plain_material
from .meshes import Body
from .parts import ANIMALS
from .poses import about
from .quadrupeds import sample_quadruped
from .remesh import decimate

SEED = FIRST_HELD_OUT_SEED + 9
VERTICES = 5000
# Degrees about the axis to the left: a step, its head a little down.
STEP = {
    "front_upper_leg.L": -18,
    "front_lower_leg.L": 22,
    "front_upper_leg.R": 12,
    "hind_upper_leg.L": 14,
    "hind_upper_leg.R": -16,
    "hind_lower_leg.R": 12,
    "neck.1": 8,
    "head.0": 6,
}


def make_dana(path: Path) -> None:
    """Write the animal as glTF, without a rig."""
    animal = sample_quadruped(np.random.default_rng(SEED))
    turns = np.stack([about([1, 0, 0], STEP.get(link, 0)).as_matrix() for link in LINKS])
    scales = np.tile(np.eye(3), (len(LINKS), 1, 1))
    moves = chain_moves(PARENTS, animal.joints, turns, scales)
    figure = animal.figure
    posed = skinned(figure.vertices, figure.weights, moves)
    body = decimate(
        Body(posed, figure.faces, figure.fine, figure.component, anatomy=ANIMALS), VERTICES
    )
    bpy.ops.wm.read_factory_settings(use_empty=True)
    mesh = bpy.data.meshes.new("Dana")
    mesh.from_pydata(body.vertices.tolist(), [], body.faces.tolist())
    mesh.shade_smooth()
    obj = bpy.data.objects.new("Dana", mesh)
    bpy.context.collection.objects.link(obj)
    mesh.materials.append(plain_material("Hide", (0.46, 0.30, 0.18), 0.8))
    bpy.ops.export_scene.gltf(
        filepath=str(path), export_format="GLB", export_animations=False, export_texcoords=False
    )
