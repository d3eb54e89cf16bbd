"""How a model does on characters of makers whose work it never saw, a pack left out in turn.

python -m training.left_out train --generated N --dressed N --rigged N --start RUN.pt
python -m training.left_out measure --before FILE     # those, beside another model
python -m training.left_out measure --before FILE --model FILE    # one model instead of those

Each character is one mesh at rest, all its members merged, what it carries in its hands left out,
and nothing known of its bones; once as files have it, and once turned about the vertical by half,
so that sides do not hang on how figures face by convention. What packs are is in `rigged.PACKS`;
small ones are left out together, see `FOLDS`.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from diffusionnet_blender.network.checkpoint import Model, load_model
from diffusionnet_blender.surface.cache import OperatorCache
from diffusionnet_blender.tasks.models import BUNDLED
from diffusionnet_blender.tasks.segment import segment
from diffusionnet_blender.tasks.sides import mirrored_classes

from .body_parts import checkpoint_of, origin, save_all, train, weights_of_checkpoint
from .commands import plain_errors
from .documents import percent, put_between, table
from .examples import Example, of_body
from .meshes import Body
from .parts import PART_NAMES
from .prepared import RUN, SOURCES, Prepared
from .rigged import PACKS, load_rigged
from .shares import Shares, mean_shares, shares_of

# Packs that are left out together: as many trainings as there are folds.
FOLDS = (
    ("kaykit",),
    ("men_women_2019",),
    ("man_woman_2017", "knight", "cowboy"),
    ("zombie", "goblin", "alien", "robot", "skeleton"),
)
# The fold that leaves out a character.
FOLD_OF = {name: fold for fold in FOLDS for pack in fold for name in PACKS[pack]}
# Learning rate at its highest: a fifth of that of a run, for weights that know most already.
RATE = 2e-4
# The part of the other side; the last one is that of what is none of the parts.
OTHER_SIDE = np.array([*mirrored_classes(PART_NAMES), -1])
PAGE = Path(__file__).parents[1] / "docs" / "models.md"


@dataclass(frozen=True)
class Found(Shares):
    """Shares of the area of one character.

    Attributes
    ----------
    sides_swapped : whether more would be right with left and right exchanged.
    """

    sides_swapped: bool


def example_of(name: str, turned: bool = False) -> Example:
    """A character of `PACKS` at rest, facing forward or turned about, without what it carries."""
    character = load_rigged(name)
    bare = character.only(~character.carried)
    vertices = bare.vertices * ([-1, -1, 1] if turned else 1)
    return of_body(Body(vertices, bare.faces, bare.fine, bare.component), name)


def measure_character(name: str, model: Model, cache: OperatorCache, turned: bool) -> Found:
    """Segment a character of `PACKS`, facing forward or turned about, and compare."""
    example = example_of(name, turned)
    found = segment(example.surface, model, cache=cache).vertex_labels
    return compare(found, example.labels, example.areas)


def compare(found: np.ndarray, truth: np.ndarray, areas: np.ndarray) -> Found:
    """Labels (V,) that were found, beside the truth, as `shares_of` takes them."""
    shares, exchanged = (
        shares_of(labels, truth, areas, PART_NAMES) for labels in (found, OTHER_SIDE[found])
    )
    return Found(shares.right, shares.either_side, exchanged.right > shares.right)


def name_of(fold: tuple[str, ...]) -> str:
    """Of the run that leaves out a fold."""
    return f"without-{'-'.join(fold)}"


def folder_of(fold: tuple[str, ...]) -> Path:
    """Of the models that were trained without a fold."""
    return RUN / "left_out" / name_of(fold)


def train_without(
    fold: tuple[str, ...], counts: dict[str, int], steps: int, width: int, start: Path
) -> None:
    """Train without a fold, or go on, and write the models."""
    seeds = {source: range(count) for source, count in counts.items() if count}
    train(name_of(fold), Prepared(seeds, left_out=fold), steps, width, 1, start, RATE)
    weights, step = weights_of_checkpoint(checkpoint_of(name_of(fold)))
    save_all(weights, width, origin(counts, step, start), folder_of(fold))


# Of a model on some characters: as files have them, and turned about.
Ways = tuple[list[Found], list[Found]]


def row(name: str, before: Ways, after: Ways) -> list[str]:
    """A line of the table: a pack, and what two models do on it."""
    cells = [name, str(len(after[0]))]
    for ahead, turned in (before, after):
        mean = mean_shares(ahead)
        swapped = [sum(each.sides_swapped for each in found) for found in (ahead, turned)]
        cells += [
            percent(mean.right),
            percent(mean.either_side),
            percent(min(each.right for each in ahead)),
            f"{swapped[0]} / {swapped[1]}",
        ]
    return cells


def measure(earlier: Path, chosen: Path | None, write: bool) -> None:
    """Print a line for each pack, of an earlier model and the one that never saw the pack."""
    cache = OperatorCache(RUN.parent / "left_out", max_bytes=2**40)
    older = load_model(earlier)
    rows = []
    whole: tuple[Ways, Ways] = (([], []), ([], []))
    for fold in FOLDS:
        path = chosen or folder_of(fold) / "body_parts.safetensors"
        if not path.exists():
            print(f"{path} is not there yet")
            continue
        model = load_model(path)
        for pack in fold:
            ways: tuple[Ways, Ways] = (([], []), ([], []))
            for name in PACKS[pack]:
                for each, found, total in zip((older, model), ways, whole, strict=True):
                    for way, turned in enumerate((False, True)):
                        share = measure_character(name, each, cache, turned)
                        found[way].append(share)
                        total[way].append(share)
                print(f"{name:30}{ways[0][0][-1].right:8.3f}{ways[1][0][-1].right:8.3f}")
            rows.append(row(pack, *ways))
    if not rows:
        raise FileNotFoundError("nothing to measure: train first, or give --model")
    rows.append(row("all", *whole))
    header = ["pack left out", "characters"]
    for model_name in ("before", "without it"):
        header += [model_name, "either side", "worst", "sides swapped"]
    text = table(header, rows)
    print(text)
    if write:
        put_between(PAGE, "left out", text)


@plain_errors
def main() -> None:
    """Run the step named on the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("step", choices=("train", "measure"))
    for source in SOURCES:
        parser.add_argument(f"--{source}", type=int, default=0, metavar="COUNT")
    parser.add_argument("--steps", type=int, default=1500)
    parser.add_argument("--width", type=int, default=128)
    parser.add_argument("--start", type=Path, help="checkpoint that saw no rigged character")
    numbers = range(len(FOLDS))
    parser.add_argument("--folds", type=int, nargs="+", choices=numbers, default=numbers)
    parser.add_argument("--before", type=Path, default=BUNDLED / "body_parts.safetensors")
    parser.add_argument("--model", type=Path, help="measure this one instead")
    parser.add_argument("--write", action="store_true", help="put the table into docs/models.md")
    chosen = parser.parse_args()
    if chosen.step == "measure":
        measure(chosen.before, chosen.model, chosen.write)
        return
    counts = {source: getattr(chosen, source) for source in SOURCES}
    if chosen.start is None or not any(counts.values()):
        parser.error("train needs --start, and figures: --generated, --dressed or --rigged")
    for number in chosen.folds:
        train_without(FOLDS[number], counts, chosen.steps, chosen.width, chosen.start)


if __name__ == "__main__":
    main()
