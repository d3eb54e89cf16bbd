"""Human segmentation (paper 5.2 and Appendix C, Table 3): eight parts of human bodies.

python -m experiments.human_parts train ROW --data FOLDER --cache FOLDER [--epochs 200] [--hours 2]
python -m experiments.human_parts measure ROW --data FOLDER --cache FOLDER [--weights WEIGHTS.pth]
python -m experiments.human_parts write

A network of 4 blocks of width 128 with dropout learns parts at triangles of the benchmark
(`original`), at edges of MeshCNN's simplified meshes (`edges`) or at their triangles (`faces`), and
is measured on the test split after its last epoch. FOLDER is that of the data set, or the one that
holds both `sig17_seg_benchmark` and `human_seg`. Stopped, a training goes on from its checkpoint.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from diffusionnet_blender.errors import DiffusionNetError, ModelError
from diffusionnet_blender.network.architecture import Architecture, OutputAt
from diffusionnet_blender.network.features import input_width
from diffusionnet_blender.network.published import (
    architecture_of,
    read_published,
    rename_published,
)
from diffusionnet_blender.network.torch_engine import TorchEngine
from diffusionnet_blender.network.training import TrainingSettings
from diffusionnet_blender.surface.settings import DiscretizationSettings
from training.commands import plain_errors
from training.documents import percent, table

from . import results
from .commands import chosen_in, parser_of_rows
from .course import Course, Weights, is_begun
from .layouts import human_benchmark
from .layouts.stand_in import is_stand_in
from .matrices import Shapes
from .measure import outputs

NAME = "human_parts"
# Those of the published weights, so that one cache serves both.
SETTINGS = DiscretizationSettings(k=128, centre="vertices", gradient_regulariser="published")
EPOCHS = 200
REPORTS = 5
PLACES: dict[str, OutputAt] = {"original": "faces", "edges": "edges", "faces": "faces"}
PAPER = {
    "original-hks": "91.7%",
    "original-xyz": "90.6%",
    "edges-hks": "95.5%",
    "edges-xyz": "95.5%",
    "faces-hks": "90.8%",
    "faces-xyz": "90.3%",
}


@dataclass(frozen=True, eq=False)
class Network:
    """A network with its weights and inputs."""

    architecture: Architecture
    weights: Weights
    features: tuple[str, ...]


def published(path: Path, output_at: OutputAt) -> Network:
    """A network of the published code, its outputs where they are wanted."""
    weights = rename_published(read_published(path))
    architecture = architecture_of(weights, output_at)
    by_width = {input_width((name,)): name for name in ("hks", "xyz")}
    if architecture.inputs not in by_width or architecture.outputs != human_benchmark.PARTS:
        raise ModelError(
            f"{path.name} has {architecture.inputs} inputs and {architecture.outputs} outputs",
            "Name one of human_seg_hks_4x128.pth and human_seg_xyz_4x128.pth.",
        )
    return Network(architecture, weights, (by_width[architecture.inputs],))


def kind_of(data: Path) -> str:
    """What data a folder has, for results and for folders of the cache."""
    return "stand-in" if is_stand_in(data) else "benchmark"


def shapes_of(data: Path, cache: Path, split: str, variant: str, processes: int = 1) -> Shapes:
    """Shapes of a split with their matrices, made where they are missing."""
    return Shapes(
        partial(human_benchmark.read, data, split, variant),
        cache / f"human-{kind_of(data)}-{variant}-{split}",
        SETTINGS,
        partial(human_benchmark.count, data, split, variant),
        processes,
        data,
    )


def run_folder(row: str, cache: Path, data: Path, epochs: int) -> Path:
    """Where the training of a row has its checkpoint and its curve."""
    return cache / "runs" / f"human-{kind_of(data)}-{row}-{epochs}"


def course_of(row: str, cache: Path, data: Path, epochs: int, count: int) -> Course:
    """The training of a row over so many shapes."""
    variant, features = row.split("-")
    return Course(
        Architecture(
            inputs=input_width((features,)),
            outputs=human_benchmark.PARTS,
            width=128,
            dropout=0.5,
            output_at=PLACES[variant],
        ),
        (features,),
        TrainingSettings(
            steps=epochs * count,
            learning_rate=2e-3,
            label_smoothing=0.0,
            scale_jitter=0.0,
            random_rotation=features == "xyz",
            half_precision=True,
            report_every=max(1, epochs * count // REPORTS),
        ),
        run_folder(row, cache, data, epochs),
    )


def train(
    row: str, data: Path, cache: Path, epochs: int, hours: float | None, processes: int
) -> None:
    """Train a row as far as the hours reach."""
    variant = row.split("-")[0]
    truths = list(human_benchmark.read(data, "test", variant))
    # Faults of the other split are told before any matrix is made.
    next(human_benchmark.read(data, "train", variant))
    unseen = shapes_of(data, cache, "test", variant, processes)
    shapes = shapes_of(data, cache, "train", variant, processes)
    course = course_of(row, cache, data, epochs, len(shapes))

    def measure(weights: Weights) -> float:
        trainer = course.trainer
        network = Network(trainer.module.architecture, weights, trainer.features)
        return accuracy(network, unseen, truths, variant)

    course.run(shapes, measure, hours)


def accuracy(
    network: Network, shapes: Shapes, truths: Sequence[human_benchmark.Truth], variant: str
) -> float:
    """Share of what is right on a split, 0 to 1.

    Of all triangles together, as Maron et al. count; at edges by their area on each mesh, any of
    several parts being right at a border, and the mean of the meshes, as MeshCNN counts.

    Raises
    ------
    DiffusionNetError
        If the matrices are of other shapes.
    """
    if shapes.names != [truth.name for truth in truths]:
        raise DiffusionNetError(
            f"The matrices in {shapes.folder} are of other meshes than those of the data",
            f"Delete {shapes.folder}, or name another folder by --cache.",
        )
    engine, threads = TorchEngine("auto"), torch.get_num_threads()
    right, weights = [], []
    for index, truth in enumerate(truths):
        prepared, _ = shapes.prepared(index)
        found = outputs(
            network.architecture,
            network.weights,
            network.features,
            prepared,
            engine,
            truth.corners,
        ).argmax(axis=1)
        right.append((truth.right[np.arange(len(found)), found] * truth.share).sum())
        weights.append(1 if variant == "edges" else len(found))
    torch.set_num_threads(threads)
    return float(np.average(right, weights=weights))


def measure(row: str, data: Path, cache: Path, epochs: int, weights: Path | None) -> None:
    """Measure the network of a row, or published weights, on all shapes of the test; keep it."""
    variant = row.split("-")[0]
    found: dict[str, Any] = {"data": kind_of(data)}
    if weights is not None:
        network = published(weights, PLACES[variant])
        row = f"{variant}-{network.features[0]}-published"
    else:
        if not is_begun(run_folder(row, cache, data, epochs)):
            raise DiffusionNetError(
                f"{row} was not trained over {epochs} epochs in {cache}",
                f"Run `python -m experiments.human_parts train {row}` first.",
            )
        count = len(shapes_of(data, cache, "train", variant))
        course = course_of(row, cache, data, epochs, count)
        trainer = course.trainer
        network = Network(trainer.module.architecture, trainer.averaged_weights(), trainer.features)
        last = course.curve[-1]
        found |= {"meshes": count, "epochs": last.epochs, "hours": round(last.hours, 4)}
    truths = list(human_benchmark.read(data, "test", variant))
    unseen = shapes_of(data, cache, "test", variant)
    found["test"] = len(truths)
    found["accuracy"] = accuracy(network, unseen, truths, variant)
    results.keep(NAME, row, found)
    print(row, found)


def page(kept: dict[str, Any]) -> str:
    """The table of what was found."""
    rows = []
    for row, paper in PAPER.items():
        found, theirs = kept.get(row, {}), kept.get(f"{row}-published", {})
        shares = [percent(one["accuracy"]) if one else "not yet run" for one in (found, theirs)]
        budget = ["", "", ""]
        if found:
            budget = [f"{found['meshes']} + {found['test']}", f"{found['epochs']:.0f}"]
            budget.append(f"{60 * found['hours']:.1f} min")
        data = (found or theirs).get("data", "")
        rows.append([row.replace("-", ", "), paper, *shares, data, *budget])
    header = ["truth, input", "paper", "ours", "published weights", "data", "meshes", "epochs"]
    return table([*header, "processor"], rows)


@plain_errors
def main() -> None:
    """Train or measure a row, or write the table."""
    parser = parser_of_rows(__doc__, list(PAPER), 4)
    parser.add_argument("--epochs", type=int, default=EPOCHS)
    parser.add_argument("--weights", type=Path, help="published weights to measure")
    chosen = chosen_in(parser)
    torch.set_num_threads(1)
    if chosen.step == "train":
        train(chosen.row, chosen.data, chosen.cache, chosen.epochs, chosen.hours, chosen.processes)
    elif chosen.step == "measure":
        measure(chosen.row, chosen.data, chosen.cache, chosen.epochs, chosen.weights)
    else:
        results.write(NAME, page(results.kept(NAME)))


if __name__ == "__main__":
    main()
