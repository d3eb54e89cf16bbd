"""Garments on another body: relative to its skin as before, whole, above it, in order."""

import numpy as np
import pytest

from diffusionnet_blender.matching.closest import ClosestPoints
from diffusionnet_blender.matching.refit import refit
from diffusionnet_blender.matching.skin import Skin
from diffusionnet_blender.surface.triangles import compact
from diffusionnet_blender.surface.winding import vertex_normals
from tests.matching.pairs import lumps
from tests.shapes import icosphere, joined, random_rotation

DIRECTIONS, FACES = icosphere(4)
BODY = lumps(DIRECTIONS)
TURN = random_rotation(7)
# Twice as large, wider along one axis, turned and elsewhere.
OTHER = 2.0 * (BODY * [1.25, 1.0, 1.0]) @ TURN.T + [10.0, 0.0, 0.0]


def worn(height, low=-0.3, high=0.4, body=BODY):
    """A belt of the skin, so high above it."""
    inside = (DIRECTIONS[:, 2] > low) & (DIRECTIONS[:, 2] < high)
    faces, kept = compact(len(body), FACES[inside[FACES].all(axis=1)])
    return (body + height * vertex_normals(body, FACES))[kept], faces, kept


def heights(vertices, body=OTHER):
    skin = Skin(body, FACES)
    points, _ = skin.surface(vertices)
    return skin.above(points, vertices, vertices)[0]


def test_a_garment_keeps_its_place_and_its_height_relative_to_the_size():
    vertices, faces, kept = worn(0.03)
    found = refit((vertices, faces), (BODY, FACES), OTHER)
    right = OTHER[kept] + 0.06 * vertex_normals(OTHER, FACES)[kept]
    off = np.linalg.norm(found.vertices - right, axis=1)
    assert off.mean() < 0.02
    assert heights(found.vertices).min() > 0.03


def test_a_body_that_only_moves_takes_its_garment_along_unchanged():
    vertices, faces, _ = worn(0.03)
    found = refit((vertices, faces), (BODY, FACES), BODY @ TURN.T + 5.0)
    np.testing.assert_allclose(found.vertices, vertices @ TURN.T + 5.0, atol=2e-3)


def test_nothing_is_beneath_the_skin_nor_between_vertices():
    """A belly that grows through a garment of wide faces."""
    belly = np.exp(-8 * np.square(DIRECTIONS - [1, 0, 0]).sum(axis=1))
    fat = BODY + 0.35 * belly[:, None] * DIRECTIONS
    coarse, coarse_faces = icosphere(3)
    inside = np.abs(coarse[:, 2]) < 0.5
    faces, kept = compact(len(coarse), coarse_faces[inside[coarse_faces].all(axis=1)])
    vertices = 1.005 * lumps(coarse)[kept]
    found = refit((vertices, faces), (BODY, FACES), fat, gap=0.002).vertices
    samples = [found, found[faces].mean(axis=1), found[faces[:, :2]].mean(axis=1)]
    assert heights(np.concatenate(samples), fat).min() > 0.0


def test_layers_keep_their_order():
    inner, faces, _ = worn(0.004)
    outer, _, _ = worn(0.012)
    both = joined((inner, faces), (outer, faces))
    thin = BODY * [1.3, 0.8, 1.0]
    found = refit(both, (BODY, FACES), thin, gap=0.01).vertices
    within, without = found[: len(inner)], found[len(inner) :]
    assert heights(within, thin).min() > 0.0
    skin = Skin(within, faces)
    points, _ = skin.surface(without)
    above, _ = skin.above(points, without, without)
    assert (above > 0).mean() > 0.99


def test_a_button_keeps_its_form_and_sits_on_its_cloth():
    cloth, faces, _ = worn(0.02)
    ball, ball_faces = icosphere(1)
    place = cloth[np.argmax(cloth[:, 0])]
    button = 0.02 * ball * [0.5, 1, 1] + place + [0.01, 0, 0]
    found = refit(joined((cloth, faces), (button, ball_faces)), (BODY, FACES), OTHER).vertices
    made = found[len(cloth) :]

    def lengths(x):
        return np.linalg.norm(x[ball_faces[:, 0]] - x[ball_faces[:, 1]], axis=1)

    ratio = lengths(made) / lengths(button)
    np.testing.assert_allclose(ratio, ratio.mean(), rtol=1e-6)
    surface = ClosestPoints(found[: len(cloth)], faces)
    away = np.linalg.norm(surface.positions(surface(made)[0]) - made, axis=1)
    assert away.min() < 0.03


def test_a_stiff_thing_is_moved_by_a_similarity():
    vertices, faces, _ = worn(0.03, 0.8, 1.1)
    stiff = np.zeros(len(vertices), int)
    found = refit((vertices, faces), (BODY, FACES), OTHER, stiff, gap=0.01).vertices
    lengths = [np.linalg.norm(x[faces[:, 0]] - x[faces[:, 1]], axis=1) for x in (found, vertices)]
    np.testing.assert_allclose(lengths[0] / lengths[1], (lengths[0] / lengths[1])[0], rtol=1e-6)
    assert heights(found).min() > 0.0


def test_what_has_no_body_near_hangs_on_where_there_is_one():
    """A wide skirt: its hem keeps its length, and stays as far below its waist."""
    angle = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    rows = np.linspace(0, 1, 12)[:, None]
    waist = lumps(np.stack([np.cos(angle), np.sin(angle), 0 * angle], axis=1))
    outward = waist / np.linalg.norm(waist, axis=1, keepdims=True)
    skirt = waist * 1.02 + rows[:, :, None] * (0.9 * outward + [0, 0, -0.6])
    first = np.arange(11 * 40)
    after = first - first % 40 + (first + 1) % 40
    faces = np.concatenate(
        [np.stack([first, first + 40, after], 1), np.stack([after, first + 40, after + 40], 1)]
    )
    vertices = skirt.reshape(-1, 3)
    found = refit((vertices, faces), (BODY, FACES), 2.0 * BODY @ TURN.T)
    assert (found.near[-40:] == 0).all()
    lengths = [np.linalg.norm(x[first] - x[first + 40], axis=1) for x in (found.vertices, vertices)]
    np.testing.assert_allclose(lengths[0] / lengths[1], 2.0, rtol=0.1)
    hem = (found.vertices[-40:] @ TURN / 2.0)[:, 2]
    np.testing.assert_allclose(hem, vertices[-40:, 2], atol=0.1)


def test_roots_of_hair_stay_inside():
    vertices, faces, _ = worn(-0.02)
    assert heights(refit((vertices, faces), (BODY, FACES), OTHER).vertices).min() > -1e-6
    hair = np.ones(len(vertices), dtype=bool)
    assert heights(refit((vertices, faces), (BODY, FACES), OTHER, hair=hair).vertices).max() < 0.0


def test_it_can_be_stopped():
    class Stopped(Exception):
        pass

    def stop(fraction):
        raise Stopped

    with pytest.raises(Stopped):
        refit(worn(0.03)[:2], (BODY, FACES), OTHER, progress=stop)
