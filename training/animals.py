"""Four-legged animals that an artist modelled and rigged, at rest.

Read from `FOLDER`, which `animal_files` writes. All rigs are brought to the same links: those of
the parts, the trunk and the neck in two, the tail in four. Animals stand along +z and face -y, a
unit long from hips to shoulders.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np
from scipy import sparse
from scipy.spatial import cKDTree

from diffusionnet_blender.surface.edges import edges_of_sides
from diffusionnet_blender.tasks.sides import mirrored_classes

from .animal_borders import with_even_borders
from .animal_skins import mended, share_of_left, with_neck, with_tail
from .bodies import Rigged
from .meshes import SKIN, Body
from .parts import ANIMAL_PART_NAMES, ANIMALS, LEG_PARTS, LEGS, SIDES
from .remesh import subdivide
from .rigged import twins

FOLDER = Path(__file__).parent / "data" / "animals"
SPECIES = {
    "cats and dogs": ("cat", "dog", "pug", "red_fox", "wolf"),
    "horses": ("horse", "zebra"),
    "cattle": ("cow", "llama", "sheep"),
    "pig and rat": ("pig", "rat"),
    "dinosaurs": ("apatosaurus", "stegosaurus", "triceratops"),
}
"""Animals of each group of relatives."""
NAMES = tuple(name for group in SPECIES.values() for name in group)

# How many links the chains of the middle have; links of legs are their parts.
_CHAINS = {"torso": 2, "neck": 2, "head": 1, "tail": 4}
LINKS = tuple(
    f"{part}.{number}" for part, count in _CHAINS.items() for number in range(count)
) + tuple(f"{leg}_{part}.{side}" for leg in LEGS for part in LEG_PARTS for side in SIDES)
# The link that moves the first of each chain; torso.0 is the rump.
_BEFORE = {"neck": "torso.1", "head": "neck.1", "tail": "torso.0"}
# Nearer than this are a vertex and the mirror image of another.
_TWIN = 0.04


def _parent(link: str) -> int:
    part, _, end = link.partition(".")
    if part in _CHAINS:
        if end != "0":
            return LINKS.index(f"{part}.{int(end) - 1}")
        return LINKS.index(_BEFORE[part]) if part in _BEFORE else -1
    leg, _, of_leg = part.partition("_")
    above = LEG_PARTS.index(of_leg) - 1
    if above >= 0:
        return LINKS.index(f"{leg}_{LEG_PARTS[above]}.{end}")
    return LINKS.index("torso.1" if leg == "front" else "torso.0")


PARENTS = tuple(map(_parent, LINKS))
MIRRORED = mirrored_classes(LINKS)
"""(L,) the link of the other side of each link."""


@dataclass(frozen=True, eq=False)
class Animal:
    """An animal at rest.

    Attributes
    ----------
    figure : Rigged
        Its labels are parts of `parts.ANIMALS`, its weights (V, L) those of `LINKS`.
    joints, ends : (L, 3) where links begin and end.
    """

    figure: Rigged
    joints: np.ndarray
    ends: np.ndarray


@lru_cache(maxsize=64)
def load_animal(name: str) -> Animal:
    """An animal of `SPECIES`, its skin and its rig the same on both sides where they nearly were.

    Raises
    ------
    FileNotFoundError
        `animal_files` has not been run.
    """
    path = FOLDER / f"{name}.npz"
    if not path.exists():
        raise FileNotFoundError(
            f"{path} is not there: python -m training.animal_files --animals FOLDER"
        )
    with np.load(path) as file:
        found = dict(file)
    vertices, faces, held = found["vertices"], found["faces"], found["held"]
    vertices = vertices - [(vertices[:, 0].min() + vertices[:, 0].max()) / 2, 0, 0]
    one, two = twins(vertices, np.ones(len(vertices), bool), _TWIN)
    other = ANIMALS.mirrored_label[: len(ANIMAL_PART_NAMES)]
    vertices[one] = (vertices[one] + vertices[two] * [-1, 1, 1]) / 2
    vertices[two] = vertices[one] * [-1, 1, 1]
    share = share_of_left(held)
    # The first of a pair is at x <= 0 or at x >= 0.
    of_one = np.where(vertices[one, 0] > 0, share, 1 - share)[:, None]
    held[one] = of_one * held[one] + (1 - of_one) * held[two][:, other]
    held[two] = held[one][:, other]
    lines = _even({n.removeprefix("line_"): v for n, v in found.items() if n.startswith("line_")})
    labels = mended(vertices, held.argmax(axis=1), lines)
    if "tail" not in lines:
        labels = with_tail(vertices, faces, labels, lines)
    if "neck" not in lines:
        labels = with_neck(vertices, labels, lines)
    # What has a part by its place alone is moved by it alone.
    for part in ("neck", "tail"):
        added = labels == ANIMAL_PART_NAMES.index(part)
        if added.any() and not held[:, ANIMAL_PART_NAMES.index(part)].any():
            held[added] = np.eye(len(ANIMAL_PART_NAMES))[ANIMAL_PART_NAMES.index(part)]
    weights, joints, ends = _links(vertices, held, lines)
    labels = bordered(vertices, faces, labels, joints)
    figure = Rigged(
        vertices, faces, labels.astype(np.int32), np.full(len(vertices), SKIN, np.int32), weights
    )
    return Animal(figure, joints, ends)


def bordered(
    vertices: np.ndarray, faces: np.ndarray, labels: np.ndarray, joints: np.ndarray
) -> np.ndarray:
    """Labels (V,) with even borders, by where links begin (L, 3): see `with_even_borders`."""
    begins = {link.removesuffix(".0"): joints[number] for number, link in enumerate(LINKS)}
    return with_even_borders(vertices, faces, labels, begins)


def _even(lines: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The lines of bones, the same on both sides, those of the middle on the plane."""
    even = {}
    for part, line in lines.items():
        stem, _, side = part.partition(".")
        twin = lines[f"{stem}.{'R' if side == 'L' else 'L'}"] if side else line
        even[part] = (line + twin * [-1, 1, 1]) / 2
    return even


