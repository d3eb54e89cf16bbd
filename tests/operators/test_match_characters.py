"""Characters of several objects matched as one shape, by the operators."""

import bpy
import pytest

from diffusionnet_blender.errors import DiffusionNetError
from diffusionnet_blender.properties.model_lists import NO_MODEL
from diffusionnet_blender.scene.matches import current_match, find_match
from diffusionnet_blender.scene.pair import pair_of
from tests.operators.characters import add_pair, both_characters

pytestmark = pytest.mark.usefixtures("blender")


@pytest.fixture
def pair(blender):
    return add_pair()


def test_any_member_stands_for_its_character(pair):
    source, target = pair
    for one, other in zip(source, reversed(target), strict=True):
        found = pair_of(bpy.context, one, other)
        assert [c.members for c in found] == [tuple(source), tuple(target)]
    alone = pair_of(bpy.context, source[1], target[2], each=True)
    assert [c.members for c in alone] == [(source[1],), (target[2],)]


def test_members_of_one_character_are_each_alone(pair):
    source, _ = pair
    found = pair_of(bpy.context, source[0], source[1])
    assert [c.members for c in found] == [(source[0],), (source[1],)]


def test_an_object_that_is_left_out_of_its_character_is_alone(pair):
    source, target = pair
    source[1].diffusionnet.membership = "OUT"
    found = pair_of(bpy.context, source[1], target[0])
    assert [c.members for c in found] == [(source[1],), tuple(target)]


@pytest.mark.slow
def test_characters_are_matched_as_one_shape_and_eyes_go_to_eyes(pair):
    source, target = pair
    assert bpy.ops.diffusionnet.match(model=NO_MODEL) == {"FINISHED"}
    found = find_match(*both_characters(source, target)).correspondence
    assert len(found.confidence) == sum(len(obj.data.vertices) for obj in target)
    first_eye = sum(len(obj.data.polygons) for obj in source[:2])
    of_eyes = found.target_to_source.face[-len(target[2].data.vertices) :]
    assert (of_eyes >= first_eye).all()
    rest = found.target_to_source.face[: -len(target[2].data.vertices)]
    assert (rest < first_eye).all()
    assert find_match(source[0], target[0]) is None


def move_a_member(source, target):
    target[2].location.z += 0.2


def edit_a_member(source, target):
    source[1].data.vertices[0].co.x += 0.2


@pytest.mark.parametrize("change", [move_a_member, edit_a_member])
def test_a_match_is_stale_when_a_member_has_changed(pair, change):
    both = both_characters(*pair)
    before = find_match(*both)
    assert current_match(*both) is before
    change(*pair)
    bpy.context.view_layer.update()
    with pytest.raises(DiffusionNetError):
        current_match(*both)
