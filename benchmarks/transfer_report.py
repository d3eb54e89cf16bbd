"""From what was measured of matching and moving to the tables of docs/transfer.md.

python -m benchmarks.transfer_report    # from what the commands named in the tables have left
"""

from __future__ import annotations

import json

from benchmarks import fit_to_pair, matching, transfer, transfer_speed
from benchmarks.meshes import ROOT
from training.documents import percent, put_between, table

PAGE = ROOT / "docs" / "transfer.md"
MODEL = "body_match"
# What the rows of the table are called.
WORDS = {
    "clean": "remeshed bodies",
    "resolutions": "1k against 50k",
    "loose": "with eyes, teeth, tongue",
    "rotated": "turned and scaled",
    "cut": "target cut at the waist",
    "damaged": "target cut anywhere",
    "cut source": "source cut at the waist",
    "stylised": "stylised against realistic",
}


ANIMALS = {
    "0.0": "one animal in two poses",
    "0.5": "half way to another kind",
    "1.0": "animals of two kinds",
}


def _pairs_and_means(one: dict) -> list[str]:
    return [f"{one['pairs']}", *(f"{way['mean']:.2f}" for way in one["ways"].values())]


def matching_table(found: dict[str, dict]) -> str:
    """Errors of all cases (rows) by all ways (columns)."""
    ways = list(next(iter(found.values()))["ways"])
    rows = [
        [
            WORDS[case],
            *_pairs_and_means(one),
            f"{one['ways']['match']['median']:.2f}",
            percent(one["ways"]["match"]["astray"]),
        ]
        for case, one in found.items()
    ]
    return table(["", "pairs", *ways, "match, median", "match, turned around"], rows)


def moving_table(found: dict) -> str:
    """Errors of colours and weights beside those of Data Transfer."""
    plain, ours = found["data transfer"], found["match and transfer"]
    rows = [
        [name, *(f"{error:.4f}" for error in one["errors"]), f"{one['cpu']:.1f}"]
        for name, one in (("Data Transfer after alignment", plain), ("Match and Transfer", ours))
    ]
    both = zip(plain["errors"], ours["errors"], strict=True)
    rows.append(["times smaller", *(f"{theirs / own:.1f}" for theirs, own in both), ""])
    return table(["", *found["columns"], "CPU s a pair"], rows)


def fitting_table(found: dict[str, dict]) -> str:
    """Errors on animals (rows: how much they differ) by all ways (columns)."""
    ways = list(next(iter(found.values()))["ways"])
    rows = [
        [
            ANIMALS[variety],
            *_pairs_and_means(one),
            f"{one['kept']}",
            f"{one['ways'][ways[-1]]['cpu']:.0f}",
        ]
        for variety, one in found.items()
    ]
    return table(["", "pairs", *ways, "kept", "CPU s, fitted"], rows)


def speed_table(found: dict) -> str:
    """Seconds and peak memory of the stages, at several sizes."""
    names = list(next(iter(found["sizes"].values())))
    rows = [
        [
            f"{int(size):,} / {int(size):,}",
            *(
                f"{stages[name]['wall']:.1f} s, {stages[name]['memory'] / 1e6:,.0f} MB"
                for name in names
            ),
        ]
        for size, stages in found["sizes"].items()
    ]
    return table(["vertices", *names], rows)


def main() -> None:
    """Write what there is; tables of what was not measured stay as they are."""
    paths = {case: matching.RESULTS / f"{case}-{MODEL}.json" for case in matching.CASES}
    cases = {case: json.loads(path.read_text()) for case, path in paths.items() if path.exists()}
    if cases:
        put_between(PAGE, "matching", matching_table(cases))
    for name, path, write in (
        ("moving", transfer.RESULT, moving_table),
        ("fitting", fit_to_pair.RESULT, fitting_table),
        ("seconds", transfer_speed.RESULT, speed_table),
    ):
        if path.exists():
            put_between(PAGE, name, write(json.loads(path.read_text())))


if __name__ == "__main__":
    main()
