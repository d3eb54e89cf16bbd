"""Shape keys of faces between meshes in other triangles: lips and lids meet as on the source."""

import numpy as np
import pytest

from diffusionnet_blender.matching.closest import ClosestPoints
from diffusionnet_blender.matching.points import SurfacePoints
from diffusionnet_blender.surface.surface import Surface
from diffusionnet_blender.tasks.transfer import Layers, MeshShape, transfer
from diffusionnet_blender.tasks.transfer.layers import ShapeKeys
from tests.heads import CORNERS, LIDS, LIP, MOUTH, Head, blinked, on_head, opened, shifted

SOURCE = Head(3.0)
KEYS = {"open": opened, "shift": shifted, "blink": blinked}
# The target is larger, stands elsewhere and is turned.
SCALE = 1.7
TURN = np.array([[np.cos(0.4), -np.sin(0.4), 0], [np.sin(0.4), np.cos(0.4), 0], [0, 0, 1.0]])
# Of the target's head, from chin to crown.
HEIGHT = SCALE * np.ptp(SOURCE.vertices[:, 2])


def placed(places):
    return SCALE * places @ TURN.T + [3, -2, 5]


def moved(target, keys=tuple(KEYS), spoilt=0.0):
    """Result of a transfer, along a map with errors of `spoilt` degrees."""
    rng = np.random.default_rng(0)
    degrees = target.degrees + spoilt * rng.standard_normal(target.degrees.shape)
    points, _ = ClosestPoints(SOURCE.vertices, SOURCE.faces)(on_head(degrees))
    shapes = [
        MeshShape.of(Surface(vertices, head.faces))
        for vertices, head in ((SOURCE.vertices, SOURCE), (placed(target.vertices), target))
    ]
    positions = np.array([KEYS[name](SOURCE) for name in keys])
    layers = Layers(keys=ShapeKeys(tuple(keys), positions))
    return transfer(*shapes, points, np.ones(len(points)), layers)


def truth(target, name):
    """The key made on the target as it was made on the source."""
    return placed(KEYS[name](target))


def errors(found, target, number, name):
    return np.linalg.norm(found.keys.positions[number] - truth(target, name), axis=1) / HEIGHT


def at_lids(head):
    """Vertices of the upper and the lower rim of the eye, from corner to corner."""
    lon, lat = head.degrees.T
    inside = (lon > CORNERS[0] + 6) & (lon < CORNERS[1] - 6)
    rims = [np.flatnonzero(inside & np.isclose(lat, rim)) for rim in LIDS[::-1]]
    return [rim[np.argsort(lon[rim])] for rim in rims]


def test_keys_are_nearer_to_the_truth_than_the_map_is():
    target = Head(4.3)
    found = moved(target, spoilt=3.0)
    for number, name in enumerate(KEYS):
        away = np.linalg.norm(truth(target, name) - placed(target.vertices), axis=1) / HEIGHT
        off = errors(found, target, number, name)
        assert off.mean() < 0.15 * away[away > 1e-3].mean()


def test_lips_that_touch_stay_together_and_open_where_the_source_opens():
    target = Head(4.3)
    found = moved(target)
    lon, lat = target.degrees.T
    lips = np.isclose(np.abs(lat - MOUTH), LIP)
    upper, lower = (np.flatnonzero(lips & (target.is_lower == side)) for side in (False, True))
    order = [rim[np.argsort(lon[rim])] for rim in (upper, lower)]
    rest, shift = placed(target.vertices), found.keys.positions[1]
    gap, before = (np.linalg.norm(x[order[0]] - x[order[1]], axis=1) for x in (shift, rest))
    assert np.abs(gap - before).max() < 0.01 * HEIGHT
    # No part of the upper lip goes with the lower one.
    dropped = (rest - found.keys.positions[0])[:, 2] / SCALE
    assert np.abs(dropped[order[0]]).max() < 0.03
    middle = np.abs(lon[order[1]]) < 12
    assert dropped[order[1]][middle].min() > 0.08


def test_lids_of_larger_eyes_close():
    target = Head(3.7, lids=(0.0, 20.0))
    found = moved(target)
    upper, lower = at_lids(target)
    rest, blink = placed(target.vertices), found.keys.positions[2]
    open_by = np.linalg.norm(rest[upper] - rest[lower], axis=1)
    assert open_by.min() > 1.4 * SCALE * np.linalg.norm(
        np.ptp(on_head(np.array([[31.0, lid] for lid in LIDS])), axis=0)
    )
    assert np.abs((blink[upper] - blink[lower])[:, 2]).mean() < 0.01 * HEIGHT
    told = {contact.name: contact.gap for contact in found.contacts}
    assert told["blink"] < 0.01


def test_a_mouth_without_an_opening_is_told_and_its_keys_are_moved():
    target = Head(4.3, has_mouth=False)
    found = moved(target)
    assert [contact.name for contact in found.contacts if contact.sealed] == ["open"]
    dropped = placed(target.vertices) - found.keys.positions[0]
    assert dropped[:, 2].max() > 0.5 * SCALE * 0.12
    assert not any(contact.sealed for contact in moved(Head(4.3)).contacts)


@pytest.mark.parametrize("count", [1, 3])
def test_a_key_that_moves_nothing_stays_so(count):
    still = ShapeKeys(("still",) * count, np.tile(SOURCE.vertices, (count, 1, 1)))
    shape = MeshShape.of(Surface(SOURCE.vertices, SOURCE.faces))
    own = np.arange(len(SOURCE.vertices))
    corner = np.zeros(len(own), int)
    corner[SOURCE.faces.ravel()] = np.arange(SOURCE.faces.size)
    points = SurfacePoints(corner // 3, np.eye(3)[corner % 3])
    found = transfer(shape, shape, points, np.ones(len(own)), Layers(keys=still))
    assert not found.contacts
    np.testing.assert_allclose(found.keys.positions, still.positions, atol=1e-6)
