"""Find Model: the family of figures, and the model that is chosen for them."""

from pathlib import Path

import numpy as np
import pytest

bpy = pytest.importorskip("bpy")

from diffusionnet_blender.scene.files import open_file  # noqa: E402
from diffusionnet_blender.session.families import (  # noqa: E402
    family_text,
    forget_proposals,
    proposal_for,
)
from diffusionnet_blender.tasks.family import NEITHER, PEOPLE, Proposal  # noqa: E402
from diffusionnet_blender.tasks.models import is_bundled  # noqa: E402
from tests.scenes import add_mesh, select  # noqa: E402
from training.primitives import rounded_box  # noqa: E402

ROOT = Path(__file__).parents[2]
ANIMALS = ROOT.parent / "shared" / "animals"
pytestmark = pytest.mark.skipif(not is_bundled("animal_parts"), reason="the model is not there yet")


@pytest.fixture(autouse=True)
def _nothing_found(blender):
    yield
    forget_proposals()


def panel():
    return bpy.context.scene.diffusionnet


def proposal(obj):
    return proposal_for((obj.session_uid, obj.data.session_uid))


def test_a_person_gets_the_model_of_body_parts():
    objects = open_file(ROOT / "samples" / "ada.glb")
    panel().model, panel().transfer.model = "animal_parts", "animal_match"
    select(*objects)
    assert bpy.ops.diffusionnet.find_model() == {"FINISHED"}
    assert (panel().model, panel().transfer.model) == ("body_parts", "body_match")
    assert {proposal(obj).family for obj in objects} == {PEOPLE}


@pytest.mark.skipif(not ANIMALS.is_dir(), reason="../shared/animals is missing")
@pytest.mark.parametrize("name", ["horse", "cat"])
def test_an_animal_gets_the_model_of_animal_parts(name):
    (animal,) = open_file(ANIMALS / f"{name}.glb")
    select(animal)
    assert bpy.ops.diffusionnet.find_model() == {"FINISHED"}
    assert (panel().model, panel().transfer.model) == ("animal_parts", "animal_match")


def test_what_is_neither_leaves_the_model_as_it_is():
    box = add_mesh("Box", *rounded_box(np.array([1.0, 0.6, 0.8]), 0.1, 8))
    before = panel().model
    assert bpy.ops.diffusionnet.find_model() == {"FINISHED"}
    assert panel().model == before
    assert proposal(box).family == NEITHER


@pytest.mark.skipif(not ANIMALS.is_dir(), reason="../shared/animals is missing")
def test_figures_of_two_families_are_told_and_no_model_is_chosen():
    (animal,) = open_file(ANIMALS / "horse.glb")
    before = panel().model
    box = add_mesh("Box", *rounded_box(np.array([1.0, 0.6, 0.8]), 0.1, 8))
    box.location.x = 30
    select(animal, box)
    with pytest.raises(RuntimeError, match="One model is not for all of them"):
        bpy.ops.diffusionnet.find_model()
    assert panel().model == before


def test_an_unsure_family_proposes_nothing():
    for family in (PEOPLE, NEITHER):
        unsure = Proposal(family, 0.6)
        assert unsure.model is None
        assert "Unsure" in family_text(unsure)
    assert Proposal(PEOPLE, 0.95).model == "body_parts"
