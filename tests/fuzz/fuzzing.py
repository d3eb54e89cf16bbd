"""What the fuzzers share: how many examples, time limits, models, and damaged bytes.

Examples are the same in every run: hypothesis derives their seed from the test, and keeps no
database. What a fuzzer has found stays as an `example` of its test.
"""

import contextlib
import signal
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st

from diffusionnet_blender.errors import DiffusionNetError
from diffusionnet_blender.network.architecture import Architecture
from diffusionnet_blender.network.card import ModelCard
from diffusionnet_blender.network.checkpoint import Model
from diffusionnet_blender.network.features import input_width
from diffusionnet_blender.surface.settings import DiscretizationSettings

# Seconds that one example may take, on a busy machine: what hangs fails.
LIMIT = 60
CLASSES = (
    "head", "torso", "upper_arm.L", "upper_arm.R", "lower_arm.L", "lower_arm.R",
    "thigh.L", "thigh.R", "shin.L", "shin.R",
)  # fmt: skip
FEATURES = ("xyz", "hks", "wks", "integral")


def examples(count: int) -> Callable:
    """Decorator of a property: so many examples, the same in each run."""
    return settings(
        max_examples=count,
        derandomize=True,
        database=None,
        deadline=None,
        # Examples are one line as they are; to make them smaller takes longer than to read them.
        phases=(Phase.explicit, Phase.generate),
        suppress_health_check=list(HealthCheck),
    )


def quick_and_full(quick: int, full: int) -> Callable:
    """Parameter `count` of a fuzzer: few examples in each run of the tests, many in slow ones."""
    return pytest.mark.parametrize(
        "count", [quick, pytest.param(full, marks=pytest.mark.slow)], ids=["quick", "full"]
    )


@contextlib.contextmanager
def in_time(seconds: int = LIMIT):
    """Context that fails if it takes longer."""

    def late(*_):
        raise AssertionError(f"more than {seconds} s")

    if not hasattr(signal, "SIGALRM"):
        yield
        return
    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def result_or_error(work: Callable):
    """Result of a function, or None after an error that tells the user what to do."""
    try:
        with in_time():
            return work()
    except DiffusionNetError as error:
        told = error
    assert told.message.strip()
    assert len(str(told)) < 2000
    return None


def model(outer_skin: bool = True, match: bool = False, **change) -> Model:
    """A small network of seeded weights with all inputs, limbs and, for many parts, their skin."""
    architecture = Architecture(
        inputs=input_width(FEATURES), outputs=8 if match else len(CLASSES), width=6, blocks=1
    )
    card = ModelCard(
        name="fuzzed",
        title="Fuzzed",
        class_names=() if match else CLASSES,
        class_colours=() if match else tuple((0.1 * i, 0.5, 0.5) for i in range(len(CLASSES))),
        features=FEATURES,
        architecture=architecture,
        discretization=DiscretizationSettings(k=8),
        outer_skin=outer_skin,
        limbs=() if match else (("upper_arm.L", "lower_arm.L"), ("thigh.L", "shin.L")),
    )
    random = np.random.default_rng(1)
    weights = {
        name: (0.5 * random.standard_normal(shape)).astype(np.float32)
        for name, shape in architecture.weight_shapes().items()
    }
    return Model(replace(card, **change), weights)


@st.composite
def damaged(draw, content: bytes) -> bytes:
    """Bytes of a file after some of them were changed, cut off, repeated or swapped."""
    data = bytearray(content)
    for _ in range(draw(st.integers(1, 4))):
        if not data:
            break
        # Headers are short and matter most: half of the damage is near an end.
        near = min(len(data), 400) - 1
        place = draw(
            st.one_of(
                st.integers(0, near),
                st.integers(len(data) - 1 - near, len(data) - 1),
                st.integers(0, len(data) - 1),
            )
        )
        match draw(st.sampled_from(("bit", "byte", "cut", "drop", "zero", "insert", "move"))):
            case "bit":
                data[place] ^= 1 << draw(st.integers(0, 7))
            case "byte":
                data[place] = draw(st.integers(0, 255))
            case "cut":
                del data[place:]
            case "drop":
                del data[place : place + draw(st.integers(1, 64))]
            case "zero":
                length = draw(st.integers(1, 64))
                data[place : place + length] = bytes(len(data[place : place + length]))
            case "insert":
                data[place:place] = draw(st.binary(min_size=1, max_size=64))
            case "move":
                data = data[place:] + data[:place]
    return bytes(data)


def tree(folder) -> dict:
    """Content of every file in a folder."""
    return {path: path.is_file() and path.read_bytes() for path in folder.rglob("*")}
