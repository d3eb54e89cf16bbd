"""Joints go where the skin around them goes."""

import numpy as np
import pytest

from diffusionnet_blender.matching.joint_rings import JointRing
from diffusionnet_blender.matching.points import points_at_vertices
from diffusionnet_blender.matching.transfer.joints import carry_joints
from tests.matching.pairs import lumpy_surface
from tests.shapes import random_rotation


def bent_tube(angle):
    """A tube along z that bends around x at its middle, its faces, and its weights of two bones."""
    around, along = 16, 41
    turn = np.linspace(0, 2 * np.pi, around, endpoint=False)
    height = np.linspace(-1, 1, along)
    ring = 0.2 * np.stack([np.cos(turn), np.sin(turn), np.zeros(around)], axis=1)
    rest = (ring[None] + height[:, None, None] * [0, 0, 1.0]).reshape(-1, 3)
    upper = np.repeat(np.clip(0.5 + 5 * height, 0, 1), around)
    share = upper * angle
    c, s = np.cos(share), np.sin(share)
    x, y, z = rest.T
    vertices = np.stack([x, c * y - s * z, s * y + c * z], axis=1)
    first = np.arange(around * (along - 1))
    beside = first // around * around + (first + 1) % around
    faces = np.concatenate(
        [np.stack([first, beside, beside + around], axis=1),
         np.stack([first, beside + around, first + around], axis=1)]
    )  # fmt: skip
    return vertices, faces, np.stack([1 - upper, upper], axis=1)


@pytest.mark.parametrize("weighted", [True, False])
def test_a_body_turned_scaled_and_moved_gets_exactly_its_joints(weighted):
    surface, directions = lumpy_surface(3)
    turn = random_rotation(2)
    moved = 3.0 * surface.vertices @ turn.T + [5, -1, 2]
    joints = np.array([[0, 0, 0], [0.2, 0.1, 0.9], [0, 2.0, -3.0]])
    influence = np.zeros((len(directions), 3))
    if weighted:
        influence[:, 1] = directions[:, 2] > 0
    carried = carry_joints(
        points_at_vertices(np.arange(len(directions)), surface.faces),
        (surface.vertices, surface.faces),
        (moved, surface.faces),
        joints,
        influence,
        np.ones(len(directions)),
    )
    np.testing.assert_allclose(carried.positions, 3.0 * joints @ turn.T + [5, -1, 2], atol=1e-9)
    np.testing.assert_allclose(carried.turns, np.tile(turn, (3, 1, 1)), atol=1e-9)
    np.testing.assert_allclose(carried.scales, 3.0)


def test_a_joint_of_a_bent_limb_stays_inside_and_its_ends_follow():
    straight, faces, weights = bent_tube(0.0)
    bent, _, _ = bent_tube(np.radians(70))
    joints = np.array([[0, 0, -1.0], [0, 0, 0], [0, 0, 1.0]])
    influence = np.stack([weights[:, 0], weights.sum(axis=1), weights[:, 1]], axis=1)
    carried = carry_joints(
        points_at_vertices(np.arange(len(straight)), faces),
        (straight, faces),
        (bent, faces),
        joints,
        influence,
        np.ones(len(straight)),
    )
    # The lower end stays, the upper turns with its half, the elbow is in the middle of its ring.
    away = carried.positions - [[0, 0, -1], [0, 0, 0], [0, -np.sin(1.2217), np.cos(1.2217)]]
    assert np.linalg.norm(away, axis=1).max() < 0.05
    turned = carried.turns @ [0, 0, 1.0]
    np.testing.assert_allclose(turned[0], [0, 0, 1], atol=0.05)
    np.testing.assert_allclose(turned[2], [0, -np.sin(1.2217), np.cos(1.2217)], atol=0.05)


def test_skin_of_another_limb_close_by_does_not_pull():
    """Two tubes side by side: the second moves away, the joint of the first stays."""
    tube, faces, weights = bent_tube(0.0)
    beside = tube + [0.45, 0, 0]
    both = np.concatenate([tube, beside])
    moved = np.concatenate([tube, beside + [3.0, 0, 0]])
    faces = np.concatenate([faces, faces + len(tube)])
    influence = np.concatenate([weights.sum(axis=1), np.zeros(len(tube))])[:, None]
    carried = carry_joints(
        points_at_vertices(np.arange(len(both)), faces),
        (both, faces),
        (moved, faces),
        np.zeros((1, 3)),
        influence,
        np.ones(len(both)),
    )
    assert np.linalg.norm(carried.positions[0]) < 0.01


def test_known_joints_are_met_and_those_between_go_along():
    vertices, faces, weights = bent_tube(0.0)
    along = np.array([-1.0, -0.5, 0.0, 0.5, 1.0])
    joints = np.stack([np.zeros(5), np.zeros(5), along], axis=1)
    influence = np.repeat(weights.sum(axis=1)[:, None], 5, axis=1)
    shift = np.array([0.05, 0.0, 0.02])

    def carried(known):
        points = points_at_vertices(np.arange(len(vertices)), faces)
        surface = vertices, faces
        confidence = np.ones(len(vertices))
        found = carry_joints(points, surface, surface, joints, influence, confidence, known)
        return found.positions

    # Next to the joints, and where they belong on the target.
    near = np.array([0.01, 0.0, 0.01])
    found = carried([(joints[i] + near, joints[i] + shift) for i in (2, 4)])
    np.testing.assert_allclose(found[[2, 4]], joints[[2, 4]] + shift, atol=1e-9)
    lengths = np.linalg.norm(found - carried([]), axis=1) / np.linalg.norm(shift)
    assert lengths[3] > lengths[1] > lengths[0] > 0
    assert lengths[0] < 0.1
    # Nothing of the rig is there.
    far = [(joints[2] + [1.0, 0, 0], joints[2])]
    np.testing.assert_array_equal(carried(far), carried([]))


def test_a_ring_tells_its_joint_in_any_pose():
    straight, faces, _ = bent_tube(0.0)
    turn = random_rotation(3)
    middle = np.flatnonzero(np.abs(straight[:, 2]) < 1e-9)
    ring = JointRing(points_at_vertices(middle, faces), np.full(len(middle), 1 / len(middle)))
    np.testing.assert_allclose(ring.centre(straight, faces), 0, atol=1e-12)
    placed = 2.0 * straight @ turn.T + [1.0, 2.0, 3.0]
    np.testing.assert_allclose(ring.centre(placed, faces), [1.0, 2.0, 3.0], atol=1e-9)
