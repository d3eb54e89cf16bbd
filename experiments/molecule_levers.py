"""What makes the molecular segmentation cheaper: short trainings that differ in one thing.

python -m experiments.molecule_levers run --data FOLDER --cache FOLDER [--minutes 3]
python -m experiments.molecule_levers write

Every lever has the same minutes of one processor core, and as many steps as fit.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from diffusionnet_blender.network.module import DiffusionNet
from diffusionnet_blender.network.torch_engine import TorchEngine
from diffusionnet_blender.network.training import LabelledShape, Trainer, TrainingSettings
from training.commands import plain_errors
from training.documents import percent, table
from training.trials import truncated

from . import results
from .measure import network_outputs, share_right
from .molecules import SETTINGS, VARIANTS, WATCHED, shapes_of

VARIANT = VARIANTS["mesh-hks"]
# Steps that show how long one takes, the first of them not counted.
PROBES = 6


@dataclass(frozen=True)
class Lever:
    """One way to train.

    Attributes
    ----------
    kind : {"mesh", "coarse"}
        What it learns on.
    half : bool
        Products in bfloat16.
    k : int
        Eigenpairs, also where it is measured.
    together : int
        Shapes whose derivatives are added up before the weights change.
    """

    kind: str = "coarse"
    half: bool = True
    k: int = SETTINGS.k
    together: int = 1


LEVERS = {
    "the meshes, single precision": Lever("mesh", half=False),
    "the meshes, half precision": Lever("mesh"),
    "coarse copies, single precision": Lever(half=False),
    "coarse copies, half precision": Lever(),
    "the same, 64 eigenpairs": Lever(k=64),
    "the same, 4 shapes a step": Lever(together=4),
}


class _Truncated(Sequence[LabelledShape]):
    """Shapes with their first eigenpairs alone."""

    def __init__(self, shapes: Sequence[LabelledShape], k: int):
        self._shapes, self._k = shapes, k

    def __len__(self) -> int:
        return len(self._shapes)

    def __getitem__(self, index: int) -> LabelledShape:  # type: ignore[override]
        return truncated(self._shapes[index], self._k)

    def __iter__(self) -> Iterator[LabelledShape]:
        return (self[index] for index in range(len(self)))


class _Together(Trainer):
    """Derivatives of several shapes before each change of the weights."""

    def __init__(self, together: int, *arguments, **keywords):
        super().__init__(*arguments, **keywords)
        self._together = together

    def _descend(self, loss: torch.Tensor) -> None:
        (loss / self._together).backward()
        self.step += 1
        if self.step % self._together:
            return
        for group in self.optimiser.param_groups:
            group["lr"] = self.settings.learning_rate * self._schedule()
        torch.nn.utils.clip_grad_norm_(self.module.parameters(), 1.0)
        self.optimiser.step()
        self.optimiser.zero_grad()
        self.module.keep_times_positive()
        self._average()


def trainer_of(lever: Lever, steps: int) -> Trainer:
    """A new training of so many steps."""
    torch.manual_seed(0)
    settings = TrainingSettings(
        steps=steps,
        learning_rate=VARIANT.stages[0].learning_rate,
        label_smoothing=0.0,
        scale_jitter=0.0,
        half_precision=lever.half,
        report_every=steps,
    )
    module = DiffusionNet(VARIANT.architecture, TorchEngine("auto"))
    return _Together(lever.together, module, VARIANT.features, None, settings)


def measured(
    lever: Lever,
    learnt: Sequence[LabelledShape],
    unseen: Sequence[LabelledShape],
    minutes: float,
) -> dict[str, float]:
    """Seconds of a step, steps in so many minutes, and what share of vertices is right then."""
    learnt, unseen = _Truncated(learnt, lever.k), _Truncated(unseen, lever.k)
    trainer_of(lever, 1).run(learnt)
    clock = time.process_time()
    trainer_of(lever, PROBES).run(learnt)
    seconds = (time.process_time() - clock) / PROBES
    trainer = trainer_of(lever, max(int(60 * minutes / seconds), 1))
    trainer.run(learnt)
    weights, engine = trainer.averaged_weights(), trainer.module.engine
    right = total = 0.0
    for index in np.linspace(0, len(unseen) - 1, min(WATCHED, len(unseen)), dtype=int):
        shape, labels = unseen[index].discretization, np.asarray(unseen[index].labels)
        outputs = network_outputs(VARIANT.architecture, weights, VARIANT.features, shape, engine)
        right += len(labels) * share_right(outputs.argmax(axis=1), labels)
        total += len(labels)
    return {
        "seconds": seconds,
        "steps": trainer.step,
        "accuracy": right / total,
        "minutes": minutes,
    }


def tables(found: dict) -> str:
    """What was measured, in Markdown."""
    rows = [
        [
            name,
            f"{one['seconds']:.2f} s",
            f"{one['steps']:,}",
            f"{one['minutes']:g}",
            percent(one["accuracy"]),
        ]
        for name, one in found.items()
    ]
    header = ["learns on", "a shape", "shapes in all", "processor minutes", "right"]
    return table(header, rows)


@plain_errors
def main() -> None:
    """Train every lever, or write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("step", choices=("run", "write"))
    parser.add_argument("--data", type=Path, help="folder of the data set")
    parser.add_argument("--cache", type=Path, help="folder of matrices, as for the molecules")
    parser.add_argument("--minutes", type=float, default=3.0, help="of one core, each lever")
    chosen = parser.parse_args()
    if chosen.step == "write":
        results.write("molecule_levers", tables(results.kept("molecule_levers")))
        return
    if None in (chosen.data, chosen.cache):
        parser.error("run needs --data and --cache")
    torch.set_num_threads(1)
    unseen = shapes_of(chosen.data, chosen.cache, "test", "mesh")
    for name, lever in LEVERS.items():
        learnt = shapes_of(chosen.data, chosen.cache, "train", lever.kind)
        found = measured(lever, learnt, unseen, chosen.minutes)
        results.keep("molecule_levers", name, found)
        print(name, found, flush=True)


if __name__ == "__main__":
    main()
