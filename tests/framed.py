"""Networks with the input `frame`, untrained, whose votes on the frame are chosen."""

from dataclasses import replace

import numpy as np

from diffusionnet_blender.network.architecture import Architecture
from diffusionnet_blender.network.card import ModelCard
from diffusionnet_blender.network.checkpoint import Model
from diffusionnet_blender.network.features import input_features, input_width, with_frame
from diffusionnet_blender.network.shape import shape_of
from diffusionnet_blender.network.votes import OTHER, OWN, TURNED, VOTES
from diffusionnet_blender.surface.discretization import discretize
from diffusionnet_blender.surface.settings import DiscretizationSettings
from diffusionnet_blender.surface.surface import Surface
from diffusionnet_blender.tasks.engines import choose_engine
from diffusionnet_blender.tasks.inference import network_outputs
from diffusionnet_blender.tasks.segment.framing import HALF_TURN, UPRIGHT
from tests.conftest import CLASSES
from tests.network.test_forward import random_weights
from tests.shapes import lumpy_body

FEATURES = ("xyz", "hks", "frame")
WIDTH = 16


def body():
    """A mesh whose front is longer than its back: vertices and triangles."""
    vertices, faces = lumpy_body(3)
    x, y, z = vertices.T
    return np.stack([x, np.where(y < 0, 2 * y, y), z], axis=1), faces


def framed_model(sure=0.0, refused=False, sharpness=1.0, class_names=CLASSES):
    """A network that votes for the frame of a file against the same turned by half.

    Parameters
    ----------
    sure : float
        Log-odds of its votes on `body`; 0: both frames are as good, anywhere.
    refused : bool
        Whether no frame is accepted.
    sharpness : float
        Of the probabilities of the classes; low: none is sure.
    """
    network = Architecture(
        inputs=input_width(FEATURES), outputs=len(class_names) + VOTES, width=WIDTH, blocks=1
    )
    weights = {name: w.astype(np.float32) for name, w in random_weights(network).items()}
    weights["last.bias"][:] = 0.0
    weights["last.weight"][:-VOTES] *= 5.0 * sharpness
    weights["last.weight"][-VOTES:] = 0.0
    weights["last.bias"][OTHER - VOTES] = 100.0 if refused else -100.0
    if sure:
        right, middle = _vote(weights, network)
        for vote, sign in ((OWN, 1.0), (TURNED, -1.0)):
            weights["last.weight"][vote - VOTES] = sign * sure / 2 * right
            weights["last.bias"][vote - VOTES] = -sign * sure / 2 * right @ middle
    return Model(_card(network, class_names), weights)


def _vote(weights, network):
    """Weights (WIDTH,) of the last layer by which upright is 1 and turned is -1, and the middle."""
    own = replace(network, outputs=WIDTH)
    last = {"last.weight": np.eye(WIDTH, dtype=np.float32), "last.bias": np.zeros(WIDTH)}
    model = Model(_card(own, tuple(map(str, range(WIDTH - VOTES)))), {**weights, **last})
    shape = discretize(Surface(*body()), model.card.discretization)
    plain, engine = input_features(shape, FEATURES), choose_engine("numpy", "cpu")
    hidden = [
        network_outputs(
            model,
            shape_of(shape, engine),
            with_frame(plain, shape, FEATURES, frame),
            engine,
        )
        for frame in (UPRIGHT, HALF_TURN)
    ]
    upright, turned = (shape.mass @ values / shape.mass.sum() for values in hidden)
    # The direction in which places differ least among each other (Fisher's discriminant).
    spread = np.cov(np.concatenate([hidden[0] - upright, hidden[1] - turned]).T)
    way = np.linalg.solve(spread + 1e-6 * np.eye(WIDTH), upright - turned)
    return 2 * way / (way @ (upright - turned)), (upright + turned) / 2


def _card(network, class_names):
    return ModelCard(
        name="framed",
        title="Framed",
        class_names=class_names,
        class_colours=((0.5, 0.5, 0.5),) * len(class_names),
        features=FEATURES,
        architecture=network,
        discretization=DiscretizationSettings(k=16),
    )
