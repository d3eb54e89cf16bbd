"""Figures to learn from with their matrices, made once and kept on disk."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from diffusionnet_blender.network.features import input_features
from diffusionnet_blender.surface.cache import OperatorCache, cache_key
from diffusionnet_blender.surface.prepare import prepare as prepare_surface
from diffusionnet_blender.surface.settings import DiscretizationSettings

RUN = Path(__file__).parent / "data" / "figures"
# 64 pairs were as good as 128 (docs/speed.md); the fine parts get some more.
SETTINGS = DiscretizationSettings(k=96)
# Where figures come from: the generators, MakeHuman's clothes, rigged characters.
SOURCES = ("generated", "dressed", "rigged")
# Seen so many times as often as others: what the network before was worst at.
EMPHASIS = {"cut": 2, "scan": 2}
OFTEN = 3
# Larger ones, a quarter, take more than half of the time.
LARGEST = 6000
# Examples that one set of processes makes.
RELIEF = 400


def prepare(seed: int, source: str, makehuman: Path | None = None) -> Path:
    """Make one example with its matrices, once; the path of what to learn from it."""
    from training.examples import make_from

    path = RUN / "shapes" / source / f"{seed}.npz"
    if path.exists():
        return path
    example = make_from(source, makehuman)(seed)
    prepared = prepare_surface(example.surface, SETTINGS)
    place = prepared.user_vertex
    key = cache_key(example.surface, SETTINGS)
    OperatorCache(RUN / "matrices", max_bytes=2**40).store(key, prepared)
    path.parent.mkdir(parents=True, exist_ok=True)
    # Written whole or not at all: an interrupted run goes on from here.
    temporary = path.with_suffix(".part.npz")
    np.savez(
        temporary,
        label=example.fine[place].astype(np.int8),
        layer=example.layers[place].astype(np.int8),
        integral=input_features(prepared.discretization, ("integral",)).astype(np.float16),
        key=key,
        kind=example.kind,
        attempts=example.attempts,
    )
    temporary.replace(path)
    return path


def pack_of(seed: int, source: str) -> str:
    """Pack of a rigged character, species of an animal, or else the kind of a prepared example."""
    return _kind_and_size(seed, source)[0].split(", ")[0].removeprefix("rigged ")


def _kind_and_size(seed: int, source: str) -> tuple[str, int]:
    """The kind of an example, in words of the generator, and its vertices."""
    path = RUN / "shapes" / source / f"{seed}.npz"
    if not path.exists():
        raise FileNotFoundError(f"{path} is not there: make it with training.body_parts data")
    with np.load(path) as stored:
        return str(stored["kind"]), len(stored["label"])


class Prepared(Sequence):
    """Prepared examples, some of them several times (`EMPHASIS`).

    Each is read from disk when its turn comes: thousands do not fit in memory.

    Parameters
    ----------
    seeds : mapping of str to range
        Of each source.
    left_out : sequence of str
        Packs of rigged characters that are not learnt from.
    kinds : sequence of str
        Kinds of figures; by default all.
    often : sequence of str
        Kinds that are seen `OFTEN` times as often.

    Raises
    ------
    FileNotFoundError
        An example is not on disk, see `make_data`.
    """

    def __init__(
        self,
        seeds: Mapping[str, range],
        left_out: Sequence[str] = (),
        kinds: Sequence[str] = (),
        often: Sequence[str] = (),
    ):
        self.matrices = OperatorCache(RUN / "matrices", max_bytes=2**40)
        self.examples: list[tuple[int, str]] = []
        for source, numbers in seeds.items():
            for seed in numbers:
                kind, size = _kind_and_size(seed, source)
                figure, harm, *_ = kind.split(", ")
                if size > LARGEST or pack_of(seed, source) in left_out:
                    continue
                if not kinds or figure in kinds:
                    times = EMPHASIS.get(harm, 1) * (OFTEN if figure in often else 1)
                    self.examples += [(seed, source)] * times

    def __len__(self) -> int:
        return len(self.examples)

    def __getitem__(self, index: int):
        from training.heads import LabelledFigure

        with np.load(prepare(*self.examples[index])) as stored:
            found = {name: stored[name] for name in ("key", "integral", "label", "layer")}
        return LabelledFigure(
            self.matrices.load(str(found["key"])).discretization,
            found["integral"].astype(np.float32),
            found["label"].astype(np.int64),
            found["layer"].astype(np.int64),
        )


def make_data(source: str, seeds: range, processes: int, makehuman: Path | None = None) -> None:
    """Prepare many examples of a source; prints how many had to be drawn again."""
    attempts = 0
    # A process grows by some megabytes an example, so that now and then fresh ones take over.
    for first in range(0, len(seeds), RELIEF):
        with ProcessPoolExecutor(processes, get_context("spawn")) as pool:
            work = partial(prepare, source=source, makehuman=makehuman)
            for path in pool.map(work, seeds[first : first + RELIEF], chunksize=8):
                with np.load(path) as stored:
                    attempts += int(stored["attempts"]) - 1
        done = min(first + RELIEF, len(seeds))
        print(f"{done} of {len(seeds)} {source} examples, {attempts} drawn again", flush=True)
