"""Layers of clothes: covered, in order or come out."""

import numpy as np
import pytest

pytest.importorskip("bpy", reason="rays are cast by Blender")

from benchmarks.layers import come_out, layers_of, order  # noqa: E402
from diffusionnet_blender.surface.surface import Surface, triangle_areas  # noqa: E402
from tests.shapes import icosphere, joined  # noqa: E402

DIRECTIONS, FACES = icosphere(3)
BODY = Surface(DIRECTIONS, FACES)


def share_out(inner, outer):
    """Of a shirt at 1.01 beneath a jacket at 1.03, after the two took other radii."""
    vertices, faces = joined((1.01 * DIRECTIONS, FACES), (1.03 * DIRECTIONS, FACES))
    layer = layers_of(vertices, faces)
    after = np.concatenate([inner * DIRECTIONS, outer * DIRECTIONS])
    found = [order(BODY, each, faces, layer) for each in (vertices, after)]
    return come_out(*found, triangle_areas(vertices, faces))


def test_layers_in_order_do_not_come_out():
    assert share_out(1.02, 1.05) == 0.0


def test_layers_that_changed_places_come_out():
    assert share_out(1.04, 1.02) == pytest.approx(100.0, abs=1.0)


def test_half_of_a_shirt_comes_out():
    radius = np.where(DIRECTIONS[:, :1] > 0, 1.05, 1.01)
    assert share_out(radius, 1.03) == pytest.approx(50.0, abs=7.0)


def test_a_layer_that_is_not_covered_cannot_come_out():
    """A hat that was elsewhere is no cover, whatever the shirt does."""
    vertices, faces = joined((1.01 * DIRECTIONS, FACES), (DIRECTIONS + [5, 0, 0], FACES))
    layer = layers_of(vertices, faces)
    found = order(BODY, vertices, faces, layer)
    assert come_out(found, found, triangle_areas(vertices, faces)) == 0.0


def test_buttons_are_no_layers():
    vertices, faces = joined((1.01 * DIRECTIONS, FACES), (0.02 * DIRECTIONS + [1.02, 0, 0], FACES))
    layer = layers_of(vertices, faces)
    assert (layer[: len(FACES)] >= 0).all()
    assert (layer[len(FACES) :] == -1).all()
