"""Frays and islands taken out of labels, on a sphere whose true halves are known."""

import numpy as np
import pytest

from diffusionnet_blender.surface.discretization import discretize
from diffusionnet_blender.surface.settings import DiscretizationSettings
from diffusionnet_blender.surface.surface import Surface
from diffusionnet_blender.tasks.edit_labels import label_pieces, vertex_neighbourhood
from diffusionnet_blender.tasks.segment import segment
from diffusionnet_blender.tasks.segment.clean import cleaned
from tests.shapes import icosphere, joined, lumpy_body
from tests.tasks.test_segment import MODEL

SETTINGS = DiscretizationSettings(k=8)


def halves(vertices, doubt=0.0, seed=0):
    """Probabilities of upper and lower half, unsure near the border, and doubtful besides."""
    rng = np.random.default_rng(seed)
    upper = 1 / (1 + np.exp(-12 * vertices[:, 2] + doubt * rng.normal(size=len(vertices))))
    return np.stack([upper, 1 - upper, np.full(len(vertices), 1e-6)], axis=1)


def pieces(labels, shape):
    return len(np.unique(label_pieces(labels, vertex_neighbourhood(shape.vertices, shape.faces))))


@pytest.mark.parametrize("kind", ["mesh", "cloud"])
def test_frays_and_islands_go_and_the_truth_stays(kind):
    vertices, faces = icosphere(4)
    shape = discretize(Surface(vertices, *([faces] if kind == "mesh" else [])), SETTINGS)
    truth = halves(vertices).argmax(axis=1)
    given = halves(vertices, doubt=1.5)
    island = np.linalg.norm(vertices - [0, 0, 1], axis=1) < 0.25
    given[island] = given[island][:, [1, 0, 2]]
    found = cleaned(shape, given)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found.sum(axis=1), 1.0, atol=1e-4)
    labels = found.argmax(axis=1)
    assert pieces(given.argmax(axis=1), shape) > 5
    assert pieces(labels, shape) == 2
    assert (labels == truth).mean() > 0.96 > (given.argmax(axis=1) == truth).mean()


def test_where_the_model_is_sure_borders_stay():
    vertices, faces = icosphere(4)
    shape = discretize(Surface(vertices, faces), SETTINGS)
    sharp = np.eye(3)[halves(vertices).argmax(axis=1)]
    moved = cleaned(shape, sharp).argmax(axis=1) != sharp.argmax(axis=1)
    assert moved.mean() < 0.02


def test_a_loose_part_is_no_island():
    ball, faces = icosphere(3)
    vertices, faces = joined((ball, faces), (0.1 * ball + [0, 0, 1.5], faces))
    shape = discretize(Surface(vertices, faces), SETTINGS)
    given = np.eye(3)[(np.arange(len(vertices)) >= len(ball)).astype(int)]
    np.testing.assert_array_equal(cleaned(shape, given).argmax(axis=1), given.argmax(axis=1))


def test_one_class_alone_stays():
    vertices, faces = icosphere(2)
    shape = discretize(Surface(vertices, faces), SETTINGS)
    np.testing.assert_allclose(cleaned(shape, np.ones((len(vertices), 1))), 1.0, atol=1e-6)


def test_corners_of_a_split_mesh_get_one_cleaned_label():
    vertices, faces = lumpy_body(3)
    soup = Surface(vertices[faces].reshape(-1, 3), np.arange(faces.size).reshape(-1, 3))
    found = segment(soup, MODEL, clean=True)
    whole = segment(Surface(vertices, faces), MODEL, clean=True)
    np.testing.assert_allclose(
        found.vertex_probabilities, whole.vertex_probabilities[faces.ravel()], atol=0.02
    )
    rough = segment(Surface(vertices, faces), MODEL, clean=False).vertex_labels
    tail, head = faces.ravel(), np.roll(faces, -1, axis=1).ravel()
    border_before, border = (np.sum(x[tail] != x[head]) for x in (rough, whole.vertex_labels))
    assert 0 < border < border_before
