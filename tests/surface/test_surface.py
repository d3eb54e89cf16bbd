"""Bad geometry is refused with a message that says what to do."""

import numpy as np
import pytest

from diffusionnet_blender.errors import SurfaceError
from diffusionnet_blender.surface.surface import Surface, triangle_areas
from tests.shapes import grid, icosphere, signed_volume


@pytest.mark.parametrize(
    ("vertices", "faces", "says"),
    [
        (np.zeros((0, 3)), None, "no vertices"),
        (np.zeros((5, 3)), None, "same place"),
        (np.full((5, 3), 7e3), [[0, 1, 2]], "same place"),
        ([[0, 0, 0], [1, 0, 0], [0, np.nan, 0]], [[0, 1, 2]], "1 of 3 vertices"),
        ([[0, 0, 0], [1, 0, 0], [0, np.inf, 0]], [[0, 1, 2]], "not finite"),
        ([[0, 0, 0], [1, 0, 0]], None, "only 2 vertices"),
        ([[0, 0, 0], [1, 0, 0], [0, 1, 0]], [[0, 1, 3]], "outside"),
        ([[0, 0, 0], [1, 0, 0], [0, 1, 0], [1, 1, 0]], [[0, 1, 3, 2]], "triangles"),
        ([[0, 0], [1, 0], [0, 1]], None, "shape"),
    ],
)
def test_unusable_geometry_is_refused_with_a_fix(vertices, faces, says):
    with pytest.raises(SurfaceError, match=says) as caught:
        Surface(np.array(vertices), *([] if faces is None else [np.array(faces)]))
    assert caught.value.fix


def test_normals_must_match_the_points():
    with pytest.raises(SurfaceError, match="Normals"):
        Surface(np.eye(3), normals=np.eye(3)[:2])


def test_a_mesh_without_faces_is_a_point_cloud():
    vertices, faces = icosphere(1)
    assert Surface(vertices).is_point_cloud
    assert not Surface(vertices, faces).is_point_cloud


def test_area_and_volume_of_known_shapes():
    vertices, faces = icosphere(4)
    assert triangle_areas(vertices, faces).sum() == pytest.approx(4 * np.pi, rel=3e-3)
    assert signed_volume(vertices + 100, faces) == pytest.approx(4 / 3 * np.pi, rel=5e-3)
    assert signed_volume(vertices, faces[:, ::-1]) < 0
    assert triangle_areas(*grid(4, 3)).sum() == pytest.approx(12.0)
