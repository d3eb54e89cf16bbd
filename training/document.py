"""What was measured of the bundled models, written into docs/models.md and docs/images.

python -m training.document    # from what `calibrate` and `body_parts evaluate` have left
"""

from __future__ import annotations

import json
from pathlib import Path

from PIL import Image

from training.body_parts import MODELS, accuracy_of
from training.calibrate import results_of
from training.documents import percent, put_between, table
from training.suites import SUITES

DOCS = Path(__file__).parents[1] / "docs"
PAGE, PICTURE = DOCS / "models.md", DOCS / "images" / "reliability-{}.webp"
CURVE = "#1f618d"


def suites_table(found: dict, aims: bool) -> str:
    """The shares of a model on every suite; with those that are aimed at, which are of 14 parts."""
    rows = [
        [
            name,
            percent(score["right"]),
            *([percent(found["before"][name])] if "before" in found else []),
            *([f"{100 * SUITES[name].target:.0f}%"] if aims else []),
            percent(score["either_side"]),
            percent(score["worst"]),
            f"{score['pieces']:.1f}",
            str(score["count"]),
        ]
        for name, score in found["suites"].items()
    ]
    aim = ["aim"] if aims else []
    before = ["before"] if "before" in found else []
    return table(
        ["suite", "right", *before, *aim, "either side", "worst tenth", "pieces", "figures"], rows
    )


def reliability_table(found: dict) -> str:
    """What a calibrated model says, and what is true."""
    after = found["after"]
    rows = [
        [percent(said), percent(true), percent(share)]
        for said, true, share in zip(
            after["confidence"], after["right"], after["share"], strict=True
        )
    ]
    return table(["confidence", "right", "of the area"], rows)


def draw_reliability(found: dict, path: Path) -> None:
    """The reliability diagram before and after calibration."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, panes = pyplot.subplots(1, 2, figsize=(8, 4), sharey=True, layout="constrained")
    for pane, when in zip(panes, ("before", "after"), strict=True):
        values = found[when]
        pane.plot([0, 1], [0, 1], color="0.6", linewidth=1)
        pane.bar(
            values["confidence"],
            values["share"],
            width=0.06,
            color="0.85",
            label="share of the area",
        )
        pane.plot(values["confidence"], values["right"], "o-", color=CURVE, label="right")
        pane.set(
            title=f"{when} calibration: error {100 * values['error']:.1f}%",
            xlabel="confidence",
            xlim=(0, 1),
            ylim=(0, 1),
            aspect="equal",
        )
    panes[0].set_ylabel("share that is right")
    panes[0].legend(loc="upper left", frameon=False)
    path.parent.mkdir(parents=True, exist_ok=True)
    drawn = path.with_suffix(".png")
    figure.savefig(drawn, dpi=110)
    pyplot.close(figure)
    with Image.open(drawn) as picture:
        picture.convert("RGB").save(path, quality=85, method=6)
    drawn.unlink()


def section(name: str) -> str:
    """All that is known of how good a model is; empty where nothing has been measured."""
    pieces = []
    if accuracy_of(name).exists():
        found = json.loads(accuracy_of(name).read_text())
        shares = suites_table(found, aims=name == "body_parts")
        pieces += [f"### {name}", f"Trained on {found['trained on']}", shares]
    if pieces and results_of(name).exists():
        found = json.loads(results_of(name).read_text())
        picture = Path(str(PICTURE).format(name))
        draw_reliability(found, picture)
        before, after = (percent(found[when]["error"]) for when in ("before", "after"))
        pieces += [
            f"Calibrated with temperature {found['temperature']}, on {found['figures']} figures "
            f"of every kind. On {found['figures']} others what the model says is off by {after} "
            f"in the mean, and by {before} without.",
            f"![Reliability of {name}](images/{picture.name})",
            reliability_table(found),
        ]
    return "\n\n".join(pieces)


def main() -> None:
    """Write the sections of all models."""
    put_between(PAGE, "accuracy", "\n\n".join(filter(None, map(section, MODELS))))


if __name__ == "__main__":
    main()
