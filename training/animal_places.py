"""Where on one template animal each vertex of any animal is: the correspondence of their skins.

Links are alike on all animals, so that the skin of each is brought into the links of the template,
stretched to the box of its skin there, and goes to the nearest place of the same part.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from scipy.spatial import cKDTree

from diffusionnet_blender.surface.winding import vertex_normals

from .animals import LINKS, Animal, dense
from .bodies import Rigged
from .meshes import NOWHERE
from .parts import ANIMAL_PART_NAMES, NO_PART, SIDES
from .poses import unit

TEMPLATE = "wolf"
# Two rounds of smooth subdivision: as fine as what is learnt from.
LEVELS = (True, True)
# Farther from the template's skin, or of what is worn from the animal's, nothing is a place of it;
# in units of the trunk.
FAR, FAR_WORN = 0.3, 0.06
# Of nearest places: what a unit of difference between normals counts for, in the same units.
FACING = 0.1
# Share of a vertex's weight from which its link alone shapes the box, and fewest vertices of a box.
OWN, FEWEST = 0.5, 8
# Percentiles that make a box, and how much at most a link is stretched or shrunk across.
BOX = (3.0, 97.0)
MOST_STRETCH = 4.0
# Links that hang on the rump, and on the chest.
_HANGING_ON = {"torso.0": ("tail", "hind"), "torso.1": ("neck", "front")}
X = np.array([1.0, 0.0, 0.0])


@lru_cache(maxsize=1)
def template() -> Animal:
    """The animal that all others are known on."""
    return dense(TEMPLATE, LEVELS)


@lru_cache(maxsize=1)
def mirror() -> np.ndarray:
    """Of each vertex of the template the nearest to its mirror image, (T,) int."""
    vertices = template().figure.vertices
    return cKDTree(vertices).query(vertices * [-1, 1, 1])[1]


def mirrored_places(place: np.ndarray) -> np.ndarray:
    """The same places on the other side; what is nowhere stays nowhere."""
    return np.where(place == NOWHERE, NOWHERE, mirror()[place])


def places_of(animal: Animal) -> np.ndarray:
    """The vertex of the template that each vertex of an animal at rest corresponds to, (V,) int.

    `NOWHERE` for what the template lacks: horns, plates.
    """
    known = template()
    warped = in_links_of(known, animal)
    normals = vertex_normals(warped, animal.figure.faces)
    theirs = vertex_normals(known.figure.vertices, known.figure.faces)
    place = np.full(len(warped), NOWHERE)
    for part in np.setdiff1d(animal.figure.fine, [NO_PART]):
        own, on = (np.flatnonzero(each.figure.fine == part) for each in (animal, known))
        if not len(on):
            continue
        tree = cKDTree(np.column_stack([known.figure.vertices[on], FACING * theirs[on]]))
        found = on[tree.query(np.column_stack([warped[own], FACING * normals[own]]))[1]]
        away = np.linalg.norm(known.figure.vertices[found] - warped[own], axis=1)
        place[own] = np.where(away < FAR, found, NOWHERE)
    return place


def with_worn(place: np.ndarray, bare: np.ndarray, dressed: np.ndarray) -> np.ndarray:
    """Places (N,) of an animal with things on, its own vertices (V, 3) first among all (N, 3)."""
    away, nearest = cKDTree(bare).query(dressed[len(bare) :])
    return np.append(place, np.where(away < FAR_WORN, place[nearest], NOWHERE))


def in_links_of(known: Animal, animal: Animal) -> np.ndarray:
    """The skin of an animal in the links of another, and with their girths, (V, 3)."""
    axes, theirs = link_axes(animal), link_axes(known)
    (low, size), (their_low, their_size) = link_boxes(animal, axes), link_boxes(known, theirs)
    figure = animal.figure
    warped = np.zeros_like(figure.vertices)
    weights = weights_by_part(figure)
    for number in range(len(LINKS)):
        share = weights[:, [number]]
        stretch = np.clip(their_size[number] / size[number], 1 / MOST_STRETCH, MOST_STRETCH)
        if np.isnan(stretch).any():
            # One of the two has no skin of it: as long as the other, and as thick.
            stretch = np.ones(3)
            from_corner, to_corner = np.zeros((2, 3))
        else:
            from_corner, to_corner = low[number], their_low[number]
        inside = (figure.vertices - animal.joints[number]) @ axes[number] - from_corner
        moved = (to_corner + stretch * inside) @ theirs[number].T + known.joints[number]
        warped += share * moved
    return warped


def weights_by_part(figure: Rigged) -> np.ndarray:
    """Shares (V, L) of the links, where the trunk is moved by its own: bones of legs and of a thick
    tail reach into the skin beside and above the hips on some animals, and not on others."""
    weights = figure.weights.toarray()
    trunk = figure.fine == ANIMAL_PART_NAMES.index("torso")
    for number, link in enumerate(LINKS):
        end = next((torso for torso, stems in _HANGING_ON.items() if link.startswith(stems)), None)
        if end is not None:
            weights[trunk, LINKS.index(end)] += weights[trunk, number]
            weights[trunk, number] = 0.0
    return weights


def link_axes(animal: Animal) -> np.ndarray:
    """Axes of the links, (L, 3, 3), in columns: along, to the left, and across both."""
    along = np.array([unit(way) for way in animal.ends - animal.joints])
    left = X - along[:, :1] * along
    left /= np.linalg.norm(left, axis=1, keepdims=True)
    return np.stack([along, left, np.cross(along, left)], axis=2)


def link_boxes(animal: Animal, axes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Lowest corners and extents of the skin of each link along its axes, (L, 3) each.

    Along it is the link itself, but for heads and feet, which go on beyond; NaN without skin.
    """
    low, size = np.full((2, len(LINKS), 3), np.nan)
    weights = weights_by_part(animal.figure)
    main = weights.argmax(axis=1)
    for number, link in enumerate(LINKS):
        own = weights[:, number] > OWN
        if own.sum() < FEWEST:
            own = main == number
        if own.sum() < FEWEST:
            continue
        inside = (animal.figure.vertices[own] - animal.joints[number]) @ axes[number]
        least, most = np.percentile(inside, BOX, axis=0)
        if not link.endswith(SIDES):
            # Of the middle: the same on both sides.
            most[1] = max(-least[1], most[1])
            least[1] = -most[1]
        if not link.startswith("head") and "foot" not in link:
            least[0] = 0.0
            most[0] = np.linalg.norm(animal.ends[number] - animal.joints[number])
        low[number], size[number] = least, np.maximum(most - least, 1e-3)
    return low, size
