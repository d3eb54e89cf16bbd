"""How well a model's doubts tell which figures and parts are wrong: `tasks.doubts`, measured.

python -m training.doubts body_parts
python -m training.doubts FOLDER/NAME.safetensors

On figures of the suites that fail most, and on characters of `left_out`, facing forward and turned
about, by models that were trained without them.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator

import numpy as np

from diffusionnet_blender.network.checkpoint import Model, load_model
from diffusionnet_blender.surface.cache import OperatorCache
from diffusionnet_blender.tasks.doubts import LEAST_SHARE, SURE_OF_PART, SURE_OF_SIDES
from diffusionnet_blender.tasks.segment import segment

from .bodies import FIRST_HELD_OUT_SEED
from .commands import model_named, plain_errors
from .documents import percent, table
from .examples import Example
from .left_out import FOLDS, compare, example_of, folder_of
from .parts import PART_NAMES
from .prepared import RUN
from .rigged import PACKS
from .shares import sides_merged
from .suites import CACHE, SUITES

HARD = (
    *("busts, arms raised", "chibi", "skirts and robes", "long hair"),
    *("mannequin", "symmetric T-pose", "cut", "outer skin"),
)
# A part is wrong where less of what has its label belongs to it.
RIGHT = 0.7


def figures(model: Model, count: int) -> Iterator[tuple[Example, Model, OperatorCache]]:
    """Figures, each with a model that never saw it."""
    cache = OperatorCache(CACHE, max_bytes=2**40)
    for name in HARD:
        for seed in range(FIRST_HELD_OUT_SEED, FIRST_HELD_OUT_SEED + count):
            yield SUITES[name].make(seed), model, cache
    cache = OperatorCache(RUN.parent / "left_out", max_bytes=2**40)
    for fold in FOLDS:
        without = load_model(folder_of(fold) / "body_parts.safetensors")
        for name in (name for pack in fold for name in PACKS[pack]):
            for turned in (False, True):
                yield example_of(name, turned), without, cache


def sides_row(confidence: np.ndarray, swapped: np.ndarray, below: float) -> list[str]:
    """What doubts below some confidence in the sides find."""
    doubted = confidence < below
    found = f"{swapped[doubted].sum()} of {swapped.sum()}"
    return [f"sides below {below:.2f}", f"{doubted.sum()} of {len(doubted)} figures", found, ""]


def parts_row(confidence: np.ndarray, right: np.ndarray, below: float) -> list[str]:
    """What doubts below some confidence in a part find."""
    doubted, wrong = confidence < below, right < RIGHT
    found = f"{(doubted & wrong).sum()} of {wrong.sum()}"
    mean = percent(right[doubted].mean()) if doubted.any() else ""
    return [f"parts below {below:.2f}", f"{doubted.sum()} of {len(doubted)} parts", found, mean]


def measure(model: Model, count: int) -> str:
    """The table of what doubts find, at the thresholds of `tasks.doubts` and beside them."""
    merged, sides, parts = sides_merged(PART_NAMES), [], []
    for example, each, cache in figures(model, count):
        found = segment(example.surface, each, cache=cache)
        swapped = compare(found.vertex_labels, example.labels, example.areas).sides_swapped
        sides.append((found.side_confidence, swapped))
        label, truth, areas = merged[found.vertex_labels], merged[example.labels], example.areas
        both = np.stack([found.vertex_probabilities.max(axis=1), label == truth])
        for part in np.unique(merged):
            place = (label == part) & (example.labels >= 0)
            if areas[place].sum() > LEAST_SHARE * areas.sum():
                parts.append(np.average(both[:, place], axis=1, weights=areas[place]))
    sure, swapped = (np.array(column) for column in zip(*sides, strict=True))
    confidence, right = np.transpose(parts)
    rows = [
        sides_row(sure.astype(float), swapped, SURE_OF_SIDES + step) for step in (-0.1, 0.0, 0.05)
    ] + [parts_row(confidence, right, SURE_OF_PART + step) for step in (-0.1, 0.0, 0.1)]
    return table(["doubts", "told of", "swapped or wrong", "right where told"], rows)


@plain_errors
def main() -> None:
    """Measure the doubts of the model named on the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", nargs="?", default="body_parts", help="a name, or a .safetensors")
    parser.add_argument("--count", type=int, default=6, help="figures of each suite")
    chosen = parser.parse_args()
    print(measure(model_named(chosen.model), chosen.count))


if __name__ == "__main__":
    main()
