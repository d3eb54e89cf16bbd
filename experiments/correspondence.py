"""Functional correspondence (paper 5.3, Table 4): point maps between remeshed people.

python -m experiments.correspondence train faust-hks --data FOLDER --cache FOLDER [--steps 63200]
python -m experiments.correspondence measure faust-hks --data FOLDER --cache FOLDER [--pairs 190]
python -m experiments.correspondence write

A network of 4 blocks of width 128 with dropout gives 128 features, and these a functional map of 30
eigenfunctions. It is measured on both data sets, with and without ZoomOut. Rows that begin with
`published` need `--weights`, the folder of the .pth files of the published code; `body_match` is
this project's own model.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from diffusionnet_blender.errors import DiffusionNetError
from diffusionnet_blender.network.architecture import Architecture
from diffusionnet_blender.network.features import input_width
from diffusionnet_blender.network.published import architecture_of, read_published, rename_published
from diffusionnet_blender.network.training import TrainingSettings
from diffusionnet_blender.surface.settings import DiscretizationSettings
from diffusionnet_blender.tasks.models import find_model
from training.commands import plain_errors

from . import results
from .commands import chosen_in, parser_of_rows
from .correspondence_table import PUBLISHED_STEPS, text
from .course import Course, Weights
from .layouts import faust_scape
from .layouts.stand_in import is_stand_in
from .map_errors import Distances, pair_errors
from .maps import IsometricMapTrainer, MapTrainer, RegisteredShapes
from .matrices import Shapes
from .point_maps import BundledModel, FunctionalMaps, Matcher

NAME = "correspondence"
SETS = ("faust", "scape")
# Matrices and network as of the published code.
SETTINGS = DiscretizationSettings(k=128, centre="vertices", gradient_regulariser="published")
FEATURES_OUT, DROPOUT = 128, 0.5
# Pairs that a point of the curve is measured on, and the error x100 that counts as right there.
WATCHED, RIGHT = 4, 5.0


@dataclass(frozen=True)
class Row:
    """A network of the table.

    Attributes
    ----------
    trained_on : {"faust", "scape"}
    features : tuple of str
    by : {"maps", "alignment", "published"}
        What it is learned from; published weights are only measured.
    """

    trained_on: str
    features: tuple[str, ...]
    by: str

    @property
    def is_turned(self) -> bool:
        """Whether shapes are turned at random: positions without an alignment."""
        return "xyz" in self.features and self.by != "alignment"


ROWS = {
    f"{prefix}{data_set}-{features}": Row(data_set, (features,), by)
    for prefix, by in (("", "maps"), ("published-", "published"))
    for data_set in SETS
    for features in ("hks", "xyz")
} | {f"{data_set}-weak": Row(data_set, ("xyz",), "alignment") for data_set in SETS}
BODY_MATCH = "body_match"


def shapes_of(
    data: Path, cache: Path, data_set: str, split: str, processes: int = 1
) -> RegisteredShapes:
    """Shapes of a split with their matrices, made where they are missing."""
    folder = cache / f"{data_set}-{split}"
    read = partial(faust_scape.read, data, data_set, split)

    def count() -> int:
        return len(faust_scape.files(data, data_set, split))

    return RegisteredShapes(Shapes(read, folder, SETTINGS, count, processes, data))


def course_of(name: str, cache: Path, steps: int) -> Course:
    """The training of a row, with what it has learned so far."""
    row = ROWS[name]
    return Course(
        Architecture(
            inputs=input_width(row.features), outputs=FEATURES_OUT, width=128, dropout=DROPOUT
        ),
        row.features,
        TrainingSettings(
            steps=steps,
            scale_jitter=0.0,
            random_rotation=row.is_turned,
            half_precision=True,
            report_every=max(steps // 4, 1),
        ),
        cache / "runs" / f"{NAME}-{name}",
        trainer=IsometricMapTrainer if row.by == "alignment" else MapTrainer,
    )


def train(
    name: str, data: Path, cache: Path, steps: int, hours: float | None, processes: int
) -> None:
    """Train a row, or go on with it.

    Raises
    ------
    DiffusionNetError
        If it has published weights.
    """
    row = ROWS[name]
    if row.by == "published":
        raise DiffusionNetError(f"{name} is trained already", "Measure it.")
    shapes = shapes_of(data, cache, row.trained_on, "train", processes)
    unseen = shapes_of(data, cache, row.trained_on, "test", processes)
    distances = Distances(unseen)
    course = course_of(name, cache, steps)

    def watched(weights: Weights) -> float:
        architecture = course.trainer.module.architecture
        matcher = FunctionalMaps(architecture, weights, row.features, refined=False)
        found = pair_errors(unseen, distances, matcher, row.is_turned, WATCHED)
        return float(np.mean([(raw < RIGHT).mean() for (raw,) in found]))

    course.run(shapes, watched, hours)  # type: ignore[arg-type]


def measure(
    name: str, data: Path, cache: Path, published: Path | None, most: int | None, processes: int
) -> dict[str, Any]:
    """Errors of a row on the test splits of both data sets.

    Parameters
    ----------
    name : str
    data, cache : Path
    published : Path, optional
        Folder of the published weights.
    most : int, optional
        So many pairs of each data set alone.
    processes : int

    Raises
    ------
    DiffusionNetError
        If the row is not trained yet, or weights or data are missing.
    """
    matcher, budget = _matcher(name, cache, published)
    found: dict[str, Any] = {"stand_in": is_stand_in(data), **budget}
    turned = name == BODY_MATCH or ROWS[name].is_turned
    for data_set in SETS:
        shapes = shapes_of(data, cache, data_set, "test", processes)
        means = []
        for pair in pair_errors(shapes, Distances(shapes), matcher, turned, most):
            means.append([float(at_places.mean()) for at_places in pair])
            print(data_set, len(means), *(f"{mean:6.2f}" for mean in means[-1]), flush=True)
        raw, refined = np.transpose(means)
        found[data_set] = {
            "pairs": len(means),
            "raw": round(float(raw.mean()), 2),
            "raw median": round(float(np.median(raw)), 2),
            "refined": round(float(refined.mean()), 2),
            "refined median": round(float(np.median(refined)), 2),
        }
    return found


def _matcher(name: str, cache: Path, published: Path | None) -> tuple[Matcher, dict[str, Any]]:
    """What makes the maps of a row, and the budget of its training."""
    if name == BODY_MATCH:
        return BundledModel(find_model(name)), {}
    row = ROWS[name]
    if row.by == "published":
        return FunctionalMaps(*published_network(published, name), row.features), {}
    # The number of steps matters to a training that goes on, and not here.
    course = course_of(name, cache, PUBLISHED_STEPS)
    if not course.curve:
        raise DiffusionNetError(f"{name} is not trained yet in {cache}", f"Train {name} first.")
    trainer, last = course.trainer, course.curve[-1]
    budget = {"steps": trainer.step, "hours": round(last.hours, 3), "loss": round(last.loss, 5)}
    weights = trainer.averaged_weights()
    return FunctionalMaps(trainer.module.architecture, weights, row.features), budget


def published_network(folder: Path | None, name: str) -> tuple[Architecture, Weights]:
    """Architecture and weights of the published code for a row.

    Raises
    ------
    DiffusionNetError
        If no folder is named, or its file is missing or holds no such network.
    """
    file = f"{name.removeprefix('published-').replace('-', '_')}.pth"
    if folder is None:
        raise DiffusionNetError(
            f"{name} needs the published weights", f"Name the folder of {file} by --weights."
        )
    tensors = read_published(folder / file)
    own = {key.removeprefix("feature_extractor."): value for key, value in tensors.items()}
    weights = rename_published(own)
    return architecture_of(weights, "vertices"), weights


@plain_errors
def main() -> None:
    """Train or measure a row, or write the table."""
    parser = parser_of_rows(__doc__, [*ROWS, BODY_MATCH], 5)
    parser.add_argument("--weights", type=Path, help="folder of the published .pth files")
    parser.add_argument("--steps", type=int, default=PUBLISHED_STEPS, help="a pair each")
    parser.add_argument("--pairs", type=int, help="measure so many of the 190 of each set")
    a = chosen_in(parser)
    torch.set_num_threads(1)
    if a.step == "write":
        results.write(NAME, text(results.kept(NAME)))
        return
    if a.step == "measure":
        found = measure(a.row, a.data, a.cache, a.weights, a.pairs, a.processes)
        results.keep(NAME, a.row, found)
    elif a.row == BODY_MATCH:
        parser.error("body_match is trained by training.body_match")
    else:
        train(a.row, a.data, a.cache, a.steps, a.hours, a.processes)


if __name__ == "__main__":
    main()
