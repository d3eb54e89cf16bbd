"""Conform by arrays: wrong inputs are errors with a remedy, before anything is computed."""

import numpy as np
import pytest

import diffusionnet_blender as dn
from diffusionnet_blender.errors import DiffusionNetError
from diffusionnet_blender.matching.closest import ClosestPoints
from diffusionnet_blender.surface.winding import vertex_normals
from diffusionnet_blender.tasks.conform import job, watch
from diffusionnet_blender.tasks.conform.request import ConformRequest
from diffusionnet_blender.tasks.match.job import match_request
from diffusionnet_blender.tasks.progress import CallbackProgress
from tests.mannequin import mannequin
from tests.matching.pairs import lumpy_surface
from tests.shapes import icosphere, random_rotation

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


def test_sides_are_kept_alike():
    half, faces, _ = mannequin(without={f"{part}.R" for part in ("upper_arm", "thigh")})
    even = np.concatenate([half, half * [-1, 1, 1]])
    faces = np.concatenate([faces, faces[:, ::-1] + len(half)])
    mesh = dn.Surface(even, faces)
    turn = random_rotation(3)
    noise = 0.01 * np.random.default_rng(0).standard_normal(even.shape)
    shape = dn.Surface((1.3 * even + noise) @ turn.T, faces)
    options = {"accept_uncertain": True, "method": "MATCH"}
    found = dn.conform(mesh, shape, None, symmetric=True, **options).vertices
    one, two = found[: len(half)], found[len(half) :]
    way = one - two
    apart = np.linalg.norm(way, axis=1) > 1e-6
    normal = way[apart] / np.linalg.norm(way[apart], axis=1, keepdims=True)
    np.testing.assert_allclose(np.abs(normal @ normal[0]), 1, atol=1e-6)
    middle = (one + two) @ normal[0] / 2
    np.testing.assert_allclose(middle, middle.mean(), atol=1e-6)


def test_an_uneven_source_has_no_sides():
    with pytest.raises(DiffusionNetError, match="mirror image") as raised:
        dn.conform(MESH, SHAPE, None, symmetric=True)
    assert raised.value.fix


def test_a_twisted_target_has_no_like_sides():
    vertices, faces = icosphere(3)
    ball = vertices * [1, 0.8, 1.6]
    angle = ball[:, 2]
    twisted = ball.copy()
    twisted[:, 0] = np.cos(angle) * ball[:, 0] - np.sin(angle) * ball[:, 1]
    twisted[:, 1] = np.sin(angle) * ball[:, 0] + np.cos(angle) * ball[:, 1]
    mesh, shape = dn.Surface(ball, faces), dn.Surface(twisted, faces)
    pins = np.tile(np.arange(0, len(ball), 40)[:, None], 2)
    with pytest.raises(DiffusionNetError, match="stand evenly") as raised:
        dn.conform(mesh, shape, None, symmetric=True, pins=pins, accept_uncertain=True)
    assert raised.value.fix


def test_what_lies_inside_stays_inside_where_the_shape_has_nothing_alike():
    mesh, _ = lumpy_surface(3)
    inner, inner_faces = icosphere(2)
    inner = mesh.vertices.mean(axis=0) + 0.35 * inner
    whole = dn.Surface(
        np.concatenate([mesh.vertices, inner]),
        np.concatenate([mesh.faces, inner_faces + len(mesh.vertices)]),
    )
    found = dn.conform(whole, SHAPE, None, accept_uncertain=True, method="MATCH")
    at = found.vertices[len(mesh.vertices) :]
    points, _ = ClosestPoints(SHAPE.vertices, SHAPE.faces)(at)
    normals = points.interpolate(vertex_normals(SHAPE.vertices, SHAPE.faces), SHAPE.faces)
    away = at - points.interpolate(SHAPE.vertices, SHAPE.faces)
    assert np.einsum("vi,vi->v", away, normals).max() < -0.1
    assert not found.on_surface[len(mesh.vertices) :].any()
    assert found.on_surface[: len(mesh.vertices)].mean() > 0.9
