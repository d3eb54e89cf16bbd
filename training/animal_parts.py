"""How `weights/animal_parts` is made, and how good it is on animals that it never saw.

python -m training.animal_parts data        # animals and their matrices
python -m training.animal_parts train       # first on animals of no species, then on all
python -m training.animal_parts snapshot    # the model of a run, finished or going on
python -m training.animal_parts left-out    # from that first course on, without a group of species
python -m training.animal_parts evaluate    # what these make of the species they never saw

The rigs of the animals are read first: `animal_files`.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image
from scipy.spatial import cKDTree

from diffusionnet_blender.network.card import ModelCard
from diffusionnet_blender.network.checkpoint import Model, load_model, save_model
from diffusionnet_blender.network.votes import VOTES
from diffusionnet_blender.surface.cache import OperatorCache
from diffusionnet_blender.surface.surface import Surface
from diffusionnet_blender.tasks.models import BUNDLED
from diffusionnet_blender.tasks.segment import segment

from .animals import NAMES, SPECIES, load_animal
from .bodies import FIRST_HELD_OUT_SEED
from .body_parts import architecture_of, checkpoint_of, train, weights_of_checkpoint
from .commands import plain_errors
from .contact_sheet import HEIGHT as CELL_HEIGHT
from .contact_sheet import UNKNOWN_COLOUR, drawn
from .contact_sheet import WIDTH as CELL_WIDTH
from .documents import percent, put_between, table
from .examples import HARMS_OF_OTHERS, Example, at_rest, draw_species, sample_example
from .heads import FEATURES
from .parts import ANIMAL_COLOURS, ANIMAL_PART_NAMES, LEG_PARTS, LEGS
from .prepared import RUN, SETTINGS, Prepared, make_data
from .shares import Shares, mean_shares, shares_of

NAME = "animal_parts"
WIDTH = 96
# Steps on animals of no species, on all, and on all but a group.
FIRST, ALL, LEFT_OUT = 2000, 10_000, 6000
RATE = 1e-3
FIRST_RUN = "quadrupeds"
LIMBS = tuple(tuple(f"{leg}_{part}.L" for part in LEG_PARTS) for leg in LEGS)
# Degrees from the front, of pictures.
TURN = 60.0
PAGE = Path(__file__).parents[1] / "docs" / "animals.md"
# To the left of the animal, to its back and up, of one that faces backward or aside.
FACINGS = {
    "turned": np.diag([-1.0, -1.0, 1.0]),
    "aside": np.array([[0.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]),
}
# Columns of the table: what is measured, and whether with sides merged as well.
COLUMNS = {
    "copied": ("copied", True),
    "at rest": ("network", True),
    "turned": ("turned about", False),
    "aside": ("aside", False),
    "copied posed": ("posed: copied", False),
    "posed": ("posed: network", True),
}


def card_of(width: int, training_data: str) -> ModelCard:
    """The card of the model, not yet measured."""
    return ModelCard(
        name=NAME,
        title="Animal parts",
        description="Four-legged animals in 16 parts, sides told apart: head, neck, torso, tail, "
        "and three of each leg.",
        class_names=ANIMAL_PART_NAMES,
        class_colours=[ANIMAL_COLOURS[part] for part in ANIMAL_PART_NAMES],
        features=FEATURES,
        architecture=architecture_of(len(ANIMAL_PART_NAMES) + VOTES, width),
        discretization=SETTINGS,
        training_data=training_data,
        licence="CC0-1.0",
        outer_skin=True,
        limbs=LIMBS,
        four_legs=True,
    )


def origin(count: int, steps: int) -> str:
    """What a model was trained on, for its card."""
    return (
        f"{count} animals: more than half made of {len(NAMES)} by Quaternius (CC0), their parts "
        f"those of their bones, the others skins around random skeletons; all posed, reshaped, "
        f"damaged and remeshed by training/; {steps} steps. Before that: {FIRST} steps on the "
        "latter."
    )


def save(run: str, width: int, count: int, folder: Path) -> Path:
    """Write the model of a run, finished or going on."""
    weights, step = weights_of_checkpoint(checkpoint_of(run))
    return save_model(Model(card_of(width, origin(count, step)), weights), folder, half=True)


def first(seeds: dict[str, range], steps: int, width: int, threads: int) -> None:
    """The first course, which no species is in, so that all trainings may start from it."""
    shapes = Prepared(seeds, kinds=("quadruped",))
    train(FIRST_RUN, shapes, steps, width, threads, animals=True)


def teach(run: str, shapes: Prepared, steps: int, width: int, threads: int) -> None:
    """The course after the first."""
    start = checkpoint_of(FIRST_RUN)
    train(run, shapes, steps, width, threads, start, RATE, animals=True)


def run_without(group: str) -> str:
    """Name of the run that leaves out a group of `SPECIES`."""
    return f"animals without {group}".replace(" ", "-")


def folder_without(group: str) -> Path:
    """Of the model that was trained without a group."""
    return RUN / "left_out" / run_without(group)


def copied(example: Example, among: list[str]) -> np.ndarray:
    """Labels (V,) of the nearest place of the animal whose proportions are most alike, both in
    their upright frame and stretched to the same box: what needs no network.

    Parameters
    ----------
    example : upright, facing -y.
    among : names of animals whose labels are known.
    """
    points = example.surface.vertices
    low, size = points.min(axis=0), np.ptp(points, axis=0)
    best, labels = np.inf, None
    for name in among:
        known = at_rest(name)
        theirs = known.surface.vertices
        box = np.ptp(theirs, axis=0)
        cost = np.ptp(np.log(box / size))
        if cost < best:
            best = cost
            boxed = (theirs - theirs.min(axis=0)) / box
            labels = known.labels[cKDTree(boxed).query((points - low) / size)[1]]
    return labels


def measure(
    folder_of: dict[str, Path], posed: int, picture: Path | None = None
) -> dict[str, dict[str, list[Shares]]]:
    """Shares of the area that are right, by species and by what was measured.

    Parameters
    ----------
    folder_of : of the model of each group of `SPECIES`.
    posed : how many animals in unseen poses, proportions and meshes, of each species.
    picture : where to draw the animals at rest, what is found below the truth.

    Returns
    -------
    dict of str to dict of str to list of Shares
        "copied" and "copied posed" are the baseline; "at rest" the files, facing forward, "turned"
        and "aside" the same as they face otherwise.
    """
    cache = OperatorCache(RUN / "left_out" / "matrices", max_bytes=2**40)
    found: dict[str, dict[str, list[Shares]]] = {}
    drawings = []
    for group, folder in folder_of.items():
        path = folder / f"{NAME}.safetensors"
        if not path.exists():
            print(f"{path} is not there yet", flush=True)
            continue
        model = load_model(path)
        among = [name for name in NAMES if name not in SPECIES[group]]
        for name in SPECIES[group]:
            rest = at_rest(name)
            points = rest.surface.vertices
            turned = {
                kind: [replace(rest, surface=Surface(points @ turn.T, rest.surface.faces))]
                for kind, turn in FACINGS.items()
            }
            unseen = [
                sample_example(FIRST_HELD_OUT_SEED + number, draw_species(name), HARMS_OF_OTHERS)
                for number in range(posed)
            ]
            of_species = found[name] = {"copied": [], "copied posed": []}
            for kind, examples in ({"at rest": [rest]} | turned | {"posed": unseen}).items():
                of_species[kind] = []
                for example in examples:
                    labels = segment(example.surface, model, cache=cache).vertex_labels
                    of_species[kind].append(_shares(labels, example))
                    if example is rest:
                        drawings += [(rest.surface, rest.labels), (rest.surface, labels)]
                    if kind not in FACINGS:
                        baseline = "copied" if kind == "at rest" else "copied posed"
                        of_species[baseline].append(_shares(copied(example, among), example))
            print(
                name, {k: percent(mean_shares(v).right) for k, v in of_species.items()}, flush=True
            )
    if picture is not None:
        draw(drawings, picture)
    return found


def draw(drawings: list[tuple[Surface, np.ndarray]], path: Path, columns: int = 5) -> None:
    """Surfaces in the colours of their labels, pairs below one another."""
    colours = np.array([*(ANIMAL_COLOURS[name] for name in ANIMAL_PART_NAMES), UNKNOWN_COLOUR])
    pairs = len(drawings) // 2
    rows = -(-pairs // columns)
    sheet = Image.new("RGB", (columns * CELL_WIDTH, 2 * rows * CELL_HEIGHT), "white")
    for number, (surface, labels) in enumerate(drawings):
        pair, below = divmod(number, 2)
        cell = drawn(surface, colours[labels], TURN)
        place = pair % columns * CELL_WIDTH, (pair // columns * 2 + below) * CELL_HEIGHT
        sheet.paste(cell, place)
    path.parent.mkdir(parents=True, exist_ok=True)
    sheet.save(path)


def _shares(labels: np.ndarray, example: Example) -> Shares:
    return shares_of(labels, example.labels, example.areas, ANIMAL_PART_NAMES)


def rows_of(found: dict[str, dict[str, list[Shares]]]) -> list[list[str]]:
    """Lines of a table: each species, and the mean of all."""
    rows = []
    for name in (*found, "all"):
        cells = [name]
        for kind, (_, both) in COLUMNS.items():
            those = [
                mean_shares(each[kind])
                for species, each in found.items()
                if name in (species, "all") and each[kind]
            ]
            mean = mean_shares(those) if those else Shares(np.nan, np.nan)
            cells += [percent(mean.right), *([percent(mean.either_side)] if both else [])]
        rows.append(cells)
    return rows


def accuracy_of(found: dict[str, dict[str, list[Shares]]]) -> dict[str, float]:
    """What the card has: means over the species, each left out of the training."""
    means = {}
    for kind, name in (("at rest", "species left out"), ("posed", "species left out, posed")):
        every = [mean_shares(each[kind]) for each in found.values()]
        means[name] = round(mean_shares(every).right, 4)
        means[f"{name}, either side"] = round(mean_shares(every).either_side, 4)
    return means


@plain_errors
def main() -> None:
    """Run the step named on the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("step", choices=("data", "train", "snapshot", "left-out", "evaluate"))
    parser.add_argument("--count", type=int, default=2400, help="of animals to learn from")
    parser.add_argument("--run", default="animals", help="name of a training, for its checkpoint")
    parser.add_argument("--first", type=int, default=FIRST, help="steps on those of no species")
    parser.add_argument("--steps", type=int, help="after those")
    parser.add_argument("--width", type=int, default=WIDTH)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--groups", nargs="+", choices=list(SPECIES), default=list(SPECIES))
    parser.add_argument("--posed", type=int, default=3, help="of each species, to measure")
    parser.add_argument("--folder", type=Path, help="of one model to measure instead")
    parser.add_argument("--picture", type=Path, help="of what is found, below the truth")
    parser.add_argument("--write", action="store_true", help="into the card and docs/animals.md")
    parser.add_argument("--model-folder", type=Path, default=BUNDLED)
    a = parser.parse_args()
    for name in NAMES:
        load_animal(name)
    seeds = {"animals": range(a.count)}
    match a.step:
        case "data":
            make_data("animals", seeds["animals"], a.processes)
        case "train":
            first(seeds, a.first, a.width, a.threads)
            teach(a.run, Prepared(seeds), a.steps or ALL, a.width, a.threads)
        case "snapshot":
            print(save(a.run, a.width, a.count, a.model_folder))
        case "left-out":
            first(seeds, a.first, a.width, a.threads)
            for group in a.groups:
                shapes = Prepared(seeds, left_out=SPECIES[group])
                run = run_without(group)
                teach(run, shapes, a.steps or LEFT_OUT, a.width, a.threads)
                save(run, a.width, a.count, folder_without(group))
        case "evaluate":
            folders = {group: a.folder or folder_without(group) for group in a.groups}
            found = measure(folders, a.posed, a.picture)
            header = ["left out"]
            for title, both in COLUMNS.values():
                header += [title, "either side"] if both else [title]
            text = table(header, rows_of(found))
            print(text)
            if a.write:
                put_between(PAGE, "left out", text)
                model = load_model(a.model_folder / f"{NAME}.safetensors")
                card = replace(model.card, accuracy=accuracy_of(found))
                save_model(Model(card, model.weights), a.model_folder, half=True)


if __name__ == "__main__":
    main()
