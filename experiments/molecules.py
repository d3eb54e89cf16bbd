"""Molecular segmentation (paper 5.2, Table 2): classes of atoms on surfaces of RNA.

python -m experiments.molecules train mesh-hks --data FOLDER --cache FOLDER [--hours 2]
python -m experiments.molecules measure mesh-hks --data FOLDER --cache FOLDER
python -m experiments.molecules write

A network of 4 blocks of width 128 learns on coarse copies of the meshes first, which cost a quarter
of a step, then on the meshes themselves; on clouds, on so many points from the start. It is
measured on every vertex, or point, of the official test split. Stopped, a training goes on from its
checkpoint.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch

from diffusionnet_blender.errors import DiffusionNetError
from diffusionnet_blender.network.architecture import Architecture
from diffusionnet_blender.network.features import input_width
from diffusionnet_blender.network.training import TrainingSettings
from diffusionnet_blender.surface.repair import repair
from diffusionnet_blender.surface.settings import DiscretizationSettings
from diffusionnet_blender.surface.surface import Surface, triangle_vectors
from diffusionnet_blender.tasks.train.copies import plain_copy
from diffusionnet_blender.tasks.train.training_set import LabelledSurface
from training.commands import plain_errors
from training.documents import percent, table
from training.meshes import surface_points

from . import results
from .commands import chosen_in, parser_of_rows
from .course import Course, Weights, is_begun
from .layouts import molecules
from .matrices import Shapes
from .measure import accuracy_at_vertices

SETTINGS = DiscretizationSettings(k=128)
POINTS, COARSE = 4096, 4000
# Unseen shapes that a point of the curve is measured on.
WATCHED = 24
PAPER = {"mesh-hks": "91.0%", "mesh-xyz": "91.5%", "cloud-hks": "84.0%", "cloud-xyz": "85.0%"}
KINDS = {"coarse": "coarse copies", "mesh": "the meshes", "cloud": "clouds"}
PICTURE = results.DOCUMENT.parent / "images" / "molecules.webp"


@dataclass(frozen=True)
class Stage:
    """One training of a variant; the next starts from its weights.

    Attributes
    ----------
    kind : {"coarse", "mesh", "cloud"}
        What it learns on.
    epochs : int
    learning_rate : float
    """

    kind: str
    epochs: int
    learning_rate: float


@dataclass(frozen=True)
class Variant:
    """A row of the table.

    Attributes
    ----------
    features : tuple of str
        "hks", or "xyz" with random rotations.
    kind : {"mesh", "cloud"}
        What it is measured on.
    stages : tuple of Stage
    """

    features: tuple[str, ...]
    kind: str
    stages: tuple[Stage, ...]

    @property
    def architecture(self) -> Architecture:
        """4 blocks of width 128 (5.2)."""
        return Architecture(inputs=input_width(self.features), outputs=molecules.CLASSES, width=128)


ON_MESHES = (Stage("coarse", 12, 2e-3), Stage("mesh", 2, 5e-4))
ON_CLOUDS = (Stage("cloud", 12, 2e-3),)
VARIANTS = {
    "mesh-hks": Variant(("hks",), "mesh", ON_MESHES),
    "mesh-xyz": Variant(("xyz",), "mesh", ON_MESHES),
    "cloud-hks": Variant(("hks",), "cloud", ON_CLOUDS),
    "cloud-xyz": Variant(("xyz",), "cloud", ON_CLOUDS),
}


def read_as(folder: Path, split: str, kind: str) -> Iterator[LabelledSurface]:
    """The meshes of a split, coarse copies of them, or points on them."""
    for seed, member in enumerate(molecules.read(folder, split)):
        yield {"mesh": _itself, "coarse": _coarse, "cloud": _points}[kind](member, seed)


def _itself(member: LabelledSurface, seed: int) -> LabelledSurface:
    return member


def _coarse(member: LabelledSurface, seed: int) -> LabelledSurface:
    repaired = repair(member.surface)
    labels = np.asarray(member.labels)[repaired.user_vertex]
    return LabelledSurface(member.name, *plain_copy(repaired.surface, labels, COARSE))


def _points(member: LabelledSurface, seed: int) -> LabelledSurface:
    """Points evenly over the area, with the class of the nearest corner and the mesh's normal."""
    vertices, faces = member.surface.vertices, member.surface.faces
    rng = np.random.default_rng(seed)
    points, face, corner = surface_points(vertices, faces, POINTS, rng)
    normals = triangle_vectors(vertices, faces)[face]
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    return LabelledSurface(
        member.name, Surface(points, normals=normals), np.asarray(member.labels)[corner]
    )


def shapes_of(data: Path, cache: Path, split: str, kind: str, processes: int = 1) -> Shapes:
    """Shapes of a split with their matrices, made where they are missing."""
    return Shapes(
        partial(read_as, data, split, kind),
        cache / f"rna-{split}-{kind}",
        SETTINGS,
        partial(molecules.count, data, split),
        processes,
        data,
    )


