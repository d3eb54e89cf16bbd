"""What the network is taught on: a labelled surface for every seed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from diffusionnet_blender.surface.surface import Surface, triangle_areas

from .animal_variety import sample_animal, vary
from .animals import NAMES, load_animal
from .clouds import point_cloud
from .damage import bust, cut, double, holes, loosen, scan
from .dressed_figures import sample_dressed
from .figures import sample_figure
from .meshes import LAYER_NAMES, Body, add_noise, shuffle
from .parts import ANIMALS, FINE_NAMES, FINE_OF_LABEL, PEOPLE, Anatomy
from .poses import Pose, sample_exact_pose, sample_gesture, sample_raised_arms
from .quadrupeds import sample_quadruped
from .remesh import KINDS, remesh
from .rigged import PACKS, sample_rigged
from .symmetry import symmetric
from .things import sample_thing

# How often each kind of figure is drawn, and what is done to it.
FIGURE_SHARES = {
    "bare": 0.14,
    "stylised": 0.1,
    "clothed": 0.2,
    "mannequin": 0.11,
    "chibi": 0.17,
    "robed": 0.14,
    "longhaired": 0.14,
}
REMESH_SHARES = {
    "bare": (0.28, 0.16, 0.12, 0.16, 0.14, 0.1, 0.04),
    "stylised": (0.28, 0.16, 0.14, 0.16, 0.12, 0.1, 0.04),
    "clothed": (0.34, 0.08, 0.06, 0.3, 0.1, 0.06, 0.06),
    "mannequin": (0.24, 0.04, 0.1, 0.26, 0.08, 0.06, 0.22),
    "chibi": (0.36, 0.06, 0.06, 0.3, 0.1, 0.06, 0.06),
    "robed": (0.36, 0.06, 0.06, 0.3, 0.1, 0.06, 0.06),
    "longhaired": (0.36, 0.06, 0.06, 0.3, 0.1, 0.06, 0.06),
}
# Figures modelled with a mirror: how many stand in an exact pose, and how many of these are the
# same on both sides to the last triangle.
EXACT_SHARES = {"bare": 0.2, "stylised": 0.4, "clothed": 0.4, "mannequin": 0.35} | dict.fromkeys(
    ("chibi", "robed", "longhaired"), 0.45
)
SYMMETRIC_SHARE = 0.85
GESTURE_SHARE = 0.15
COARSE_SHARE = 0.14
# Of meshes as artists made them.
MODELLED_SHARES = (0.2, 0.05, 0.1, 0.2, 0.1, 0.05, 0.3)
CLOUD_SHARE = 0.1
# What is done to figures, and how often.
HARMS = {
    "none": 0.54,
    "cut": 0.08,
    "bust": 0.06,
    "holes": 0.07,
    "scan": 0.09,
    "loose": 0.11,
    "double": 0.05,
}
# What is cut away of people is named by their parts.
HARMS_OF_OTHERS = {"none": 0.6, "holes": 0.08, "scan": 0.12, "loose": 0.14, "double": 0.06}
# Of animals, how many are skins around bones.
QUADRUPED_SHARE = 0.45
# Of these, how many have a human torso for a neck.
CENTAUR_SHARE = 0.12
# An example with less than this is drawn again.
LEAST_VERTICES, LEAST_PARTS = 200, 3


@dataclass(frozen=True, eq=False)
class Example:
    """A surface with the truth about it.

    Attributes
    ----------
    surface : Surface
    fine : (V,) int32, the label, as of a `Body`.
    layers : (V,) int32, index into `meshes.LAYER_NAMES`, -1 where it is not known.
    kind : str
        What it is, in words of the generator, for tables.
    attempts : int
        How often it was drawn before it could be used.
    place : (V,) int64 or None, on the template, as of a `Body`.
    anatomy : what the labels are.
    """

    surface: Surface
    fine: np.ndarray
    layers: np.ndarray
    kind: str
    attempts: int = 1
    place: np.ndarray | None = None
    anatomy: Anatomy = PEOPLE

    @property
    def labels(self) -> np.ndarray:
        """(V,) int32, index into the names of parts of its anatomy; -1 where it is not known."""
        return self.anatomy.part_of_label[self.fine]

    def truth(self, class_names: Sequence[str]) -> np.ndarray:
        """(V,) int32, index into the classes of a model; -1 where it is not known.

        Parameters
        ----------
        class_names : those of the parts of its anatomy; of people also `parts.FINE_NAMES` or
            `meshes.LAYER_NAMES`.

        Raises
        ------
        ValueError
            If they are others.
        """
        match tuple(class_names):
            case names if names == self.anatomy.part_names:
                return self.labels
            case names if names == FINE_NAMES and self.anatomy is PEOPLE:
                return FINE_OF_LABEL[self.fine]
            case names if names == LAYER_NAMES:
                return self.layers
        raise ValueError(f"examples have no classes {', '.join(class_names)}")

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
    surface = Surface(body.vertices, body.faces)
    return Example(surface, body.fine, body.layers, kind, place=body.place, anatomy=body.anatomy)


def of_cloud(body: Body, rng: np.random.Generator, kind: str, normals: bool = True) -> Example:
    """2,000 to 5,000 points of a body, half of the time of its outside alone."""
    count = int(rng.integers(2000, 5001))
    cloud = point_cloud(body, count, rng, seen=bool(rng.uniform() < 0.5))
    surface = Surface(cloud.points, normals=cloud.normals if normals else None)
    return Example(surface, cloud.fine, cloud.layers, kind, anatomy=body.anatomy)


# From chance, and what is to be done to the figure, to the figure, a word for its kind, and whether
# both its sides are the same.
Draw = Callable[[np.random.Generator, str], tuple[Body, str, bool]]


def draw_generated(
    rng: np.random.Generator, harm: str, kind: str | None = None
) -> tuple[Body, str, bool]:
    """A figure of the generators, of a kind of `FIGURE_SHARES` or of any."""
    if kind is None:
        kind = str(rng.choice(list(FIGURE_SHARES), p=list(FIGURE_SHARES.values())))
    if kind == "chibi" and harm == "bust":
        kind = "stylised"  # little but a head would be left
    pose, mirror = _pose(rng, kind, harm)
    return sample_figure(rng, kind, pose), kind, mirror


def draw_dressed(rng: np.random.Generator, harm: str, makehuman: Path) -> tuple[Body, str, bool]:
    """A body in garments of MakeHuman's, from the folder of its assets."""
    pose = sample_raised_arms(rng) if harm == "bust" else None
    return sample_dressed(rng, makehuman, pose), "dressed", False


