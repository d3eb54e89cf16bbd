"""A map sharpened on a part that looks alike on both meshes."""

import numpy as np

from diffusionnet_blender.matching.closest import ClosestPoints
from diffusionnet_blender.matching.sharpening import sharpened
from tests.heads import Head, on_head

SOURCE, TARGET = Head(3.0), Head(4.3)
MESHES = tuple((head.vertices, head.faces) for head in (SOURCE, TARGET))


def spoilt():
    """The map with errors of three degrees, and a part of the source that ends on the head."""
    rng = np.random.default_rng(0)
    degrees = TARGET.degrees + 3.0 * rng.standard_normal(TARGET.degrees.shape)
    points, _ = ClosestPoints(*MESHES[0])(on_head(degrees))
    return points, np.flatnonzero(np.abs(SOURCE.degrees[:, 0]) < 60)


def away(points):
    return np.linalg.norm(points.interpolate(*MESHES[0]) - TARGET.vertices, axis=1)


def test_places_in_the_part_are_nearer_to_the_truth_and_others_stay():
    points, part = spoilt()
    found = sharpened(points, *MESHES, part, np.zeros(0, int))
    middle = np.abs(TARGET.degrees[:, 0]) < 20
    assert away(found)[middle].mean() < 0.5 * away(points)[middle].mean()
    outside = np.abs(TARGET.degrees[:, 0]) > 75
    np.testing.assert_array_equal(found.face[outside], points.face[outside])


def test_a_part_with_a_pin_stays_as_it_is():
    points, part = spoilt()
    pin = np.flatnonzero(np.abs(TARGET.degrees).max(axis=1) < 20)[:1]
    found = sharpened(points, *MESHES, part, pin)
    np.testing.assert_array_equal(found.barycentric, points.barycentric)
