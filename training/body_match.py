"""How `weights/body_match` is made, and how good it is.

python -m training.body_match data       # places of the figures of body_parts; bare bodies
python -m training.body_match train      # resumes where it stopped
python -m training.body_match snapshot   # the model of a run that is going on
python -m training.body_match evaluate   # unseen pairs of every kind, into the card
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from functools import lru_cache, partial
from pathlib import Path

import numpy as np

from diffusionnet_blender.network.card import ModelCard
from diffusionnet_blender.surface.winding import vertex_normals
from diffusionnet_blender.tasks.models import BUNDLED
from training.body_parts import ORIGINS
from training.commands import plain_errors
from training.examples import HARMS, Draw, draw_dressed, draw_generated
from training.match_model import (
    ANCHORS,
    OUTPUTS,
    MatchModel,
    evaluate,
    feature_card,
    snapshot,
    template_on,
    train,
)
from training.matched_figures import (
    BODIES,
    LABELLED,
    PLACED,
    RUN,
    MatchedFigures,
    find_places,
    make_body,
    make_data,
)
from training.places import mirror
from training.views import MATCH_SHARES

NAME = "body_match"
# Half the width of the band, in metres, that is neither left nor right.
MIDDLE = 0.03
# Square metres; the mean body's skin.
AREA_OF_TEMPLATE = 1.75
# Source and target of the pairs that are measured.
PAIRS = (
    ("bare", "bare"),
    ("stylised", "bare"),
    ("clothed", "bare"),
    ("dressed", "bare"),
    ("dressed", "dressed"),
    ("chibi", "bare"),
    ("chibi", "chibi"),
    ("robed", "dressed"),
    ("longhaired", "chibi"),
    ("mannequin", "bare"),
)
ORIGIN_OF_BODIES = "bare bodies of anny, cut, scanned or whole"


@lru_cache(maxsize=1)
def template():
    """The body that all bodies are known on, as `correspondence.Template`.

    Eyes, teeth and tongue count as the skin around them.
    """
    from training.bodies import load_template

    body = load_template()
    return template_on(
        RUN / f"distances-{ANCHORS}.npy",
        body.vertices.astype(float),
        body.faces[body.component[body.faces[:, 0]] == 0],
        mirror(),
        MIDDLE,
        vertex_normals(body.vertices, body.faces)[:, 1] < 0,
        body.labels,
        float(np.sqrt(AREA_OF_TEMPLATE)),
    )


def body_match(makehuman: Path | None) -> MatchModel:
    """How the model is made; without the folder of MakeHuman's no dressed figures are measured."""

    def draw(kind: str) -> Draw:
        if kind == "dressed" and makehuman is not None:
            return partial(draw_dressed, makehuman=makehuman)
        return partial(draw_generated, kind=kind)

    pairs = [pair for pair in PAIRS if makehuman is not None or "dressed" not in pair]
    return MatchModel(
        template=template,
        card=_card,
        views=MATCH_SHARES,
        draw=draw,
        harms=HARMS,
        pairs={f"{source} to {target}": [(source, target)] for source, target in pairs},
    )


def _card(counts: Mapping[str, int], steps: int) -> ModelCard:
    origins = {**ORIGINS, BODIES: ORIGIN_OF_BODIES}
    made = "; ".join(f"{count} {origins[source]}" for source, count in counts.items())
    training_data = (
        f"{made}; all posed, restyled, damaged and remeshed by training/; {steps} steps after "
        "those of body_parts."
    )
    return feature_card(NAME, "Body match", "people or characters", OUTPUTS, training_data)


@plain_errors
def main() -> None:
    """Run the step named on the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("step", choices=("data", "train", "snapshot", "evaluate"))
    for source in (*PLACED, BODIES, LABELLED):
        parser.add_argument(f"--{source}", type=int, default=0, metavar="COUNT")
    parser.add_argument("--makehuman", type=Path, metavar="FOLDER", help="for dressed figures")
    parser.add_argument("--run", default="match", help="name of a training, for its checkpoint")
    parser.add_argument("--start", type=Path, help="a checkpoint of body_parts to start from")
    parser.add_argument("--steps", type=int, default=8_000)
    parser.add_argument("--rate", type=float, default=1e-3, help="of learning, at its highest")
    parser.add_argument("--figures", type=int, default=10, help="of each kind to measure on")
    parser.add_argument("--before", metavar="MODEL", help="another model to measure beside")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--model-folder", type=Path, default=BUNDLED)
    a = parser.parse_args()
    counts = {source: getattr(a, source) for source in (*PLACED, BODIES, LABELLED)}
    if a.step in ("data", "train", "snapshot") and not any(counts.values()):
        parser.error("give how many figures: --generated, --dressed, --bodies or --rigged")
    matching = body_match(a.makehuman)
    match a.step:
        case "data":
            for source in PLACED:
                find = partial(find_places, source=source, makehuman=a.makehuman)
                make_data(range(counts[source]), find, source, a.processes)
            make_data(range(counts[BODIES]), make_body, BODIES, a.processes)
        case "train":
            train(matching, a.run, MatchedFigures(counts), a.steps, a.start, a.threads, a.rate)
        case "snapshot":
            snapshot(matching, a.run, MatchedFigures(counts).counts, a.model_folder)
        case "evaluate":
            evaluate(matching, a.model_folder, a.figures, a.before)


if __name__ == "__main__":
    main()