def stage_folder(cache: Path, name: str, stage: Stage) -> Path:
    """Where a stage of a variant has its checkpoint and its curve."""
    return cache / "runs" / f"rna-{name}-{stage.kind}"


def course_of(
    variant: Variant, stage: Stage, folder: Path, count: int, start: Weights | None = None
) -> Course:
    """A stage's training on so many shapes, new or from its checkpoint."""
    settings = TrainingSettings(
        steps=stage.epochs * count,
        learning_rate=stage.learning_rate,
        label_smoothing=0.0,
        scale_jitter=0.0,
        random_rotation="xyz" in variant.features,
        half_precision=True,
        report_every=count,
    )
    return Course(variant.architecture, variant.features, settings, folder, start)


def train(name: str, data: Path, cache: Path, hours: float | None, processes: int) -> None:
    """Train the stages of a variant that are not finished."""
    variant = VARIANTS[name]
    unseen = shapes_of(data, cache, "test", variant.kind, processes)
    weights: Weights | None = None
    for stage in variant.stages:
        shapes = shapes_of(data, cache, "train", stage.kind, processes)
        folder = stage_folder(cache, name, stage)
        course = course_of(variant, stage, folder, len(shapes), weights)
        course.run(shapes, partial(_watched, variant, unseen), hours)
        if not course.finished:
            return
        weights = course.trainer.averaged_weights()


def _watched(variant: Variant, unseen: Shapes, weights: Weights) -> float:
    return accuracy_at_vertices(variant.architecture, weights, variant.features, unseen, WATCHED)


def measure(name: str, data: Path, cache: Path, processes: int) -> None:
    """Measure a variant on the whole test split as far as it is trained, and keep the figure."""
    variant = VARIANTS[name]
    # Before any matrix is made, which takes long.
    begun = [s for s in variant.stages if is_begun(stage_folder(cache, name, s))]
    if not begun:
        raise DiffusionNetError(f"{name} is not trained", "Run its training first.")
    unseen = shapes_of(data, cache, "test", variant.kind, processes)
    trained = []
    for stage in begun:
        count = len(shapes_of(data, cache, "train", stage.kind, processes))
        course = course_of(variant, stage, stage_folder(cache, name, stage), count)
        trained.append((stage.kind, course))
    course = trained[-1][1]
    weights = course.trainer.averaged_weights()
    right = accuracy_at_vertices(variant.architecture, weights, variant.features, unseen)
    curves = [
        {"learns on": kind, "points": [asdict(point) for point in each.curve]}
        for kind, each in trained
    ]
    found = {"accuracy": right, "shapes": len(unseen), "stages": curves}
    results.keep("molecules", name, found)
    print(f"{name}: {percent(right)} of the vertices of {len(unseen)} {variant.kind} shapes")


def tables(found: dict) -> str:
    """What was measured, in Markdown."""
    rows = []
    for name, variant in VARIANTS.items():
        if name not in found:
            continue
        stages = [stage["points"][-1] | stage for stage in found[name]["stages"]]
        budget = ", then ".join(
            f"{s['epochs']:.0f} epochs on {KINDS[s['learns on']]}" for s in stages
        )
        rows.append(
            [
                f"{variant.kind}, {', '.join(variant.features)}",
                PAPER[name],
                percent(found[name]["accuracy"]),
                budget,
                f"{sum(stage['hours'] for stage in stages):.1f}",
            ]
        )
    header = ["measured on, input", "paper", "ours", "budget", "processor hours"]
    return table(header, rows)


def draw(found: dict, path: Path) -> None:
    """Accuracy over hours of every variant, as a picture."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(7, 3.6), layout="constrained")
    for name, result in found.items():
        spent, hours, right = 0.0, [], []
        for stage in result["stages"]:
            hours += [spent + point["hours"] for point in stage["points"]]
            right += [100 * point["accuracy"] for point in stage["points"]]
            spent = hours[-1]
        axes.plot(hours, right, label=name)
    axes.set(xlabel="hours of one processor core", ylabel=f"right, %, on {WATCHED} test shapes")
    axes.grid(alpha=0.3)
    axes.legend()
    figure.savefig(path, dpi=110, pil_kwargs={"quality": 88})
    plt.close(figure)


@plain_errors
def main() -> None:
    """Train or measure a variant, or write the table."""
    chosen = chosen_in(parser_of_rows(__doc__, list(VARIANTS), 15))
    torch.set_num_threads(1)
    if chosen.step == "write":
        found = results.kept("molecules")
        draw(found, PICTURE)
        results.write("molecules", tables(found))
        return
    if chosen.step == "train":
        train(chosen.row, chosen.data, chosen.cache, chosen.hours, chosen.processes)
    else:
        measure(chosen.row, chosen.data, chosen.cache, chosen.processes)


if __name__ == "__main__":
    main()
