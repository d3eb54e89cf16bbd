"""Classification (paper 5.1, Table 1): thirty classes of shapes, ten of each to learn from.

python -m experiments.classification train ROW --data FOLDER --cache FOLDER [--trials 10]
python -m experiments.classification measure ROW --data FOLDER --cache FOLDER [--trials 10]
python -m experiments.classification write

A network of 4 blocks whose output is at the whole shape, of width 32 for HKS and 64 for positions,
learns on ten shapes of each class and is measured on all others; each trial has its own split by
chance. FOLDER is that of the data set, original or simplified as the row says, or the one that
holds both `shrec_11` and `shrec_16`. Stopped, the trials go on from their checkpoints.
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
from diffusionnet_blender.network.torch_engine import TorchEngine
from diffusionnet_blender.network.training import TrainingSettings
from diffusionnet_blender.surface.settings import DiscretizationSettings
from training.commands import plain_errors
from training.documents import percent, table

from . import results
from .commands import chosen_in, parser_of_rows
from .course import Course, Weights
from .layouts import shrec11
from .layouts.stand_in import is_stand_in
from .matrices import Chosen, Shapes
from .measure import outputs

NAME = "classification"
SETTINGS = DiscretizationSettings(k=128)
WIDTHS = {"hks": 32, "xyz": 64}
LEARNED, EPOCHS, TRIALS = 10, 200, 10
REPORTS, WATCHED = 4, 60
# The published code spreads a fifth of each target over the other classes alone; of what torch
# spreads, the class itself has its share.
SMOOTHING = 0.2 * shrec11.CLASSES / (shrec11.CLASSES - 1)
PAPER = {
    "original-hks": "99.7%",
    "original-xyz": "99.0%",
    "simplified-hks": "99.5%",
    "simplified-xyz": "99.4%",
}


@dataclass(frozen=True)
class Run:
    """A row of the table, and what it is run with.

    Attributes
    ----------
    row : str
        One of `PAPER`.
    data, cache : Path
    trials : int
    epochs : int
    learned : int
        Shapes of each class.
    processes : int
        That make matrices.
    """

    row: str
    data: Path
    cache: Path
    trials: int = TRIALS
    epochs: int = EPOCHS
    learned: int = LEARNED
    processes: int = 2

    @property
    def variant(self) -> str:
        """The layout of the data."""
        return self.row.split("-")[0]

    @property
    def features(self) -> str:
        """The input of the network."""
        return self.row.split("-")[1]

    @property
    def kind(self) -> str:
        """What data these are, for results and for folders of the cache."""
        return "stand-in" if is_stand_in(self.data) else "SHREC-11"

    def shapes(self) -> Shapes:
        """All shapes with their matrices, made where they are missing."""
        return Shapes(
            partial(shrec11.read, self.data, self.variant),
            self.cache / f"{self.kind}-{self.variant}",
            SETTINGS,
            lambda: shrec11.CLASSES * shrec11.MEMBERS,
            self.processes,
            self.data,
        )

    def course(self, trial: int) -> Course:
        """The training of one trial."""
        count = self.learned * shrec11.CLASSES
        return Course(
            Architecture(
                inputs=input_width((self.features,)),
                outputs=shrec11.CLASSES,
                width=WIDTHS[self.features],
                output_at="shape",
            ),
            (self.features,),
            TrainingSettings(
                steps=self.epochs * count,
                learning_rate=2e-3,
                label_smoothing=SMOOTHING,
                scale_jitter=0.0,
                random_rotation=self.features == "xyz",
                report_every=max(1, self.epochs * count // REPORTS),
                seed=trial,
            ),
            self.cache
            / "runs"
            / f"{self.kind}-{self.row}-{self.learned}-each-{self.epochs}-epochs-trial-{trial}",
        )


def split(labels: np.ndarray, trial: int, each: int = LEARNED) -> tuple[np.ndarray, np.ndarray]:
    """Members to learn from, so many of each class by chance, and all others.

    Parameters
    ----------
    labels : (n,) int
    trial : int
        Another for each split.
    each : int

    Raises
    ------
    DiffusionNetError
        If a class has no more members than that.
    """
    rng = np.random.default_rng([trial])
    learned = []
    for label in np.unique(labels):
        members = np.flatnonzero(labels == label)
        if len(members) <= each:
            raise DiffusionNetError(
                f"Class {label} has {len(members)} shapes, and {each} of each are to be learned",
                "Give the whole data set, or fewer by --learned.",
            )
        learned.append(rng.permutation(members)[:each])
    chosen = np.sort(np.concatenate(learned))
    return chosen, np.setdiff1d(np.arange(len(labels)), chosen)


def labels_of(shapes: Shapes) -> np.ndarray:
    """The class of each member, (n,) int."""
    return np.array([int(shapes.labels(index)) for index in range(len(shapes))])


def train(run: Run, hours: float | None = None) -> None:
    """Train the trials of a row that are not finished, each until so many hours have passed."""
    shapes = run.shapes()
    labels = labels_of(shapes)
    for trial in range(run.trials):
        learned, unseen = split(labels, trial, run.learned)
        course = run.course(trial)
        watched = np.random.default_rng([trial, 1]).permutation(unseen)[:WATCHED]
        course.run(
            Chosen(shapes, learned), partial(accuracy, course, shapes, labels, watched), hours
        )
        if not course.finished:
            return


def accuracy(
    course: Course, shapes: Shapes, labels: np.ndarray, members: np.ndarray, weights: Weights
) -> float:
    """Share of some members whose class is found, 0 to 1."""
    engine, threads = TorchEngine("auto"), torch.get_num_threads()
    trainer = course.trainer
    right = [
        outputs(
            trainer.module.architecture,
            weights,
            trainer.features,
            shapes.prepared(int(member))[0],
            engine,
        ).argmax()
        == labels[member]
        for member in members
    ]
    torch.set_num_threads(threads)
    return float(np.mean(right))


def measure(run: Run) -> None:
    """Measure all finished trials of a row on all shapes that they have not seen; keep it."""
    shapes = run.shapes()
    labels = labels_of(shapes)
    found, hours = [], []
    for trial in range(run.trials):
        course = run.course(trial)
        if course.finished:
            _, unseen = split(labels, trial, run.learned)
            weights = course.trainer.averaged_weights()
            found.append(accuracy(course, shapes, labels, unseen, weights))
            hours.append(course.curve[-1].hours)
    if not found:
        raise DiffusionNetError(
            f"No trial of {run.row} over {run.epochs} epochs is finished in {run.cache}",
            f"Run `python -m experiments.classification train {run.row}` first.",
        )
    vertices = [len(shapes.prepared(index)[0].clean_vertex) for index in range(len(shapes))]
    result = {
        "data": run.kind,
        "vertices": int(np.median(vertices)),
        "accuracies": found,
        "epochs": run.epochs,
        "hours": round(float(np.sum(hours)), 4),
    }
    results.keep(NAME, run.row, result)
    print(run.row, result)


def page(kept: dict[str, Any]) -> str:
    """The table of what was found."""
    rows = []
    for row, paper in PAPER.items():
        found = kept.get(row)
        ours = ["not yet run", "", "", "", "", ""]
        if found:
            shares = np.array(found["accuracies"])
            spread = f" ± {100 * shares.std():.1f}" * (len(shares) > 1)
            ours = [
                percent(shares.mean()) + spread,
                found["data"],
                f"{found['vertices']:,}",
                str(len(shares)),
            ]
            ours += [str(found["epochs"]), f"{60 * found['hours']:.1f} min"]
        rows.append([row.replace("-", ", "), paper, *ours])
    header = ["meshes, input", "paper", "ours", "data", "vertices", "trials", "epochs", "processor"]
    return table(header, rows)


@plain_errors
def main() -> None:
    """Train or measure a row, or write the table."""
    parser = parser_of_rows(__doc__, list(PAPER), 5)
    parser.add_argument("--trials", type=int, default=TRIALS, help="splits by chance")
    parser.add_argument("--epochs", type=int, default=EPOCHS)
    parser.add_argument("--learned", type=int, default=LEARNED, help="shapes of each class")
    chosen = chosen_in(parser)
    torch.set_num_threads(1)
    if chosen.step == "write":
        results.write(NAME, page(results.kept(NAME)))
        return
    run = Run(
        chosen.row,
        chosen.data,
        chosen.cache,
        chosen.trials,
        chosen.epochs,
        chosen.learned,
        chosen.processes,
    )
    if chosen.step == "train":
        train(run, chosen.hours)
    else:
        measure(run)


if __name__ == "__main__":
    main()
