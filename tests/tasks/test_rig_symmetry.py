"""Joints and parts of figures that are their own mirror images."""

import numpy as np
import pytest

from diffusionnet_blender.surface.mirror import mirror_of
from diffusionnet_blender.surface.surface import vertex_areas
from diffusionnet_blender.tasks.rig.symmetry import even_parts, even_places
from diffusionnet_blender.tasks.sides import other_side
from tests.mannequin import NAMES, PLACES, mannequin
from tests.shapes import random_rotation


def even_mannequin():
    """A mannequin whose right half is the mirror image of its left half."""
    vertices, faces, parts = mannequin(without={f"{p}.R" for p in ("upper_arm", "thigh")})
    swapped = [NAMES.index(other_side(name) or name) for name in NAMES]
    both = np.concatenate([vertices, vertices * [-1, 1, 1]])
    faces = np.concatenate([faces, faces[:, ::-1] + len(vertices)])
    return both, faces, np.concatenate([parts, parts[:, swapped]])


@pytest.mark.parametrize("seed", [None, 1, 2])
def test_what_is_found_on_an_even_figure_becomes_even(seed):
    vertices, faces, parts = even_mannequin()
    turn = np.eye(3) if seed is None else random_rotation(seed)
    placed = 2 * vertices @ turn.T + [1.0, 2.0, 3.0]
    # The frame of a figure is off by some degrees.
    left = turn @ [np.cos(0.05), 0.0, np.sin(0.05)]
    mirror = mirror_of(placed, vertex_areas(placed, faces), left, 3.6)
    np.testing.assert_allclose(mirror.normal, turn @ [1.0, 0, 0], atol=1e-4)
    rng = np.random.default_rng(0)
    rough = {
        name: 2 * turn @ (p + rng.normal(0, 0.01, 3)) + [1, 2, 3] for name, p in PLACES.items()
    }
    even = even_places(mirror, rough)
    for name, place in even.items():
        np.testing.assert_allclose(mirror.image(place), even[other_side(name) or name], atol=1e-9)
        assert np.linalg.norm(place - rough[name]) < 0.1
    noisy = parts + rng.uniform(0, 0.2, parts.shape)
    found = even_parts(mirror, noisy, NAMES)
    swapped = [NAMES.index(other_side(name) or name) for name in NAMES]
    half = len(vertices) // 2
    np.testing.assert_allclose(found[:half], found[half:][:, swapped], atol=1e-9)


def test_a_posed_figure_is_left_as_it_is():
    vertices, faces, _ = even_mannequin()
    arm = vertices[:, 0] > 0.25
    posed = vertices.copy()
    posed[arm] = posed[arm] @ np.array([[0, 0, 1.0], [0, 1, 0], [-1, 0, 0]]) + [-1.2, 0, 1.7]
    assert mirror_of(posed, vertex_areas(posed, faces), np.array([1.0, 0, 0]), 1.8) is None


def test_loose_things_on_one_side_do_not_matter():
    vertices, faces, parts = even_mannequin()
    sword = np.array([[0.9, -0.1, 1.4], [0.9, -0.5, 1.4], [0.9, -0.1, 1.5]])
    shape = np.concatenate([vertices, sword])
    own = np.concatenate([faces, np.array([[0, 1, 2]]) + len(vertices)])
    mirror = mirror_of(shape, vertex_areas(shape, own), np.array([1.0, 0, 0]), 1.8)
    np.testing.assert_array_equal(mirror.twin[-3:], -1)
    values = np.concatenate([parts, np.eye(len(NAMES))[:3]])
    np.testing.assert_array_equal(even_parts(mirror, values, NAMES)[-3:], values[-3:])
