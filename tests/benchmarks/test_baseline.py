"""The plain baseline computes the same things as this project, only otherwise."""

import numpy as np
import pytest

pytest.importorskip("torch", reason="the baseline's network is torch's")

from benchmarks import accuracy, baseline  # noqa: E402
from diffusionnet_blender.network.features import input_features  # noqa: E402
from diffusionnet_blender.network.frameless import frameless  # noqa: E402
from diffusionnet_blender.network.numpy_engine import NumpyEngine  # noqa: E402
from diffusionnet_blender.surface.discretization import discretize  # noqa: E402
from diffusionnet_blender.surface.edges import directed_edges  # noqa: E402
from diffusionnet_blender.surface.frames import tangent_frames  # noqa: E402
from diffusionnet_blender.surface.gradient import gradient_matrices  # noqa: E402
from diffusionnet_blender.surface.settings import DiscretizationSettings  # noqa: E402
from diffusionnet_blender.surface.surface import Surface  # noqa: E402
from diffusionnet_blender.surface.winding import vertex_normals  # noqa: E402
from diffusionnet_blender.tasks.inference import class_probabilities  # noqa: E402
from diffusionnet_blender.tasks.models import find_model  # noqa: E402
from diffusionnet_blender.tasks.sides import mirrored_classes  # noqa: E402
from tests.shapes import joined, lumpy_body  # noqa: E402


@pytest.fixture(scope="module")
def shape():
    """Matrices of a lumpy body with a loose part, at k = 64."""
    vertices, faces = lumpy_body()
    small = (0.1 * vertices + [0.0, 0.0, 1.6], faces)
    surface = Surface(*joined((vertices, faces), small))
    return discretize(surface, DiscretizationSettings(k=64))


@pytest.fixture(scope="module")
def plain(shape):
    """The baseline's Laplacian, mass, eigenvalues and eigenvectors of it."""
    edges = directed_edges(shape.faces)
    laplacian, mass = baseline.laplacian_and_mass(
        shape.vertices.astype(np.float64), shape.faces, edges
    )
    return laplacian, mass, *baseline.eigenbasis(laplacian, mass, 64)


def test_eigenvalues_agree(shape, plain):
    _, _, eigenvalues, _ = plain
    largest, median = accuracy.eigenvalue_errors(shape.eigenvalues, eigenvalues)
    assert largest < 1e-3
    assert median < 1e-5


def test_eigenvectors_span_the_same_space(shape, plain):
    _, mass, _, eigenvectors = plain
    assert accuracy.subspace_sine(shape.eigenvectors[:, :40], eigenvectors[:, :40], mass) < 0.02
    other = np.roll(eigenvectors[:, :40], 7, axis=0)
    assert accuracy.subspace_sine(shape.eigenvectors[:, :40], other, mass) > 0.2


def test_gradients_agree_under_the_published_regulariser(shape):
    vertices, edges = shape.vertices.astype(np.float64), directed_edges(shape.faces)
    frames = tangent_frames(vertex_normals(vertices, shape.faces))
    ours = gradient_matrices(vertices, edges, frames, "published")
    for mine, plainly in zip(
        ours, baseline.gradient_matrices(vertices, edges, frames), strict=True
    ):
        assert abs(mine - plainly).max() < 1e-6 * abs(mine).max()


def test_the_networks_agree(shape):
    model = frameless(find_model("body_parts"))
    features = input_features(shape, model.card.features)
    plainly = baseline.class_probabilities(
        model.weights,
        model.card.architecture.blocks,
        shape.mass,
        shape.eigenvalues,
        shape.eigenvectors,
        (shape.gradient_x, shape.gradient_y),
        features,
        mirrored_classes(model.card.class_names),
        model.card.temperature,
    )
    ours = class_probabilities(model, shape, features, NumpyEngine())
    np.testing.assert_allclose(plainly, ours, atol=1e-4)
