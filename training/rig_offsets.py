"""Learn how far off the borders between parts the joints of a rig lie.

python -m training.rig_offsets --characters FOLDER

Bodies of `anny` know their joints, and so do rigged characters of artists; both count alike. The
parts are those that the bundled model finds. Of the offsets along the coordinates of
`landmarks.trunk_basis` and `landmarks.limb_basis` those are taken that make the sum of the
distances least (a regression of least absolute deviations), alike on both sides.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from diffusionnet_blender.matching.limbs.directions import SIDES
from diffusionnet_blender.matching.limbs.joints import joints_of
from diffusionnet_blender.matching.limbs.parted import PartedMesh, parted_mesh
from diffusionnet_blender.surface.surface import Surface, triangle_areas
from diffusionnet_blender.surface.triangles import compact
from diffusionnet_blender.tasks.models import loaded
from diffusionnet_blender.tasks.rig.data import FOLDER
from diffusionnet_blender.tasks.rig.landmarks import (
    LIMB_JOINTS,
    SIDED,
    TRUNK_JOINTS,
    limb_basis,
    trunk_basis,
    with_feet,
)
from diffusionnet_blender.tasks.segment.job import segment

from .commands import glb_files, leave, plain_errors
from .remesh import keep_skin, remesh
from .rig_bodies import jointed_body

MODEL = "body_parts_fine"
BODIES = 64
VERTICES = 5000
# Chance of cartoon proportions.
STYLISED = 0.35
STEPS = 50
# Distances below this, in heights, count as this.
LEAST = 2e-3
Example = tuple[PartedMesh, dict[str, np.ndarray]]


def anny_example(seed: int) -> Example | None:
    """A body with the parts that the model finds, and its joints; None where it finds no frame."""
    rng = np.random.default_rng(seed)
    found = jointed_body(rng, STYLISED)
    made = remesh(keep_skin(found.body), rng, "even", VERTICES)
    return _example(Surface(made.vertices, made.faces), found.joints)


def character_example(path: Path) -> Example | None:
    """A character of a file, without what it carries."""
    from .rig_truth import read_truth

    truth = read_truth(path)
    surface, geometry = truth.geometry.placed.surface, truth.geometry
    body = np.ones(len(surface.vertices), bool)
    for thing in truth.carried:
        body[thing.vertices] = False
    several = len(geometry.members) > 1
    return _example(
        surface,
        truth.joints,
        body,
        member=geometry.placed.member if several else None,
        carried=truth.carried,
    )


def _example(
    surface: Surface, joints: dict[str, np.ndarray], body: np.ndarray | None = None, **options
) -> Example | None:
    found = segment(surface, loaded(MODEL, [], "segment"), **options)
    if found.frame is None:
        return None
    faces = surface.faces if body is None else surface.faces[body[surface.faces].all(axis=1)]
    faces, kept = compact(len(surface.vertices), faces)
    parts = found.vertex_probabilities[kept]
    mesh = parted_mesh(surface.vertices[kept], faces, parts, found.class_names, found.frame)
    scale = 1.0 / np.sqrt(triangle_areas(surface.vertices[kept], faces).sum())
    return mesh, {name: scale * found.frame @ place for name, place in joints.items()}


def learn(groups: list[list[Example]]) -> dict[str, list[float]]:
    """Offsets of each joint from examples of several kinds, which count alike."""
    found: dict[str, list[float]] = {}
    for name in (*TRUNK_JOINTS, *LIMB_JOINTS):
        bases, off, share = [], [], []
        for group in groups:
            own = [one for example in group for one in _offsets(example, name)]
            bases += [basis for basis, _ in own]
            off += [offset for _, offset in own]
            share += [1.0 / max(len(own), 1)] * len(own)
        # What lies in the middle goes to no side.
        width = bases[0].shape[1]
        free = [i for i in range(width) if name in (*SIDED, *LIMB_JOINTS) or i > 0]
        values = np.zeros(width)
        values[free] = _least_deviations(np.array(bases)[:, :, free], np.array(off), share)
        found[name] = [round(float(value), 4) for value in values]
    return found


def _offsets(example: Example, name: str) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Basis (3, n) and offset (3,) of each side of a joint, in heights."""
    mesh, truth = example
    borders = with_feet(mesh, joints_of(mesh))
    for side in SIDES if name in (*SIDED, *LIMB_JOINTS) else ("",):
        key = f"{name}.{side}" if side else name
        if key in borders and key in truth:
            basis = (trunk_basis if name in TRUNK_JOINTS else _limb(name))(borders, side)
            if basis is not None:
                yield basis / mesh.height, (truth[key] - borders[key]) / mesh.height


def _limb(name: str):
    return lambda joints, side: limb_basis(joints, name, side)


def _least_deviations(bases: np.ndarray, off: np.ndarray, share: list[float]) -> np.ndarray:
    """Coefficients (n,) of bases (E, 3, n) by iteratively reweighted least squares."""
    weight = np.sqrt(share)
    values = np.zeros(bases.shape[2])
    for _ in range(STEPS):
        left = np.linalg.norm(off - bases @ values, axis=1)
        scale = (weight / np.sqrt(np.maximum(left, LEAST)))[:, None]
        system = (bases * scale[:, :, None]).reshape(-1, bases.shape[2])
        values = np.linalg.lstsq(system, (off * scale).ravel(), rcond=None)[0]
    return values


@plain_errors
def main() -> None:
    """Learn and write the offsets."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--characters", type=Path, required=True, metavar="FOLDER")
    parser.add_argument("--bodies", type=int, default=BODIES)
    chosen = parser.parse_args()
    from diffusionnet_blender import register, unregister

    register()
    try:
        characters = [character_example(p) for p in glb_files(chosen.characters)]
    finally:
        unregister()
    bodies = [anny_example(seed) for seed in range(chosen.bodies)]
    found = learn([[one for one in group if one] for group in (bodies, characters)])
    path = FOLDER / "joint_offsets.json"
    path.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    print(path.read_text())


if __name__ == "__main__":
    main()
    leave()
