"""The tables of functional correspondence, from what was measured."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from training.documents import table

# Train and test split of each column, as the paper names them.
COLUMNS = {
    "FAUST": ("faust", "faust"),
    "SCAPE": ("scape", "scape"),
    "FonS": ("faust", "scape"),
    "SonF": ("scape", "faust"),
}
# Table 4.
PAPER = {
    "supervised, hks": ("2.7", "3.0", "3.8", "3.0"),
    "supervised, xyz": ("2.7", "3.0", "3.3", "3.0"),
    "supervised, xyz, ZoomOut": ("1.9", "2.4", "2.4", "1.9"),
    "aligned, xyz": ("3.8", "4.4", "4.8", "3.6"),
    "aligned, xyz, ZoomOut": ("1.9", "2.6", "2.7", "1.9"),
}
# Names of lines of the table, and of what was measured for each data set trained on.
OURS = {
    "supervised, hks": "{}-hks",
    "supervised, xyz": "{}-xyz",
    "aligned, xyz": "{}-weak",
    "published weights, hks": "published-{}-hks",
    "published weights, xyz": "published-{}-xyz",
}
# Ten epochs of all ordered pairs of 80 shapes, as the published code has them.
PUBLISHED_STEPS = 63_200
DATA = {True: "stand-in", False: "FAUST, SCAPE"}


def text(results: Mapping[str, Any]) -> str:
    """Both tables, of errors and of budgets.

    Parameters
    ----------
    results : mapping
        By the names of rows, as `correspondence.measure` gives them.
    """
    rows = [[f"{name} (paper)", "FAUST, SCAPE", *found] for name, found in PAPER.items()]
    for name, pattern in OURS.items():
        rows += _of_networks(name, pattern, results)
    rows += _of_body_match(results)
    header = ["mean geodesic error x100", "data", *COLUMNS]
    budgets = [
        ["the published code, each", "FAUST, SCAPE", f"{PUBLISHED_STEPS:,}", "on a GPU", ""],
        *(
            [
                name,
                DATA[found["stand_in"]],
                f"{found['steps']:,}",
                f"{found['hours']:.3f}",
                f"{found['loss']:.4f}",
            ]
            for name, found in results.items()
            if "steps" in found
        ),
    ]
    pairs = sorted({found[test]["pairs"] for found in results.values() for test in _tests(found)})
    return "\n\n".join(
        (
            table(header, rows),
            f"Pairs of each test split: {', '.join(map(str, pairs))} of 190. "
            "In brackets: the median of the pairs.",
            table(["trained", "data", "steps", "processor hours", "loss at the end"], budgets),
        )
    )


def _of_networks(name: str, pattern: str, results: Mapping[str, Any]) -> list[list[str]]:
    """The rows of one kind of network, raw and refined."""
    used = {column: results.get(pattern.format(on)) for column, (on, _) in COLUMNS.items()}
    known = [found for found in used.values() if found is not None]
    if not known:
        return []
    made = []
    for suffix, key in (("", "raw"), (", ZoomOut", "refined")):
        cells = [_cell(used[column], test, key) for column, (_, test) in COLUMNS.items()]
        made.append([f"{name}{suffix}", DATA[known[0]["stand_in"]], *cells])
    return made


def _of_body_match(results: Mapping[str, Any]) -> list[list[str]]:
    """Those of the bundled model, which was trained on neither data set."""
    found = results.get("body_match")
    if found is None:
        return []
    return [
        [name, DATA[found["stand_in"]], _cell(found, "faust", key), _cell(found, "scape", key)]
        + ["", ""]
        for name, key in (("body_match, nearest features", "raw"), ("body_match", "refined"))
    ]


def _cell(found: Mapping[str, Any] | None, test: str, key: str) -> str:
    if found is None:
        return ""
    return f"{found[test][key]:.1f} ({found[test][f'{key} median']:.1f})"


def _tests(found: Mapping[str, Any]) -> list[str]:
    return [test for test in ("faust", "scape") if test in found]
