"""Conform by arrays: wrong inputs are errors with a remedy, before anything is computed."""

import numpy as np
import pytest

import diffusionnet_blender as dn
from diffusionnet_blender.errors import DiffusionNetError
from tests.matching.pairs import lumpy_surface

MESH, _ = lumpy_surface(2)
SHAPE, _ = lumpy_surface(2, seed=4)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"stiffness": 0.0}, "Stiffness is 0"),
        ({"stiffness": float("nan")}, "Stiffness is nan"),
        ({"detail": 1.5}, "Detail is 1.5"),
        ({"detail": -0.1}, "Detail is -0.1"),
        ({"model": "no_such_model"}, "no_such_model"),
    ],
)
def test_wrong_options_are_told(options, message):
    with pytest.raises(DiffusionNetError, match=message) as raised:
        dn.conform(MESH, SHAPE, **options)
    assert raised.value.fix


@pytest.mark.parametrize(("which", "role"), [(0, "source"), (1, "target")])
def test_a_point_cloud_is_told_by_its_role(which, role):
    shapes = [MESH, SHAPE]
    shapes[which] = dn.Surface(shapes[which].vertices)
    with pytest.raises(DiffusionNetError, match=f"The {role} has no faces") as raised:
        dn.conform(*shapes, None)
    assert raised.value.fix


def test_fields_of_both_requests_are_taken():
    found = dn.conform(MESH, SHAPE, None, accept_uncertain=True, detail=0.0, method="MATCH")
    assert found.vertices.shape == MESH.vertices.shape
    assert np.isfinite(found.vertices).all()
    assert found.distance < 0.01
