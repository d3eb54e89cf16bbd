"""Figures whose places on the template are known, from disk: what `body_match` learns from.

Their surfaces and matrices are those of `prepared`; the places, found by drawing each figure once
more, lie in files of their own. Bare bodies, each vertex of which is known to a triangle, are added
to them (`matched_bodies`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import lru_cache, partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from diffusionnet_blender.network.features import input_features
from diffusionnet_blender.surface.cache import OperatorCache, cache_key
from diffusionnet_blender.surface.prepare import PreparedSurface
from diffusionnet_blender.surface.prepare import prepare as prepare_surface
from diffusionnet_blender.surface.settings import DiscretizationSettings
from diffusionnet_blender.surface.surface import Surface
from training import prepared

RUN = Path(__file__).parent / "data" / "body_match"
# A network may use fewer eigenpairs than were computed for measuring.
MEASURED = DiscretizationSettings(k=128)
BODIES = "bodies"
# Sources of figures with places, and that of characters of which only parts are known.
PLACED, LABELLED = ("generated", "dressed"), "rigged"
# Examples that one set of processes makes.
RELIEF = 400


def place_file(source: str, seed: int) -> Path:
    """Where the places of an example are kept."""
    return RUN / "places" / source / f"{seed}.npz"


def find_places(seed: int, source: str, makehuman: Path | None = None) -> bool:
    """Write the places of an example of `prepared`, once; whether they are known.

    They are not of clouds, nor of examples that the generators no longer make as they were.
    """
    from training.examples import draw_from, sample_example

    path = place_file(source, seed)
    if path.exists():
        return True
    shape = prepared.RUN / "shapes" / source / f"{seed}.npz"
    with np.load(shape) as stored:
        key, kind = str(stored["key"]), str(stored["kind"])
    if kind.endswith("cloud"):
        return False
    example = sample_example(seed, draw_from(source, makehuman))
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
