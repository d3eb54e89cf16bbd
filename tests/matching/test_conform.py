"""A mesh bent onto another keeps its faces, lies on it, and takes loose parts along."""

import numpy as np
import pytest

from diffusionnet_blender.matching.arap import Drawn, RestShape
from diffusionnet_blender.matching.closest import ClosestPoints
from diffusionnet_blender.matching.conform import conform
from diffusionnet_blender.matching.points import points_at_vertices
from diffusionnet_blender.surface.surface import Surface, triangle_vectors
from tests.matching.pairs import lumps, lumpy_surface
from tests.shapes import icosphere, joined, random_rotation

TURN = random_rotation(3)


@pytest.fixture(scope="module")
def pair():
    """A sphere, and a lumpy body elsewhere, larger, turned and in other triangles."""
    directions, faces = icosphere(3)
    shape, there = lumpy_surface(4, seed=5)
    moved = Surface(4.0 * shape.vertices @ TURN.T + [10, 0, 0], shape.faces)
    points, _ = ClosestPoints(there, shape.faces)(directions)
    right = 4.0 * lumps(directions) @ TURN.T + [10, 0, 0]
    return Surface(directions, faces), moved, points, right


def distance(vertices, shape):
    surface = ClosestPoints(shape.vertices, shape.faces)
    return np.linalg.norm(surface.positions(surface(vertices)[0]) - vertices, axis=1)


def bent(pair, confidence=None, **options):
    mesh, shape, points, _ = pair
    sure = np.ones(len(mesh.vertices)) if confidence is None else confidence
    target = (shape.vertices, shape.faces)
    return conform(mesh.vertices, mesh.faces, target, points, sure, **options)


def test_the_mesh_lies_on_the_target_where_it_belongs(pair):
    mesh, shape, _, right = pair
    found = bent(pair)
    assert found.on_target.all()
    size = np.ptp(shape.vertices, axis=0).max()
    away = distance(found.vertices, shape)
    assert away.mean() < 1e-5 * size
    assert away.max() < 1e-3 * size
    off = np.linalg.norm(found.vertices - right, axis=1)
    edge = np.linalg.norm(right[mesh.faces[:, 0]] - right[mesh.faces[:, 1]], axis=1).mean()
    assert off.mean() < 0.5 * edge
    outward = triangle_vectors(right, mesh.faces)
    facing = np.einsum("fi,fi->f", triangle_vectors(found.vertices, mesh.faces), outward)
    assert (facing > 0).all()


def test_without_detail_it_lies_beside_the_target(pair):
    shape = pair[1]
    smooth, fine = bent(pair, detail=0.0), bent(pair)
    assert distance(fine.vertices, shape).mean() < 0.1 * distance(smooth.vertices, shape).mean()


def test_a_stiffer_mesh_keeps_its_edges_more_even(pair):
    mesh = pair[0]

    def spread(stiffness):
        at = bent(pair, stiffness=stiffness, detail=0.0).vertices
        lengths = [
            np.linalg.norm(x[mesh.faces[:, 0]] - x[mesh.faces[:, 1]], axis=1)
            for x in (at, mesh.vertices)
        ]
        return np.std(np.log(lengths[0] / lengths[1]))

    assert spread(50.0) < spread(1.0)


def test_vertices_without_a_counterpart_follow_the_others(pair):
    """A cap that may not go to the target goes on smoothly from its rim."""
    mesh, shape, points, right = pair
    cap = mesh.vertices[:, 2] > 0.7
    wrong = points.replaced(cap, points_at_vertices(np.zeros(cap.sum(), int), shape.faces))
    sure = np.where(cap, 0.0, 1.0)
    target = (shape.vertices, shape.faces)
    found = conform(mesh.vertices, mesh.faces, target, wrong, sure)
    assert not found.on_target[cap].any()
    off = np.linalg.norm(found.vertices - right, axis=1)
    assert off[cap].max() < 0.25 * np.ptp(right, axis=0).max()
    assert off[~cap].mean() < 0.1 * np.ptp(right, axis=0).max()


