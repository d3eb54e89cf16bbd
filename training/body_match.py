"""How `weights/body_match` is made, and how good it is.

python -m training.body_match data       # places of the figures of body_parts; bare bodies
python -m training.body_match train      # resumes where it stopped
python -m training.body_match snapshot   # the model of a run that is going on
python -m training.body_match evaluate   # unseen pairs of every kind, into the card
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache, partial
from pathlib import Path

import numpy as np
from scipy.spatial import cKDTree

from diffusionnet_blender.matching.geodesic import geodesic_distances, surface_graph
from diffusionnet_blender.matching.pointwise import nearest_rows
from diffusionnet_blender.matching.sampling import farthest_points
from diffusionnet_blender.network.architecture import Architecture
from diffusionnet_blender.network.card import ModelCard
from diffusionnet_blender.network.checkpoint import Model, load_model, save_model
from diffusionnet_blender.network.numpy_engine import NumpyEngine
from diffusionnet_blender.network.votes import VOTES
from diffusionnet_blender.surface.discretization import truncated
from diffusionnet_blender.surface.surface import triangle_areas
from diffusionnet_blender.surface.winding import vertex_normals
from diffusionnet_blender.tasks.match.side import vertex_features
from diffusionnet_blender.tasks.models import BUNDLED
from diffusionnet_blender.tasks.segment.framing import UPRIGHT
from training.bodies import FIRST_HELD_OUT_SEED
from training.body_parts import ORIGINS, architecture_of, weights_of_checkpoint
from training.commands import model_named, plain_errors
from training.matched_figures import (
    BODIES,
    LABELLED,
    PLACED,
    RUN,
    MatchedFigures,
    Unseen,
    find_places,
    make_body,
    make_data,
    unseen,
)
from training.meshes import NOWHERE
from training.places import mirror
from training.prepared import SETTINGS
from training.views import FEATURES

NAME = "body_match"
SNAPSHOTS = RUN.parent / "match_snapshot"
OUTPUTS = 128
ANCHORS = 768
# Half the width of the band, in metres, that is neither left nor right.
MIDDLE = 0.03
VALIDATE_EVERY = 1000
# Figures of each kind that a training is measured on by the way.
VALIDATION_FIGURES = 4
# Examples from which a run learns what the weights that it starts from say of the template.
SHAPES_OF_START = 60
# Square metres; the mean body's skin.
AREA_OF_TEMPLATE = 1.75
# Those that a training is watched on are not those that it is measured on.
FIRST_MEASURED_SEED = FIRST_HELD_OUT_SEED + 1000
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
    """The body that all bodies are known on, as `correspondence.Template`."""
    from training.bodies import load_template
    from training.correspondence import Template

    body = load_template()
    faces = body.faces[body.component[body.faces[:, 0]] == 0]
    skin = np.unique(faces)
    positions = body.vertices.astype(float)
    # Eyes, teeth and tongue count as the skin around them.
    on_skin = cKDTree(positions[skin]).query(positions)[1]
    positions = positions[skin][on_skin]
    anchors = farthest_points(positions[skin], ANCHORS)
    path = RUN / f"distances-{ANCHORS}.npy"
    if path.exists():
        distances = np.load(path)
    else:
        local = np.searchsorted(skin, faces)
        area = triangle_areas(positions[skin], local).sum()
        graph = surface_graph(positions[skin], local)
        distances = geodesic_distances(graph, anchors)[:, on_skin] / np.sqrt(area)
        path.parent.mkdir(parents=True, exist_ok=True)
        np.save(path, distances.astype(np.float32))
    side = np.where(positions[:, 0] > MIDDLE, 1, np.where(positions[:, 0] < -MIDDLE, 2, 0))
    front = vertex_normals(body.vertices, body.faces)[skin][on_skin][:, 1] < 0
    return Template(
        positions=positions,
        mirrored=mirror(),
        anchors=skin[anchors],
        distances=distances.astype(np.float32),
        size=float(np.sqrt(AREA_OF_TEMPLATE)),
        groups=(side, front.astype(np.int64), body.labels.astype(np.int64)),
    )


def measure(
    models: Mapping[str, Model], figures: int, first_seed: int, makehuman: Path | None
) -> dict[str, dict[str, dict[str, float]]]:
    """Nearest features of unseen pairs of each kind: error on the template and what is swapped.

    The error is the straight distance on the template at rest, x100, at unit area, of what is
    known on the template and the other figure has as well. Models with the input `frame` are given
    that of the figures, and once more none.

    Parameters
    ----------
    models : mapping of str to Model
    figures : int
        Of each kind; of two kinds as many pairs, of one a pair less.
    first_seed : int
    makehuman : Path, optional
        Without it no dressed figures are measured on.

    Returns
    -------
    dict
        By the name of the model, then by pair: "error", "swapped sides", "pairs turned around",
        where more than a third of the area that has a side is mapped to the other.
    """
    pairs = [pair for pair in PAIRS if makehuman is not None or "dressed" not in pair]
    shapes = {kind: unseen(kind, figures, first_seed, makehuman) for pair in pairs for kind in pair}
    views = []
    for name, model in models.items():
        views.append((name, model, UPRIGHT))
        if model.card.votes:
            views.append((f"{name}, no frame", model, None))
    found = {}
    for name, model, frame in views:
        features = {kind: _features(model, own, frame) for kind, own in shapes.items()}
        found[name] = {}
        for source, target in pairs:
            shift = int(source == target)
            numbers = [(i + shift, i) for i in range(figures - shift)]
            judged = [
                _judge(
                    shapes[source][i], shapes[target][j], features[source][i], features[target][j]
                )
                for i, j in numbers
            ]
            errors, astray = np.transpose(judged)
            found[name][f"{source} to {target}"] = {
                "error": round(float(errors.mean()), 2),
                "swapped sides": round(float(astray.mean()), 4),
                "pairs turned around": round(float((astray > 1 / 3).mean()), 3),
            }
        rows = found[name].values()
        found[name]["mean"] = {
            key: round(float(np.mean([row[key] for row in rows])), 4) for key in next(iter(rows))
        }
    return found


def _features(model: Model, shapes: Sequence[Unseen], frame: np.ndarray | None) -> list[np.ndarray]:
    k, engine = model.card.discretization.k, NumpyEngine()
    return [vertex_features(model, truncated(s.discretization, k), engine, frame) for s in shapes]


def _judge(
    source: Unseen, target: Unseen, source_features: np.ndarray, target_features: np.ndarray
) -> tuple[float, float]:
    """Mean error x100 and the share of the area that has a side and is mapped to the other."""
    known = template()
    on = np.flatnonzero(source.place != NOWHERE)
    to = known.has_partner(target.place, source.place)
    found = source.place[on[nearest_rows(source_features[on], target_features[to])]]
    place, mass = target.place[to], target.discretization.mass[to]
    away = np.linalg.norm(known.positions[found] - known.positions[place], axis=1) / known.size
    side = known.groups[0]
    sided = (side[found] > 0) & (side[place] > 0)
    swapped = sided & (side[found] != side[place])
    return 100 * float(mass @ away / mass.sum()), float((mass @ swapped) / (mass @ sided))


def checkpoint_of(run: str) -> Path:
    """Where a run keeps what it needs to go on."""
    return RUN / f"{run}.pt"


def train(
    run: str,
    counts: Mapping[str, int],
    steps: int,
    start: Path,
    threads: int,
    rate: float,
    makehuman: Path | None,
) -> None:
    """Train on figures and bodies, or go on from the checkpoint of the run.

    Now and then the model so far is measured and written into `SNAPSHOTS`.

    Parameters
    ----------
    run : str
    counts : mapping of str to int
        How many seeds of each source; of those the ones that are on disk are learned from.
    steps : int
    start : Path
        A checkpoint of `body_parts`, whose weights a new run begins with but for the last layer.
    threads : int
    rate : float
        Of learning, at its highest.
    makehuman : Path, optional
        See `measure`.
    """
    import torch

    from diffusionnet_blender.network.torch_engine import TorchEngine
    from diffusionnet_blender.network.training import TrainingSettings
    from training.correspondence import MatchTrainer, TemplateNetwork

    torch.set_num_threads(threads)
    torch.manual_seed(0)
    shapes = MatchedFigures(counts)
    print(f"{shapes.counts}, {len(shapes)} in all", flush=True)
    module = TemplateNetwork(_architecture(), TorchEngine("auto"), ANCHORS, VOTES)
    settings = TrainingSettings(
        steps=steps, learning_rate=rate, averaging=0.997, checkpoint_every=200, report_every=50
    )
    checkpoint = checkpoint_of(run)
    if not checkpoint.exists():
        begin_with(module, start, shapes)
    trainer = MatchTrainer(module, FEATURES, shapes, template(), settings)
    if checkpoint.exists():
        trainer.resume(checkpoint)
        trainer.order = []  # More may be on disk by now.
        print(f"resumed at step {trainer.step}", flush=True)
    started = time.perf_counter()

    def report(step, loss, right):
        print(
            f"step {step} loss {loss:.3f} side, front and part right {right:.3f} "
            f"{time.perf_counter() - started:.0f} s",
            flush=True,
        )
        if step % VALIDATE_EVERY and step < steps:
            return
        model = Model(_card(shapes.counts, step), trainer.averaged_weights())
        save_model(model, SNAPSHOTS, half=True)
        found = measure({NAME: model}, VALIDATION_FIGURES, FIRST_HELD_OUT_SEED, makehuman)
        print(f"step {step} unseen {json.dumps(found)}", flush=True)

    trainer.run(shapes, checkpoint, report)


def _architecture() -> Architecture:
    return architecture_of(OUTPUTS + VOTES, OUTPUTS)


def _card(counts: Mapping[str, int], steps: int) -> ModelCard:
    origins = {**ORIGINS, BODIES: ORIGIN_OF_BODIES}
    made = "; ".join(f"{count} {origins[source]}" for source, count in counts.items())
    return ModelCard(
        name=NAME,
        title="Body match",
        description="Features by which points of two people or characters are found to correspond.",
        class_names=(),
        class_colours=(),
        features=FEATURES,
        architecture=_architecture(),
        discretization=SETTINGS,
        training_data=f"{made}; all posed, restyled, damaged and remeshed by training/; "
        f"{steps} steps after those of body_parts.",
        licence="CC0-1.0",
        outer_skin=True,
    )


def begin_with(module, start: Path, shapes: MatchedFigures) -> None:
    """Give a fresh `TemplateNetwork` the weights of a run of `body_parts` but for the features,
    and its anchors the mean of the features at their places on some examples."""
    import torch

    from training.correspondence import MatchedShape

    known, engine = template(), NumpyEngine()
    weights, _ = weights_of_checkpoint(start)
    with torch.no_grad():
        for name, weight in module.named_weights().items():
            if name.startswith("last."):
                # Votes are the last rows of both.
                weight[-VOTES:] = torch.as_tensor(weights[name][-VOTES:])
            else:
                weight.copy_(torch.as_tensor(weights[name]))
    model = Model(
        _card(shapes.counts, 0), {n: w.detach().numpy() for n, w in module.named_weights().items()}
    )
    place_of_anchor = known.positions[known.anchors]
    mean = np.zeros((len(known.anchors), OUTPUTS), np.float32)
    for number in np.random.default_rng(0).permutation(len(shapes))[:SHAPES_OF_START]:
        shape: MatchedShape = shapes[int(number)]
        on = np.flatnonzero(shape.place != NOWHERE)
        if not len(on):
            continue
        features = vertex_features(model, shape.discretization, engine, UPRIGHT)
        nearest = cKDTree(known.positions[shape.place[on]]).query(place_of_anchor)[1]
        mean += features[on[nearest]]
    with torch.no_grad():
        module.anchor_features.copy_(torch.as_tensor(mean))


def snapshot(run: str, counts: Mapping[str, int], folder: Path) -> None:
    """Write the model of a run, finished or going on."""
    weights, step = weights_of_checkpoint(checkpoint_of(run))
    print(f"step {step}", flush=True)
    save_model(Model(_card(MatchedFigures(counts).counts, step), weights), folder, half=True)


def evaluate(folder: Path, figures: int, before: str | None, makehuman: Path | None) -> None:
    """Measure the model, and one before it, on unseen pairs and write the figures into its card."""
    model = load_model(folder / f"{NAME}.safetensors")
    models = {"this": model} | ({} if before is None else {"before": model_named(before)})
    found = measure(models, figures, FIRST_MEASURED_SEED, makehuman)
    for name, rows in found.items():
        for pair, row in rows.items():
            print(f"{name:16} {pair:22} {json.dumps(row)}")
    accuracy = {
        f"nearest feature, unseen pairs, {pair}, sides right": round(1 - row["swapped sides"], 4)
        for pair, row in found["this"].items()
    }
    save_model(Model(replace(model.card, accuracy=accuracy), model.weights), folder, half=True)


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
    match a.step:
        case "data":
            for source in PLACED:
                find = partial(find_places, source=source, makehuman=a.makehuman)
                make_data(range(counts[source]), find, source, a.processes)
            make_data(range(counts[BODIES]), make_body, BODIES, a.processes)
        case "train":
            if a.start is None and not checkpoint_of(a.run).exists():
                parser.error("give a checkpoint of body_parts with --start")
            train(a.run, counts, a.steps, a.start, a.threads, a.rate, a.makehuman)
        case "snapshot":
            snapshot(a.run, counts, a.model_folder)
        case "evaluate":
            evaluate(a.model_folder, a.figures, a.before, a.makehuman)


if __name__ == "__main__":
    main()
