"""The training of animal_parts: its card, its steps, and the baseline it is measured beside."""

import numpy as np
import pytest

pytest.importorskip("torch", reason="it trains")

from diffusionnet_blender.network.features import input_features  # noqa: E402
from diffusionnet_blender.network.module import DiffusionNet, fresh_weights  # noqa: E402
from diffusionnet_blender.network.torch_engine import TorchEngine  # noqa: E402
from diffusionnet_blender.network.training import TrainingSettings  # noqa: E402
from diffusionnet_blender.network.votes import VOTES  # noqa: E402
from diffusionnet_blender.surface.discretization import discretize  # noqa: E402
from training import animal_parts  # noqa: E402
from training.body_parts import architecture_of  # noqa: E402
from training.examples import of_body  # noqa: E402
from training.heads import AnimalTrainer, LabelledFigure  # noqa: E402
from training.meshes import Body  # noqa: E402
from training.parts import ANIMAL_COLOURS, ANIMAL_PART_NAMES, ANIMALS, NO_PART  # noqa: E402
from training.quadrupeds import sample_quadruped  # noqa: E402
from training.remesh import decimate  # noqa: E402


@pytest.fixture(scope="module")
def quadruped():
    figure = sample_quadruped(np.random.default_rng(1)).figure
    body = Body(figure.vertices, figure.faces, figure.fine, figure.component, anatomy=ANIMALS)
    return of_body(decimate(body, 500), "quadruped")


def test_the_card_has_front_legs_that_the_animal_stands_on():
    card = animal_parts.card_of(8, "none")
    assert card.four_legs
    assert card.class_names == ANIMAL_PART_NAMES
    assert all(name.endswith(".L") for limb in card.limbs for name in limb)
    assert len(set(ANIMAL_COLOURS.values())) == len(ANIMAL_PART_NAMES) == 16


def test_labels_copied_from_the_same_animal_are_its_own(quadruped, monkeypatch):
    monkeypatch.setattr(animal_parts, "at_rest", lambda name: quadruped)
    np.testing.assert_array_equal(animal_parts.copied(quadruped, ["itself"]), quadruped.labels)


def test_training_takes_down_the_loss_and_skips_what_has_no_part(quadruped):
    import torch

    torch.manual_seed(0)
    plan = architecture_of(len(ANIMAL_PART_NAMES) + VOTES, 16)
    shape = discretize(quadruped.surface, animal_parts.SETTINGS)
    label = quadruped.fine.astype(np.int64)
    label[::7] = NO_PART
    figure = LabelledFigure(
        shape, input_features(shape, ("integral",)).astype(np.float32), label, np.zeros_like(label)
    )
    losses = []
    trainer = AnimalTrainer(
        DiffusionNet(plan, TorchEngine("cpu"), fresh_weights(plan)),
        TrainingSettings(steps=40, learning_rate=5e-3, report_every=20),
    )
    trainer.run([figure], report=lambda step, loss, right: losses.append(loss))
    assert losses[-1] < 0.9 * losses[0]
