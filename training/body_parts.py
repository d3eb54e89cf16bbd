"""How `weights/body_parts` was made, and how good it is.

python -m training.body_parts data       # synthetic bodies and their matrices
python -m training.body_parts train      # resumes where it stopped
python -m training.body_parts evaluate   # held-out bodies; writes the accuracy into the card
python -m training.body_parts all
"""

from __future__ import annotations

import argparse
import json
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np

from diffusionnet_blender.network.architecture import Architecture
from diffusionnet_blender.network.card import FEATURE_WIDTHS, ModelCard
from diffusionnet_blender.network.checkpoint import Model, load_model, save_model
from diffusionnet_blender.surface.cache import OperatorCache, cache_key
from diffusionnet_blender.surface.prepare import prepare as prepare_surface
from diffusionnet_blender.surface.settings import DiscretizationSettings
from diffusionnet_blender.surface.surface import Surface
from diffusionnet_blender.tasks.models import BUNDLED
from training.bodies import FIRST_HELD_OUT_SEED, PART_NAMES

DATA = Path(__file__).parent / "data"
RUN = DATA / "body_parts"
SETTINGS = DiscretizationSettings(k=128)
FEATURES = ("hks",)
HELD_OUT = FIRST_HELD_OUT_SEED
# A calm palette: warm for the body's left side, cool for its right, lighter towards the ends.
COLOURS = {
    "head": (0.96, 0.80, 0.42),
    "torso": (0.62, 0.62, 0.66),
    "upper_arm.L": (0.80, 0.24, 0.28),
    "upper_arm.R": (0.16, 0.36, 0.66),
    "forearm.L": (0.92, 0.45, 0.32),
    "forearm.R": (0.22, 0.58, 0.80),
    "hand.L": (0.98, 0.68, 0.52),
    "hand.R": (0.52, 0.80, 0.92),
    "thigh.L": (0.55, 0.18, 0.42),
    "thigh.R": (0.12, 0.44, 0.40),
    "shin.L": (0.76, 0.36, 0.62),
    "shin.R": (0.26, 0.64, 0.50),
    "foot.L": (0.92, 0.62, 0.80),
    "foot.R": (0.58, 0.84, 0.62),
}


def other_side(name: str) -> str:
    """Class name as a mirror sees it."""
    return {".L": name[:-2] + ".R", ".R": name[:-2] + ".L"}.get(name[-2:], name)


MIRRORED = [PART_NAMES.index(other_side(name)) for name in PART_NAMES]


def prepare(seed: int) -> Path:
    """Make one body with its matrices, once; the path of what to learn from it."""
    from training.remesh import sample_training_body

    path = RUN / "shapes" / f"{seed}.npz"
    if path.exists():
        return path
    body = sample_training_body(seed)
    surface = Surface(body.vertices, body.faces)
    prepared = prepare_surface(surface, SETTINGS)
    labels = np.empty(len(prepared.user_vertex), dtype=np.int32)
    labels[prepared.clean_vertex] = body.labels
    key = cache_key(surface, SETTINGS)
    OperatorCache(RUN / "matrices", max_bytes=2**40).store(key, prepared)
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez(path, labels=labels, key=key)
    return path


def load(seed: int):
    """A prepared body as something to learn from."""
    from diffusionnet_blender.network.training import LabelledShape

    with np.load(prepare(seed)) as stored:
        key, labels = str(stored["key"]), stored["labels"]
    prepared = OperatorCache(RUN / "matrices", max_bytes=2**40).load(key)
    return LabelledShape(prepared.discretization, labels)


def make_data(seeds: range, processes: int) -> None:
    """Prepare many bodies."""
    with ProcessPoolExecutor(processes) as pool:
        for done, _ in enumerate(pool.map(prepare, seeds, chunksize=8), start=1):
            if done % 100 == 0:
                print(f"{done} of {len(seeds)} bodies", flush=True)