def draw_rigged(rng: np.random.Generator, harm: str) -> tuple[Body, str, bool]:
    """A character by artists; its kind names its pack."""
    pack = str(rng.choice(list(PACKS)))
    return sample_rigged(rng, (pack,)), f"rigged {pack}", False


def draw_animal(
    rng: np.random.Generator, harm: str, name: str | None = None
) -> tuple[Body, str, bool]:
    """A four-legged animal of a species of `animals.NAMES`, which its kind names, or of any; of
    these a share is of no species at all."""
    if name is None and rng.uniform() < QUADRUPED_SHARE:
        human = bool(rng.uniform() < CENTAUR_SHARE)
        return vary(sample_quadruped(rng, human), rng), "quadruped", False
    name = name or str(rng.choice(NAMES))
    return sample_animal(rng, name), f"rigged {name}", False


def draw_thing(rng: np.random.Generator, harm: str) -> tuple[Body, str, bool]:
    """What is neither a person nor a four-legged animal."""
    body, kind = sample_thing(rng)
    return body, kind, False


def draw_species(name: str) -> Draw:
    """How animals of one species of `animals.NAMES` are drawn."""
    return partial(draw_animal, name=name)


def at_rest(name: str) -> Example:
    """An animal of `animals.NAMES` as its file has it, upright and facing forward."""
    figure = load_animal(name).figure
    body = Body(figure.vertices, figure.faces, figure.fine, figure.component, anatomy=ANIMALS)
    return of_body(body, name)


