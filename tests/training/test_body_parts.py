"""How the bundled models begin, and how a run that is going on is looked at."""

from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="training needs torch")
pytest.importorskip("fast_simplification", reason="the figures need the training extras")

from diffusionnet_blender.network.architecture import Architecture  # noqa: E402
from diffusionnet_blender.network.card import ModelCard  # noqa: E402
from diffusionnet_blender.network.checkpoint import Model, load_model, save_model  # noqa: E402
from diffusionnet_blender.network.features import input_features  # noqa: E402
from diffusionnet_blender.network.module import DiffusionNet  # noqa: E402
from diffusionnet_blender.network.numpy_engine import NumpyEngine  # noqa: E402
from diffusionnet_blender.network.torch_engine import TorchEngine  # noqa: E402
from diffusionnet_blender.network.training import (  # noqa: E402
    LabelledShape,
    TrainingSettings,
)
from diffusionnet_blender.surface.discretization import discretize  # noqa: E402
from diffusionnet_blender.surface.integral_invariants import CHANNELS  # noqa: E402
from diffusionnet_blender.surface.surface import Surface  # noqa: E402
from diffusionnet_blender.tasks.inference import class_probabilities  # noqa: E402
from tests.network.test_forward import random_weights  # noqa: E402
from tests.shapes import lumpy_body  # noqa: E402
from training import body_parts  # noqa: E402
from training.parts import FINE_NAMES, PART_NAMES, PART_OF_FINE  # noqa: E402
from training.two_heads import TwoHeadTrainer  # noqa: E402
from training.warm_start import weights_for  # noqa: E402


@pytest.fixture(scope="module")
def shape():
    return discretize(Surface(*lumpy_body(2)), replace(body_parts.SETTINGS, k=16))


def probabilities(name, weights, shape, features):
    last = {n: weights[n][body_parts.rows_of(name)] for n in ("last.weight", "last.bias")}
    model = Model(body_parts.card_of(name, 16, 1, 1, None), weights | last)
    return class_probabilities(model, shape, features, NumpyEngine())


def test_fine_parts_start_as_shares_of_the_coarse_part_that_they_are_in(tmp_path, shape):
    width = body_parts.architecture_of(1, 1).inputs
    features = np.random.default_rng(0).normal(size=(len(shape.mass), width))
    coarse = body_parts.architecture_of(len(PART_NAMES), 16)
    weights = {n: w.astype(np.float32) for n, w in random_weights(coarse).items()}
    model = Model(body_parts.card_of("body_parts", 16, 1, 1, None), weights)
    expected = class_probabilities(model, shape, features, NumpyEngine())

    both = body_parts.architecture_of(len(PART_NAMES) + len(FINE_NAMES), 16)
    started = body_parts.starting_weights(both, save_model(model, tmp_path))
    same = probabilities("body_parts", started, shape, features)
    np.testing.assert_allclose(same, expected, atol=1e-5)
    fine = probabilities("body_parts_fine", started, shape, features)
    together = np.zeros_like(expected)
    np.add.at(together.T, PART_OF_FINE, fine.T)
    np.testing.assert_allclose(together, expected, atol=1e-5)


def test_what_a_model_was_not_fed_counts_for_nothing_at_first(shape):
    architecture = Architecture(inputs=16, outputs=2, width=8)
    weights = {n: w.astype(np.float32) for n, w in random_weights(architecture).items()}
    card = ModelCard("less", "Less", ("a", "b"), ((0, 0, 0), (1, 1, 1)), ("hks",), architecture)
    less = Model(card, weights)
    features = ("hks", "integral")
    fed_more = replace(
        card, features=features, architecture=replace(architecture, inputs=16 + CHANNELS)
    )
    more = Model(fed_more, weights_for(less, features))
    engine = NumpyEngine()
    expected, found = (
        class_probabilities(m, shape, input_features(shape, m.card.features), engine)
        for m in (less, more)
    )
    np.testing.assert_allclose(found, expected, atol=1e-5)
    with pytest.raises(ValueError, match="begin"):
        weights_for(less, ("integral", "hks"))


def test_both_heads_learn_from_the_fine_parts(tmp_path, shape, monkeypatch):
    monkeypatch.setattr(body_parts, "RUN", tmp_path)
    torch.manual_seed(0)
    network = body_parts.architecture_of(len(PART_NAMES) + len(FINE_NAMES), 8)
    trainer = TwoHeadTrainer(
        DiffusionNet(network, TorchEngine("cpu")), body_parts.FEATURES, TrainingSettings(steps=60)
    )
    # Bands from the feet up: what heat tells apart.
    height = shape.vertices[:, 2].argsort().argsort() * 3 // len(shape.mass)
    fine = np.array([FINE_NAMES.index(name) for name in ("pelvis", "chest", "head")])[height]
    losses = []
    trainer.settings = replace(trainer.settings, report_every=20)
    trainer.run(
        [LabelledShape(shape, fine)],
        body_parts.checkpoint_of(8, 60),
        lambda step, loss, accuracy: losses.append(loss),
    )
    assert losses[-1] < 0.8 * losses[0]
    paths = body_parts.snapshot(8, 60, 1, tmp_path / "model")
    weights = trainer.averaged_weights()
    for path, name in zip(paths, body_parts.MODELS, strict=True):
        model = load_model(path)
        assert model.card.name == name
        assert "60 steps" in model.card.training_data
        for weight, found in model.weights.items():
            expected = weights[weight]
            if weight.startswith("last."):
                expected = expected[body_parts.rows_of(name)]
            np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-3)
