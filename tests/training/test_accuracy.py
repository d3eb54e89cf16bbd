"""The bundled models on bodies that it never saw."""

import pytest

pytest.importorskip("anny", reason="the synthetic bodies need the training extras")

from diffusionnet_blender.tasks.models import find_model, is_bundled  # noqa: E402
from training.parts import FINE_NAMES, PART_NAMES  # noqa: E402
from training.suites import SUITES, measure  # noqa: E402

NAMES = {"body_parts": (PART_NAMES, 0.9), "body_parts_fine": (FINE_NAMES, 0.8)}


@pytest.mark.parametrize("name", NAMES)
def test_most_of_held_out_bodies_is_right(name):
    if not is_bundled(name):
        pytest.skip("the fine model is not there yet")
    parts, least = NAMES[name]
    model = find_model(name)
    assert tuple(model.card.class_names) == parts
    score = measure(model, SUITES["coarse"], count=6)
    assert score.count == 6
    assert least < score.right <= score.either_side
