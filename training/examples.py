"""What the network is taught on: a labelled surface for every seed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from diffusionnet_blender.surface.surface import Surface, triangle_areas

from .clouds import point_cloud
from .damage import cut, double, holes, loosen, scan
from .figures import sample_figure
from .meshes import Body, add_noise, shuffle
from .parts import PART_OF_LABEL
from .remesh import KINDS, remesh

# How often each kind of figure is drawn, and what is done to it.
FIGURE_SHARES = {"bare": 0.24, "stylised": 0.2, "clothed": 0.36, "mannequin": 0.2}
REMESH_SHARES = {
    "bare": (0.28, 0.16, 0.12, 0.16, 0.14, 0.1, 0.04),
    "stylised": (0.28, 0.16, 0.14, 0.16, 0.12, 0.1, 0.04),
    "clothed": (0.34, 0.08, 0.06, 0.3, 0.1, 0.06, 0.06),
    "mannequin": (0.24, 0.04, 0.1, 0.26, 0.08, 0.06, 0.22),
}
WORN_SHARES = (0.2, 0.05, 0.08, 0.22, 0.1, 0.05, 0.3)
CLOUD_SHARE = 0.1
# An example with less than this is drawn again.
LEAST_VERTICES, LEAST_PARTS = 200, 3


@dataclass(frozen=True, eq=False)
class Example:
    """A surface with the truth about it.

    Attributes
    ----------
    surface : Surface
    fine : (V,) int32, index into `parts.FINE_NAMES`, or into `parts.PART_OF_LABEL` where only the
        coarse part is known.
    layers : (V,) int32, index into `meshes.LAYER_NAMES`, -1 where it is not known.
    kind : str
        What it is, in words of the generator, for tables.
    attempts : int
        How often it was drawn before it could be used.
    """

    surface: Surface
    fine: np.ndarray
    layers: np.ndarray
    kind: str
    attempts: int = 1

    @property
    def labels(self) -> np.ndarray:
        """(V,) int32, index into `parts.PART_NAMES`."""
        return PART_OF_LABEL[self.fine]

    @property
    def areas(self) -> np.ndarray:
        """(V,) area around each vertex; the points of a cloud count alike."""
        vertices, faces = self.surface.vertices, self.surface.faces
        if not len(faces):
            return np.full(len(vertices), 1.0 / len(vertices))
        third = np.repeat(triangle_areas(vertices, faces) / 3, 3)
        return np.bincount(faces.ravel(), third, minlength=len(vertices))


def of_body(body: Body, kind: str) -> Example:
    """A body as an example."""
    return Example(Surface(body.vertices, body.faces), body.fine, body.layers, kind)


def of_cloud(body: Body, rng: np.random.Generator, kind: str, normals: bool = True) -> Example:
    """2,000 to 5,000 points of a body, half of the time of its outside alone."""
    count = int(rng.integers(2000, 5001))
    cloud = point_cloud(body, count, rng, seen=bool(rng.uniform() < 0.5))
    surface = Surface(cloud.points, normals=cloud.normals if normals else None)
    return Example(surface, cloud.fine, cloud.layers, kind)


# From chance to a figure and a word for its kind.
Draw = Callable[[np.random.Generator], tuple[Body, str]]


def draw_generated(rng: np.random.Generator) -> tuple[Body, str]:
    """A figure of the generators, of any kind."""
    kind = str(rng.choice(list(FIGURE_SHARES), p=list(FIGURE_SHARES.values())))
    return sample_figure(rng, kind), kind


def draw_from(source: str, makehuman: Path | None = None) -> Draw:
    """Where figures of a source of `prepared.SOURCES` come from.

    Parameters
    ----------
    source : str
    makehuman : Path, optional
        Folder of MakeHuman's assets, for dressed figures.
    """
    if source == "generated":
        return draw_generated
    raise ValueError(f"unknown source {source!r}")


def sample_example(seed: int, draw: Draw = draw_generated) -> Example:
    """An example of any kind, the same for the same seed.

    Parameters
    ----------
    seed : 0..999_999 to train on, 1_000_000 and above to measure on.
    draw : where figures come from.

    Returns
    -------
    Example
        Mostly of 1,000 to 7,000 vertices in random order.
    """
    for attempt in range(1, 20):
        example = _draw(np.random.default_rng([seed, attempt]), draw)
        enough = len(example.fine) >= LEAST_VERTICES
        if enough and len(np.unique(example.labels)) >= LEAST_PARTS:
            return replace(example, attempts=attempt)
    raise RuntimeError(f"seed {seed} gave nothing that could be used in {attempt} attempts")


def _draw(rng: np.random.Generator, draw: Draw) -> Example:
    body, kind = draw(rng)
    harm = str(
        rng.choice(
            ["none", "cut", "holes", "scan", "loose", "double"],
            p=(0.56, 0.1, 0.07, 0.09, 0.13, 0.05),
        )
    )
    if harm == "cut":
        body = cut(body, rng)
    meshing = str(rng.choice(KINDS, p=REMESH_SHARES.get(kind, WORN_SHARES)))
    if rng.uniform() < CLOUD_SHARE:
        return of_cloud(body, rng, f"{kind}, {harm}, cloud", normals=bool(rng.uniform() < 0.85))
    # Figures of many pieces come with more vertices, or little would be left of each.
    least, most = (1800, 7000) if kind not in ("bare", "stylised") else (1000, 5500)
    count = int(np.exp(rng.uniform(np.log(least), np.log(most))))
    body = remesh(body, rng, meshing, count)
    if harm == "scan":
        body = scan(body, rng)
    if harm in ("holes", "scan"):
        body = holes(body, rng)
    if harm == "loose":
        body = loosen(body, rng)
    if harm == "double":
        body = double(body, rng)
    if rng.uniform() < 0.35:
        body = add_noise(body, rng, rng.uniform(0.0, 0.12))
    return of_body(shuffle(body, rng), f"{kind}, {harm}, {meshing}")