def draw_from(source: str, makehuman: Path | None = None) -> Draw:
    """How figures of a source of `prepared.SOURCES`, animals or things are drawn.

    Parameters
    ----------
    source : str
    makehuman : Path, optional
        Folder of MakeHuman's assets, for dressed figures.

    Raises
    ------
    ValueError
        If the folder is missing.
    """
    if source == "dressed":
        if makehuman is None:
            raise ValueError("dressed figures need the folder of MakeHuman's assets")
        return partial(draw_dressed, makehuman=makehuman)
    return {
        "generated": draw_generated,
        "rigged": draw_rigged,
        "animals": draw_animal,
        "things": draw_thing,
    }[source]


def make_from(source: str, makehuman: Path | None = None) -> Callable[[int], Example]:
    """Examples of a source by their seeds, see `draw_from` and `sample_example`."""
    harms = HARMS_OF_OTHERS if source in ("animals", "things") else HARMS
    return partial(sample_example, draw=draw_from(source, makehuman), harms=harms)


def sample_example(
    seed: int, draw: Draw = draw_generated, harms: Mapping[str, float] = HARMS
) -> Example:
    """An example of any kind, the same for the same seed.

    Parameters
    ----------
    seed : 0..999_999 to train on, 1_000_000 and above to measure on.
    draw : where figures come from.
    harms : what is done to them, and how often.

    Returns
    -------
    Example
        Mostly of 1,000 to 7,000 vertices in random order.
    """
    for attempt in range(1, 20):
        example = _draw(np.random.default_rng([seed, attempt]), draw, harms)
        enough = len(example.fine) >= LEAST_VERTICES
        least = min(LEAST_PARTS, len(example.anatomy.part_names))
        if enough and len(np.unique(example.labels)) >= least:
            return replace(example, attempts=attempt)
    raise RuntimeError(f"seed {seed} gave nothing that could be used in {attempt} attempts")


def _draw(rng: np.random.Generator, draw: Draw, harms: Mapping[str, float]) -> Example:
    harm = str(rng.choice(list(harms), p=list(harms.values())))
    body, kind, mirror = draw(rng, harm)
    if harm == "cut":
        body = cut(body, rng)
    if harm == "bust":
        body = bust(body, rng)
    meshing = str(rng.choice(KINDS, p=REMESH_SHARES.get(kind, MODELLED_SHARES)))
    if rng.uniform() < CLOUD_SHARE:
        return of_cloud(body, rng, f"{kind}, {harm}, cloud", normals=bool(rng.uniform() < 0.85))
    # Figures of many pieces come with more vertices, or little would be left of each.
    pieces = kind not in ("bare", "stylised") and body.anatomy is PEOPLE
    least, most = (1800, 7000) if pieces else (1000, 5500)
    if rng.uniform() < COARSE_SHARE:
        # Most of what many pieces are made of is hidden: as one skin they bear it.
        least, most = 280, 1000
        meshing = "voxel" if pieces and meshing != "isotropic" else meshing
    count = int(np.exp(rng.uniform(np.log(least), np.log(most))))
    body = remesh(body, rng, meshing, count)
    if mirror:
        body = symmetric(body, rng)
    if harm == "scan" or harm == "bust" and rng.uniform() < 0.5:
        body = scan(body, rng)
    if harm in ("holes", "scan"):
        body = holes(body, rng)
    if harm == "loose":
        body = loosen(body, rng)
    if harm == "double":
        body = double(body, rng)
    if not mirror and rng.uniform() < 0.35:
        body = add_noise(body, rng, rng.uniform(0.0, 0.12))
    return of_body(shuffle(body, rng), f"{kind}, {harm}, {meshing}{', mirrored' * mirror}")


def _pose(rng: np.random.Generator, kind: str, harm: str) -> tuple[Pose | None, bool]:
    """A pose where the figure is not to choose its own, and whether both its sides are the same."""
    if harm == "bust" and rng.uniform() < 0.7:
        return sample_raised_arms(rng), False
    if rng.uniform() < EXACT_SHARES[kind]:
        return sample_exact_pose(rng), bool(rng.uniform() < SYMMETRIC_SHARE)
    return (sample_gesture(rng) if rng.uniform() < GESTURE_SHARE else None), False
