"""Joints and weights of Rig on animals, beside those that a match carries, and bone heat.

python -m benchmarks.rig_animals
python -m benchmarks.rig_animals --posed 4 --baselines 5 --write

As `rig`, which measures people. The truth are the rigs of the animals of `training.animals`, at
rest and, with other seeds than in any training, in other proportions and poses. The bundled model
has learnt from these species; *unseen* are the same figures by a model that was trained without the
species and its relatives (`training.animal_parts left-out`). The eight main joints are where the
upper leg meets the lower one, and that the foot. *Match* is what *Armature* of Transfer does from a
wolf, or from a horse where the figure is of the wolf's group.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import numpy as np

from benchmarks.meshes import ROOT
from benchmarks.rig import Case, Links, carried, measured, parser_of, report, within, worst
from diffusionnet_blender.matching.limbs.parted import parted_mesh
from diffusionnet_blender.network.checkpoint import Model, load_model
from diffusionnet_blender.surface.repair import repair
from diffusionnet_blender.surface.surface import triangle_areas
from diffusionnet_blender.tasks.models import ANIMAL_PARTS_MODEL
from diffusionnet_blender.tasks.rig.animal_kinds import QUADRUPED
from diffusionnet_blender.tasks.rig.animal_landmarks import animal_landmarks
from training.animal_parts import folder_without
from training.animal_truth import JOINT_OF_LINK, AnimalTruth, animal_at_rest, posed_animal
from training.animals import LINKS, NAMES, PARENTS, SPECIES, load_animal
from training.bodies import FIRST_HELD_OUT_SEED
from training.commands import leave, plain_errors
from training.documents import table
from training.parts import ANIMAL_PART_NAMES, LEG_PARTS, SIDES
from training.rig_truth import MAIN_JOINTS

PAGE = ROOT / "docs" / "rig.md"
TURNS = {
    "neck": ("neck", "head"),
    **{
        f"{joint}.{side}": tuple(f"{leg}_{part}.{side}" for part in LEG_PARTS[first:])
        for side in SIDES
        for leg, joints in (("front", ("shoulder", "elbow")), ("hind", ("hip", "knee")))
        for first, joint in enumerate(joints)
    },
}
ANIMALS = Links(ANIMAL_PART_NAMES, np.arange(len(ANIMAL_PART_NAMES)), QUADRUPED, TURNS)
SEEN, UNSEEN = "bundled model", "unseen"
GROUP = {name: group for group, names in SPECIES.items() for name in names}


def case_of(truth: AnimalTruth) -> Case:
    """An animal as a figure of the benchmark."""
    height = float(np.ptp(truth.surface.vertices[:, 2]))
    return Case(truth.name, truth.surface, None, truth.joints, truth.weights, height, ANIMALS)


@cache
def model_for(name: str, unseen: bool) -> str | Model:
    """The bundled model, or the one that has never seen a species."""
    if not unseen:
        return ANIMAL_PARTS_MODEL
    return load_model(folder_without(GROUP[name]) / f"{ANIMAL_PARTS_MODEL}.safetensors")


def cases(names: list[str], posed: int) -> Iterator[tuple[str, Case]]:
    """Kind and figure of each case."""
    for name in names:
        yield "at rest", case_of(animal_at_rest(name))
    for name in names:
        for number in range(posed):
            rng = np.random.default_rng(FIRST_HELD_OUT_SEED + number)
            yield "posed, reshaped", case_of(posed_animal(name, rng))


def carried_from_animal(case: Case) -> dict[str, np.ndarray]:
    """Main joints of another animal, carried by a match."""
    source = "horse" if case.name in SPECIES[GROUP["wolf"]] else "wolf"
    animal, truth = load_animal(source), animal_at_rest(source)
    weights = animal.figure.weights.toarray()
    link_of = {joint: link for link, joint in JOINT_OF_LINK.items()}
    links = [LINKS.index(link_of[name]) for name in MAIN_JOINTS]
    pairs = [[link, PARENTS[link]] for link in links]
    influence = np.stack([weights[:, pair].sum(axis=1) for pair in pairs], axis=1)
    joints = {name: truth.joints[name] for name in MAIN_JOINTS}
    return carried(truth.surface, joints, influence, case, model=None)


def worst_by_true_parts(case: Case) -> float:
    """The largest error of a main joint, in %, with the parts that bones move for those found."""
    repaired = repair(case.surface)
    clean, weights = repaired.surface, case.weights[repaired.user_vertex]
    # Animals of the truth stand along +z and face -y.
    mesh = parted_mesh(clean.vertices, clean.faces, weights, ANIMAL_PART_NAMES, np.eye(3))
    scale = np.sqrt(triangle_areas(clean.vertices, clean.faces).sum())
    places = {name: scale * place for name, place in animal_landmarks(mesh).items()}
    return worst(places, case)


@plain_errors
def main() -> None:
    """Measure, and print or write the table."""
    parser = parser_of(__doc__)
    parser.add_argument("--names", nargs="+", metavar="NAME", default=NAMES, help="of species")
    parser.add_argument("--posed", type=int, default=2, help="other poses of each")
    chosen = parser.parse_args()
    figures = [
        (f"{kind}, {model}", case)
        for model in (SEEN, UNSEEN)
        for kind, case in cases(chosen.names, chosen.posed)
    ]
    unseen = {id(case): kind.endswith(UNSEEN) for kind, case in figures}
    text = measured(
        iter(figures),
        chosen.baselines,
        carried_from_animal,
        lambda case: {"model": model_for(case.name, unseen[id(case)])},
    )
    truth = [(kind, worst_by_true_parts(case)) for kind, case in cases(chosen.names, chosen.posed)]
    rows = [
        [kind, *(within([error for own, error in truth if own == kind], limit) for limit in (4, 6))]
        for kind in dict.fromkeys(kind for kind, _ in truth)
    ]
    text += f"\n\n{table(['by the true parts', 'within 4 %', 'within 6 %'], rows)}"
    report(text, chosen.write, PAGE, "rig of animals")


if __name__ == "__main__":
    main()
    leave()
