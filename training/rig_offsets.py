"""Learn how far off the borders between parts the joints of a rig lie.

python -m training.rig_offsets --characters FOLDER
python -m training.rig_offsets --animals

Bodies of `anny` know their joints, and so do rigged characters of artists; both count alike. Of
animals (`animal_truth`) each species does. The parts are those that the bundled model finds. Of the
offsets along the coordinates of `layout.bases_of` those are taken that
make the sum of the distances least (a regression of least absolute deviations), alike on both
sides.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from diffusionnet_blender.matching.limbs.parted import PartedMesh, parted_mesh
from diffusionnet_blender.surface.surface import Surface, triangle_areas
from diffusionnet_blender.surface.triangles import compact
from diffusionnet_blender.tasks.models import ANIMAL_PARTS_MODEL, FINE_PARTS_MODEL, loaded
from diffusionnet_blender.tasks.rig.data import FOLDER
from diffusionnet_blender.tasks.rig.families import ANIMALS, PEOPLE
from diffusionnet_blender.tasks.rig.layout import (
    LIMB_JOINTS,
    SIDED,
    Layout,
    bases_of,
    with_feet,
)
from diffusionnet_blender.tasks.segment.job import segment

from .animal_truth import animal_at_rest, posed_animal
from .animals import NAMES
from .commands import glb_files, leave, plain_errors
from .remesh import keep_skin, remesh
from .rig_bodies import jointed_body

BODIES = 64
# Of each animal, besides itself at rest.
POSED = 6
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


def animal_examples(name: str) -> list[Example]:
    """An animal at rest, and in other poses and proportions."""
    made = [animal_at_rest(name)]
    made += [posed_animal(name, np.random.default_rng(seed)) for seed in range(POSED)]
    found = (_example(each.surface, each.joints, model=ANIMAL_PARTS_MODEL) for each in made)
    return [one for one in found if one]


def _example(
    surface: Surface,
    joints: dict[str, np.ndarray],
    body: np.ndarray | None = None,
    model: str = FINE_PARTS_MODEL,
    **options,
) -> Example | None:
    found = segment(surface, loaded(model, [], "segment"), **options)
    if found.frame is None:
        return None
    faces = surface.faces if body is None else surface.faces[body[surface.faces].all(axis=1)]
    faces, kept = compact(len(surface.vertices), faces)
    parts = found.vertex_probabilities[kept]
    mesh = parted_mesh(surface.vertices[kept], faces, parts, found.class_names, found.frame)
    scale = 1.0 / np.sqrt(triangle_areas(surface.vertices[kept], faces).sum())
    return mesh, {name: scale * found.frame @ place for name, place in joints.items()}


def learn(groups: list[list[Example]], layout: Layout) -> dict[str, list[float]]:
    """Offsets of each joint from examples of several kinds, which count alike."""
    found: dict[str, list[float]] = {}
    for name in layout.off_borders:
        bases, off, share = [], [], []
        for group in groups:
            own = [one for example in group for one in _offsets(example, name, layout)]
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


def _offsets(
    example: Example, name: str, layout: Layout
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Basis (3, n) and offset (3,) of each side of a joint, in heights."""
    mesh, truth = example
    borders = with_feet(mesh, layout.borders(mesh), layout.feet)
    for key, basis in bases_of(borders, name):
        if key in truth:
            yield basis / mesh.height, (truth[key] - borders[key]) / mesh.height


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
    parser.add_argument("--characters", type=Path, metavar="FOLDER")
    parser.add_argument("--bodies", type=int, default=BODIES)
    parser.add_argument("--animals", action="store_true", help="of animals, not of people")
    chosen = parser.parse_args()
    if chosen.animals:
        groups = [animal_examples(name) for name in NAMES]
        write(learn(groups, ANIMALS.layout), ANIMALS.layout)
        return
    if chosen.characters is None:
        parser.error("name the folder of --characters, or --animals")
    from diffusionnet_blender import register, unregister

    register()
    try:
        characters = [character_example(p) for p in glb_files(chosen.characters)]
    finally:
        unregister()
    bodies = [anny_example(seed) for seed in range(chosen.bodies)]
    groups = [[one for one in group if one] for group in (bodies, characters)]
    write(learn(groups, PEOPLE.layout), PEOPLE.layout)


def write(found: dict[str, list[float]], layout: Layout) -> None:
    """Write offsets to where Rig reads them."""
    path = FOLDER / layout.offsets
    path.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    print(path.read_text())


if __name__ == "__main__":
    main()
    leave()
