"""Suites of unseen figures, and one command that measures a model on all of them.

python -m training.suites body_parts            # a figure for every suite
python -m training.suites FOLDER/NAME.safetensors --suites clothed mannequin --count 40
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from scipy.spatial.transform import Rotation

from diffusionnet_blender.network.checkpoint import Model
from diffusionnet_blender.surface.cache import OperatorCache
from diffusionnet_blender.tasks.edit_labels import label_pieces, vertex_neighbourhood
from diffusionnet_blender.tasks.segment import segment
from diffusionnet_blender.tasks.sides import mirrored_classes

from .bodies import FIRST_HELD_OUT_SEED
from .commands import model_named, plain_errors
from .damage import bust, cut, holes, loosen, scan
from .examples import Example, of_body, of_cloud
from .figures import FIGURES, sample_figure
from .meshes import Body, shuffle
from .parts import FINE_NAMES
from .poses import sample_exact_pose, sample_raised_arms
from .remesh import decimate, keep_skin, remesh, subdivide
from .shares import mean_shares, shares_of
from .symmetry import symmetric

CACHE = Path(__file__).parent / "data" / "suites"
DENSE, COARSE = 100_000, 1_000


@dataclass(frozen=True)
class Suite:
    """One kind of unseen figure.

    Attributes
    ----------
    make : callable
        From a seed of `FIRST_HELD_OUT_SEED` or above to an example, the same for the same seed.
    target : float
        The share of the area that is to be right, sides included.
    count : int
        How many are measured by default.
    """

    make: Callable[[int], Example]
    target: float
    count: int = 24


def _suite(
    name: str, make: Callable[[np.random.Generator], Body], target: float, count: int = 24
) -> tuple[str, Suite]:
    def example(seed: int) -> Example:
        rng = np.random.default_rng(seed)
        return of_body(shuffle(make(rng), rng), name)

    return name, Suite(example, target, count)


def _bare(rng: np.random.Generator) -> Body:
    return sample_figure(rng, "bare")


def _remeshed(rng: np.random.Generator) -> Body:
    kind = str(rng.choice(["even", "uneven", "subdivided", "voxel", "isotropic", "flipped"]))
    return remesh(_bare(rng), rng, kind)


def _dense(rng: np.random.Generator) -> Body:
    body = subdivide(subdivide(keep_skin(_bare(rng)), smooth=True), smooth=True)
    return decimate(body, DENSE)


def _turned(rng: np.random.Generator) -> Body:
    body = _remeshed(rng)
    rotation = Rotation.random(random_state=int(rng.integers(2**31)))
    return Body(rotation.apply(body.vertices), body.faces, body.fine, body.component)


def _mirrored(rng: np.random.Generator) -> Body:
    body = _remeshed(rng)
    fine = np.array(mirrored_classes(FINE_NAMES), np.int32)[body.fine]
    return Body(body.vertices * [-1, 1, 1], body.faces[:, ::-1], fine, body.component)


def _inside_out(rng: np.random.Generator) -> Body:
    body = _remeshed(rng)
    return Body(body.vertices, body.faces[:, ::-1], body.fine, body.component)


def _decimated(kind: str) -> Callable[[np.random.Generator], Body]:
    def make(rng: np.random.Generator) -> Body:
        return decimate(sample_figure(rng, kind), int(rng.integers(3_000, 9_000)))

    return make


def _scanned(kind: str) -> Callable[[np.random.Generator], Body]:
    def make(rng: np.random.Generator) -> Body:
        return holes(scan(remesh(sample_figure(rng, kind), rng, "voxel"), rng), rng)

    return make


def _bust(rng: np.random.Generator) -> Body:
    kind = str(rng.choice(["bare", "bare", "clothed"]))
    body = remesh(bust(sample_figure(rng, kind, sample_raised_arms(rng)), rng), rng, "voxel")
    return holes(scan(body, rng), rng)


def _symmetric(rng: np.random.Generator) -> Body:
    pose = sample_exact_pose(rng)
    arms = {
        name: replace(getattr(pose, name), raised=90.0, forward=0.0, elbow=0.0)
        for name in ("left_arm", "right_arm")
    }
    body = sample_figure(rng, str(rng.choice(FIGURES[:3])), replace(pose, **arms))
    return symmetric(decimate(body, int(rng.integers(1_500, 8_000))), rng)


def _very_coarse(rng: np.random.Generator) -> Body:
    kind = str(rng.choice(["bare", "stylised", "clothed", "chibi"]))
    body = sample_figure(rng, kind)
    if kind in ("clothed", "chibi"):
        body = remesh(body, rng, "voxel")
    return decimate(body, int(rng.integers(280, 500)))


def _cloud(seed: int) -> Example:
    rng = np.random.default_rng(seed)
    return of_cloud(_bare(rng), rng, "cloud")


SUITES: dict[str, Suite] = dict(
    [
        _suite("as generated", _bare, 0.97),
        _suite("remeshed", _remeshed, 0.95),
        _suite("dense", _dense, 0.95, count=4),
        _suite("coarse", lambda rng: decimate(_bare(rng), COARSE), 0.93),
        ("point cloud", Suite(_cloud, 0.90)),
        _suite("loose parts", lambda rng: loosen(_remeshed(rng), rng), 0.93),
        _suite("cut", lambda rng: cut(_remeshed(rng), rng), 0.93),
        _suite("stylised", _decimated("stylised"), 0.93),
        _suite("rotated", _turned, 0.95),
        _suite("mirrored", _mirrored, 0.95),
        _suite("inside-out", _inside_out, 0.95),
        _suite("clothed", _decimated("clothed"), 0.94),
        _suite("mannequin", _decimated("mannequin"), 0.93),
        _suite("scanned people", _scanned("bare"), 0.93),
        _suite("scanned, dressed", _scanned("clothed"), 0.90),
        _suite(
            "outer skin",
            lambda rng: remesh(sample_figure(rng, str(rng.choice(FIGURES[1:]))), rng, "voxel"),
            0.90,
        ),
        _suite("busts, arms raised", _bust, 0.95),
        _suite("symmetric T-pose", _symmetric, 0.95),
        _suite("chibi", _decimated("chibi"), 0.90),
        _suite("skirts and robes", _decimated("robed"), 0.90),
        _suite("long hair", _decimated("longhaired"), 0.90),
        _suite("very coarse", _very_coarse, 0.90),
    ]
)


@dataclass(frozen=True)
class Score:
    """A model's figures on one suite, shares of the area, means over the shapes.

    Attributes
    ----------
    right : sides included;  either_side : left and right taken as one.
    worst : the mean over the worst tenth of the shapes.
    pieces : connected pieces of equal labels for each part that is there, loose parts included.
    count : shapes.
    """

    right: float
    either_side: float
    worst: float
    pieces: float
    count: int


def measure(
    model: Model,
    suite: Suite,
    count: int | None = None,
    cache: OperatorCache | None = None,
    clean: bool = False,
) -> Score:
    """Measure a model of the coarse parts, the fine parts or the layers on a suite."""
    names = model.card.class_names
    shares, pieces = [], []
    count = suite.count if count is None else min(count, suite.count)
    for seed in range(FIRST_HELD_OUT_SEED, FIRST_HELD_OUT_SEED + count):
        example = suite.make(seed)
        found = segment(example.surface, model, clean=clean, cache=cache).vertex_labels
        shares.append(shares_of(found, example.truth(names), example.areas, names))
        pieces.append(count_pieces(found, example) / len(np.unique(found)))
    worst = np.sort([each.right for each in shares])[: max(count // 10, 1)].mean()
    mean = mean_shares(shares)
    return Score(mean.right, mean.either_side, float(worst), float(np.mean(pieces)), count)


def count_pieces(labels: np.ndarray, example: Example) -> int:
    """Connected pieces of equal labels on a surface."""
    vertices, faces = example.surface.vertices, example.surface.faces
    near = vertex_neighbourhood(vertices, faces)
    return len(np.unique(label_pieces(labels, near)))


def measure_all(
    model: Model, names: list[str], count: int | None = None, clean: bool = False
) -> dict[str, Score]:
    """Measure a model on suites and print a line for each."""
    cache = OperatorCache(CACHE, max_bytes=2**40)
    print(f"{model.card.name}: share of the area that is right, unseen figures")
    print(
        f"{'suite':16}{'right':>8}{'target':>8}{'either side':>13}{'worst tenth':>13}{'pieces':>8}"
        f"{'shapes':>8}"
    )
    scores = {}
    for name in names:
        started = time.perf_counter()
        score = scores[name] = measure(model, SUITES[name], count, cache, clean)
        print(
            f"{name:16}{score.right:8.3f}{SUITES[name].target:8.2f}{score.either_side:13.3f}"
            f"{score.worst:13.3f}{score.pieces:8.2f}{score.count:8}"
            f"   {time.perf_counter() - started:.0f} s",
            flush=True,
        )
    return scores


@plain_errors
def main() -> None:
    """Measure the model named on the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", help="name of a bundled model, or path of a .safetensors")
    parser.add_argument("--suites", nargs="+", choices=list(SUITES), default=list(SUITES))
    parser.add_argument("--count", type=int, help="shapes of each suite, at most")
    parser.add_argument("--clean", action="store_true", help="take out frays and islands")
    arguments = parser.parse_args()
    measure_all(model_named(arguments.model), arguments.suites, arguments.count, arguments.clean)


if __name__ == "__main__":
    main()
