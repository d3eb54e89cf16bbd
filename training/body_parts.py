"""How `weights/body_parts`, `body_parts_fine` and `body_layers` are made, and how good they are.

One network learns all three: its last layer has rows for the coarse parts, the fine parts, the
layers and the votes on its frame, and each model keeps the rows that are its own.

python -m training.body_parts data       # figures and their matrices
python -m training.body_parts train      # the models; resumes where it stopped
python -m training.body_parts snapshot   # the models of a run that is going on
python -m training.body_parts evaluate   # every suite; writes the figures into the card
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np

from diffusionnet_blender.network.architecture import Architecture
from diffusionnet_blender.network.card import ModelCard
from diffusionnet_blender.network.checkpoint import Model, load_model, save_model
from diffusionnet_blender.network.features import input_width
from diffusionnet_blender.network.votes import VOTES
from diffusionnet_blender.tasks.models import BUNDLED
from training.commands import plain_errors
from training.examples import FIGURE_SHARES
from training.heads import CLASSES, FEATURES, OUTPUTS, rows_of
from training.meshes import LAYER_COLOURS
from training.parts import COLOURS, PART_NAMES, PART_OF_FINE
from training.prepared import RUN, SETTINGS, SOURCES, Prepared, make_data
from training.warm_start import weights_for, widened

DATA = Path(__file__).parent / "data"
# Title and description of each model.
MODELS = {
    "body_parts": (
        "Body parts",
        "People and characters in 14 parts, sides told apart.",
    ),
    "body_parts_fine": (
        "Body parts, fine",
        "People and characters in 23 parts, sides told apart: fingers, toes, neck, the torso in "
        "three.",
    ),
    "body_layers": (
        "Body, hair, clothing",
        "What a character is made of: its body, hair, clothing with shoes, and accessories.",
    ),
}
# From the body outwards; each model has those of its own classes.
LIMBS = (
    ("shoulder", "upper_arm", "forearm", "hand", "palm", "fingers"),
    ("thigh", "shin", "foot", "toes"),
)
# What each source of figures is made of.
ORIGINS = {
    "generated": "synthetic figures made of the parametric model anny (code Apache-2.0, MakeHuman "
    "assets CC0)",
    "dressed": "bodies of anny in clothes, hair and shoes modelled by people for MakeHuman (CC0)",
    "rigged": "characters by Kay Lousberg and Quaternius (CC0), their parts those of their bones",
}


def architecture_of(outputs: int, width: int) -> Architecture:
    """The network with so many rows in its last layer."""
    return Architecture(
        inputs=input_width(FEATURES),
        outputs=outputs,
        width=width,
        mlp_widths=(width, width),
        # Of thousands of figures each is seen a few times.
        dropout=0.0,
    )


def starting_weights(architecture: Architecture, start: Path | None) -> dict[str, np.ndarray]:
    """Fresh weights, those of a run's checkpoint, or of a model of the coarse parts: one that tells
    left from right already need not find it out again among shapes that hardly show it.

    Each fine part starts as a copy of the coarse one that it is in; layers and votes start at
    nothing.
    """
    from diffusionnet_blender.network.module import fresh_weights

    if start is None:
        return fresh_weights(architecture)
    if start.suffix == ".pt":
        known, _ = weights_of_checkpoint(start)
        architecture.check(known)
        return known
    model = load_model(start)
    known = weights_for(model, FEATURES)
    # Together they are as probable as the coarse part was.
    siblings = np.bincount(PART_OF_FINE)[PART_OF_FINE].astype(np.float32)
    for name, fewer in (("last.weight", 0.0), ("last.bias", np.log(siblings))):
        coarse = known[name][: len(PART_NAMES)]
        rows = np.concatenate([coarse, coarse[PART_OF_FINE] - fewer])
        more = OUTPUTS - len(rows)
        known[name] = np.pad(rows, [(0, more)] + [(0, 0)] * (rows.ndim - 1))
    if model.card.architecture.width < architecture.width:
        known = widened(known, architecture, model.card.architecture.width)
    architecture.check(known)
    return known


def checkpoint_of(run: str) -> Path:
    """Where a run keeps what it needs to go on."""
    return RUN / f"{run}.pt"


def weights_of_checkpoint(path: Path) -> tuple[dict[str, np.ndarray], int]:
    """The running mean of the weights in a checkpoint, and its step."""
    import torch

    if not path.exists():
        raise FileNotFoundError(f"{path} is not there: a run writes it in body_parts train")
    state = torch.load(path, map_location="cpu", weights_only=True)
    return {n: w.float().numpy() for n, w in state["mean_weights"].items()}, state["step"]


def origin(counts: Mapping[str, int], steps: int, start: Path | None) -> str:
    """What a model was trained on, for its card."""
    made = "; ".join(f"{count} {ORIGINS[source]}" for source, count in counts.items() if count)
    done = f"{made}; all posed, restyled, damaged and remeshed by training/; {steps} steps."
    if start is None or start.suffix == ".pt":
        return done
    return f"{done} Before that: {load_model(start).card.training_data}"


def card_of(name: str, width: int, training_data: str) -> ModelCard:
    """The card of a model, not yet measured."""
    title, description = MODELS[name]
    class_names = CLASSES[name]
    limbs = tuple(
        tuple(f"{part}.L" for part in limb if f"{part}.L" in class_names) for limb in LIMBS
    )
    colours = COLOURS | LAYER_COLOURS
    return ModelCard(
        name=name,
        title=title,
        description=description,
        class_names=class_names,
        class_colours=[colours[part] for part in class_names],
        features=FEATURES,
        architecture=architecture_of(len(class_names) + VOTES, width),
        discretization=SETTINGS,
        training_data=training_data,
        licence="CC0-1.0",
        outer_skin=True,
        limbs=limbs if all(limbs) else (),
    )


def save_all(
    weights: dict[str, np.ndarray], width: int, training_data: str, folder: Path
) -> list[Path]:
    """Write each model with its rows of the last layer; their paths."""
    paths = []
    for name in MODELS:
        last = {n: weights[n][rows_of(name)] for n in ("last.weight", "last.bias")}
        model = Model(card_of(name, width, training_data), weights | last)
        paths.append(save_model(model, folder, half=True))
    return paths


def train(
    run: str,
    shapes: Prepared,
    steps: int,
    width: int,
    threads: int,
    start: Path | None = None,
    rate: float | None = None,
    animals: bool = False,
) -> None:
    """Train on examples, of people or of animals, or go on from the checkpoint of the run.

    The learning rate is, at its highest, 0.002 for fresh weights and half of it for others, unless
    it is given.
    """
    import torch

    from diffusionnet_blender.network.module import DiffusionNet
    from diffusionnet_blender.network.torch_engine import TorchEngine
    from diffusionnet_blender.network.training import TrainingSettings
    from training.heads import AnimalTrainer, FigureTrainer

    torch.set_num_threads(threads)
    torch.manual_seed(0)
    kind = AnimalTrainer if animals else FigureTrainer
    architecture = architecture_of(sum(kind.HEADS) + VOTES, width)
    weights = starting_weights(architecture, start)
    trainer = kind(
        DiffusionNet(architecture, TorchEngine("auto"), weights),
        TrainingSettings(steps=steps, learning_rate=rate or (2e-3 if start is None else 1e-3)),
    )
    checkpoint = checkpoint_of(run)
    if checkpoint.exists():
        trainer.resume(checkpoint)
        print(f"resumed at step {trainer.step}", flush=True)
    print(f"{len(shapes)} examples", flush=True)
    started = time.perf_counter()

    def report(step, loss, accuracy):
        sides = np.mean(trainer.sides_right)
        trainer.sides_right.clear()
        print(
            f"step {step} loss {loss:.3f} accuracy {accuracy:.3f} sides {sides:.3f} "
            f"{time.perf_counter() - started:.0f} s",
            flush=True,
        )

    trainer.run(shapes, checkpoint, report)


def accuracy_of(name: str) -> Path:
    """Where the last figures of a model are kept."""
    return DATA / f"accuracy-{name}.json"


def evaluate(name: str, folder: Path, count: int | None, before: Path | None) -> None:
    """Measure a model on all suites of unseen figures and write the figures into its card.

    Beside it the model of the same name in the folder `before`, if there is one.
    """
    from training.suites import SUITES, measure_all

    model = load_model(folder / f"{name}.safetensors")
    scores = measure_all(model, list(SUITES), count)
    accuracy = {suite: round(score.right, 4) for suite, score in scores.items()}
    found = {
        "trained on": model.card.training_data,
        "suites": {n: asdict(s) for n, s in scores.items()},
    }
    if before is not None and (before / f"{name}.safetensors").exists():
        older = measure_all(load_model(before / f"{name}.safetensors"), list(SUITES), count)
        found["before"] = {n: s.right for n, s in older.items()}
    accuracy_of(name).write_text(json.dumps(found, indent=1))
    save_model(Model(replace(model.card, accuracy=accuracy), model.weights), folder, half=True)


@plain_errors
def main() -> None:
    """Run the step named on the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("step", choices=("data", "train", "snapshot", "evaluate"))
    for source in SOURCES:
        parser.add_argument(f"--{source}", type=int, default=0, metavar="COUNT")
    parser.add_argument("--first", type=int, default=0, help="seed of the first figure")
    parser.add_argument("--makehuman", type=Path, metavar="FOLDER", help="for dressed figures")
    parser.add_argument(
        "--kinds",
        nargs="+",
        choices=list(FIGURE_SHARES),
        default=[],
        help="of generated figures, all others out",
    )
    parser.add_argument(
        "--often", nargs="+", choices=list(FIGURE_SHARES), default=[], help="seen more often"
    )
    parser.add_argument("--rate", type=float, help="of learning, at its highest")
    parser.add_argument("--run", default="figures", help="name of a training, for its checkpoint")
    parser.add_argument("--steps", type=int, default=20_000)
    parser.add_argument(
        "--earlier", type=int, default=0, help="steps of the runs before, for cards"
    )
    parser.add_argument("--width", type=int, default=128)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--shapes", type=int, help="of each suite at most")
    parser.add_argument("--name", choices=list(MODELS), default="body_parts", help="to measure")
    parser.add_argument("--start", type=Path, help="a .safetensors of body_parts, or a checkpoint")
    parser.add_argument("--before", type=Path, metavar="FOLDER", help="models to measure beside")
    parser.add_argument("--model-folder", type=Path, default=BUNDLED)
    a = parser.parse_args()
    counts = {source: getattr(a, source) for source in SOURCES}
    seeds = {source: range(a.first, a.first + count) for source, count in counts.items() if count}
    if a.step in ("data", "train") and not seeds:
        parser.error("give how many figures: --generated, --dressed or --rigged")
    if a.step == "data" and "dressed" in seeds and a.makehuman is None:
        parser.error("dressed figures need --makehuman, the folder of MakeHuman's assets")
    match a.step:
        case "data":
            for source, numbers in seeds.items():
                make_data(source, numbers, a.processes, a.makehuman)
        case "train":
            shapes = Prepared(seeds, kinds=a.kinds, often=a.often)
            train(a.run, shapes, a.steps, a.width, a.threads, a.start, a.rate)
        case "snapshot":
            weights, step = weights_of_checkpoint(checkpoint_of(a.run))
            print(f"step {step}", flush=True)
            made_of = origin(counts, a.earlier + step, a.start)
            save_all(weights, a.width, made_of, a.model_folder)
        case "evaluate":
            evaluate(a.name, a.model_folder, a.shapes, a.before)


if __name__ == "__main__":
    main()
