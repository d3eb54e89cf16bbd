"""Joints, bones and weights of animals on four legs, on skins around known skeletons."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from diffusionnet_blender.errors import DiffusionNetError, ModelError, SurfaceError
from diffusionnet_blender.surface.surface import Surface
from diffusionnet_blender.surface.triangles import compact
from diffusionnet_blender.tasks.family import FOUR_LEGS as FOUR_LEGS_FAMILY
from diffusionnet_blender.tasks.family import NEITHER, PEOPLE, Proposal
from diffusionnet_blender.tasks.models import (
    ANIMAL_PARTS_MODEL,
    DEFAULT_MODEL,
    FINE_PARTS_MODEL,
    find_model,
)
from diffusionnet_blender.tasks.rig.animal_kinds import QUADRUPED
from diffusionnet_blender.tasks.rig.bones import skeleton_of
from diffusionnet_blender.tasks.rig.job import rig, run, weights_of
from diffusionnet_blender.tasks.rig.judgement import require_no_other_family, require_of_family
from diffusionnet_blender.tasks.rig.kinds import KINDS, kind_for
from diffusionnet_blender.tasks.rig.request import RigRequest
from tests.animals import usual_animal
from tests.shapes import icosphere
from training.animal_truth import JOINT_OF_LINK
from training.animals import LINKS
from training.quadrupeds import sample_quadruped
from training.things import sample_thing

FOUR_LEGS = [name for name, kind in KINDS.items() if kind.four_legs]
LEG = ("upper_leg", "lower_leg", "foot")


@pytest.fixture(scope="module")
def animal():
    """An animal of no species, in proportions as real ones have, and where its joints are."""
    made = usual_animal()
    surface = Surface(made.figure.vertices, made.figure.faces)
    joints = {name: made.joints[LINKS.index(link)] for link, name in JOINT_OF_LINK.items()}
    return surface, joints


@pytest.fixture(scope="module")
def fitted(animal):
    return run(RigRequest(animal[0], ANIMAL_PARTS_MODEL))


def without(animal, fitted, *parts):
    """The animal with some parts cut away."""
    surface, part = animal[0], fitted.parts.argmax(axis=1)
    gone = np.isin(part, [fitted.part_names.index(name) for name in parts])
    faces, old = compact(len(part), surface.faces[~gone[surface.faces].any(axis=1)])
    return run(RigRequest(Surface(surface.vertices[old], faces), ANIMAL_PARTS_MODEL))


def test_joints_of_legs_are_found_near_those_of_the_skeleton(animal, fitted):
    surface, joints = animal
    assert fitted.four_legs
    assert not fitted.doubts
    height = np.ptp(surface.vertices[:, 2])
    away = [
        np.linalg.norm(fitted.places[f"{name}.{side}"] - joints[f"{name}.{side}"]) / height
        for name in ("elbow", "wrist", "knee", "ankle")
        for side in "LR"
    ]
    assert np.median(away) < 0.06
    assert max(away) < 0.12


@pytest.mark.parametrize("kind", FOUR_LEGS)
def test_every_kind_has_its_bones_in_one_tree(fitted, kind):
    skeleton = skeleton_of(fitted.places, fitted.frame, kind)
    assert set(skeleton.names) == set(KINDS[kind].names.values())
    assert (skeleton.parents < 0).sum() == 1
    assert (skeleton.parents < np.arange(len(skeleton.names))).all()
    way = skeleton.tails - skeleton.heads
    assert np.linalg.norm(way, axis=1).min() > 1e-3
    np.testing.assert_allclose(np.einsum("bi,bi->b", way, skeleton.z), 0, atol=1e-12)
    assert set(KINDS[kind].names) <= {spec.name for spec in QUADRUPED}


@pytest.mark.parametrize("kind", FOUR_LEGS)
@pytest.mark.parametrize("bent", [-40, 0, 40])
def test_bones_of_a_tail_turn_one_way_wherever_it_hangs(fitted, kind, bent):
    # Rigify's controls twist the skin between two bones that are rolled against one another.
    back, up = fitted.frame[1:]
    places = dict(fitted.places)
    tail = ["tail", *(f"tail{number}" for number in range(1, 5)), "tail_tip"]
    step = np.linalg.norm(places["tail1"] - places["tail"])
    for number, name in enumerate(tail[1:]):
        # From backwards to straight down, and on from there ahead.
        angle = np.radians(-30 - 30 * number + bent)
        places[name] = places[tail[number]] + step * (np.cos(angle) * back + np.sin(angle) * up)
    skeleton = skeleton_of(places, fitted.frame, kind)
    across = np.cross(skeleton.tails - skeleton.heads, skeleton.z)
    own = [number for number, role in enumerate(skeleton.roles) if role in tail]
    assert len(own) > 2
    for before, after in pairwise(own):
        assert across[before] @ across[after] > 0


@pytest.mark.parametrize("kind", FOUR_LEGS)
def test_bones_of_a_leg_hold_its_parts_and_weights_add_up_to_one(animal, fitted, kind):
    skeleton = skeleton_of(fitted.places, fitted.frame, kind)
    weights = weights_of(animal[0].vertices, fitted, skeleton)
    np.testing.assert_allclose(weights.sum(axis=1), 1, atol=1e-9)
    parts = {spec.name: spec.parts for spec in QUADRUPED}
    part = np.array(fitted.part_names)[fitted.parts.argmax(axis=1)]
    for name in ("front_foot.L", "hind_lower_leg.R", "tail", "head", "torso"):
        own = [name in parts[role] for role in skeleton.roles]
        held = weights[:, own].sum(axis=1)
        assert np.median(held[part == name]) > 0.6, name


def test_legs_of_four_bones_bend_as_those_of_animals(fitted):
    back = fitted.frame[1]
    for chain, signs in (
        (("shoulder", "front_elbow", "carpus", "wrist"), (1, -1)),
        (("hip", "stifle", "hock", "ankle"), (-1, 1)),
    ):
        for side in "LR":
            ends = [fitted.places[f"{name}.{side}"] for name in chain]
            for number, sign in enumerate(signs, 1):
                before, joint, after = ends[number - 1 : number + 2]
                line = (after - before) / np.linalg.norm(after - before)
                off = joint - before - ((joint - before) @ line) * line
                assert sign * (off @ back) > 0, chain[number]


def test_the_spine_runs_inside_of_the_back_from_the_hips_to_the_neck(animal, fitted):
    chain = [fitted.places[f"back{number}"] for number in range(6)] + [fitted.places["neck"]]
    ahead = np.array(chain) @ -fitted.frame[1]
    assert (np.diff(ahead) > 0).all()
    low, high = animal[0].vertices.min(axis=0), animal[0].vertices.max(axis=0)
    assert ((low < chain) & (chain < high)).all()


def test_an_animal_that_lacks_a_leg_keeps_the_others_and_is_told(animal, fitted):
    found = without(animal, fitted, *(f"hind_{part}.L" for part in LEG))
    assert found.doubts == ("left hind leg",)
    skeleton = skeleton_of(found.places, found.frame, "quadruped")
    assert "hind_shin.R" in skeleton.roles
    assert "front_shin.L" in skeleton.roles
    assert "hind_shin.L" not in skeleton.roles


def test_an_animal_without_a_tail_has_no_bones_of_one(animal, fitted):
    found = without(animal, fitted, "tail")
    for kind in FOUR_LEGS:
        skeleton = skeleton_of(found.places, found.frame, kind)
        assert not any(role.startswith("tail") for role in skeleton.roles)
        assert "head" in skeleton.roles


def test_a_shape_without_legs_is_no_animal():
    vertices, faces = icosphere(3)
    with pytest.raises(SurfaceError, match="animal"):
        run(RigRequest(Surface(vertices * (1.0, 0.7, 0.5), faces), ANIMAL_PARTS_MODEL))


def test_the_less_sure_parts_are_and_the_odder_legs_the_less_is_a_shape_an_animal(fitted):
    def judged(confidence, doubts=()):
        require_of_family(True, fitted.places, fitted.frame, confidence, doubts)

    legs = ("left front leg", "right front leg", "left hind leg", "right hind leg")
    judged(0.6)
    judged(0.75, legs)
    with pytest.raises(SurfaceError, match="four legs"):
        judged(0.5)
    with pytest.raises(SurfaceError, match="four legs"):
        judged(0.6, legs)


@pytest.mark.parametrize(
    ("model", "seed"), [(FINE_PARTS_MODEL, 900_009), (ANIMAL_PARTS_MODEL, 900_014)]
)
def test_a_thing_whose_parts_look_like_limbs_is_neither_a_person_nor_an_animal(model, seed):
    body, _ = sample_thing(np.random.default_rng(seed))
    with pytest.raises(SurfaceError, match="does not seem to be a|seems to stand on four legs"):
        run(RigRequest(Surface(body.vertices, body.faces), model))


def test_an_animal_is_not_rigged_as_a_person():
    figure = sample_quadruped(np.random.default_rng(1_000_012)).figure
    with pytest.raises(SurfaceError, match="stand on four legs"):
        run(RigRequest(Surface(figure.vertices, figure.faces)))


@pytest.mark.parametrize("own", [PEOPLE, FOUR_LEGS_FAMILY])
def test_a_figure_is_refused_that_is_surely_of_another_family(own):
    for family in {PEOPLE, FOUR_LEGS_FAMILY, NEITHER} - {own}:
        require_no_other_family(own, Proposal(family, 0.75))
        with pytest.raises(SurfaceError):
            require_no_other_family(own, Proposal(family, 0.85))


def test_kinds_of_the_other_family_are_refused_before_anything_is_computed(animal):
    assert kind_for("rigify", True) == "quadruped"
    assert kind_for("rigify", False) == "rigify"
    for kind in ("mixamo", "vrm", "unreal"):
        with pytest.raises(DiffusionNetError, match="no bones of an animal"):
            rig(animal[0], kind, model=ANIMAL_PARTS_MODEL)
    with pytest.raises(DiffusionNetError, match="skeleton of animals"):
        rig(animal[0], "rigify_horse")
    with pytest.raises(DiffusionNetError, match="no kind"):
        kind_for("quadruped", True)


def test_a_model_of_other_parts_is_refused(animal):
    with pytest.raises(ModelError, match="which Rig needs"):
        run(RigRequest(animal[0], DEFAULT_MODEL))
    model = find_model(ANIMAL_PARTS_MODEL)
    people = replace(model, card=replace(model.card, four_legs=False))
    with pytest.raises(ModelError, match="which Rig needs"):
        run(RigRequest(animal[0], people))
