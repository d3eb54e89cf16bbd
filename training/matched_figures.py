"""Figures whose places on the template are known, from disk: what `body_match` learns from.

Their surfaces and matrices are those of `prepared`; the places, found by drawing each figure once
more, lie in files of their own. Bare bodies, each vertex of which is known to a triangle, are added
to them (`matched_bodies`).
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from diffusionnet_blender.network.features import input_features, normals_of_frames
from diffusionnet_blender.network.training import IGNORED
from diffusionnet_blender.surface.cache import OperatorCache, cache_key
from diffusionnet_blender.surface.discretization import Discretization
from diffusionnet_blender.surface.prepare import PreparedSurface
from diffusionnet_blender.surface.prepare import prepare as prepare_surface
from diffusionnet_blender.surface.settings import DiscretizationSettings
from diffusionnet_blender.surface.surface import Surface
from training import prepared
from training.examples import Draw
from training.meshes import NOWHERE

RUN = Path(__file__).parent / "data" / "body_match"
# A network may use fewer eigenpairs than were computed for measuring.
MEASURED = DiscretizationSettings(k=128)
BODIES = "bodies"
# Sources of figures with places, and that of characters of which only parts are known; animals have
# places on a template of their own.
PLACED, LABELLED, ANIMALS = ("generated", "dressed"), "rigged", "animals"
# Of all steps, those on bodies, for what they are exact in, and on characters without places.
SHARES = {BODIES: 0.3, LABELLED: 0.1}
# Larger ones take longer than they teach: maps are computed between no larger ones
# (`tasks.match.main_part.PROXY_VERTICES`).
LARGEST = 5000
# Examples that one set of processes makes.
RELIEF = 400


def place_file(source: str, seed: int) -> Path:
    """Where the places of an example are kept."""
    return RUN / "places" / source / f"{seed}.npz"


def find_places(seed: int, source: str, makehuman: Path | None = None) -> bool:
    """Write the places of an example of `prepared`, once; whether they are known.

    They are not of clouds, nor of examples that the generators no longer make as they were.
    """
    from training.examples import make_from

    path = place_file(source, seed)
    if path.exists():
        return True
    shape = prepared.RUN / "shapes" / source / f"{seed}.npz"
    with np.load(shape) as stored:
        key, kind = str(stored["key"]), str(stored["kind"])
    if kind.endswith("cloud"):
        return False
    example = make_from(source, makehuman)(seed)
    if example.place is None or cache_key(example.surface, prepared.SETTINGS) != key:
        return False
    made = OperatorCache(prepared.RUN / "matrices", max_bytes=2**40).load(key)
    if made is None:
        raise FileNotFoundError(f"no matrices for {shape}: make them with training.body_parts data")
    _write(path, place=example.place[made.user_vertex].astype(np.int16))
    return True


def make_body(seed: int) -> bool:
    """Make one bare body with its matrices and its places, once."""
    from training.bodies import load_template
    from training.matched_bodies import sample_harmed_body

    path = place_file(BODIES, seed)
    if path.exists():
        return True
    body = sample_harmed_body(seed)
    surface = Surface(body.vertices, body.faces)
    made = prepare_surface(surface, prepared.SETTINGS)
    key = cache_key(surface, prepared.SETTINGS)
    OperatorCache(RUN / "matrices", max_bytes=2**40).store(key, made)
    place = body.template_points.nearest_vertex(load_template().faces)[made.user_vertex]
    _write(
        path,
        place=place.astype(np.int16),
        integral=input_features(made.discretization, ("integral",)).astype(np.float16),
        key=key,
    )
    return True


def _write(path: Path, **arrays) -> None:
    """Written whole or not at all: an interrupted run goes on from here."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".part.npz")
    np.savez(temporary, **arrays)
    temporary.replace(path)


def make_data(seeds: Sequence[int], make: Callable[[int], bool], what: str, processes: int) -> None:
    """Make many examples."""
    known = 0
    # A process grows by some megabytes an example, so that now and then fresh ones take over.
    for first in range(0, len(seeds), RELIEF):
        # A forked process would wait for ever for the threads of libraries.
        with ProcessPoolExecutor(processes, get_context("spawn")) as pool:
            known += sum(pool.map(make, seeds[first : first + RELIEF], chunksize=8))
        done = min(first + RELIEF, len(seeds))
        print(f"{done} of {len(seeds)} {what} examples, places of {known}", flush=True)


def _load_matrices(folder: Path, key: str) -> PreparedSurface:
    found = OperatorCache(folder / "matrices", max_bytes=2**40).load(key)
    if found is None:
        raise FileNotFoundError(f"no matrices {key} in {folder}: make them with the step data")
    return found


@lru_cache(maxsize=1)
def _groups_of_labels() -> tuple[np.ndarray, np.ndarray]:
    """Of each label of `parts.PART_OF_LABEL` the side, as in `Template.groups`, and the part; the
    side of what is in the middle is not known."""
    from training.parts import PART_NAMES, PART_OF_LABEL

    sides = [{"L": 1, "R": 2}.get(name.partition(".")[2], IGNORED) for name in PART_NAMES]
    return np.array(sides)[PART_OF_LABEL], PART_OF_LABEL.astype(np.int64)