def _links(
    vertices: np.ndarray, held: np.ndarray, lines: dict[str, np.ndarray]
) -> tuple[sparse.csr_matrix, np.ndarray, np.ndarray]:
    """Weights (V, L) of the links, where they begin and where they end."""
    hips, shoulders = (
        np.mean([lines[f"{leg}_upper_leg.{side}"][0] for side in SIDES], axis=0)
        for leg in ("hind", "front")
    )
    lines = lines | {"torso": np.stack([hips, shoulders])}
    # Where an animal has no tail its links move nothing.
    lines.setdefault("tail", hips + np.array([[0, 0.3, 0.2], [0, 0.6, 0.2]]))
    weights = np.zeros((len(vertices), len(LINKS)))
    joints, ends = np.zeros((2, len(LINKS), 3))
    for part, line in lines.items():
        stem = part.partition(".")[0]
        count = _CHAINS.get(stem, 1)
        first = LINKS.index(f"{part}.0" if stem in _CHAINS else part)
        if stem not in _CHAINS:
            line = line[[0, -1]]
        stops = _along(line, np.linspace(0, 1, count + 1))
        joints[first : first + count], ends[first : first + count] = stops[:-1], stops[1:]
        share = _place_on(line, vertices) * count - 0.5
        near = np.clip(1 - np.abs(share[:, None].clip(0, count - 1) - np.arange(count)), 0, 1)
        weights[:, first : first + count] = near * held[:, [ANIMAL_PART_NAMES.index(part)]]
    weights /= weights.sum(axis=1, keepdims=True)
    for leg in LEGS:
        for side in SIDES:
            chain = [LINKS.index(f"{leg}_{part}.{side}") for part in LEG_PARTS]
            ends[chain[:-1]] = joints[chain[1:]]
    return sparse.csr_matrix(weights), joints, ends


def _along(line: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """Points (n, 3) at shares of the length of a line of points."""
    steps = np.linalg.norm(np.diff(line, axis=0), axis=1)
    length = np.append(0, np.cumsum(steps))
    return np.stack([np.interp(shares * length[-1], length, axis) for axis in line.T], axis=1)


def _place_on(line: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Share of a line's length at which each point (V, 3) is nearest to it, (V,)."""
    shares = np.linspace(0, 1, 65)
    return shares[cKDTree(_along(line, shares)).query(points)[1]]


@lru_cache(maxsize=64)
def dense(name: str, levels: tuple[bool, ...]) -> Animal:
    """An animal after a subdivision for each level, smooth (Loop's) or not."""
    animal = load_animal(name)
    figure = animal.figure
    for smooth in levels:
        edges, _ = edges_of_sides(figure.faces)
        body = Body(figure.vertices, figure.faces, figure.fine, figure.component, anatomy=ANIMALS)
        made = subdivide(body, smooth)
        middles = (figure.weights[edges[:, 0]] + figure.weights[edges[:, 1]]) / 2
        weights = sparse.vstack([figure.weights, middles], format="csr")
        labels = bordered(made.vertices, made.faces, made.fine, animal.joints)
        figure = Rigged(made.vertices, made.faces, labels, made.component, weights)
    return replace(animal, figure=figure)
