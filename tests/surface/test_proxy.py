"""Clustered proxies: shape, and interpolation to the dense surface."""

import numpy as np
import pytest

from diffusionnet_blender.surface.proxy import make_proxy
from diffusionnet_blender.surface.repair import repair
from diffusionnet_blender.surface.surface import Surface, triangle_areas
from tests.shapes import grid, icosphere, joined, lumpy_body


@pytest.mark.parametrize("mesh", [icosphere(5), lumpy_body(5)])
def test_area_and_size_are_kept(mesh):
    surface = Surface(*mesh)
    coarse = repair(make_proxy(surface, 1000).surface).surface
    assert 500 < len(coarse.vertices) < 2000
    dense_area = triangle_areas(surface.vertices, surface.faces).sum()
    assert triangle_areas(coarse.vertices, coarse.faces).sum() == pytest.approx(
        dense_area, rel=0.05
    )


def test_its_vertices_are_vertices_of_the_dense_surface():
    surface = Surface(*icosphere(5))
    places = {tuple(place) for place in surface.vertices.tolist()}
    coarse = make_proxy(surface, 500).surface
    assert all(tuple(place) in places for place in coarse.vertices.tolist())


def test_a_smooth_function_comes_back():
    surface = Surface(*icosphere(5))
    proxy = make_proxy(surface, 1500)
    np.testing.assert_allclose(np.asarray(proxy.weights.sum(axis=1)), 1.0, rtol=1e-5)
    np.testing.assert_allclose(proxy.weights @ proxy.surface.vertices, surface.vertices, atol=0.04)


def test_the_sides_of_a_thin_sheet_stay_apart():
    vertices, faces = grid(60, 60)
    other = vertices + 0.2 * np.cross(vertices[1] - vertices[0], vertices[60] - vertices[0])
    both = Surface(*joined((vertices, faces), (other, faces[:, ::-1])))
    side = np.arange(len(both.vertices)) >= len(vertices)
    proxy = make_proxy(both, 200)
    share = proxy.weights @ (proxy.weights.T @ side > 0.5).astype(float)
    np.testing.assert_array_equal(share > 0.5, side)


def test_a_cloud_has_a_proxy_too():
    points = icosphere(5)[0]
    proxy = make_proxy(Surface(points, normals=points), 1000)
    coarse = proxy.surface
    assert coarse.is_point_cloud
    assert 500 < len(coarse.vertices) < 2000
    np.testing.assert_array_equal(coarse.normals, coarse.vertices)
    np.testing.assert_allclose(proxy.weights @ coarse.vertices, points, atol=0.08)
