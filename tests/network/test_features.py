"""The table of input features, and that what results hold is light to import."""

import subprocess
import sys
from dataclasses import fields
from pathlib import Path
from typing import get_type_hints

import numpy as np
import pytest

from diffusionnet_blender.matching.judgement import Judgement
from diffusionnet_blender.matching.points import SurfacePoints
from diffusionnet_blender.network.card import ModelCard
from diffusionnet_blender.network.checkpoint import Model
from diffusionnet_blender.network.features import FEATURES, input_features, input_width
from diffusionnet_blender.surface.discretization import discretize
from diffusionnet_blender.surface.repair_report import RepairReport
from diffusionnet_blender.surface.settings import DiscretizationSettings
from diffusionnet_blender.surface.surface import Surface
from tests.shapes import lumpy_body

LIGHT = (
    "matching.judgement",
    "matching.points",
    "network.card",
    "network.checkpoint",
    "surface.repair_report",
    "surface.surface",
)


@pytest.fixture(scope="module")
def body():
    return discretize(Surface(*lumpy_body(2)), DiscretizationSettings(k=32))


@pytest.fixture(scope="module")
def image():
    """The mirror image of the body, made and discretized anew."""
    vertices, faces = lumpy_body(2)
    return discretize(Surface(vertices * [-1, 1, 1], faces[:, ::-1]), DiscretizationSettings(k=32))


@pytest.mark.parametrize("name", FEATURES)
def test_a_feature_has_the_channels_and_the_symmetry_of_its_row(body, image, name):
    feature = FEATURES[name]
    found = input_features(body, (name,))
    assert feature.name == name
    assert found.shape == (len(body.vertices), feature.width)
    assert found.dtype == np.float32
    # Another mesh of the same shape differs in its last digits.
    alike = np.abs(input_features(image, (name,)) - found).max() <= 1e-3 * np.abs(found).max()
    assert alike == feature.mirror_invariant


def test_features_stand_side_by_side_in_the_order_of_their_names(body):
    both = input_features(body, ("hks", "xyz"))
    assert both.shape[1] == input_width(("hks", "xyz")) == 19
    np.testing.assert_array_equal(both[:, 16:], body.vertices)


@pytest.mark.parametrize(
    "kind",
    [Judgement, SurfacePoints, ModelCard, Model, RepairReport, Surface],
    ids=lambda k: k.__name__,
)
def test_annotations_of_types_that_results_hold_are_real_at_run_time(kind):
    assert get_type_hints(kind).keys() == {field.name for field in fields(kind)}


def test_types_that_results_hold_are_imported_without_scipy_and_torch():
    code = "import sys\n" + "".join(f"import diffusionnet_blender.{m}\n" for m in LIGHT)
    code += "print(*(m for m in ('scipy', 'torch') if m in sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == []
