"""Remeshed bodies know their place on the template."""

import numpy as np
import pytest

pytest.importorskip("anny")

from training import bodies  # noqa: E402
from training.matched_bodies import sample_harmed_body, sample_matched_body  # noqa: E402


@pytest.mark.parametrize("seed", [2, 1_000_004, 1_000_003])
def test_every_vertex_is_near_its_place_in_every_pose(seed):
    body = sample_matched_body(seed, vertex_count=2000)
    template = bodies.load_template()
    places = body.template_points.interpolate(body.posed, template.faces)
    edges = body.vertices[body.faces[:, 0]] - body.vertices[body.faces[:, 1]]
    edge = np.linalg.norm(edges, axis=1).mean()
    away = np.linalg.norm(places - body.vertices, axis=1)
    assert np.median(away) < 0.1 * edge
    assert np.quantile(away, 0.99) < edge


@pytest.mark.slow
def test_what_is_left_of_a_harmed_body_keeps_its_place():
    template = bodies.load_template()
    skin = set(np.unique(template.labels))
    lost = []
    for seed in range(8):
        body = sample_harmed_body(seed)
        places = body.template_points.interpolate(body.posed, template.faces)
        edges = body.vertices[body.faces[:, 0]] - body.vertices[body.faces[:, 1]]
        away = np.linalg.norm(places - body.vertices, axis=1)
        assert np.quantile(away, 0.98) < np.linalg.norm(edges, axis=1).mean()
        assert set(np.unique(body.faces)) == set(range(len(body.vertices)))
        parts = template.labels[body.template_points.nearest_vertex(template.faces)]
        lost.append(len(skin - set(parts)))
    assert 0 < np.count_nonzero(lost) < len(lost)


def test_neighbours_stay_neighbours_on_the_template():
    """Where limbs touch, a vertex is not put on the other limb."""
    body = sample_matched_body(1_000_006, vertex_count=3000)
    template = bodies.load_template()
    rest = body.template_points.interpolate(template.vertices.astype(float), template.faces)
    length = [
        np.linalg.norm(v[body.faces[:, 0]] - v[body.faces[:, 1]], axis=1)
        for v in (rest, body.vertices)
    ]
    assert np.quantile(length[0] / np.maximum(length[1], 1e-4), 0.999) < 8


def test_the_same_seed_gives_the_same_body():
    one, other = (sample_matched_body(7, vertex_count=1500) for _ in range(2))
    np.testing.assert_array_equal(one.vertices, other.vertices)
    np.testing.assert_array_equal(one.template_points.face, other.template_points.face)
