"""The family of a figure, by its whole shape and by how sure both models of parts are."""

import numpy as np
import pytest

from diffusionnet_blender.errors import SurfaceError
from diffusionnet_blender.surface.surface import Surface
from diffusionnet_blender.tasks.family import FAMILIES, FOUR_LEGS, MODELS, NEITHER, FamilyRequest
from diffusionnet_blender.tasks.family.job import STAGES, run
from diffusionnet_blender.tasks.family.pipeline import MOST_LEAD, evidence
from tests.animals import usual_animal
from tests.shapes import icosphere, random_rotation


@pytest.fixture(scope="module")
def quadruped():
    figure = usual_animal().figure
    return Surface(figure.vertices, figure.faces)


def test_an_animal_has_four_legs_upright_and_lying_anyhow(quadruped):
    assert run(FamilyRequest(quadruped)).family == FOUR_LEGS
    turned = Surface(quadruped.vertices @ random_rotation(3).T, quadruped.faces)
    assert run(FamilyRequest(turned)).family == FOUR_LEGS


def test_a_stone_is_neither():
    vertices, faces = icosphere(4)
    found = run(FamilyRequest(Surface(vertices * (1.0, 0.7, 0.5), faces)))
    assert found.family == NEITHER
    assert found.model is None


def test_evidence_is_a_share_and_a_lead_of_each_model_and_families_by_the_shape(quadruped):
    every = evidence(FamilyRequest(quadruped))
    found, families = every[: 2 * len(MODELS)].reshape(len(MODELS), 2), every[2 * len(MODELS) :]
    assert len(families) == len(FAMILIES)
    assert families.sum() == pytest.approx(1.0, abs=1e-5)
    assert ((found[:, 0] > 0) & (found[:, 0] <= 1)).all()
    assert ((found[:, 1] >= 0) & (found[:, 1] <= MOST_LEAD)).all()


def test_progress_rises_through_the_stages_of_both_models(quadruped):
    told = []
    found = run(FamilyRequest(quadruped), lambda stage, done: told.append((stage, done)))
    assert found.family in FAMILIES
    network = [done for stage, done in told if stage == "network"]
    assert network == sorted(network)
    assert {stage for stage, _ in told} <= set(STAGES)


def test_what_cannot_be_used_is_an_error():
    with pytest.raises(SurfaceError):
        run(FamilyRequest(Surface(np.zeros((0, 3)), np.zeros((0, 3), int))))
