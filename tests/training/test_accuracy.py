"""The bundled model on bodies that it never saw."""

import pytest

pytest.importorskip("anny", reason="the synthetic bodies need the training extras")

from diffusionnet_blender.tasks.models import find_model  # noqa: E402
from training.parts import PART_NAMES  # noqa: E402
from training.suites import SUITES, measure  # noqa: E402


def test_nine_tenths_of_held_out_bodies_are_right():
    model = find_model("body_parts")
    assert tuple(model.card.class_names) == PART_NAMES
    score = measure(model, SUITES["coarse"], count=6)
    assert score.count == 6
    assert 0.9 < score.right <= score.either_side
