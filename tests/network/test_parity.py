"""The same numbers as the published implementation."""

import numpy as np
import pytest

from diffusionnet_blender.network.features import input_features
from diffusionnet_blender.network.forward import forward
from diffusionnet_blender.network.numpy_engine import NumpyEngine
from diffusionnet_blender.network.published import (
    architecture_of,
    read_published,
    rename_published,
)
from diffusionnet_blender.network.shape import shape_of
from diffusionnet_blender.surface.discretization import normalise
from diffusionnet_blender.surface.edges import directed_edges
from diffusionnet_blender.surface.frames import tangent_frames
from diffusionnet_blender.surface.gradient import gradient_matrices
from diffusionnet_blender.surface.surface import Surface
from tests.network import golden

ENGINES = ["numpy", "torch"]


def double_engine(name):
    if name == "numpy":
        return NumpyEngine(np.float64)
    torch = pytest.importorskip("torch", reason="torch is optional")
    from diffusionnet_blender.network.torch_engine import TorchEngine

    return TorchEngine("cpu", torch.float64)


def run(engine, architecture, weights, discretization, features, corners=None):
    return engine.to_numpy(
        forward(
            architecture,
            {name: engine.array(value) for name, value in weights.items()},
            shape_of(discretization, engine, corners),
            engine.array(features),
            engine,
        )
    )


@golden.needs_golden
@pytest.mark.parametrize("engine_name", ENGINES)
@pytest.mark.parametrize(("shape", "configuration"), golden.CASES)
def test_outputs_equal_the_published_ones(shape, configuration, engine_name):
    engine = double_engine(engine_name)
    fixture = golden.load(shape)
    architecture, weights, corners, expected = golden.network(fixture, configuration)
    found = run(
        engine,
        architecture,
        weights,
        golden.discretization(fixture),
        fixture["normalized"],
        corners,
    )
    np.testing.assert_allclose(found, expected, atol=1e-5, rtol=0)


@golden.needs_golden
@golden.needs_published_weights
@pytest.mark.parametrize("features", ["hks", "xyz"])
def test_published_weights_give_the_published_labels(features):
    pytest.importorskip("torch", reason="torch reads .pth files")
    fixture = golden.load("body")
    weights = rename_published(read_published(golden.PUBLISHED / f"human_seg_{features}_4x128.pth"))
    architecture = architecture_of(weights, "faces")
    discretization = golden.discretization(fixture)
    given = {"hks": fixture["hks"], "xyz": fixture["normalized"]}[features]
    engine = NumpyEngine(np.float64)
    outputs = run(engine, architecture, weights, discretization, given, corners=fixture["faces"])
    found = np.log(engine.softmax(outputs))
    expected = fixture[f"published/human_seg_{features}/log_softmax_faces"]
    np.testing.assert_allclose(found, expected, atol=1e-4)


@golden.needs_golden
@pytest.mark.parametrize("shape", golden.SHAPES)
def test_inputs_equal_the_published_ones(shape):
    fixture = golden.load(shape)
    surface = Surface(fixture["vertices"], fixture["faces"])
    np.testing.assert_allclose(normalise(surface, "vertices"), fixture["normalized"], atol=1e-6)
    np.testing.assert_allclose(
        input_features(golden.discretization(fixture), ("hks",)), fixture["hks"], rtol=1e-4
    )


@golden.needs_golden
@pytest.mark.parametrize("shape", ["body", "bumpy_sphere", "open_cap"])
def test_frames_and_gradients_equal_the_published_ones(shape):
    fixture = golden.load(shape)
    frames = fixture["frames"]
    np.testing.assert_allclose(tangent_frames(frames[:, 2]), frames, atol=1e-5)
    edges = directed_edges(fixture["faces"])
    for matrix, name in zip(
        gradient_matrices(fixture["normalized"], edges, frames, "published"),
        ("gradX", "gradY"),
        strict=True,
    ):
        expected = golden.sparse(fixture, name)
        assert abs(matrix - expected).max() < 1e-6 * abs(expected).max()
