"""Several surfaces as one, and back."""

import numpy as np
import pytest

from diffusionnet_blender.errors import SurfaceError
from diffusionnet_blender.surface.character import Character, pooled
from diffusionnet_blender.surface.surface import Surface
from tests.shapes import grid, icosphere


def ball(x=0.0):
    vertices, faces = icosphere(1)
    return Surface(vertices + [x, 0, 0], faces)


def test_members_come_one_after_the_other():
    members = [ball(), Surface(*grid(3, 2)), ball(5.0)]
    character = Character(members)
    whole = character.surface
    sizes = [len(member.vertices) for member in members]
    np.testing.assert_array_equal(np.bincount(character.member), sizes)
    assert character.member.dtype == np.int32
    for number, (member, vertices) in enumerate(
        zip(members, character.split(whole.vertices), strict=True)
    ):
        np.testing.assert_array_equal(vertices, member.vertices)
        own = whole.faces[character.member[whole.faces[:, 0]] == number]
        np.testing.assert_array_equal(own - own.min(), member.faces - member.faces.min())
        # No face goes from one member to another.
        assert (character.member[own] == number).all()


def test_values_of_any_width_are_split():
    character = Character([ball(), ball(3.0)])
    values = np.random.default_rng(0).standard_normal((len(character.member), 4))
    np.testing.assert_array_equal(np.concatenate(character.split(values)), values)


def test_a_single_surface_stays_the_same():
    one = ball()
    assert Character([one]).surface is one
    assert pooled(one) is one
    assert pooled(Character([one])) is one


def test_a_point_cloud_among_meshes_has_no_faces():
    points = Surface(np.random.default_rng(0).standard_normal((9, 3)), np.zeros((0, 3), int))
    character = Character([points, ball()])
    assert len(character.surface.faces) == len(ball().faces)
    assert (character.member[character.surface.faces] == 1).all()


def test_normals_of_point_clouds_are_kept_where_all_have_some():
    points, _ = icosphere(1)
    clouds = [Surface(points + [x, 0, 0], normals=points) for x in (0.0, 5.0)]
    whole = Character(clouds).surface
    assert whole.is_point_cloud
    np.testing.assert_array_equal(whole.normals, np.concatenate([points, points]))
    assert Character([*clouds, Surface(points)]).surface.normals is None


def test_without_members_it_says_so():
    with pytest.raises(SurfaceError, match="no surfaces"):
        Character([])
