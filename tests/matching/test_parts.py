"""Small loose parts go where the surface around them goes."""

import numpy as np

from diffusionnet_blender.matching.parts import place_parts, split_parts
from diffusionnet_blender.matching.points import points_at_vertices
from diffusionnet_blender.surface.surface import Surface
from tests.matching.pairs import lumpy_surface
from tests.shapes import icosphere, joined, random_rotation

EYES = ((-0.3, 0.55, 1.2), (0.3, 0.55, 1.2))


def with_eyes(*places):
    body, _ = lumpy_surface(4)
    ball, faces = icosphere(1)
    return Surface(*joined((body.vertices, body.faces), *((0.1 * ball + p, faces) for p in places)))


def test_a_surface_in_one_piece_is_its_own_main_part():
    surface, _ = lumpy_surface(2)
    parts = split_parts(surface)
    assert parts.main is surface
    assert parts.count == 0


def carried(source, target):
    parts = split_parts(source), split_parts(target)
    same = points_at_vertices(np.arange(len(parts[1].main.vertices)), parts[0].main.faces)
    return (*parts, *place_parts(same, np.ones(len(same)), *parts))


def test_each_eye_lands_on_its_own_and_looks_the_same_way():
    """The eyes come in another order, and the whole stands turned and larger."""
    source, target = with_eyes(*EYES), with_eyes(*EYES[::-1])
    turn = random_rotation(3)
    turned = Surface(3 * target.vertices @ turn.T + [5, 1, 2], target.faces)
    _, parts, points, sure = carried(source, turned)
    assert parts.count == 2
    there = points.interpolate(source.vertices, source.faces)
    np.testing.assert_allclose(there, target.vertices, atol=1e-3)
    np.testing.assert_allclose(sure, 1)


def test_a_part_without_a_partner_lies_on_the_main_part_and_is_unsure():
    source, target = with_eyes(EYES[0]), with_eyes(*EYES)
    main, parts, points, sure = carried(source, target)
    lonely = np.flatnonzero(parts.part == 1)
    assert (points.face[lonely] < len(main.main_face)).all()
    assert (sure[lonely] < sure[parts.part == 0].min()).all()
