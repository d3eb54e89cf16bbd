"""Animals to test with, where the data of real ones may be missing."""

from dataclasses import replace

import numpy as np

from diffusionnet_blender.matching.points import SurfacePoints
from training.animals import LINKS, PARENTS, Animal
from training.bodies import chain_moves, skinned
from training.meshes import Body
from training.parts import ANIMALS
from training.poses import about
from training.quadrupeds import sample_quadruped
from training.remesh import decimate

# Degrees about the axis to the left, of one pose and another.
STANDING = {"neck.1": 10}
STEPPING = {
    "front_upper_leg.L": -20,
    "front_upper_leg.R": 15,
    "hind_upper_leg.L": 18,
    "hind_upper_leg.R": -15,
    "neck.0": 15,
    "tail.0": -20,
}


def usual_animal() -> Animal:
    """One of no species, in proportions as real ones have."""
    return sample_quadruped(np.random.default_rng(1_000_016))


def posed(animal: Animal, bend: dict[str, float], vertices: int) -> Body:
    """The animal in a pose and of so many vertices, each with its number on the whole one."""
    turns = np.stack([about([1, 0, 0], bend.get(link, 0)).as_matrix() for link in LINKS])
    scales = np.tile(np.eye(3), (len(LINKS), 1, 1))
    moves = chain_moves(PARENTS, animal.joints, turns, scales)
    figure = animal.figure
    places = skinned(figure.vertices, figure.weights, moves)
    body = Body(places, figure.faces, figure.fine, figure.component, anatomy=ANIMALS)
    return decimate(replace(body, fine=np.arange(len(places))), vertices)


def error(animal: Animal, source: Body, target: Body, points: SurfacePoints) -> float:
    """Mean distance at rest of what each vertex was given from its own place, over the length."""
    rest = animal.figure.vertices
    given = points.interpolate(rest[source.fine], source.faces)
    away = np.linalg.norm(given - rest[target.fine], axis=1)
    return float(away.mean() / np.ptp(rest, axis=0).max())
