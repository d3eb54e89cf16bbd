"""How the bundled models begin, and how a run that is going on is looked at."""

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("torch", reason="training needs torch")
pytest.importorskip("fast_simplification", reason="the figures need the training extras")

from diffusionnet_blender.network.checkpoint import Model, load_model, save_model  # noqa: E402
from diffusionnet_blender.network.module import DiffusionNet  # noqa: E402
from diffusionnet_blender.network.numpy_engine import NumpyEngine  # noqa: E402
from diffusionnet_blender.network.torch_engine import TorchEngine  # noqa: E402
from diffusionnet_blender.network.training import (  # noqa: E402
    LabelledShape,
    Trainer,
    TrainingSettings,
)
from diffusionnet_blender.surface.discretization import discretize  # noqa: E402
from diffusionnet_blender.surface.surface import Surface  # noqa: E402
from diffusionnet_blender.tasks.segment import class_probabilities  # noqa: E402
from diffusionnet_blender.tasks.sides import mirrored_classes  # noqa: E402
from tests.network.test_forward import random_weights  # noqa: E402
from tests.shapes import lumpy_body  # noqa: E402
from training import body_parts  # noqa: E402
from training.parts import FINE_NAMES, PART_NAMES, PART_OF_FINE  # noqa: E402


@pytest.fixture(scope="module")
def shape():
    return discretize(Surface(*lumpy_body(2)), replace(body_parts.SETTINGS, k=16))


def probabilities(name, architecture, weights, shape):
    model = Model(body_parts.card_of(name, architecture, 1, 1), weights)
    features = np.random.default_rng(0).normal(size=(len(shape.mass), 16))
    return class_probabilities(model, shape, features, NumpyEngine())


def test_fine_parts_start_as_shares_of_the_coarse_part_that_they_are_in(tmp_path, shape):
    coarse = body_parts.architecture_of("body_parts", 16)
    weights = {n: w.astype(np.float32) for n, w in random_weights(coarse).items()}
    path = save_model(Model(body_parts.card_of("body_parts", coarse, 1, 1), weights), tmp_path)
    fine = body_parts.architecture_of("body_parts_fine", 16)
    started = body_parts.starting_weights(fine, FINE_NAMES, path)
    fine.check(started)

    expected = probabilities("body_parts", coarse, weights, shape)
    found = probabilities("body_parts_fine", fine, started, shape)
    together = np.zeros_like(expected)
    np.add.at(together.T, PART_OF_FINE, found.T)
    np.testing.assert_allclose(together, expected, atol=1e-5)


def test_the_model_of_a_run_that_goes_on_is_its_running_mean(tmp_path, shape, monkeypatch):
    monkeypatch.setattr(body_parts, "RUN", tmp_path)
    network = body_parts.architecture_of("body_parts", 8)
    trainer = Trainer(
        DiffusionNet(network, TorchEngine("cpu")),
        body_parts.FEATURES,
        mirrored_classes(PART_NAMES),
        TrainingSettings(steps=3),
    )
    labels = np.arange(len(shape.mass)) % len(PART_NAMES)
    trainer.run([LabelledShape(shape, labels)], body_parts.checkpoint_of("body_parts", 8, 50))
    model = load_model(body_parts.snapshot("body_parts", 8, 50, 1, tmp_path / "model"))
    assert "3 steps" in model.card.training_data
    for name, weight in trainer.averaged_weights().items():
        np.testing.assert_allclose(model.weights[name], weight, rtol=1e-3, atol=1e-3)
