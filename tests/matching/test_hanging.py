"""Eyes that the source lacks move as one in keys of lids; eyes of both, and lashes, as before."""

import numpy as np

from diffusionnet_blender.matching.closest import ClosestPoints
from diffusionnet_blender.matching.transfer.patch_keys import keys_on_patches
from tests.heads import Head, blinked, on_head

HEAD = Head(3.0)
RADIUS = 0.13


def ball(across=13):
    """An eye behind the lids: vertices and faces."""
    lon, lat = np.meshgrid(np.linspace(-180, 180, across)[:-1], np.linspace(-75, 75, 7))
    lon, lat = np.radians([lon.ravel(), lat.ravel()])
    rows = [np.cos(lat) * np.sin(lon), -np.cos(lat) * np.cos(lon), np.sin(lat)]
    poles = [[0, 0, -1], [0, 0, 1]]
    around, count = across - 1, len(lon)
    faces = []
    for one in range(around):
        other = (one + 1) % around
        faces.append([count, other, one])
        faces.append([count + 1, count - around + one, count - around + other])
        for row in range(0, count - around, around):
            faces.append([row + one, row + other, row + around + other])
            faces.append([row + one, row + around + other, row + around + one])
    middle = on_head(np.array([[31.0, 10.0]]))[0] * 0.87
    return middle + RADIUS * np.concatenate([np.stack(rows, axis=1), poles]), np.array(faces)


def lashes():
    """A strip over the rim of the upper lid."""
    lon, lat = np.meshgrid(np.linspace(20, 42, 9), [16.5, 18.0], indexing="ij")
    vertices = 1.01 * on_head(np.stack([lon.ravel(), lat.ravel()], axis=1))
    first = np.arange(0, 16, 2)[:, None]
    return vertices, np.concatenate([first + [0, 2, 3], first + [0, 3, 1]])


def with_part(head, part):
    vertices = np.concatenate([head.vertices, part[0]])
    return vertices, np.concatenate([head.faces, part[1] + len(head.vertices)])


def moved(source, target, key):
    points, _ = ClosestPoints(*source)(target[0])
    found = keys_on_patches(points, source, target, key[None])
    assert found.chosen.all()
    return found.positions[0]


def test_an_eye_that_the_source_lacks_keeps_its_shape_and_is_not_dragged_by_the_lid():
    head, eye = Head(4.3), ball()
    source, target = (HEAD.vertices, HEAD.faces), with_part(head, eye)
    found = moved(source, target, blinked(HEAD))
    own = np.arange(len(head.vertices), len(target[0]))
    lengths = [np.linalg.norm(at[own][:, None] - at[own], axis=2) for at in (target[0], found)]
    np.testing.assert_allclose(*lengths, atol=1e-9)
    lid = np.linalg.norm(found - target[0], axis=1)[: len(head.vertices)].max()
    assert lid > 0.15
    assert np.linalg.norm(found[own].mean(axis=0) - target[0][own].mean(axis=0)) < 0.3 * lid


def test_an_eye_of_both_moves_as_that_of_the_source():
    head = Head(4.3)
    source, target = with_part(HEAD, ball()), with_part(head, ball(17))
    key = np.array(source[0])
    key[: len(HEAD.vertices)] = blinked(HEAD)
    key[len(HEAD.vertices) :] += [0.05, 0, 0]
    found = moved(source, target, key)
    own = np.arange(len(head.vertices), len(target[0]))
    np.testing.assert_allclose(
        found[own] - target[0][own], np.tile([0.05, 0, 0], (len(own), 1)), atol=5e-3
    )


def test_lashes_that_the_source_lacks_go_with_the_lid():
    head, strip = Head(4.3), lashes()
    target = with_part(head, strip)
    found = moved((HEAD.vertices, HEAD.faces), target, blinked(HEAD))
    own = np.arange(len(head.vertices), len(target[0]))
    down = (target[0] - found)[own, 2]
    lower = down[np.arange(0, len(own), 2)]
    assert lower[3:6].min() > 0.1
    assert down[0] < 0.6 * lower[4]
