"""What each piece of the method does (paper App. B and C, Table 7, Figure 5; 3.3, 5.5).

python -m experiments.ablation run --cache FOLDER [--networks NAME ...] [--seeds 0 1 2]
python -m experiments.ablation write

Every network of a table is trained and measured alike, on the same bodies, and differs in one
thing. What is measured is kept at once; stopped, a training goes on from its checkpoint.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from diffusionnet_blender.network.architecture import Architecture
from diffusionnet_blender.network.features import input_width
from diffusionnet_blender.network.module import DiffusionNet
from diffusionnet_blender.network.torch_engine import TorchEngine
from diffusionnet_blender.network.training import LabelledShape, Trainer, TrainingSettings
from training.commands import plain_errors

from . import results, small_bodies
from .ablation_tables import CLOUDS, IMPLICIT, MESHES, tables
from .course import Course, Weights
from .spread import row_of

NAME = "ablation"
# As for the paper's Figure 5.
WIDTH = 32
SEEDS = (0, 1, 2)
# Points of the curve of each training, with a checkpoint each.
POINTS = 4


@dataclass(frozen=True)
class Variant:
    """A network and its training; by default the full method on positions, as in Table 7.

    Attributes
    ----------
    features : tuple of str
        Positions are turned at random in every step.
    changes : dict
        Fields of `Architecture`.
    fixed_time : float or None
        Of all diffusion, where it is not learned.
    kind : {"mesh", "cloud"}
        What it is trained on.
    sides : bool
        Learn left and right, on mirrored copies as well, instead of eight parts.
    steps : int
    """

    features: tuple[str, ...] = ("xyz",)
    changes: dict[str, Any] = field(default_factory=dict)
    fixed_time: float | None = None
    kind: str = "mesh"
    sides: bool = False
    steps: int = 800

    @property
    def architecture(self) -> Architecture:
        """4 blocks, as everywhere in the paper."""
        classes = 2 if self.sides else 8
        return Architecture(
            input_width(self.features), classes, width=WIDTH, dropout=0.1, **self.changes
        )

    def class_of_place(self) -> np.ndarray:
        """Of each vertex of the template its class, (T,) int."""
        return small_bodies.side_of_place() if self.sides else small_bodies.part_of_place()

    def make(
        self, architecture: Architecture, engine: TorchEngine, weights: Weights | None
    ) -> DiffusionNet:
        """The network to train."""
        module = DiffusionNet(architecture, engine, weights)
        if self.fixed_time is not None:
            for name, weight in module.named_weights().items():
                if name.endswith(".time"):
                    weight.requires_grad_(False).fill_(self.fixed_time)
        return module


VARIANTS = {
    "full method": Variant(),
    "no diffusion": Variant(changes={"diffusion": "none"}),
    "fixed-time diffusion, t = 0.1": Variant(fixed_time=0.1),
    "fixed-time diffusion, t = 0.5": Variant(fixed_time=0.5),
    "no gradient features": Variant(changes={"gradient": "none"}),
    "unlearned gradient features": Variant(changes={"gradient": "unlearned"}),
    "complex A": Variant(("hks",), sides=True, steps=1200),
    "real A": Variant(("hks",), {"gradient": "real"}, sides=True, steps=1200),
    MESHES: Variant(("hks",)),
    CLOUDS: Variant(("hks",), kind="cloud"),
    IMPLICIT: Variant(("hks",), {"diffusion": "implicit"}),
}


class Bodies:
    """The bodies of each kind, held in memory; matrices are made when first needed."""

    def __init__(self, cache: Path, counts: dict[str, int] = small_bodies.COUNTS):
        self.cache, self.counts = cache, counts
        self._read: dict[tuple[str, str], list[LabelledShape]] = {}

    def of(self, variant: Variant, split: str, kind: str) -> list[LabelledShape]:
        """Those of a split as meshes or clouds, labelled for a variant."""
        if (split, kind) not in self._read:
            shapes = small_bodies.shapes(self.cache, split, kind, self.counts[split])
            self._read[split, kind] = list(shapes)
        return small_bodies.labelled(self._read[split, kind], variant.class_of_place())


def accuracy(
    architecture: Architecture,
    weights: Weights,
    features: tuple[str, ...],
    shapes: list[LabelledShape],
) -> float:
    """Share of the labelled area that gets its class, 0 to 1; mean over the shapes."""
    module = DiffusionNet(architecture, TorchEngine("auto"), weights)
    return Trainer(module, features).accuracy(shapes)


def run(name: str, seed: int, bodies: Bodies, cache: Path) -> dict[str, Any]:
    """Train a variant and measure it on unseen bodies."""
    variant = VARIANTS[name]
    network, features = variant.architecture, variant.features
    shapes, unseen = (bodies.of(variant, split, variant.kind) for split in ("train", "test"))
    course = Course(
        network,
        features,
        TrainingSettings(
            steps=variant.steps,
            label_smoothing=0.0,
            scale_jitter=0.0,
            random_rotation="xyz" in features,
            report_every=max(variant.steps // POINTS, 1),
            seed=seed,
        ),
        cache / "runs" / f"ablation-{name}-{seed}",
        mirrored_class=(1, 0) if variant.sides else None,
        make=variant.make,
    )
    course.run(shapes, lambda weights: accuracy(network, weights, features, unseen))
    weights = course.trainer.averaged_weights()
    found = {"accuracy": accuracy(network, weights, features, unseen)}
    if name in (MESHES, CLOUDS):
        other = "cloud" if variant.kind == "mesh" else "mesh"
        found["on the other"] = accuracy(
            network, weights, features, bodies.of(variant, "test", other)
        )
    if name in (MESHES, IMPLICIT):
        other = "spectral" if network.diffusion == "implicit" else "implicit"
        swapped = replace(network, diffusion=other)
        found["other diffusion"] = accuracy(swapped, weights, features, unseen)
    return {
        "data": small_bodies.DATA,
        "steps": variant.steps,
        "hours": course.curve[-1].hours,
        **found,
    }


@plain_errors
def main() -> None:
    """Train and measure what is not measured yet, or write the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("step", choices=("run", "write"))
    parser.add_argument("--cache", type=Path, help="folder for matrices and checkpoints, 1 GB")
    parser.add_argument("--networks", nargs="+", choices=list(VARIANTS), default=list(VARIANTS))
    parser.add_argument("--seeds", nargs="+", type=int, default=SEEDS)
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    if chosen.step == "write":
        results.write(NAME, tables(results.kept(NAME)))
        return
    if chosen.cache is None:
        parser.error("run needs --cache, a folder for matrices and checkpoints")
    bodies = Bodies(chosen.cache)
    for seed in chosen.seeds:
        for name in chosen.networks:
            row = row_of(name, seed)
            if row not in results.kept(NAME):
                print(row, flush=True)
                results.keep(NAME, row, run(name, seed, bodies, chosen.cache))


if __name__ == "__main__":
    main()
