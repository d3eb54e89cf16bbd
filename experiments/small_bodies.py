"""Small synthetic bodies, each vertex with its place on the template, to take the method apart on.

No two have the same connectivity. They stand in for the human segmentation data set (paper 5.2).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from diffusionnet_blender.network.training import IGNORED, LabelledShape
from diffusionnet_blender.surface.settings import DiscretizationSettings
from diffusionnet_blender.surface.surface import Surface
from diffusionnet_blender.tasks.train.training_set import LabelledSurface
from training.bodies import FIRST_HELD_OUT_SEED
from training.clouds import point_cloud
from training.figures import sample_figure
from training.meshes import shuffle
from training.parts import PART_NAMES
from training.remesh import decimate, keep_skin
from training.shares import sides_merged
from training.template import load_template

from .matrices import Shapes

SETTINGS = DiscretizationSettings(k=128)
COUNTS = {"train": 300, "test": 60}
# Vertices or points, at least and at most.
FEWEST, MOST = 400, 800
# Metres from the middle of the template within which a vertex is on neither side.
MIDDLE = 1e-3
DATA = "synthetic bodies (stand-in)"


def read(split: str, kind: str, count: int) -> Iterator[LabelledSurface]:
    """Bare bodies as meshes, or as points with normals, with the template vertex of each place.

    Parameters
    ----------
    split : {"train", "test"}
    kind : {"mesh", "cloud"}
    count : int
    """
    first = 0 if split == "train" else FIRST_HELD_OUT_SEED
    for seed in range(first, first + count):
        rng = np.random.default_rng(seed)
        body = keep_skin(sample_figure(rng, "bare"))
        vertices = int(rng.integers(FEWEST, MOST))
        if kind == "mesh":
            body = shuffle(decimate(body, vertices), rng)
            surface, place = Surface(body.vertices, body.faces), body.place
        else:
            # A cloud hands on the fine parts: here they are the places.
            cloud = point_cloud(replace(body, fine=body.place), vertices, rng)
            surface, place = Surface(cloud.points, normals=cloud.normals), cloud.fine
        yield LabelledSurface(f"{split} {kind} {seed}", surface, place)


def shapes(cache: Path, split: str, kind: str, count: int | None = None) -> Shapes:
    """The bodies of a split with their matrices, made where they are missing."""
    count = COUNTS[split] if count is None else count
    folder = cache / f"bodies-{split}-{kind}-{count}"
    return Shapes(partial(read, split, kind, count), folder, SETTINGS, lambda: count)


def part_of_place() -> np.ndarray:
    """Of each vertex of the template its part, one of eight without sides, (T,) int."""
    return np.unique(sides_merged(PART_NAMES)[load_template().labels], return_inverse=True)[1]


def side_of_place() -> np.ndarray:
    """Of each vertex of the template its side, left 0, right 1, `IGNORED` between, (T,) int."""
    across = load_template().vertices[:, 0]
    return np.where(np.abs(across) < MIDDLE, IGNORED, (across < 0).astype(int))


def labelled(shapes: Sequence[LabelledShape], class_of_place: np.ndarray) -> list[LabelledShape]:
    """The same shapes with a class at each vertex in place of the template's vertex."""
    # What is nowhere on the template takes the last of these.
    classes = np.append(class_of_place, IGNORED)
    return [LabelledShape(shape.discretization, classes[shape.labels]) for shape in shapes]
