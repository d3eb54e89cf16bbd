"""Balls tell how much of a surface is around a place, wherever the surface lies."""

import numpy as np
import pytest
from scipy.spatial import cKDTree

from diffusionnet_blender.network.features import input_features, normals_of_frames
from diffusionnet_blender.network.training import mirrored, scaled
from diffusionnet_blender.surface.discretization import discretize
from diffusionnet_blender.surface.integral_invariants import RADII, integral_invariants
from diffusionnet_blender.surface.settings import DiscretizationSettings
from diffusionnet_blender.surface.surface import Surface, triangle_areas
from diffusionnet_blender.surface.winding import vertex_normals
from tests.shapes import grid, icosphere, lumpy_body, random_rotation, subdivide

SETTINGS = DiscretizationSettings(k=16)


def invariants(vertices, faces, radii=RADII):
    third = np.repeat(triangle_areas(vertices, faces) / 3, 3)
    mass = np.bincount(faces.ravel(), third, minlength=len(vertices))
    return integral_invariants(vertices, mass, vertex_normals(vertices, faces), radii)


def test_a_sphere_has_the_area_and_the_middles_that_the_integrals_say():
    size = 0.9
    vertices, faces = icosphere(5)
    found = invariants(size * vertices, faces).reshape(len(vertices), -1, 3)
    steepness = 2 * size**2 / RADII**2
    area = np.log(1 - np.exp(-2 * steepness))
    share = np.exp(-2 * steepness)
    height = -size / RADII * (1 / steepness - 2 * share / (1 - share))
    np.testing.assert_allclose(found[:, :, 0], area * np.ones((len(vertices), 1)), atol=0.04)
    np.testing.assert_allclose(found[:, :, 1], height * np.ones((len(vertices), 1)), atol=0.03)
    np.testing.assert_allclose(found[:, :, 2], -height * np.ones((len(vertices), 1)), atol=0.06)


def test_the_middle_of_a_plane_is_flat_and_its_border_is_half():
    vertices, faces = grid(121, 121)
    across = 2 * vertices[:, :2] / np.ptp(vertices[:, :2]) - 1
    plane = np.column_stack([across, np.zeros(len(vertices))])
    area, height, away = invariants(plane, faces, RADII[:3]).reshape(-1, 3, 3).transpose(2, 0, 1)
    middle = np.linalg.norm(plane, axis=1) < 0.1
    assert np.abs(area[middle]).max() < 0.05
    assert np.abs(height).max() < 1e-6
    assert away[middle].max() < 0.1
    border = (plane[:, 0] == plane[:, 0].max()) & (np.abs(plane[:, 1]) < 0.1)
    np.testing.assert_allclose(np.exp(area[border]), 0.5, atol=0.1)
    # The middle of half a bell curve.
    np.testing.assert_allclose(away[border], 1 / np.sqrt(np.pi), atol=0.15)


def test_neither_a_turn_nor_other_triangles_change_them():
    vertices, faces = lumpy_body(4)
    vertices = vertices / np.linalg.norm(vertices, axis=1).max()
    found = invariants(vertices, faces)
    turned = invariants(vertices @ random_rotation(3).T, faces)
    np.testing.assert_allclose(turned, found, atol=0.12)
    assert np.abs(turned - found).mean() < 0.01
    finer = invariants(*subdivide(vertices, faces))[: len(vertices)]
    assert np.abs(finer - found).mean() < 0.02


def test_they_tell_a_limb_from_a_trunk():
    """A thin pipe has less area far away, and more nearby, than a plane."""
    around, along = np.meshgrid(np.linspace(0, 2 * np.pi, 40), np.linspace(-1, 1, 200))
    pipe = np.stack([0.05 * np.cos(around), 0.05 * np.sin(around), along], axis=-1).reshape(-1, 3)
    normals = pipe * [20, 20, 0]
    mass = np.full(len(pipe), 2 * np.pi * 0.05 * 2 / len(pipe))
    found = integral_invariants(pipe, mass, normals).reshape(-1, len(RADII), 3)
    middle = found[np.abs(pipe[:, 2]) < 0.02].mean(axis=0)
    assert middle[0, 0] > 0.1
    assert middle[-1, 0] < -1.5
    assert (middle[:, 1] < 0).all()


@pytest.mark.parametrize("faces", ["mesh", "cloud"])
def test_frames_know_the_normals(faces):
    vertices, triangles = lumpy_body(4)
    normals = vertex_normals(vertices, triangles)
    surface = Surface(vertices, triangles)
    if faces == "cloud":
        surface = Surface(vertices, normals=normals)
    shape = discretize(surface, SETTINGS)
    agrees = np.einsum("ij,ij->i", normals_of_frames(shape), normals)
    assert np.quantile(agrees, 0.02) > 0.95
    image = np.einsum("ij,ij->i", normals_of_frames(mirrored(shape)), normals * [-1, 1, 1])
    np.testing.assert_allclose(image, agrees, atol=1e-4)


def test_a_mirror_changes_nothing_and_a_cloud_little():
    vertices, faces = lumpy_body(4)
    shape = discretize(Surface(vertices, faces), SETTINGS)
    found = input_features(shape, ("integral",))
    image = input_features(mirrored(shape), ("integral",))
    assert np.abs(image - found).mean() < 0.01
    cloud = discretize(Surface(vertices, normals=vertex_normals(vertices, faces)), SETTINGS)
    _, nearest = cKDTree(cloud.vertices).query(shape.vertices)
    assert np.abs(input_features(cloud, ("integral",))[nearest] - found).mean() < 0.1


def test_vertices_without_area_do_no_harm():
    vertices, faces = icosphere(3)
    shape = scaled(discretize(Surface(vertices, faces), SETTINGS), 0.8)
    mass = np.append(shape.mass, 0.0)
    stray = np.concatenate([shape.vertices, [[3.0, 0, 0]]])
    normals = np.concatenate([normals_of_frames(shape), [[1.0, 0, 0]]])
    found = integral_invariants(stray, mass, normals)
    assert np.isfinite(found).all()
    np.testing.assert_allclose(
        found[:-1], integral_invariants(shape.vertices, shape.mass, normals[:-1]), atol=1e-4
    )


def test_the_surface_that_is_out_of_reach_weighs_next_to_nothing(monkeypatch):
    vertices, faces = lumpy_body(4)
    vertices = vertices / np.linalg.norm(vertices, axis=1).max()
    found = invariants(vertices, faces)
    monkeypatch.setattr("diffusionnet_blender.surface.integral_invariants.REACH", np.inf)
    np.testing.assert_allclose(found, invariants(vertices, faces), atol=1e-4)
