"""What the commands of experiments with rows have in common."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path


def parser_of_rows(doc: str, rows: Sequence[str], gigabytes: int) -> argparse.ArgumentParser:
    """A parser of `train ROW`, `measure ROW` and `write`.

    Parameters
    ----------
    doc : str
        Of the module; its first line describes the command.
    rows : sequence of str
        Of the table.
    gigabytes : int
        That matrices and checkpoints take, about.
    """
    parser = argparse.ArgumentParser(description=doc.splitlines()[0])
    parser.add_argument("step", choices=("train", "measure", "write"))
    parser.add_argument("row", nargs="?", choices=rows)
    parser.add_argument("--data", type=Path, help="folder of the data set")
    cache = f"folder for matrices and checkpoints, {gigabytes} GB"
    parser.add_argument("--cache", type=Path, help=cache)
    parser.add_argument("--hours", type=float, help="stop after so many by the clock")
    parser.add_argument("--processes", type=int, default=2, help="that make matrices")
    return parser


def chosen_in(parser: argparse.ArgumentParser) -> argparse.Namespace:
    """The arguments; ends with a message where a row or a folder is missing."""
    chosen = parser.parse_args()
    if chosen.step != "write" and None in (chosen.row, chosen.data, chosen.cache):
        parser.error(f"{chosen.step} needs a row, --data and --cache")
    return chosen
