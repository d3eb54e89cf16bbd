"""Refit by arrays: errors with a remedy, weights of the other body, and bodies of one mesh."""

import numpy as np
import pytest

import diffusionnet_blender as dn
from diffusionnet_blender.errors import DiffusionNetError
from diffusionnet_blender.surface.surface import Surface
from diffusionnet_blender.surface.triangles import compact
from diffusionnet_blender.tasks.refit.body import innermost
from diffusionnet_blender.tasks.refit.kinds import is_body, is_of_face, is_stiff
from diffusionnet_blender.tasks.refit.mannequin import cut_away
from diffusionnet_blender.tasks.transfer.layers import Weights
from tests.matching.pairs import lumpy_surface

BODY, UP = lumpy_surface(3)
OTHER, _ = lumpy_surface(2, seed=4)
# The same mesh in another shape.
GROWN = Surface(2.0 * BODY.vertices * [1.2, 1.0, 1.0], BODY.faces)


def belt(height=1.03, low=-0.3, high=0.4):
    inside = (UP[:, 2] > low) & (UP[:, 2] < high)
    faces, kept = compact(len(UP), BODY.faces[inside[BODY.faces].all(axis=1)])
    return Surface(height * BODY.vertices[kept], faces)


def test_bodies_of_one_mesh_need_no_match():
    garment = belt()
    found = dn.refit(garment, BODY, GROWN)
    assert found.correspondence is None
    right = 1.03 * 2.0 * garment.vertices / 1.03 * [1.2, 1.0, 1.0]
    assert np.linalg.norm(found.vertices - right, axis=1).mean() < 0.05


def test_another_mesh_is_matched():
    found = dn.refit(belt(), BODY, OTHER, None, accept_uncertain=True)
    assert found.correspondence is not None
    assert np.linalg.norm(found.vertices - belt().vertices, axis=1).mean() < 0.15


def test_keys_and_weights_go_along():
    garment = belt()
    high = (UP[:, 2:] + 1) / 2
    weights = Weights(("low", "high"), np.hstack([1 - high, high]), np.ones(2, bool))
    keys = garment.vertices[None] + [0, 0, 0.1]
    found = dn.refit(garment, BODY, GROWN, keys=keys, key_names=("Up",), weights=weights)
    np.testing.assert_allclose(found.weights.sum(axis=1), 1.0, atol=1e-4)
    assert np.corrcoef(found.weights[:, 1], garment.vertices[:, 2])[0, 1] > 0.95
    moved = found.keys[0] - found.vertices
    np.testing.assert_allclose(np.linalg.norm(moved, axis=1), 0.2, rtol=0.3)


def test_a_garment_elsewhere_is_an_error_and_beside_another_left_out():
    away = Surface(belt().vertices + 50.0, belt().faces)
    with pytest.raises(DiffusionNetError, match="No garment lies on") as raised:
        dn.refit(away, BODY, GROWN)
    assert raised.value.fix
    both = dn.Character([belt(), away], ["Belt", "Tent"])
    assert dn.refit(both, BODY, GROWN).left_out == (1,)


@pytest.mark.parametrize(
    ("options", "message"),
    [({"gap": -1.0}, "Least Gap is -1"), ({"gap": float("nan")}, "Least Gap is nan")],
)
def test_wrong_options_are_told(options, message):
    with pytest.raises(DiffusionNetError, match=message) as raised:
        dn.refit(belt(), BODY, GROWN, **options)
    assert raised.value.fix


def test_a_point_cloud_is_told():
    with pytest.raises(DiffusionNetError, match="garments has no faces|has no faces"):
        dn.refit(Surface(belt().vertices), BODY, GROWN)


def test_a_target_of_flipped_or_doubled_faces_gives_the_same():
    garment = belt()
    right = dn.refit(garment, BODY, GROWN).vertices
    faces = BODY.faces[:, ::-1]
    flipped = dn.refit(garment, Surface(BODY.vertices, faces), Surface(GROWN.vertices, faces))
    np.testing.assert_allclose(flipped.vertices, right, atol=1e-9)
    twice = np.concatenate([BODY.faces, BODY.faces])
    doubled = dn.refit(garment, Surface(BODY.vertices, twice), Surface(GROWN.vertices, twice))
    np.testing.assert_allclose(doubled.vertices, right, atol=1e-9)


def test_the_body_is_the_mesh_that_the_others_lie_on():
    shirt, hat = belt(), belt(1.05, 0.6, 1.1)
    assert innermost([shirt, BODY, hat]) == 1
    assert innermost([hat, shirt]) is None


def test_a_body_that_lacks_what_is_under_clothes_is_cut_away():
    shirt = belt(low=-0.5, high=0.5)
    bare = np.abs(UP[:, 2]) > 0.3
    faces, kept = compact(len(UP), BODY.faces[bare[BODY.faces].all(axis=1)])
    assert cut_away(Surface(BODY.vertices[kept], faces), shirt)
    assert not cut_away(BODY, shirt)


def test_names_tell_kinds():
    for name in ("Hero_Body", "body.001", "CC_BaseSkin"):
        assert is_body(name)
    assert not is_body("Bodysuit")
    for name in ("Sun_Glasses", "helmet.L"):
        assert is_stiff(name)
    assert not is_stiff("String")
    for name in ("Eye.L", "Upper Teeth"):
        assert is_of_face(name)
    assert not is_of_face("Eye patch")
