"""Fingers go to their own fingers, by their order on the hand and not by how they look."""

import numpy as np
import pytest
from scipy.spatial import cKDTree

from diffusionnet_blender.matching.limbs.digit_map import with_digits
from diffusionnet_blender.matching.limbs.digits import (
    EXTREMITIES,
    ROOT,
    digit_coordinates,
    digits_of,
    paired_digits,
)
from diffusionnet_blender.matching.limbs.links import PARTS
from diffusionnet_blender.matching.limbs.parted import parted_mesh
from diffusionnet_blender.matching.points import points_at_vertices
from diffusionnet_blender.surface.outer_skin import make_skin
from diffusionnet_blender.surface.repair import repair
from diffusionnet_blender.surface.surface import Surface
from diffusionnet_blender.surface.triangles import compact
from tests.matching.test_limbs import capsule
from tests.shapes import icosphere, joined

HAND = EXTREMITIES[0]
FINGERS = ("thumb", "index", "middle", "ring", "little")
WITHOUT_RING = ("thumb", "index", "middle", "little")
# Lengths, and places of the roots across the hand, whose back is up.
LENGTHS = dict(zip(FINGERS, (0.05, 0.075, 0.085, 0.075, 0.06), strict=True))
ROOTS = dict(zip(FINGERS, (-0.07, -0.06, -0.02, 0.02, 0.06), strict=True))
# How places look: a finger is like its neighbours, and here each is as the next one there.
HERE = {"": 0.0, "thumb": 1.2, "index": 0.4, "middle": 0.6, "ring": 0.7, "little": 0.8}
SHIFTED = {"": 0.0, "thumb": 1.2, "index": 0.6, "middle": 0.7, "ring": 0.8, "little": 0.8}


class Hand:
    """The skin of a left hand on its forearm, with fingers that are curled by some degrees."""

    def __init__(self, fingers=FINGERS, curl=0.0, size=1.0):
        ball, triangles = icosphere(3)
        pieces = [
            ("", "forearm.L", capsule((0, -0.15, 0), (0, 0, 0), 0.025)),
            ("", "palm.L", (ball * [0.08, 0.06, 0.012] + [0, 0.04, 0], triangles)),
        ]
        for name in fingers:
            at = np.array([ROOTS[name], 0.02 if name == "thumb" else 0.06, 0.0])
            for bend in np.radians([0.3 * curl, curl]):
                way = np.array([0, np.cos(bend), -np.sin(bend)])
                end = at + 0.8 * LENGTHS[name] * np.array(
                    [-0.8, 0.6, 0] if name == "thumb" else way
                )
                pieces.append((name, "fingers.L", capsule(at, end, 0.008)))
                at = end
        vertices, faces = joined(*(mesh for _, _, mesh in pieces))
        owner = np.repeat(np.arange(len(pieces)), [len(mesh[0]) for _, _, mesh in pieces])
        skin = repair(make_skin(Surface(vertices, faces), 90).surface).surface
        near = owner[cKDTree(vertices).query(skin.vertices)[1]]
        self.finger = np.array([name for name, _, _ in pieces])[near]
        part = np.array([PARTS.index(part) for _, part, _ in pieces])[near]
        self.vertices, self.faces, self.parts = size * skin.vertices, skin.faces, part
        self.mesh = parted(self.vertices, self.faces, part)

    def looking(self, looks):
        return np.array([[looks[name]] for name in self.finger])


def parted(vertices, faces, part):
    return parted_mesh(vertices, faces, np.eye(len(PARTS))[part], PARTS, np.eye(3))


def partners(source, target, looks, others, coordinates):
    """The vertex of the source that each of the target goes to."""
    rows = [source.looking(looks), target.looking(others)]
    if coordinates is not None:
        rows = [np.concatenate(pair, axis=1) for pair in zip(rows, coordinates, strict=True)]
    return cKDTree(rows[0]).query(rows[1])[1]


def kept(source, target, near, name):
    """Share of a finger of the target that goes to the same one."""
    return np.mean(source.finger[near[target.finger == name]] == name)


@pytest.fixture(scope="module")
def flat():
    return Hand()


@pytest.fixture(scope="module")
def curled():
    return Hand(curl=40.0, size=3.0)


def test_fingers_are_found_in_their_order_in_any_pose(flat, curled):
    for hand in (flat, curled):
        found = digits_of(hand.mesh, HAND, "L")
        names = []
        for digit in found:
            kinds, count = np.unique(hand.finger[digit.vertices], return_counts=True)
            assert count.max() > 0.9 * count.sum()
            names.append(str(kinds[count.argmax()]))
        assert tuple(names) in (FINGERS, FINGERS[::-1])


def test_a_finger_that_looks_like_its_neighbour_goes_to_itself(flat, curled):
    rows = flat.looking(HERE), curled.looking(SHIFTED)
    coordinates = digit_coordinates(flat.mesh, curled.mesh, *rows)
    misled = partners(flat, curled, HERE, SHIFTED, None)
    near = partners(flat, curled, HERE, SHIFTED, coordinates)
    for name in ("index", "middle", "ring"):
        assert kept(flat, curled, misled, name) == 0.0
        # Its root looks like the palm.
        assert kept(flat, curled, near, name) > 0.7


def test_the_back_of_a_finger_goes_to_the_back(flat, curled):
    rows = flat.looking(HERE), curled.looking(SHIFTED)
    coordinates = digit_coordinates(flat.mesh, curled.mesh, *rows)
    near = partners(flat, curled, HERE, SHIFTED, coordinates)
    up, image = curled.mesh.normals[:, 2], flat.mesh.normals[near, 2]
    apart = (np.abs(coordinates[1]).max(axis=1) > 0.9) & (np.abs(up) > 0.7)
    assert np.mean(np.sign(up[apart]) == np.sign(image[apart])) > 0.97


