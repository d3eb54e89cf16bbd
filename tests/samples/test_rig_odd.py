"""Rigs of figures that lack limbs, lie, are mirrored or too large, and of animals."""

from pathlib import Path

import bpy
import numpy as np
import pytest

from diffusionnet_blender.errors import SurfaceError
from diffusionnet_blender.scene.character import characters_of
from diffusionnet_blender.scene.files import open_file
from diffusionnet_blender.scene.rig_jobs import rig_request
from diffusionnet_blender.surface.surface import Surface
from diffusionnet_blender.surface.triangles import compact
from diffusionnet_blender.tasks.models import ANIMAL_PARTS_MODEL
from diffusionnet_blender.tasks.rig import job
from diffusionnet_blender.tasks.rig.bones import skeleton_of
from diffusionnet_blender.tasks.rig.kinds import KINDS
from diffusionnet_blender.tasks.rig.request import RigRequest

SAMPLES = Path(__file__).parents[2] / "samples"
ANIMALS = Path(__file__).parents[3] / "shared" / "animals"
ARM, LEG = ("upper_arm", "forearm", "palm", "fingers"), ("thigh", "shin", "foot", "toes")


def surface_of(path):
    objects = open_file(path)
    characters = characters_of(objects, bpy.context.view_layer)
    largest = max(characters, key=lambda one: sum(len(o.data.vertices) for o in one.members))
    return rig_request(largest)[1].surface


@pytest.fixture(scope="module")
def ada(addon):
    """A sample, and what Rig finds on it."""
    surface = surface_of(SAMPLES / "ada.glb")
    return surface, job.run(RigRequest(surface))


def without(ada, stems, sides):
    surface, fitted = ada
    gone = [fitted.part_names.index(f"{stem}.{side}") for stem in stems for side in sides]
    part = fitted.parts.argmax(axis=1)
    faces, old = compact(len(part), surface.faces[~np.isin(part, gone)[surface.faces].any(axis=1)])
    return Surface(surface.vertices[old], faces)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("stems", "sides", "doubts"),
    [
        (ARM, "R", {"right arm"}),
        (ARM, "LR", {"left arm", "right arm"}),
        (LEG, "L", {"left leg"}),
        (LEG, "LR", {"left leg", "right leg"}),
    ],
)
def test_limbs_that_a_figure_lacks_are_named_and_the_rest_is_rigged(ada, stems, sides, doubts):
    found = job.run(RigRequest(without(ada, stems, sides)))
    assert doubts <= set(found.doubts)
    skeleton = skeleton_of(found.places, found.frame, "plain")
    for side in sides:
        assert f"{stems[1]}.{side}" not in skeleton.roles
    others = {"forearm.L", "forearm.R", "shin.L", "shin.R"}
    others -= {f"{stems[1]}.{side}" for side in sides}
    assert others <= set(skeleton.roles)


@pytest.mark.slow
@pytest.mark.parametrize(
    "turn",
    [
        pytest.param(np.diag([1.0, -1, -1]), id="upside down"),
        pytest.param(np.array([[1.0, 0, 0], [0, 0, 1], [0, -1, 0]]), id="on its back"),
        pytest.param(np.diag([-1.0, -1, 1]), id="facing back"),
        pytest.param(100 * np.eye(3), id="large"),
        pytest.param(0.01 * np.eye(3), id="small"),
    ],
)
def test_place_and_size_of_a_figure_do_not_matter(ada, turn):
    surface, usual = ada
    found = job.run(RigRequest(Surface(surface.vertices @ turn.T, surface.faces)))
    assert not found.doubts
    size = np.linalg.norm(turn, ord=2) * np.ptp(surface.vertices[:, 2])
    for name in ("elbow.L", "wrist.R", "knee.L", "ankle.R", "hips", "head"):
        away = np.linalg.norm(found.places[name] - turn @ usual.places[name])
        assert away < 0.02 * size, name


@pytest.mark.slow
def test_two_figures_in_one_mesh_are_refused(ada):
    surface, _ = ada
    aside = surface.vertices + [2.0, 0, 0]
    both = Surface(
        np.concatenate([surface.vertices, aside]),
        np.concatenate([surface.faces, surface.faces + len(aside)]),
    )
    with pytest.raises(SurfaceError, match=r"2 figures.*Separate"):
        job.run(RigRequest(both))


@pytest.mark.slow
def test_a_person_is_no_animal_on_four_legs(ada):
    with pytest.raises(SurfaceError, match="animal on four legs"):
        job.run(RigRequest(ada[0], ANIMAL_PARTS_MODEL))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["wolf", "horse", "cat"])
def test_animals_are_rigged_by_the_model_of_their_parts(name, addon):
    path = ANIMALS / f"{name}.glb"
    if not path.exists():
        pytest.skip(f"{path} is not there")
    skeleton, weights, found = job.rig(surface_of(path), "plain", model=ANIMAL_PARTS_MODEL)
    assert not found.doubts
    assert set(skeleton.names) == set(KINDS["animal"].names.values())
    np.testing.assert_allclose(weights.sum(axis=1), 1, atol=1e-9)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["cat", "cow", "pig", "triceratops", "wolf", "horse", "red_fox"])
def test_animals_on_four_legs_are_no_people(name, addon):
    path = ANIMALS / f"{name}.glb"
    if not path.exists():
        pytest.skip(f"{path} is not there")
    with pytest.raises(SurfaceError):
        job.run(RigRequest(surface_of(path)))
