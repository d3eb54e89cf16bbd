"""Size of the basis (paper App. B, Figure 13): error of template labels over eigenpairs.

python -m experiments.basis_size run --data FOLDER --cache FOLDER [--sizes K ...] [--seeds 0 1 2]
python -m experiments.basis_size write

On the data set of `experiments.discretizations`, in the connectivity that was learned from (orig).
Every network is trained and measured alike on positions turned about the vertical, and differs in
the number of eigenpairs and in the seed.
"""

from __future__ import annotations

import argparse
from itertools import product
from pathlib import Path

import torch

from training.commands import plain_errors
from training.documents import table

from . import results
from .spread import Found, budget, by_seed, mean_and_spread, row_of
from .template_labels import Data, Labelling

NAME = "basis_size"
SIZES, SEEDS = (8, 16, 32, 64, 128), (0, 1, 2)
EPOCHS = 40


def run(k: int, seed: int, data: Data, cache: Path, epochs: int = EPOCHS) -> dict[str, float | str]:
    """Train a network with so many eigenpairs and measure it on unseen bodies."""
    labelling = Labelling(("xyz",), epochs=epochs, k=k, seed=seed)
    course = labelling.train(data, cache / "runs" / f"{NAME}-{data.name}-{k}-{seed}")
    errors = labelling.errors(course.trainer.averaged_weights(), data, "orig")
    return {
        "data": data.described,
        "steps": course.trainer.step,
        "hours": course.curve[-1].hours,
        "error": float(errors.mean()),
    }


def tables(found: Found) -> str:
    """What was found, in Markdown."""
    rows = []
    for k in SIZES:
        measured = by_seed(found, f"k = {k}")
        error = mean_and_spread((result["error"] for result in measured), "{:.2f}".format)
        rows.append([str(k), error, *budget(measured)])
    data = ", ".join(dict.fromkeys(str(result["data"]) for result in found.values()))
    return "\n\n".join(
        [
            table(["eigenpairs", "error, orig", "seeds", "steps", "minutes each"], rows),
            f"Measured on {data}." if data else "Nothing is measured yet.",
        ]
    )


@plain_errors
def main() -> None:
    """Train and measure what is not measured yet, or write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("step", choices=("run", "write"))
    parser.add_argument("--data", type=Path, help="folder of registrations and remeshed versions")
    parser.add_argument("--cache", type=Path, help="folder for matrices and checkpoints, 1 GB")
    parser.add_argument("--sizes", nargs="+", type=int, choices=SIZES, default=SIZES)
    parser.add_argument("--seeds", nargs="+", type=int, default=SEEDS)
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    if chosen.step == "write":
        results.write(NAME, tables(results.kept(NAME)))
        return
    if chosen.data is None or chosen.cache is None:
        parser.error("run needs --data and --cache")
    data = Data(chosen.data, chosen.cache)
    for seed, k in product(chosen.seeds, chosen.sizes):
        row = row_of(f"k = {k}", seed)
        # What is kept of other data is measured again.
        if results.kept(NAME).get(row, {}).get("data") != data.described:
            print(row, flush=True)
            results.keep(NAME, row, run(k, seed, data, chosen.cache))


if __name__ == "__main__":
    main()
