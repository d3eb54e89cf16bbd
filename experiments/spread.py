"""Results of one network trained with several seeds: mean and spread."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

Found = dict[str, dict[str, Any]]


def row_of(name: str, seed: int) -> str:
    """The name under which the result of one training is kept."""
    return f"{name}, seed {seed}"


def by_seed(found: Found, name: str) -> list[dict[str, Any]]:
    """The results of a network, of each seed that was measured."""
    return [result for row, result in found.items() if row.rpartition(", seed ")[0] == name]


def mean_and_spread(values: Iterable[float], written: Callable[[float], str]) -> str:
    """Mean and standard deviation of some results as a cell; empty where there are none.

    Parameters
    ----------
    values : iterable of float
    written : callable
        How a number is written.
    """
    known = list(values)
    if not known:
        return ""
    mean = written(float(np.mean(known)))
    return mean if len(known) == 1 else f"{mean} ± {written(float(np.std(known, ddof=1)))}"


def budget(results: list[dict[str, Any]]) -> list[str]:
    """Cells of a row: seeds, steps, and processor minutes of each training."""
    if not results:
        return ["", "", ""]
    minutes = 60 * np.mean([result["hours"] for result in results])
    return [str(len(results)), f"{results[0]['steps']:,}", f"{minutes:.1f}"]