def train(count: int, steps: int, width: int, threads: int, name: str, folder: Path) -> None:
    """Train on `count` bodies, or go on from the checkpoint, and write the model."""
    import torch

    from diffusionnet_blender.network.module import DiffusionNet
    from diffusionnet_blender.network.torch_engine import TorchEngine
    from diffusionnet_blender.network.training import Trainer, TrainingSettings

    torch.set_num_threads(threads)
    torch.manual_seed(0)
    architecture = Architecture(
        inputs=sum(FEATURE_WIDTHS[feature] for feature in FEATURES),
        outputs=len(PART_NAMES),
        width=width,
        dropout=0.1,
    )
    trainer = Trainer(
        DiffusionNet(architecture, TorchEngine("auto")),
        FEATURES,
        MIRRORED,
        TrainingSettings(steps=steps),
    )
    checkpoint = RUN / f"{name}-{width}-{steps}.pt"
    if checkpoint.exists():
        trainer.resume(checkpoint)
        print(f"resumed at step {trainer.step}", flush=True)
    shapes = [load(seed) for seed in range(count)]
    started = time.perf_counter()

    def report(step, loss, accuracy):
        print(
            f"step {step} loss {loss:.3f} accuracy {accuracy:.3f} "
            f"{time.perf_counter() - started:.0f} s",
            flush=True,
        )

    trainer.run(shapes, checkpoint, report)
    card = ModelCard(
        name=name,
        title="Body parts",
        description="Human bodies and human-like characters in 14 parts, sides told apart.",
        class_names=PART_NAMES,
        class_colours=[COLOURS[part] for part in PART_NAMES],
        features=FEATURES,
        architecture=architecture,
        discretization=SETTINGS,
        training_data=(
            f"{count} synthetic bodies of the parametric model anny (code Apache-2.0, MakeHuman "
            f"assets CC0), posed, restyled and remeshed by training/; {steps} steps."
        ),
        licence="CC0-1.0",
    )
    save_model(Model(card, trainer.averaged_weights()), folder, half=True)


def evaluate(count: int, name: str, folder: Path) -> None:
    """Measure a model on held-out bodies, print a table, and write the figures into its card."""
    from diffusionnet_blender.network.features import input_features
    from diffusionnet_blender.network.numpy_engine import NumpyEngine
    from diffusionnet_blender.tasks.segment import class_probabilities

    model = load_model(folder / f"{name}.safetensors")
    engine = NumpyEngine()
    classes = len(PART_NAMES)
    confusion = np.zeros((classes, classes))
    sides_merged = []
    per_shape = []
    merge = np.array([min(i, m) for i, m in enumerate(MIRRORED)])
    for seed in range(HELD_OUT, HELD_OUT + count):
        example = load(seed)
        features = input_features(example.discretization, model.card.features)
        found = class_probabilities(model, example.discretization, features, engine).argmax(axis=1)
        mass = example.discretization.mass.astype(float)
        np.add.at(confusion, (example.labels, found), mass / mass.sum())
        per_shape.append(np.average(found == example.labels, weights=mass))
        sides_merged.append(np.average(merge[found] == merge[example.labels], weights=mass))
    overall = float(np.mean(per_shape))
    print(f"{count} held-out bodies, area-weighted, sides included")
    print(f"{'part':14}{'recall':>8}{'precision':>11}{'area':>8}")
    for part, (row, column) in enumerate(zip(confusion, confusion.T, strict=True)):
        print(
            f"{PART_NAMES[part]:14}{row[part] / row.sum():8.3f}"
            f"{column[part] / column.sum():11.3f}{row.sum() / confusion.sum():8.3f}"
        )
    print(f"{'all':14}{overall:8.3f}   sides merged {np.mean(sides_merged):.3f}")
    print(f"worst tenth of the bodies {np.sort(per_shape)[: max(count // 10, 1)].mean():.3f}")
    accuracy = {
        "unseen synthetic bodies": round(overall, 4),
        "the same, sides merged": round(float(np.mean(sides_merged)), 4),
    }
    save_model(Model(replace(model.card, accuracy=accuracy), model.weights), folder, half=True)
    print(json.dumps(accuracy))


def main() -> None:
    """Run the steps named on the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("step", choices=("data", "train", "evaluate", "all"))
    parser.add_argument("--bodies", type=int, default=1600)
    parser.add_argument("--held-out", type=int, default=100)
    parser.add_argument("--steps", type=int, default=10_000)
    parser.add_argument("--width", type=int, default=96)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--name", default="body_parts")
    parser.add_argument("--model-folder", type=Path, default=BUNDLED)
    arguments = parser.parse_args()
    if arguments.step in ("data", "all"):
        make_data(range(arguments.bodies), arguments.processes)
        make_data(range(HELD_OUT, HELD_OUT + arguments.held_out), arguments.processes)
    if arguments.step in ("train", "all"):
        train(
            arguments.bodies,
            arguments.steps,
            arguments.width,
            arguments.threads,
            arguments.name,
            arguments.model_folder,
        )
    if arguments.step in ("evaluate", "all"):
        evaluate(arguments.held_out, arguments.name, arguments.model_folder)


if __name__ == "__main__":
    main()
