"""Repairs are counted, and results mapped to the user's own vertices."""

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
    np.testing.assert_allclose(repaired.to_user_vertices(heights), soup[:, 2], atol=1e-9)


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
    returned = repaired.to_user_vertices(repaired.surface.vertices)
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


def test_vertices_that_nearly_coincide_are_welded_and_those_further_apart_are_not():
    vertices, faces = icosphere(2)
    rng = np.random.default_rng(3)
    soup = vertices[faces].reshape(-1, 3)
    triangles = np.arange(len(soup)).reshape(-1, 3)
    near = repair(Surface(soup + rng.uniform(-2e-7, 2e-7, soup.shape), triangles))
    assert len(near.surface.vertices) == len(vertices)
    far = repair(Surface(soup + rng.uniform(-2e-4, 2e-4, soup.shape), triangles))
    assert far.report.welded_vertices == 0


def test_a_chain_of_near_vertices_is_one_vertex():
    step = np.array([1.5e-6, 0.0, 0.0])
    vertices = np.concatenate([np.eye(3) * [1, 2, 1], [i * step for i in range(5)]])
    repaired = repair(Surface(vertices, [[0, 1, 2], [3, 1, 2], [7, 0, 2]]))
    assert repaired.report.welded_vertices == 4
    assert len(np.unique(repaired.clean_vertex[3:])) == 1


def test_a_heap_of_vertices_at_one_place_is_welded():
    """As many pairs of them as there are would not fit into memory."""
    vertices, faces = icosphere(2)
    heap = np.tile(vertices[:1], (200_000, 1))
    repaired = repair(Surface(np.concatenate([vertices, heap]), faces))
    assert repaired.report.welded_vertices == len(heap)
    np.testing.assert_array_equal(repaired.surface.vertices, vertices)
    assert (repaired.clean_vertex[len(vertices) :] == 0).all()


def test_repeated_triangles_are_found_whatever_corner_they_start_at():
    vertices, faces = icosphere(2)
    again = faces[::4][:, [1, 2, 0]]
    mirrored = faces[::3][:, ::-1]
    repaired = repair(Surface(vertices, np.concatenate([faces, again, mirrored])))
    assert repaired.report.duplicate_faces == len(again) + len(mirrored)
    np.testing.assert_array_equal(repaired.surface.faces, faces)


def test_each_clean_vertex_is_one_of_the_users():
    vertices, faces = icosphere(2)
    mesh = np.concatenate([[[0, 0, 3.0]], vertices, vertices[:5]])
    repaired = repair(Surface(mesh, faces + 1))
    np.testing.assert_array_equal(repaired.surface.vertices, mesh[repaired.user_vertex])
    cloud = repair(Surface(mesh))
    np.testing.assert_array_equal(cloud.surface.vertices, mesh[cloud.user_vertex])


def test_a_strip_with_a_twist_is_left_as_it_is():
    angle = np.linspace(0, 2 * np.pi, 60, endpoint=False)
    vertices = np.concatenate(
        [
            np.stack(
                [
                    (1 + s * np.cos(angle / 2)) * np.cos(angle),
                    (1 + s * np.cos(angle / 2)) * np.sin(angle),
                    s * np.sin(angle / 2),
                ],
                axis=1,
            )
            for s in (-0.3, 0.3)
        ]
    )
    here = np.arange(60)
    left, right = here, here + 60
    ahead_left = np.append(here[1:], 60)
    ahead_right = np.append(right[1:], 0)
    faces = np.concatenate(
        [
            np.stack([left, ahead_left, ahead_right], axis=1),
            np.stack([left, ahead_right, right], axis=1),
        ]
    )
    np.testing.assert_array_equal(repair(Surface(vertices, faces)).surface.faces, faces)


def test_repair_can_be_stopped_between_its_steps():
    class Stopped(Exception):
        pass

    seen = []
    repair(Surface(*icosphere(2)), seen.append)
    assert seen == sorted(seen)
    assert (seen[0], seen[-1]) == (0.0, 1.0)

    def stop(fraction):
        if fraction == seen[-2]:
            raise Stopped

    with pytest.raises(Stopped):
        repair(Surface(*icosphere(2)), stop)
