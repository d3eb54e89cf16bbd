"""Conform by arrays: wrong inputs are errors with a remedy, before anything is computed."""

import numpy as np
import pytest

import diffusionnet_blender as dn
from diffusionnet_blender.errors import DiffusionNetError
from diffusionnet_blender.matching.closest import ClosestPoints
from diffusionnet_blender.tasks.conform import job, watch
from diffusionnet_blender.tasks.conform.request import ConformRequest
from diffusionnet_blender.tasks.match.job import match_request
from diffusionnet_blender.tasks.progress import CallbackProgress
from tests.matching.pairs import lumpy_surface

MESH, _ = lumpy_surface(2)
SHAPE, _ = lumpy_surface(2, seed=4)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"stiffness": 0.0}, "Stiffness is 0"),
        ({"stiffness": float("nan")}, "Stiffness is nan"),
        ({"detail": 1.5}, "Detail is 1.5"),
        ({"detail": -0.1}, "Detail is -0.1"),
        ({"model": "no_such_model"}, "no_such_model"),
    ],
)
def test_wrong_options_are_told(options, message):
    with pytest.raises(DiffusionNetError, match=message) as raised:
        dn.conform(MESH, SHAPE, **options)
    assert raised.value.fix


@pytest.mark.parametrize(("which", "role"), [(0, "source"), (1, "target")])
def test_a_point_cloud_is_told_by_its_role(which, role):
    shapes = [MESH, SHAPE]
    shapes[which] = dn.Surface(shapes[which].vertices)
    with pytest.raises(DiffusionNetError, match=f"The {role} has no faces") as raised:
        dn.conform(*shapes, None)
    assert raised.value.fix


def test_fields_of_both_requests_are_taken():
    found = dn.conform(MESH, SHAPE, None, accept_uncertain=True, detail=0.0, method="MATCH")
    assert found.vertices.shape == MESH.vertices.shape
    assert np.isfinite(found.vertices).all()
    assert found.distance < 0.01


@pytest.mark.parametrize("most", [10_000, 200])
def test_the_mesh_is_seen_as_it_bends(monkeypatch, most):
    monkeypatch.setattr(watch, "PERIOD", 0.0)
    monkeypatch.setattr(watch, "SHOWN", most)
    seen, (mesh, _) = [], lumpy_surface(3)
    matching = match_request(SHAPE, mesh, None, method="MATCH")
    request = ConformRequest(matching, accept_uncertain=True)
    found = job.run(request, CallbackProgress(report=seen.append))
    assert len(seen) > 5
    surface = ClosestPoints(SHAPE.vertices, SHAPE.faces)

    def away(vertices):
        return np.linalg.norm(surface.positions(surface(vertices)[0]) - vertices, axis=1).mean()

    for shown in seen:
        assert len(shown.vertices) <= 1.5 * min(most, len(mesh.vertices))
        assert shown.edges.max() < len(shown.vertices)
    assert away(seen[-1].vertices) < 0.1 * away(seen[0].vertices)
    if most > len(mesh.vertices):
        size = np.ptp(found.vertices, axis=0).max()
        np.testing.assert_allclose(seen[-1].vertices, found.vertices, atol=0.01 * size)