def misled_map(source, target, pinned=()):
    """A map of fingers to their neighbours, before and after digits are laid on their own."""
    near = partners(source, target, HERE, SHIFTED, None)
    before = points_at_vertices(near, source.faces)
    rows = source.looking(HERE), target.looking(SHIFTED)
    hands = paired_digits(source.mesh, target.mesh, *rows)
    pinned = np.array(pinned, int)
    return before, with_digits(before, source.mesh, target.mesh, hands, pinned)


def test_digits_are_laid_on_their_own_along_and_around_them(flat, curled):
    before, found = misled_map(flat, curled)
    nearest = [points.nearest_vertex(flat.faces) for points in (before, found)]
    for digit in digits_of(curled.mesh, HAND, "L")[1:-1]:
        # At its root a digit goes over into the map.
        beyond = digit.vertices[digit.along > ROOT]
        wrong, right = (flat.finger[near[beyond]] == curled.finger[beyond] for near in nearest)
        assert wrong.mean() == 0.0
        assert right.mean() > 0.97
    digit = digits_of(curled.mesh, HAND, "L")[2]
    outer = digit.vertices[digit.along > 0.4]
    name = str(curled.finger[outer][0])
    # Both middle lines begin at the same height; bones of the curled one are as long.
    length = found[outer].interpolate(flat.vertices, flat.faces)[:, 1] - 0.06
    assert np.corrcoef(length, digit.along[digit.along > 0.4])[0, 1] > 0.97
    assert np.ptp(length) > 0.3 * LENGTHS[name]
    facing = found[outer].interpolate(flat.mesh.normals, flat.faces)
    up = curled.mesh.normals[outer, 2]
    sideways = np.abs(up) > 0.7
    assert np.mean(np.sign(up[sideways]) == np.sign(facing[sideways, 2])) > 0.95


def test_a_map_stays_where_there_is_no_digit_and_on_a_digit_with_a_pin(flat, curled):
    before, found = misled_map(flat, curled)
    digits = digits_of(curled.mesh, HAND, "L")
    palm = np.setdiff1d(np.arange(len(before)), np.concatenate([d.vertices for d in digits]))
    np.testing.assert_array_equal(found.face[palm], before.face[palm])
    pinned = digits[1].vertices[np.argmax(digits[1].along)]
    before, found = misled_map(flat, curled, [pinned])
    np.testing.assert_array_equal(found.face[digits[1].vertices], before.face[digits[1].vertices])
    assert (found.face[digits[2].vertices] != before.face[digits[2].vertices]).any()


def test_fingers_are_found_where_a_sleeve_has_taken_the_arm_away(flat):
    hand = flat.faces[(flat.parts != PARTS.index("forearm.L"))[flat.faces].all(axis=1)]
    faces, used = compact(len(flat.vertices), hand)
    sleeve = capsule((0, -0.45, 0), (0, -0.01, 0), 0.1)
    vertices, faces = joined((flat.vertices[used], faces), sleeve)
    arm = np.full(len(sleeve[0]), PARTS.index("forearm.L"))
    mesh = parted(vertices, faces, np.concatenate([flat.parts[used], arm]))
    found = digits_of(mesh, HAND, "L")
    finger = flat.finger[used]
    names = [str(finger[digit.vertices[digit.along > ROOT]][0]) for digit in found]
    assert tuple(names) in (FINGERS, FINGERS[::-1])


def test_forms_tell_the_thumb_where_a_map_has_the_hand_the_wrong_way_round(flat, curled):
    backward = dict(zip(FINGERS, [HERE[name] for name in FINGERS[::-1]], strict=True)) | {"": 0.0}
    rows = flat.looking(HERE), curled.looking(backward)
    for by_form, expected in ((False, FINGERS[::-1]), (True, FINGERS)):
        (hand,) = paired_digits(flat.mesh, curled.mesh, *rows, by_form=by_form)
        partner = {}
        for one, other in zip(hand.source, hand.target, strict=True):
            names = [
                str(figure.finger[digit.vertices[digit.along > ROOT]][0])
                for figure, digit in ((flat, one), (curled, other))
            ]
            partner[names[0]] = names[1]
        assert tuple(partner[name] for name in FINGERS) == expected


def test_fingers_keep_their_order_where_one_is_missing(flat):
    fewer = Hand(WITHOUT_RING)
    rows = flat.looking(HERE), fewer.looking(HERE)
    near = partners(flat, fewer, HERE, HERE, digit_coordinates(flat.mesh, fewer.mesh, *rows))
    assert all(kept(flat, fewer, near, name) > 0.9 for name in WITHOUT_RING)


def test_a_mitten_has_no_fingers(flat):
    mitten = Hand(())
    assert digits_of(mitten.mesh, HAND, "L") == []
    assert (
        digit_coordinates(flat.mesh, mitten.mesh, flat.looking(HERE), mitten.looking(HERE)) is None
    )


def test_hands_of_sides_that_are_exchanged_are_left_alone(flat):
    vertices = np.concatenate(
        [flat.vertices + [0.5, 0, 0], (flat.vertices + [0.5, 0, 0]) * [-1, 1, 1]]
    )
    faces = np.concatenate([flat.faces, flat.faces[:, ::-1] + len(flat.vertices)])
    right = np.array([PARTS.index(name.replace(".L", ".R")) for name in PARTS])
    body = parted(vertices, faces, np.concatenate([flat.parts, right[flat.parts]]))
    looks = flat.looking(HERE)
    rows = np.concatenate([looks, looks + 10.0])
    exchanged = np.concatenate([looks + 10.0, looks])
    assert digit_coordinates(body, body, rows, rows) is not None
    assert digit_coordinates(body, body, rows, exchanged) is None
