"""How models of features to match by are trained and measured, whatever family they are of."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from scipy.spatial import cKDTree

from diffusionnet_blender.matching.geodesic import geodesic_distances, surface_graph
from diffusionnet_blender.matching.pointwise import nearest_rows
from diffusionnet_blender.matching.sampling import farthest_points
from diffusionnet_blender.network.card import ModelCard
from diffusionnet_blender.network.checkpoint import Model, load_model, save_model
from diffusionnet_blender.network.numpy_engine import NumpyEngine
from diffusionnet_blender.network.votes import VOTES
from diffusionnet_blender.surface.discretization import truncated
from diffusionnet_blender.surface.surface import triangle_areas
from diffusionnet_blender.tasks.match.side import vertex_features
from diffusionnet_blender.tasks.segment.framing import UPRIGHT
from training.bodies import FIRST_HELD_OUT_SEED
from training.body_parts import architecture_of, weights_of_checkpoint
from training.commands import model_named
from training.examples import Draw
from training.matched_figures import RUN, MatchedFigures, Unseen, unseen
from training.meshes import NOWHERE
from training.prepared import SETTINGS
from training.views import FEATURES, TILT

if TYPE_CHECKING:
    from training.correspondence import Template

SNAPSHOTS = RUN.parent / "match_snapshot"
OUTPUTS = 128
ANCHORS = 768
VALIDATE_EVERY = 1000
# Figures of each kind that a training is measured on by the way.
VALIDATION_FIGURES = 4
# Examples from which a run learns what the weights that it starts from say of the template.
SHAPES_OF_START = 60
# Those that a training is watched on are not those that it is measured on.
FIRST_MEASURED_SEED = FIRST_HELD_OUT_SEED + 1000


@dataclass(frozen=True, eq=False)
class MatchModel:
    """A model of features for one family of figures.

    Attributes
    ----------
    template : callable
        The shape that all figures of the family are known on.
    card : callable
        From how many examples of each source, and steps, to the card without its measures.
    views : mapping of int to float
        As of `views.sample_view`.
    draw : callable
        From a kind of figures to how they are drawn, to measure on.
    harms : mapping of str to float
        What is done to those, as of `examples.sample_example`.
    pairs : mapping of str to list of (str, str)
        Kinds of source and target, by what the pairs are called in tables.
    tilt : float
        As of `views.sample_view`.
    """

    template: Callable[[], Template]
    card: Callable[[Mapping[str, int], int], ModelCard]
    views: Mapping[int, float]
    draw: Callable[[str], Draw]
    harms: Mapping[str, float]
    pairs: Mapping[str, Sequence[tuple[str, str]]]
    tilt: float = TILT

    @property
    def name(self) -> str:
        """Of the model."""
        return self.card({}, 0).name


def feature_card(
    name: str,
    title: str,
    figures: str,
    width: int,
    training_data: str,
    four_legs: bool = False,
) -> ModelCard:
    """The card of a model of features with votes on its frame, not yet measured.

    Parameters
    ----------
    name, title : str
    figures : str
        What is matched, in the plural.
    width : int
    training_data : str
    four_legs : bool
    """
    return ModelCard(
        name=name,
        title=title,
        description=f"Features by which points of two {figures} are found to correspond.",
        class_names=(),
        class_colours=(),
        features=FEATURES,
        architecture=architecture_of(OUTPUTS + VOTES, width),
        discretization=SETTINGS,
        training_data=training_data,
        licence="CC0-1.0",
        outer_skin=True,
        four_legs=four_legs,
    )


def template_on(
    path: Path,
    positions: np.ndarray,
    faces: np.ndarray,
    mirrored: np.ndarray,
    middle: float,
    facing: np.ndarray,
    labels: np.ndarray,
    size: float | None = None,
) -> Template:
    """A template, its anchors spread over its skin.

    Parameters
    ----------
    path : Path
        Where the distances of the anchors are kept, which take a while.
    positions : (T, 3) float
    faces : (F, 3) int
        Of the skin; vertices without any count as the skin around them.
    mirrored : (T,) int
        For each vertex that on the other side.
    middle : float
        Half the width of the band that is neither left nor right.
    facing : (T,) bool
        Front or back, or above or below.
    labels : (T,) int
        Parts.
    size : float, optional
        Square root of the area, by default as it is.
    """
    from training.correspondence import Template

    skin = np.unique(faces)
    on_skin = cKDTree(positions[skin]).query(positions)[1]
    positions = positions[skin][on_skin]
    anchors = farthest_points(positions[skin], ANCHORS)
    local = np.searchsorted(skin, faces)
    root = np.sqrt(triangle_areas(positions[skin], local).sum())
    if path.exists():
        distances = np.load(path)
    else:
        graph = surface_graph(positions[skin], local)
        distances = (geodesic_distances(graph, anchors)[:, on_skin] / root).astype(np.float32)
        path.parent.mkdir(parents=True, exist_ok=True)
        np.save(path, distances)
    side = np.where(positions[:, 0] > middle, 1, np.where(positions[:, 0] < -middle, 2, 0))
    return Template(
        positions=positions,
        mirrored=mirrored,
        anchors=skin[anchors],
        distances=distances.astype(np.float32),
        size=float(root if size is None else size),
        groups=(side, facing[skin][on_skin].astype(np.int64), labels.astype(np.int64)),
    )


def measure(
    matching: MatchModel, models: Mapping[str, Model], figures: int, first_seed: int
) -> dict[str, dict[str, dict[str, float]]]:
    """Nearest features of unseen pairs of each kind: error on the template and what is swapped.

    The error is the straight distance on the template at rest, x100, at unit area, of what is
    known on the template and the other figure has as well. Models with the input `frame` are given
    that of the figures, and once more none.

    Parameters
    ----------
    matching : MatchModel
    models : mapping of str to Model
    figures : int
        Of each kind; of two kinds as many pairs, of one a pair less.
    first_seed : int

    Returns
    -------
    dict
        By the name of the model, then by pair: "error", "swapped sides", "pairs turned around",
        where more than a third of the area that has a side is mapped to the other.
    """
    kinds = {kind for pairs in matching.pairs.values() for pair in pairs for kind in pair}
    shapes = {
        kind: unseen(kind, matching.draw(kind), matching.harms, figures, first_seed)
        for kind in sorted(kinds)
    }
    known = matching.template()
    views = []
    for name, model in models.items():
        views.append((name, model, UPRIGHT))
        if model.card.votes:
            views.append((f"{name}, no frame", model, None))
    found: dict[str, dict[str, dict[str, float]]] = {}
    for name, model, frame in views:
        features = {kind: _features(model, own, frame) for kind, own in shapes.items()}
        found[name] = {}
        for title, pairs in matching.pairs.items():
            judged = [
                _judge(
                    known,
                    (shapes[source][i + int(source == target)], shapes[target][i]),
                    (features[source][i + int(source == target)], features[target][i]),
                )
                for source, target in pairs
                for i in range(figures - int(source == target))
            ]
            errors, astray = np.transpose(judged)
            found[name][title] = {
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
    known: Template, pair: tuple[Unseen, Unseen], features: tuple[np.ndarray, np.ndarray]
) -> tuple[float, float]:
    """Mean error x100 and the share of the area that has a side and is mapped to the other."""
    source, target = pair
    on = np.flatnonzero(source.place != NOWHERE)
    to = known.has_partner(target.place, source.place)
    found = source.place[on[nearest_rows(features[0][on], features[1][to])]]
    return error_on(known, found, target.place[to], target.discretization.mass[to])


def error_on(
    known: Template, found: np.ndarray, place: np.ndarray, mass: np.ndarray
) -> tuple[float, float]:
    """Mean error x100 of places (n,) that were found for others, and the share of the area (n,)
    that has a side and is mapped to the other.

    The error is the straight distance on the template, at unit area.
    """
    away = np.linalg.norm(known.positions[found] - known.positions[place], axis=1) / known.size
    side = known.groups[0]
    sided = (side[found] > 0) & (side[place] > 0)
    swapped = sided & (side[found] != side[place])
    return 100 * float(mass @ away / mass.sum()), float((mass @ swapped) / (mass @ sided))


def checkpoint_of(run: str) -> Path:
    """Where a run keeps what it needs to go on."""
    return RUN / f"{run}.pt"


def train(
    matching: MatchModel,
    run: str,
    shapes: MatchedFigures,
    steps: int,
    start: Path | None,
    threads: int,
    rate: float,
) -> None:
    """Train on figures, or go on from the checkpoint of the run.

    Now and then the model so far is measured and written into `SNAPSHOTS`.

    Parameters
    ----------
    matching : MatchModel
    run : str
    shapes : MatchedFigures
    steps : int
    start : Path, optional
        A checkpoint of a model of parts, whose weights a new run begins with but for the last
        layer.
    threads : int
    rate : float
        Of learning, at its highest.

    Raises
    ------
    FileNotFoundError
        A new run has no start.
    """
    import torch

    from diffusionnet_blender.network.torch_engine import TorchEngine
    from diffusionnet_blender.network.training import TrainingSettings
    from training.correspondence import MatchTrainer, TemplateNetwork

    checkpoint = checkpoint_of(run)
    if start is None and not checkpoint.exists():
        raise FileNotFoundError("a new run begins with a checkpoint of a model of parts: --start")
    torch.set_num_threads(threads)
    torch.manual_seed(0)
    print(f"{shapes.counts}, {len(shapes)} in all", flush=True)
    card = matching.card(shapes.counts, 0)
    module = TemplateNetwork(card.architecture, TorchEngine("auto"), ANCHORS, VOTES)
    settings = TrainingSettings(
        steps=steps, learning_rate=rate, averaging=0.997, checkpoint_every=200, report_every=50
    )
    known = matching.template()
    if start is not None and not checkpoint.exists():
        _begin_with(module, start, shapes, card, known)
    trainer = MatchTrainer(
        module, FEATURES, shapes, known, settings, views=matching.views, tilt=matching.tilt
    )
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
        model = Model(matching.card(shapes.counts, step), trainer.averaged_weights())
        save_model(model, SNAPSHOTS, half=True)
        found = measure(matching, {card.name: model}, VALIDATION_FIGURES, FIRST_HELD_OUT_SEED)
        print(f"step {step} unseen {json.dumps(found)}", flush=True)

    trainer.run(shapes, checkpoint, report)


def _begin_with(
    module, start: Path, shapes: MatchedFigures, card: ModelCard, known: Template
) -> None:
    """Give a fresh `TemplateNetwork` the weights of a run of parts but for the features, and its
    anchors the mean of the features at their places on some examples."""
    import torch

    engine = NumpyEngine()
    weights, _ = weights_of_checkpoint(start)
    with torch.no_grad():
        for name, weight in module.named_weights().items():
            if name.startswith("last."):
                # Votes are the last rows of both.
                weight[-VOTES:] = torch.as_tensor(weights[name][-VOTES:])
            else:
                weight.copy_(torch.as_tensor(weights[name]))
    model = Model(card, {n: w.detach().numpy() for n, w in module.named_weights().items()})
    place_of_anchor = known.positions[known.anchors]
    mean = np.zeros((len(known.anchors), OUTPUTS), np.float32)
    for number in np.random.default_rng(0).permutation(len(shapes))[:SHAPES_OF_START]:
        shape = shapes[int(number)]
        on = np.flatnonzero(shape.place != NOWHERE)
        if not len(on):
            continue
        # Of the two views the one on the surface itself.
        features = vertex_features(model, shape.discretization, engine, UPRIGHT)[:, :OUTPUTS]
        nearest = cKDTree(known.positions[shape.place[on]]).query(place_of_anchor)[1]
        mean += features[on[nearest]]
    with torch.no_grad():
        module.anchor_features.copy_(torch.as_tensor(mean))


def snapshot(matching: MatchModel, run: str, counts: Mapping[str, int], folder: Path) -> Path:
    """Write the model of a run, finished or going on; the file."""
    weights, step = weights_of_checkpoint(checkpoint_of(run))
    print(f"step {step}", flush=True)
    return save_model(Model(matching.card(counts, step), weights), folder, half=True)


def evaluate(matching: MatchModel, folder: Path, figures: int, before: str | None) -> None:
    """Measure the model, and one before it, on unseen pairs and write the figures into its card."""
    model = load_model(folder / f"{matching.name}.safetensors")
    models = {"this": model} | ({} if before is None else {"before": model_named(before)})
    found = measure(matching, models, figures, FIRST_MEASURED_SEED)
    show(found)
    accuracy = {
        f"nearest feature, unseen pairs, {pair}, sides right": round(1 - row["swapped sides"], 4)
        for pair, row in found["this"].items()
    }
    save_model(Model(replace(model.card, accuracy=accuracy), model.weights), folder, half=True)


def show(found: Mapping[str, Mapping[str, Mapping[str, float]]]) -> None:
    """Print what `measure` has found."""
    for name, rows in found.items():
        for pair, row in rows.items():
            print(f"{name:16} {pair:22} {json.dumps(row)}", flush=True)
