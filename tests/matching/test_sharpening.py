"""A map sharpened on a part that looks alike on both meshes."""

import numpy as np
import pytest

from diffusionnet_blender.matching.closest import ClosestPoints
from diffusionnet_blender.matching.points import SurfacePoints
from diffusionnet_blender.matching.sharpening import sharpened
from diffusionnet_blender.matching.warp import Similarity
from diffusionnet_blender.surface.triangles import compact
from tests.heads import Head, on_head
from tests.shapes import icosphere, joined

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


def with_more(mesh):
    """The target's mesh with a loose part, and the spoilt map with that part at its nearest."""
    vertices, faces = joined(MESHES[1], mesh)
    points, part = spoilt()
    nearest, _ = ClosestPoints(*MESHES[0])(mesh[0])
    whole = SurfacePoints(
        np.concatenate([points.face, nearest.face]),
        np.concatenate([points.barycentric, nearest.barycentric]),
    )
    return (vertices, faces), whole, part


def teeth():
    """More vertices than the head has, in a small place behind the mouth."""
    vertices, faces = icosphere(4)
    return 0.12 * vertices + [0.0, -0.6, -0.35], faces


def hair():
    """A cap that stands off the head, with as much of its area as the face has."""
    cap = Head(2.0)
    above = cap.degrees[:, 1] > 20
    faces, kept = compact(len(cap.vertices), cap.faces[above[cap.faces].all(axis=1)])
    return 1.5 * cap.vertices[kept], faces


@pytest.mark.parametrize("more", [teeth, hair])
def test_what_is_on_one_head_alone_does_not_decide_how_the_two_lie(more):
    target, points, part = with_more(more())
    found = sharpened(points, MESHES[0], target, part, np.zeros(0, int))
    count = len(TARGET.vertices)
    middle = np.abs(TARGET.degrees[:, 0]) < 20
    assert away(found[:count])[middle].mean() < 0.5 * away(points[:count])[middle].mean()


def test_a_map_that_is_lost_is_found_again_from_a_start():
    points, part = spoilt()
    lost = points[np.random.default_rng(1).permutation(len(points))]
    start = Similarity(np.eye(3), 1.1, np.array([0.05, -0.1, 0.05]))
    found = sharpened(lost, *MESHES, part, np.zeros(0, int), start=start)
    middle = np.abs(TARGET.degrees[:, 0]) < 20
    assert away(found)[middle].mean() < 0.5 * away(points)[middle].mean()


def test_what_the_part_encloses_is_sharpened_with_it():
    points, part = spoilt()
    off = np.linalg.norm(SOURCE.degrees[part] - [0, 10], axis=1)
    found = sharpened(points, *MESHES, part[off > 8], np.zeros(0, int))
    around = np.linalg.norm(TARGET.degrees - [0, 10], axis=1) < 15
    assert away(found)[around].mean() < 0.5 * away(points)[around].mean()
