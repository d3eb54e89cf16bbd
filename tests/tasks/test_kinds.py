"""Members of a kind are known by their names, as artists of many tools write them."""

import pytest

from diffusionnet_blender.tasks.match.kinds import kind_of


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("Eye.L", "eyes"), ("CC_Base_Eye", "eyes"), ("Eyelashes", "eyelashes"),
        ("high-poly eye lash", "eyelashes"), ("Hair_long01", "hair"), ("teeth_base", "teeth"),
        ("Hat", "hat"), ("Knight_Helmet", "hat"), ("baseballCap", "hat"), ("witch hat", "hat"),
        ("Body", ""), ("What", ""), ("Chat.001", ""), ("HatBand", ""), ("Capsule", ""),
        ("eye patch", ""), ("wheelchair", ""), ("Helmsman", ""), ("Rogue_Head_Hooded", ""),
    ],
)  # fmt: skip
def test_a_name_tells_its_kind(name, kind):
    assert kind_of(name) == kind


def test_materials_tell_where_the_name_does_not_and_all_agree():
    assert kind_of("mesh_07", ["Hat felt", "hat"]) == "hat"
    assert kind_of("mesh_07", ["Hat felt", "Skin"]) == ""
