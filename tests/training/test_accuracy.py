"""The bundled model on bodies that it never saw."""

import numpy as np
import pytest

pytest.importorskip("anny", reason="the synthetic bodies need the training extras")

from diffusionnet_blender.surface.surface import (
    Surface,  # noqa: E402
    triangle_areas,  # noqa: E402
)
from diffusionnet_blender.tasks.labels import triangle_labels  # noqa: E402
from diffusionnet_blender.tasks.models import find_model  # noqa: E402
from diffusionnet_blender.tasks.segment import segment  # noqa: E402
from training.bodies import FIRST_HELD_OUT_SEED, PART_NAMES  # noqa: E402
from training.remesh import sample_training_body  # noqa: E402


def test_nine_tenths_of_held_out_bodies_are_right():
    model = find_model("body_parts")
    assert model.card.class_names == PART_NAMES
    shares = []
    for seed in range(FIRST_HELD_OUT_SEED + 5_000, FIRST_HELD_OUT_SEED + 5_008):
        body = sample_training_body(seed)
        found = segment(Surface(body.vertices, body.faces), model, engine="numpy")
        truth = np.eye(len(PART_NAMES))[body.labels]
        right = triangle_labels(found.vertex_probabilities, body.faces) == triangle_labels(
            truth, body.faces
        )
        shares.append(np.average(right, weights=triangle_areas(body.vertices, body.faces)))
    assert np.mean(shares) > 0.9