def test_a_loose_part_goes_along_and_keeps_its_form(pair):
    mesh, shape, points, _ = pair
    ball = icosphere(1)
    inside = (0.1 * ball[0] + [0, 0, 0.8], ball[1])
    vertices, faces = joined((mesh.vertices, mesh.faces), inside)
    count = len(ball[0])
    # Its own places on the target mean nothing.
    anywhere = points_at_vertices(np.zeros(count, int), shape.faces)
    both = points.replaced(slice(0, 0), points[:0])
    both = type(points)(
        np.concatenate([both.face, anywhere.face]),
        np.concatenate([both.barycentric, anywhere.barycentric]),
    )
    sure = np.concatenate([np.ones(len(mesh.vertices)), np.zeros(count)])
    found = conform(vertices, faces, (shape.vertices, shape.faces), both, sure).vertices[-count:]
    near = found.mean(axis=0)
    pole = bent(pair).vertices[mesh.vertices[:, 2].argmax()]
    assert np.linalg.norm(near - pole) < 0.35 * np.linalg.norm(pole - shape.vertices.mean(axis=0))
    radii = np.linalg.norm(found - near, axis=1)
    assert radii.max() < 1.6 * radii.min()


def opened(pair):
    """The target of a pair without its upper cap, the points on what is left, and the cap."""
    _, shape, _, right = pair
    up = TURN[:, 2]
    height = (shape.vertices - [10, 0, 0]) @ up
    level = 0.55 * height.max()
    left = shape.faces[(height[shape.faces] < level).all(axis=1)]
    points, _ = ClosestPoints(shape.vertices, left)(right)
    return Surface(shape.vertices, left), points, (right - [10, 0, 0]) @ up > level


def turned_over(mesh, at, right):
    facing = (triangle_vectors(x, mesh.faces) for x in (at, right))
    return (np.einsum("fi,fi->f", *facing) <= 0).sum()


def test_it_spans_a_hole_of_the_target(pair):
    """All that lies over the hole is matched to its rim, and sure of it."""
    mesh, _, _, right = pair
    shape, points, cap = opened(pair)
    found = bent((mesh, shape, points, right))
    assert turned_over(mesh, found.vertices, right) == 0
    assert found.on_target[cap].mean() < 0.2
    assert found.on_target[~cap].mean() > 0.9
    ends = mesh.faces[cap[mesh.faces].all(axis=1)][:, :2]
    lengths = [
        np.linalg.norm(x[ends[:, 0]] - x[ends[:, 1]], axis=1) for x in (found.vertices, right)
    ]
    assert (lengths[0] > 0.4 * lengths[1]).all()


def test_a_mesh_with_the_same_opening_lies_on_its_rim(pair):
    mesh, _, _, right = pair
    shape, points, cap = opened(pair)
    faces = mesh.faces[~cap[mesh.faces].any(axis=1)]
    kept = np.unique(faces)
    number = np.zeros(len(mesh.vertices), int)
    number[kept] = np.arange(len(kept))
    part = Surface(mesh.vertices[kept], number[faces])
    found = bent((part, shape, points[kept], right[kept]))
    assert found.on_target.mean() > 0.99
    assert turned_over(part, found.vertices, right[kept]) == 0


def test_a_spot_that_the_map_turns_upside_down_follows_its_neighbours(pair):
    mesh, shape, points, right = pair
    spot = mesh.vertices[:, 0] > 0.95
    there = lumpy_surface(4, seed=5)[1]
    across = mesh.vertices[spot] * [1.0, -1.0, -1.0]
    upside_down = points.replaced(spot, ClosestPoints(there, shape.faces)(across)[0])
    off = np.linalg.norm(bent((mesh, shape, upside_down, right)).vertices - right, axis=1)
    edge = np.linalg.norm(right[mesh.faces[:, 0]] - right[mesh.faces[:, 1]], axis=1).mean()
    assert off[spot].max() < edge


def test_what_has_no_goal_is_carried_along_turned():
    """However far the rest has turned, and wherever the goals of a cap without trust lie."""
    vertices, faces = icosphere(2)
    rest = RestShape.tied(vertices * [1.0, 1.0, 3.0], faces)
    right = 1.5 * rest.vertices @ random_rotation(1).T + [3, 1, 0]
    lost = vertices[:, 2] > 0.3
    trust = np.where(lost, 1e-3, 1.0)
    goal = np.where(lost[:, None], 0.0, right)
    at = Drawn(rest, 30 * trust * rest.mass).carried(goal, trust)
    assert np.linalg.norm(at - right, axis=1).max() < 0.1 * np.ptp(right, axis=0).max()
