"""Animals multiplied by what a rig allows: proportions, poses, things that they wear."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse

from diffusionnet_blender.surface.winding import vertex_normals

from .animal_extras import worn
from .animal_places import mirrored_places, places_of, with_worn
from .animal_poses import pose_turns
from .animals import LINKS, MIRRORED, NAMES, PARENTS, Animal, dense, load_animal
from .bodies import chain_moves, join, skinned
from .meshes import Body, bumps
from .parts import ANIMALS, SIDES
from .poses import unit
from .symmetry import mirrored


def sample_animal(rng: np.random.Generator, name: str) -> Body:
    """An animal in random proportions, in some pose, at times with things on.

    Parameters
    ----------
    rng : the only source of chance.
    name : of `NAMES`.
    """
    coarse = len(load_animal(name).figure.vertices) < 900
    levels = ((), (True,), (True, True), (False, True), (False,))[
        rng.choice(5, p=(0.12, 0.25, 0.4, 0.15, 0.08) if coarse else (0.3, 0.5, 0.0, 0.0, 0.2))
    ]
    return vary(dense(name, levels), rng)


def vary(
    animal: Animal, rng: np.random.Generator, posing: np.random.Generator | None = None
) -> Body:
    """An animal in random proportions, in some pose, at times with things on, mirrored or not.

    With chances of their own poses are `posing`: one individual in several.
    """
    return varied(animal, rng, posing).body


@dataclass(frozen=True, eq=False)
class VariedAnimal:
    """An animal in another shape and pose.

    Attributes
    ----------
    body : Body
    joints : (L, 3) where links begin.
    weights : (V, L) csr_matrix, share of each link.
    """

    body: Body
    joints: np.ndarray
    weights: sparse.csr_matrix


def varied(
    animal: Animal, rng: np.random.Generator, posing: np.random.Generator | None = None
) -> VariedAnimal:
    """As `vary`, with its joints and its skin weights."""
    figure, place = animal.figure, places_of(animal)
    if rng.uniform() < 0.25:
        figure = join([figure, *worn(figure, animal.joints[LINKS.index("head.0")], rng)])
        place = with_worn(place, animal.figure.vertices, figure.vertices)
    scales = sample_scales(rng, animal)
    turns = pose_turns(posing or rng, LINKS)
    moves = chain_moves(PARENTS, animal.joints, turns, scales)
    vertices = skinned(figure.vertices, figure.weights, moves)
    joints = np.einsum("lij,lj->li", moves[:, :, :3], animal.joints) + moves[:, :, 3]
    if rng.uniform() < 0.3:
        stretch = np.exp(rng.uniform(-0.2, 0.2, 3))
        vertices, joints = vertices * stretch, joints * stretch
    body = Body(vertices, figure.faces, figure.fine, figure.component, place, ANIMALS)
    if rng.uniform() < 0.3:
        amount = rng.uniform(0.002, 0.02) * bumps(vertices, rng, wavelength=rng.uniform(0.15, 0.8))
        moved = vertices + amount[:, None] * vertex_normals(vertices, body.faces)
        body = replace(body, vertices=moved)
    if rng.uniform() < 0.5:
        turned = joints[MIRRORED] * [-1, 1, 1]
        return VariedAnimal(mirrored(body, mirrored_places), turned, figure.weights[:, MIRRORED])
    return VariedAnimal(body, joints, figure.weights)


def sample_scales(rng: np.random.Generator, animal: Animal) -> np.ndarray:
    """Scales (L, 3, 3) of the links: random girths and lengths, half of the time on the way to the
    lengths of another animal."""
    amount = rng.choice([0.0, 0.12, 0.25], p=(0.2, 0.4, 0.4))
    lengths = np.ones(len(LINKS))
    if rng.uniform() < 0.5:
        other = load_animal(str(rng.choice(NAMES)))
        own, theirs = (np.linalg.norm(each.ends - each.joints, axis=1) for each in (animal, other))
        lengths = np.clip(theirs / own, 0.4, 2.5) ** rng.uniform(0, 0.8)
    scales = np.tile(np.eye(3), (len(LINKS), 1, 1))
    legs, girth_of_legs = np.exp(amount * rng.normal(size=2))
    kinds: dict[str, tuple[float, float]] = {}
    for index, link in enumerate(LINKS):
        part, _, end = link.partition(".")
        kind = part if end in SIDES else link if part == "torso" else part
        if kind not in kinds:
            # Tails differ more than all else, from a string to a brush.
            spread = [amount, 0.4] if kind == "tail" else [amount, amount]
            kinds[kind] = tuple(np.exp(spread * rng.normal(size=2)))
        long, thick = kinds[kind]
        # Sides are alike, and so is what other animals give.
        long = long * lengths[LINKS.index(f"{part}.L") if end in SIDES else index]
        if end in SIDES:
            long, thick = long * legs, thick * girth_of_legs
        if part in ("head", "torso"):
            scales[index] = np.diag([thick, long, thick * np.exp(0.5 * amount * rng.normal())])
            continue
        if part.endswith("foot"):
            scales[index] = thick * np.eye(3)
            continue
        axis = unit(animal.ends[index] - animal.joints[index])
        scales[index] = thick * np.eye(3) + (long - thick) * np.outer(axis, axis)
    return scales
