"""Rims of a mesh: where it is open, not where its vertices are split; and points that end there."""

import numpy as np
import pytest

from diffusionnet_blender.matching.closest import ClosestPoints
from diffusionnet_blender.matching.rims import end_on_rim, is_on_rim
from tests.shapes import icosphere


@pytest.fixture(scope="module")
def bowl():
    """A sphere without what is above 0.5."""
    vertices, faces = icosphere(3)
    return vertices, faces[(vertices[faces, 2] < 0.5).all(axis=1)]


def test_a_closed_mesh_has_no_rim():
    assert not is_on_rim(*icosphere(2)).any()


def test_a_seam_of_split_vertices_is_no_rim():
    vertices, faces = icosphere(2)
    upper = vertices[faces, 2].mean(axis=1) > 0
    split = np.concatenate([faces[upper], faces[~upper] + len(vertices)])
    assert not is_on_rim(np.concatenate([vertices, vertices]), split).any()


def test_the_rim_is_where_the_mesh_is_open(bowl):
    vertices, faces = bowl
    rim = is_on_rim(vertices, faces)
    assert rim.any()
    assert (vertices[rim, 2] > 0.3).all()
    assert (vertices[rim, 2] < 0.5).all()


def test_points_beyond_the_opening_end_on_the_rim(bowl):
    vertices, faces = bowl
    directions = icosphere(4)[0]
    points, _ = ClosestPoints(vertices, faces)(1.01 * directions)
    ends = end_on_rim(points, faces, is_on_rim(vertices, faces))
    assert ends[directions[:, 2] > 0.55].all()
    assert not ends[directions[:, 2] < 0.3].any()
