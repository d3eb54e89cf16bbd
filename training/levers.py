"""What pays: trainings on one small set of figures that differ from the bundled model in one thing.

python -m training.levers                      # every lever, and a table
python -m training.levers "width 192" ...      # some

All start from the weights of `--start`, take as many steps without any frame, which takes longer to
pay, and are measured on the same unseen figures, as users run them. Stopped, a training goes on
from its checkpoint.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from diffusionnet_blender.network.architecture import Architecture
from diffusionnet_blender.network.checkpoint import Model
from diffusionnet_blender.network.frameless import frameless
from diffusionnet_blender.surface.cache import OperatorCache
from diffusionnet_blender.tasks.segment import segment

from .bodies import FIRST_HELD_OUT_SEED
from .body_parts import architecture_of, card_of, starting_weights
from .commands import plain_errors
from .documents import percent, table
from .examples import sample_example
from .heads import OUTPUTS, FigureTrainer, LabelledFigure, rows_of
from .parts import PART_NAMES
from .prepared import RUN, Prepared
from .shares import mean_shares, shares_of
from .trials import truncated

FOLDER = RUN / "levers"
SEEDS = {"generated": range(500), "dressed": range(250)}
STEPS = 1000
UNSEEN = range(FIRST_HELD_OUT_SEED + 300_000, FIRST_HELD_OUT_SEED + 300_040)


@dataclass(frozen=True)
class Lever:
    """One difference from the bundled model.

    Attributes
    ----------
    width, blocks, k : int
        Channels, blocks, eigenpairs.
    average : bool
        Whether the result is the running mean of the weights.
    """

    width: int = 128
    blocks: int = 4
    k: int = 96
    average: bool = True


LEVERS = {
    "as bundled": Lever(),
    "width 96": Lever(width=96),
    "width 192": Lever(width=192),
    "6 blocks": Lever(blocks=6),
    "64 eigenpairs": Lever(k=64),
    "no running mean": Lever(average=False),
}


class _Shapes(Prepared):
    """The small set with the first eigenpairs alone."""

    def __init__(self, k: int):
        super().__init__(SEEDS)
        self.k = k

    def __getitem__(self, index: int) -> LabelledFigure:
        return truncated(super().__getitem__(index), self.k)


def start_of(architecture: Architecture, start: Path) -> dict[str, np.ndarray]:
    """Weights of `--start`; blocks that it lacks begin by changing nothing."""
    from diffusionnet_blender.network.module import fresh_weights

    known = starting_weights(replace(architecture, blocks=4), start)
    weights = fresh_weights(architecture)
    last = len(architecture.hidden_widths)
    for name in weights.keys() - known.keys():
        if f".mlp_{last}." in name:
            weights[name] = np.zeros_like(weights[name])
    return weights | known


def trained(name: str, start: Path) -> Model:
    """The model of a lever, from its checkpoint or trained now."""
    import torch

    from diffusionnet_blender.network.module import DiffusionNet
    from diffusionnet_blender.network.torch_engine import TorchEngine
    from diffusionnet_blender.network.training import TrainingSettings

    lever = LEVERS[name]
    torch.set_num_threads(1)
    torch.manual_seed(0)
    architecture = replace(architecture_of(OUTPUTS, lever.width), blocks=lever.blocks)
    network = DiffusionNet(architecture, TorchEngine("cpu"), start_of(architecture, start))
    settings = TrainingSettings(steps=STEPS, learning_rate=1e-3, averaging=0.99)
    trainer = FigureTrainer(network, settings, frames=False)
    checkpoint = FOLDER / f"{name}.pt"
    if checkpoint.exists():
        trainer.resume(checkpoint)
    trainer.run(_Shapes(lever.k), checkpoint)
    weights = trainer.averaged_weights()
    if not lever.average:
        engine = network.engine
        weights = {n: engine.to_numpy(w) for n, w in network.named_weights().items()}
    card = card_of("body_parts", lever.width, name)
    card = replace(
        card,
        architecture=replace(card.architecture, blocks=lever.blocks),
        discretization=replace(card.discretization, k=lever.k),
    )
    last = {n: weights[n][rows_of("body_parts")] for n in ("last.weight", "last.bias")}
    return frameless(Model(card, weights | last))


def measured(name: str, start: Path) -> dict[str, float]:
    """Shares of the area of unseen figures that are right, and are but for the side."""
    kept = FOLDER / f"{name}.json"
    if kept.exists():
        return json.loads(kept.read_text())
    FOLDER.mkdir(parents=True, exist_ok=True)
    model = trained(name, start)
    cache = OperatorCache(FOLDER / "matrices", max_bytes=2**40)
    shares, seconds = [], []
    for seed in UNSEEN:
        example = sample_example(seed)
        segment(example.surface, model, cache=cache)
        began = time.process_time()
        found = segment(example.surface, model, cache=cache).vertex_labels
        seconds.append(time.process_time() - began)
        shares.append(shares_of(found, example.labels, example.areas, PART_NAMES))
    mean = mean_shares(shares)
    result = {
        "right": mean.right,
        "either": mean.either_side,
        "seconds": float(np.median(seconds)),
    }
    kept.write_text(json.dumps(result))
    return result


@plain_errors
def main() -> None:
    """Train and measure levers, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="LEVER", help=", ".join(LEVERS))
    parser.add_argument("--start", type=Path, required=True, help=".safetensors of body_parts")
    chosen = parser.parse_args()
    unknown = set(chosen.names) - set(LEVERS)
    if unknown:
        parser.error(f"no lever is called {', '.join(sorted(unknown))}")
    found = {name: measured(name, chosen.start) for name in chosen.names or LEVERS}
    base = found.get("as bundled", {}).get("seconds")
    rows = [
        [
            name,
            percent(each["right"]),
            percent(each["either"]),
            f"{each['seconds'] / base:.2f} x" if base else "",
        ]
        for name, each in found.items()
    ]
    print(table(["lever", "right", "either side", "CPU seconds of a cached run"], rows))


if __name__ == "__main__":
    main()
