"""How the bundled models begin, and how a run that is going on is looked at."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

torch = pytest.importorskip("torch", reason="training needs torch")
pytest.importorskip("fast_simplification", reason="the figures need the training extras")

from diffusionnet_blender.network.architecture import Architecture  # noqa: E402
from diffusionnet_blender.network.card import ModelCard  # noqa: E402
from diffusionnet_blender.network.checkpoint import Model, load_model, save_model  # noqa: E402
from diffusionnet_blender.network.features import input_features, with_frame  # noqa: E402
from diffusionnet_blender.network.forward import forward  # noqa: E402
from diffusionnet_blender.network.module import DiffusionNet  # noqa: E402
from diffusionnet_blender.network.numpy_engine import NumpyEngine  # noqa: E402
from diffusionnet_blender.network.shape import shape_of  # noqa: E402
from diffusionnet_blender.network.torch_engine import TorchEngine  # noqa: E402
from diffusionnet_blender.network.training import (  # noqa: E402
    TrainingSettings,
    mirrored,
)
from diffusionnet_blender.network.votes import OTHER, OWN, TURNED, VOTES  # noqa: E402
from diffusionnet_blender.surface.discretization import discretize  # noqa: E402
from diffusionnet_blender.surface.integral_invariants import CHANNELS  # noqa: E402
from diffusionnet_blender.surface.surface import Surface  # noqa: E402
from diffusionnet_blender.tasks.inference import class_probabilities  # noqa: E402
from tests.network.test_forward import random_weights  # noqa: E402
from tests.shapes import lumpy_body  # noqa: E402
from training import body_parts, prepared  # noqa: E402
from training.heads import (  # noqa: E402
    CLASSES,
    FEATURES,
    OUTPUTS,
    FigureTrainer,
    LabelledFigure,
    rows_of,
)
from training.meshes import LAYER_NAMES  # noqa: E402
from training.parts import (  # noqa: E402
    FINE_NAMES,
    MIRRORED_LABEL,
    PART_NAMES,
    PART_OF_FINE,
    PART_OF_LABEL,
)
from training.views import sample_view  # noqa: E402
from training.warm_start import weights_for, widened  # noqa: E402


@pytest.fixture(scope="module")
def shape():
    return discretize(Surface(*lumpy_body(2)), replace(prepared.SETTINGS, k=16))


def older_model(folder, width):
    """A model of the coarse parts without the frame, on disk."""
    architecture = replace(body_parts.architecture_of(len(PART_NAMES), width), inputs=16 + CHANNELS)
    card = replace(
        body_parts.card_of("body_parts", width, "data"),
        features=FEATURES[:2],
        architecture=architecture,
    )
    weights = {n: w.astype(np.float32) for n, w in random_weights(architecture).items()}
    return save_model(Model(card, weights), folder)


def probabilities(name, weights, shape, features, width):
    last = {n: weights[n][rows_of(name)] for n in ("last.weight", "last.bias")}
    model = Model(body_parts.card_of(name, width, "data"), weights | last)
    return class_probabilities(model, shape, features, NumpyEngine())


@pytest.mark.parametrize("width", [16, 24])
def test_models_start_from_an_older_one_with_the_same_parts(tmp_path, shape, width):
    features = input_features(shape, FEATURES)
    path = older_model(tmp_path, 16)
    expected = class_probabilities(load_model(path), shape, features[:, :-6], NumpyEngine())

    started = body_parts.starting_weights(body_parts.architecture_of(OUTPUTS, width), path)
    # In any frame: its weights begin at nothing.
    framed = with_frame(features, shape, FEATURES, Rotation.random(random_state=0).as_matrix())
    for seen in (features, framed):
        same = probabilities("body_parts", started, shape, seen, width)
        np.testing.assert_allclose(same, expected, atol=1e-5)
        fine = probabilities("body_parts_fine", started, shape, seen, width)
        together = np.zeros_like(expected)
        np.add.at(together.T, PART_OF_FINE, fine.T)
        np.testing.assert_allclose(together, expected, atol=1e-5)


def test_added_channels_learn(shape):
    narrow = Architecture(inputs=16, outputs=3, width=8, mlp_widths=(8, 8))
    wide = replace(narrow, width=12, mlp_widths=(12, 12))
    torch.manual_seed(0)
    weights = {n: w.astype(np.float32) for n, w in random_weights(narrow).items()}
    network = DiffusionNet(wide, TorchEngine("cpu"), widened(weights, wide, 8))
    features = network.engine.array(input_features(shape, ("hks",)))
    network(shape_of(shape, network.engine), features).square().sum().backward()
    slopes = {name: weight.grad for name, weight in network.named_weights().items()}
    assert slopes["last.weight"][:, 8:].abs().max() > 0
    assert slopes["block_3.mlp_0.weight"][:8, 8:12].abs().max() > 0


def test_inputs_that_a_model_did_not_have_count_for_nothing_at_first(shape):
    architecture = Architecture(inputs=16, outputs=2, width=8)
    weights = {n: w.astype(np.float32) for n, w in random_weights(architecture).items()}
    card = ModelCard("less", "Less", ("a", "b"), ((0, 0, 0), (1, 1, 1)), ("hks",), architecture)
    less = Model(card, weights)
    features = ("hks", "integral")
    with_more = replace(
        card, features=features, architecture=replace(architecture, inputs=16 + CHANNELS)
    )
    more = Model(with_more, weights_for(less, features))
    engine = NumpyEngine()
    expected, found = (
        class_probabilities(m, shape, input_features(shape, m.card.features), engine)
        for m in (less, more)
    )
    np.testing.assert_allclose(found, expected, atol=1e-5)
    with pytest.raises(ValueError, match="begin"):
        weights_for(less, ("integral", "hks"))


def test_mirrored_labels_keep_their_part_and_change_sides():
    assert sorted(MIRRORED_LABEL) == list(range(len(FINE_NAMES) + len(PART_NAMES)))
    np.testing.assert_array_equal(MIRRORED_LABEL[MIRRORED_LABEL], np.arange(len(MIRRORED_LABEL)))
    names = [*FINE_NAMES, *PART_NAMES]
    for name, other in zip(names, np.array(names)[MIRRORED_LABEL], strict=True):
        assert other == name.translate(str.maketrans("LR", "RL"))
    parts = np.array(PART_NAMES)[PART_OF_LABEL]
    np.testing.assert_array_equal(
        parts[MIRRORED_LABEL], [p.translate(str.maketrans("LR", "RL")) for p in parts]
    )


def test_views_are_what_their_vote_is(shape):
    rng = np.random.default_rng(0)
    views = [sample_view(rng) for _ in range(400)]
    votes = [view.vote for view in views]
    assert {None, OWN, TURNED, OTHER} == set(votes)
    for view in views:
        if view.vote in (OWN, TURNED):
            sign = 1 if view.vote == OWN else -1
            np.testing.assert_allclose(view.frame @ view.frame.T, np.eye(3), atol=1e-9)
            assert np.linalg.det(view.frame) > 0
            # Up stays up; left is left, or right.
            assert view.frame[2, 2] > 0.8
            assert sign * view.frame[0, 0] > 0.5


def test_all_heads_learn_in_every_view(tmp_path, shape, monkeypatch):
    monkeypatch.setattr(body_parts, "RUN", tmp_path)
    torch.manual_seed(0)
    network = body_parts.architecture_of(OUTPUTS, 16)
    trainer = FigureTrainer(
        DiffusionNet(network, TorchEngine("cpu")),
        TrainingSettings(steps=300, learning_rate=5e-3, report_every=50),
    )
    # Bands from the feet up, then left and right of the middle.
    x, _, z = shape.vertices.T
    side = np.where(x > 0, "L", "R")
    label = np.array(
        [
            FINE_NAMES.index(f"thigh.{s}" if h < -0.2 else f"upper_arm.{s}" if h < 0.3 else "head")
            for s, h in zip(side, z, strict=True)
        ]
    )
    # The fine part of what is highest is not known.
    label[z > 0.3] = len(FINE_NAMES) + PART_NAMES.index("head")
    layer = np.where(z > 0.3, LAYER_NAMES.index("hair"), -1)
    integral = input_features(shape, ("integral",))
    losses = []
    trainer.run(
        [LabelledFigure(shape, integral, label, layer)],
        body_parts.checkpoint_of("small"),
        lambda step, loss, accuracy: losses.append(loss),
    )
    assert losses[-1] < 0.6 * losses[0]

    weights, step = body_parts.weights_of_checkpoint(body_parts.checkpoint_of("small"))
    assert step == 300
    paths = body_parts.save_all(weights, 16, "300 steps", tmp_path / "model")
    for path, name in zip(paths, body_parts.MODELS, strict=True):
        model = load_model(path)
        assert (model.card.name, model.card.class_names) == (name, CLASSES[name])
        assert model.card.training_data == "300 steps"
        for weight, found in model.weights.items():
            expected = weights[weight]
            if weight.startswith("last."):
                expected = expected[rows_of(name)]
            np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-3)

    # The frame decides on sides, also on those of the mirror image.
    coarse = load_model(paths[0])
    for figure, own in ((shape, x), (mirrored(shape), -x)):
        features = with_frame(input_features(figure, FEATURES), figure, FEATURES, np.eye(3))
        outputs = forward(
            coarse.card.architecture,
            coarse.weights,
            shape_of(figure, NumpyEngine()),
            features.astype(np.float32),
            NumpyEngine(),
        )
        found = np.array(PART_NAMES)[outputs[:, :-VOTES].argmax(axis=1)]
        limb = (z < -0.2) & (np.abs(own) > 0.1)
        wanted = np.where(own > 0, "thigh.L", "thigh.R")
        assert np.mean(found[limb] == wanted[limb]) > 0.8
