"""How a match is reported, in the panel and on the command line."""

from dataclasses import replace

import pytest

from diffusionnet_blender.cli.pair import method_of
from diffusionnet_blender.session.match_text import match_method
from diffusionnet_blender.tasks.match import match
from tests.matching.pairs import lumpy_surface

pytestmark = pytest.mark.usefixtures("blender")


@pytest.fixture(scope="module")
def found():
    """A match by distances."""
    surface, _ = lumpy_surface(2)
    return match(surface, surface, None, method="MATCH")


@pytest.mark.parametrize(
    ("changes", "panel", "line"),
    [
        ({}, "by surface distances alone", "by distances alone"),
        # Features that took front for back were found out, and distances decided.
        ({"model_name": "animal_match"}, "by surface distances alone", "by distances alone"),
        (
            {"model_name": "animal_match", "way": "features"},
            "with model animal_match",
            "by model animal_match",
        ),
        ({"model_name": "body_match", "way": "limbs"}, "limb by limb", "limb by limb"),
    ],
)
def test_a_report_tells_the_way_that_was_taken(found, changes, panel, line):
    told = replace(found, **changes)
    assert match_method(told) == panel
    assert method_of(told).startswith(f"{line}, confident on")