def load(source: str, seed: int):
    """A prepared example as something to learn from, `correspondence.MatchedShape`."""
    from training.correspondence import MatchedShape

    if source == BODIES:
        with np.load(place_file(source, seed)) as stored:
            found = {name: stored[name] for name in ("place", "integral", "key")}
        matrices = _load_matrices(RUN, str(found["key"]))
    else:
        with np.load(prepared.RUN / "shapes" / source / f"{seed}.npz") as stored:
            found = {name: stored[name] for name in ("label", "integral", "key")}
        matrices = _load_matrices(prepared.RUN, str(found["key"]))
        if source != LABELLED:
            with np.load(place_file(source, seed)) as stored:
                found["place"] = stored["place"]
    discretization = matrices.discretization
    groups = None
    if source == LABELLED:
        side, part = (of_label[found["label"]] for of_label in _groups_of_labels())
        # They stand along +z and face -y.
        front = normals_of_frames(discretization)[:, 1] < 0
        groups = (side, front.astype(np.int64), part)
        found["place"] = np.full(len(part), NOWHERE)
    return MatchedShape(
        discretization,
        found["place"].astype(np.int64),
        found["integral"].astype(np.float32),
        groups,
    )


class MatchedFigures(Sequence):
    """Examples from disk, each source as often as `SHARES` has it.

    Each is read when its turn comes: thousands do not fit in memory.

    Parameters
    ----------
    counts : mapping of str to int
        How many seeds of each source, from 0 on; of `PLACED` ones and bodies those whose places are
        known are taken.
    left_out : sequence of str
        Packs of rigged characters, or species of animals, that are not learnt from.
    """

    def __init__(self, counts: Mapping[str, int], left_out: Sequence[str] = ()):
        found = {source: _usable(source, count, left_out) for source, count in counts.items()}
        found = {source: seeds for source, seeds in found.items() if seeds}
        self.counts = {source: len(seeds) for source, seeds in found.items()}
        placed = sum(len(found.get(source, ())) for source in PLACED)
        most = placed / (1.0 - sum(SHARES.values()))
        self.examples: list[tuple[str, int]] = []
        for source, seeds in found.items():
            order = np.random.default_rng(0).permutation(seeds)
            times = round(SHARES[source] * most) if source in SHARES and placed else len(seeds)
            self.examples += [(source, int(seed)) for seed in np.resize(order, times)]

    def __len__(self) -> int:
        return len(self.examples)

    def __getitem__(self, index: int):
        return load(*self.examples[index])


def _usable(source: str, count: int, left_out: Sequence[str]) -> list[int]:
    """Seeds of a source that are on disk, meshes that are not too large."""
    seeds = []
    for seed in range(count):
        path = place_file(source, seed)
        name = "place"
        if source == LABELLED:
            path, name = prepared.RUN / "shapes" / source / f"{seed}.npz", "label"
        if not path.exists() or source != BODIES and prepared.pack_of(seed, source) in left_out:
            continue
        with np.load(path) as stored:
            cloud = name == "label" and str(stored["kind"]).endswith("cloud")
            if len(stored[name]) <= LARGEST and not cloud:
                seeds.append(seed)
    return seeds


# --- Figures to measure on ---


@dataclass(frozen=True, eq=False)
class Unseen:
    """A figure to measure on, which stands along +z and faces -y.

    Attributes
    ----------
    discretization : Discretization
        With the eigenpairs of `MEASURED`.
    place : (V,) int
    """

    discretization: Discretization
    place: np.ndarray


def unseen(
    kind: str, draw: Draw, harms: Mapping[str, float], count: int, first_seed: int
) -> list[Unseen]:
    """Figures of a kind with their places; made once.

    Clouds and figures of more than `LARGEST` vertices are passed over.

    Parameters
    ----------
    kind : str
        Under which they are kept.
    draw, harms :
        As `examples.sample_example` takes them.
    count : int
    first_seed : int
    """
    from training.examples import sample_example

    cache = OperatorCache(RUN / "matrices", max_bytes=2**40)
    found: list[Unseen] = []
    for seed in itertools.count(first_seed):
        if len(found) == count:
            return found
        path = RUN / "unseen" / kind / f"{seed}.npz"
        if not path.exists():
            example = sample_example(seed, draw, harms)
            fits = example.place is not None and len(example.fine) <= LARGEST
            key = place = None
            if fits:
                made = prepare_surface(example.surface, MEASURED)
                key = cache_key(example.surface, MEASURED)
                cache.store(key, made)
                place = example.place[made.user_vertex]
            _write(path, key=key or "", place=[] if place is None else place)
        with np.load(path) as stored:
            key, place = str(stored["key"]), stored["place"]
        if key:
            found.append(Unseen(_load_matrices(RUN, key).discretization, place.astype(np.int64)))
    raise AssertionError("seeds have no end")
