"""How `weights/animal_match` is made, and how good it is on animals that it never saw.

python -m training.animal_match data        # places of the animals of animal_parts
python -m training.animal_match train       # after animal_parts; resumes where it stopped
python -m training.animal_match snapshot    # the model of a run, finished or going on
python -m training.animal_match left-out    # after that of animal_parts, without a group of species
python -m training.animal_match evaluate    # pairs of unseen animals, into the card
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from functools import lru_cache, partial
from pathlib import Path

import numpy as np

from diffusionnet_blender.network.card import ModelCard
from diffusionnet_blender.network.checkpoint import load_model
from diffusionnet_blender.surface.winding import vertex_normals
from diffusionnet_blender.tasks.models import BUNDLED

from . import animal_places
from .animal_parts import WIDTH, run_without
from .animals import NAMES, SPECIES
from .body_parts import checkpoint_of as checkpoint_of_parts
from .commands import plain_errors
from .examples import HARMS_OF_OTHERS, draw_species
from .match_model import (
    ANCHORS,
    FIRST_MEASURED_SEED,
    MatchModel,
    evaluate,
    feature_card,
    measure,
    show,
    snapshot,
    template_on,
    train,
)
from .matched_figures import ANIMALS, RUN, MatchedFigures, find_places, make_data
from .views import ANIMAL_MATCH_SHARES, ANIMAL_TILT

NAME = "animal_match"
# Steps on all animals, and on all but a group.
ALL, LEFT_OUT = 2500, 800
# Half the width of the band, in lengths of the trunk, that is neither left nor right.
MIDDLE = 0.03
SAME, OTHERS = "one species in two poses", "two species"


@lru_cache(maxsize=1)
def template():
    """The animal that all are known on, as `correspondence.Template`."""
    figure = animal_places.template().figure
    return template_on(
        RUN / f"distances-animals-{ANCHORS}.npy",
        figure.vertices,
        figure.faces,
        animal_places.mirror(),
        MIDDLE,
        vertex_normals(figure.vertices, figure.faces)[:, 2] > 0,
        figure.fine,
    )


def animal_match(species: tuple[str, ...] = NAMES) -> MatchModel:
    """How the model is made, and measured on some species."""
    # No relative among those of the other groups; each species has another partner.
    group_of = {name: group for group, names in SPECIES.items() for name in names}
    partners = []
    for number, name in enumerate(species):
        others = [other for other in NAMES if group_of[other] != group_of[name]]
        partners.append((name, others[5 * number % len(others)]))
    return MatchModel(
        template=template,
        card=_card,
        views=ANIMAL_MATCH_SHARES,
        draw=draw_species,
        harms=HARMS_OF_OTHERS,
        pairs={SAME: [(name, name) for name in species], OTHERS: partners},
        tilt=ANIMAL_TILT,
    )


def _card(counts: Mapping[str, int], steps: int) -> ModelCard:
    training_data = (
        f"{sum(counts.values())} of the animals of animal_parts, with their places on one of "
        f"them; {steps} steps after those of animal_parts."
    )
    return feature_card(
        NAME, "Animal match", "four-legged animals", WIDTH, training_data, four_legs=True
    )


def run_of(group: str) -> str:
    """Name of the run that leaves out a group of `SPECIES`."""
    return f"match-{run_without(group)}"


def folder_of(group: str) -> Path:
    """Of the model that was trained without a group."""
    return RUN / "left_out" / run_of(group)


@plain_errors
def main() -> None:
    """Run the step named on the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    steps = ("data", "train", "snapshot", "left-out", "evaluate")
    parser.add_argument("step", choices=steps)
    parser.add_argument("--count", type=int, default=2400, help="of animals to learn from")
    parser.add_argument("--run", default="match-animals", help="name of a training")
    parser.add_argument("--start", default="animals", help="the run of animal_parts before")
    parser.add_argument("--steps", type=int)
    parser.add_argument("--rate", type=float, default=1e-3, help="of learning, at its highest")
    parser.add_argument("--groups", nargs="+", choices=list(SPECIES), default=list(SPECIES))
    parser.add_argument("--figures", type=int, default=4, help="of each species, to measure on")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--model-folder", type=Path, default=BUNDLED)
    a = parser.parse_args()
    counts = {ANIMALS: a.count}
    match a.step:
        case "data":
            make_data(range(a.count), partial(find_places, source=ANIMALS), ANIMALS, a.processes)
        case "train":
            start = checkpoint_of_parts(a.start)
            shapes = MatchedFigures(counts)
            train(animal_match(), a.run, shapes, a.steps or ALL, start, a.threads, a.rate)
        case "snapshot":
            shapes = MatchedFigures(counts)
            print(snapshot(animal_match(), a.run, shapes.counts, a.model_folder))
        case "left-out":
            for group in a.groups:
                matching = animal_match(SPECIES[group])
                shapes = MatchedFigures(counts, SPECIES[group])
                start = checkpoint_of_parts(run_without(group))
                train(
                    matching,
                    run_of(group),
                    shapes,
                    a.steps or LEFT_OUT,
                    start,
                    a.threads,
                    a.rate,
                )
                snapshot(matching, run_of(group), shapes.counts, folder_of(group))
        case "evaluate":
            evaluate(animal_match(), a.model_folder, a.figures, None)
            rows = []
            for group in a.groups:
                path = folder_of(group) / f"{NAME}.safetensors"
                if not path.exists():
                    print(f"{path} is not there yet", flush=True)
                    continue
                models = {f"without {group}": load_model(path)}
                found = measure(
                    animal_match(SPECIES[group]), models, a.figures, FIRST_MEASURED_SEED
                )
                show(found)
                rows.append(found[f"without {group}"])
            for kind in (SAME, OTHERS) if rows else ():
                error = np.mean([row[kind]["error"] for row in rows])
                print(f"left out, {kind}: {error:.2f}")


if __name__ == "__main__":
    main()
