"""What is mended is reported, and results come back to the user's own vertices."""

import numpy as np
import pytest

from diffusionnet_blender.errors import SurfaceError
from diffusionnet_blender.surface.repair import repair
from diffusionnet_blender.surface.surface import Surface
from diffusionnet_blender.surface.winding import orient_outward
from tests.shapes import grid, icosphere, joined, signed_volume


def test_a_clean_mesh_is_left_as_it_is():
    vertices, faces = icosphere(2)
    repaired = repair(Surface(vertices, faces))
    assert repaired.report.summary() == ""
    np.testing.assert_array_equal(repaired.surface.vertices, vertices)
    np.testing.assert_array_equal(repaired.surface.faces, faces)


def test_a_triangle_soup_is_welded_and_values_return_to_every_copy():
    vertices, faces = icosphere(2)
    soup = vertices[faces].reshape(-1, 3)
    repaired = repair(Surface(soup, np.arange(len(soup)).reshape(-1, 3)))
    assert len(repaired.surface.vertices) == len(vertices)
    assert repaired.report.welded_vertices == len(soup) - len(vertices)
    heights = repaired.surface.vertices[:, 2]
    np.testing.assert_allclose(repaired.hand_back(heights), soup[:, 2], atol=1e-9)


def test_degenerate_triangles_and_stray_vertices_take_their_nearest_neighbours_value():
    vertices, faces = icosphere(2)
    stray = np.array([[0.0, 0.0, 1.5], [0.0, -1.4, 0.0]])
    line = len(vertices) + np.array([[0, 0, 1]])
    collapsed = np.array([[4, 4, 9]])
    mesh = Surface(
        np.concatenate([vertices, stray]), np.concatenate([faces, line, collapsed, faces[:1]])
    )
    repaired = repair(mesh)
    report = repaired.report
    assert (report.degenerate_faces, report.unreferenced_vertices) == (2, 2)
    assert report.duplicate_faces == 1
    returned = repaired.hand_back(repaired.surface.vertices)
    np.testing.assert_array_equal(returned[: len(vertices)], vertices)
    for point, value in zip(stray, returned[-2:], strict=True):
        np.testing.assert_array_equal(value, vertices[np.argmax(vertices @ point)])


def test_a_needle_without_area_is_set_aside():
    vertices = np.array([[0, 0, 0], [1, 0, 0], [2, 0, 0], [0, 1, 0.0]])
    repaired = repair(Surface(vertices, [[0, 1, 2], [0, 2, 3]]))
    assert repaired.report.degenerate_faces == 1
    assert len(repaired.surface.faces) == 1


@pytest.mark.parametrize("inside_out", [0.0, 0.3, 1.0])
def test_winding_ends_outward_whatever_it_was(inside_out):
    rng = np.random.default_rng(1)
    vertices, faces = joined(icosphere(2), (icosphere(2)[0] + 5, icosphere(2)[1]))
    turned = faces.copy()
    flip = rng.random(len(faces)) < inside_out
    turned[flip] = turned[flip][:, ::-1]
    repaired = repair(Surface(vertices, turned))
    assert repaired.report.flipped_faces == np.count_nonzero(flip)
    assert signed_volume(vertices, repaired.surface.faces) > 0
    same_cycle = [{tuple(np.roll(f, i)) for i in range(3)} for f in faces]
    assert all(
        tuple(f) in cycle for f, cycle in zip(repaired.surface.faces, same_cycle, strict=True)
    )


def test_a_mirrored_shape_faces_outward_again():
    vertices, faces = icosphere(2)
    mirrored = repair(Surface(vertices * [-1, 1, 1], faces)).surface
    assert signed_volume(mirrored.vertices, mirrored.faces) > 0


def test_a_flat_sheet_keeps_the_winding_of_most_of_it():
    vertices, faces = grid()
    turned = faces.copy()
    turned[:20] = turned[:20][:, ::-1]
    oriented, flipped = orient_outward(vertices, turned)
    assert flipped == 20
    assert (
        np.cross(*(vertices[oriented[:, i]] - vertices[oriented[:, 0]] for i in (1, 2))).T[2] > 0
    ).all()


def test_a_cloud_is_welded_and_keeps_its_normals():
    points = icosphere(2)[0]
    repaired = repair(
        Surface(np.concatenate([points, points[:7]]), normals=np.concatenate([points, points[:7]]))
    )
    assert repaired.report.welded_vertices == 7
    np.testing.assert_array_equal(repaired.surface.normals, points)


def test_no_area_at_all_is_an_error():
    with pytest.raises(SurfaceError, match="No triangle"):
        repair(Surface([[0, 0, 0], [1, 0, 0], [2, 0, 0]], [[0, 1, 2]]))
    with pytest.raises(SurfaceError, match="different places"):
        repair(Surface([[0, 0, 0], [1, 0, 0], [1, 0, 0], [0, 0, 0]], [[0, 1, 2]]))


def test_a_single_triangle_is_enough():
    assert len(repair(Surface(np.eye(3), [[0, 1, 2]])).surface.faces) == 1
