"""Check boxes of groups and keys write the list of names that Transfer reads."""

import bpy
import pytest

from tests.operators.test_transfer import make_pair

pytestmark = pytest.mark.usefixtures("blender")


@pytest.fixture
def panel(blender):
    source, _ = make_pair()
    for name in ("arm.L", "arm.R", "odd, one", "leg.L"):
        source.vertex_groups.new(name=name)
    for name in ("Basis", "Smile", "Frown"):
        source.shape_key_add(name=name)
    return bpy.context.scene.diffusionnet.transfer


def click(name="", action="TOGGLE", kind="GROUP"):
    return bpy.ops.diffusionnet.choose_names(kind=kind, name=name, action=action)


def test_one_of_all_is_left_out_and_taken_in_again(panel):
    click("arm.R")
    assert panel.group_names == 'arm.L, "odd, one", leg.L'
    click("arm.R")
    assert panel.group_names == ""


def test_patterns_become_names_with_the_first_click(panel):
    panel.group_names = "*.L"
    click("arm.L")
    assert panel.group_names == "leg.L"
    click("odd, one")
    assert panel.group_names == '"odd, one", leg.L'


def test_only_one_and_all(panel):
    click("odd, one", "ONLY")
    assert panel.group_names == '"odd, one"'
    with pytest.raises(RuntimeError, match="At least one"):
        click("odd, one")
    assert panel.group_names == '"odd, one"'
    click(action="ALL")
    assert panel.group_names == ""


def test_keys_are_those_of_the_source_but_for_the_reference(panel):
    click("Smile", kind="KEY")
    assert panel.key_names == "Frown"
    click("Smile", kind="KEY")
    assert panel.key_names == ""


def test_what_is_chosen_is_what_is_moved(panel):
    panel.weights, panel.texture = True, False
    click("arm.L", "ONLY")
    assert bpy.ops.diffusionnet.transfer() == {"FINISHED"}
    assert bpy.data.objects["Target"].vertex_groups.keys() == ["arm.L"]
