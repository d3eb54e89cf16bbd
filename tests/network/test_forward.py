"""What the mathematics of the paper promises, checked on real shapes."""

from dataclasses import replace

import numpy as np
import pytest

from diffusionnet_blender.network.architecture import Architecture
from diffusionnet_blender.network.features import input_features
from diffusionnet_blender.network.forward import forward, mirrored_weights
from diffusionnet_blender.network.implicit import ImplicitDiffusion
from diffusionnet_blender.network.numpy_engine import NumpyEngine
from diffusionnet_blender.network.shape import shape_of
from diffusionnet_blender.surface.discretization import discretize
from diffusionnet_blender.surface.repair import repair
from diffusionnet_blender.surface.settings import DiscretizationSettings
from diffusionnet_blender.surface.surface import Surface
from tests.shapes import icosphere, lumpy_body, random_rotation

ENGINE = NumpyEngine(np.float64)
SETTINGS = DiscretizationSettings(k=64)


def random_weights(architecture, seed=0):
    rng = np.random.default_rng(seed)
    weights = {}
    for name, shape in architecture.weight_shapes().items():
        scale = 1 / np.sqrt(shape[-1])
        weights[name] = rng.uniform(-scale, scale, shape)
        if name.endswith(".time"):
            weights[name] = 10 ** rng.uniform(-3, 0, shape)
    return weights


def outputs(architecture, discretization, features=None, corners=None, engine=ENGINE):
    given = input_features(discretization, ("hks",)) if features is None else features
    weights = {n: engine.array(w) for n, w in random_weights(architecture).items()}
    return engine.to_numpy(
        forward(
            architecture,
            weights,
            shape_of(discretization, engine, corners),
            engine.array(given),
            engine,
        )
    )


@pytest.fixture(scope="module")
def body():
    return discretize(Surface(*lumpy_body(3)), SETTINGS)


HKS_NETWORK = Architecture(inputs=16, outputs=5, width=24, blocks=3)


def test_diffusion_leaves_a_constant_alone(body):
    for times in ([1e-3], [10.0]):
        diffused = ImplicitDiffusion(body.laplacian, body.mass)(
            np.ones((len(body.mass), 1)), np.array(times)
        )
        np.testing.assert_allclose(diffused, 1.0, atol=1e-5)
    shape = shape_of(body, ENGINE)
    spectrum = shape.eigenvectors.T @ (shape.mass[:, None] * np.ones((len(body.mass), 1)))
    decay = np.exp(-shape.eigenvalues[:, None] * 10.0)
    np.testing.assert_allclose(shape.eigenvectors @ (decay * spectrum), 1.0, atol=1e-3)


def test_long_diffusion_is_the_mean_over_the_surface(body):
    values = body.vertices[:, :1].astype(float)
    mean = np.average(values[:, 0], weights=body.mass)
    diffused = ImplicitDiffusion(body.laplacian, body.mass)(values, np.array([1e6]))
    np.testing.assert_allclose(diffused, mean, atol=1e-3)


def test_implicit_and_spectral_diffusion_agree_on_smooth_functions(body):
    smooth = body.eigenvectors[:, :6].astype(float)
    time = 0.01
    implicit = ImplicitDiffusion(body.laplacian, body.mass)(smooth, np.full(6, time))
    np.testing.assert_allclose(
        implicit, smooth / (1 + time * body.eigenvalues[:6]), atol=2e-3 * np.abs(smooth).max()
    )
    spectral = smooth * np.exp(-time * body.eigenvalues[:6])
    np.testing.assert_allclose(implicit, spectral, atol=0.06 * np.abs(smooth).max())


def test_a_network_gives_nearly_the_same_with_either_diffusion(body):
    spectral = outputs(HKS_NETWORK, body)
    implicit = outputs(replace(HKS_NETWORK, diffusion="implicit"), body)
    spread = spectral.std()
    assert np.abs(implicit - spectral).mean() < 0.2 * spread


def test_rotation_does_not_change_the_outputs_with_hks_input():
    vertices, faces = lumpy_body(3)
    original = outputs(HKS_NETWORK, discretize(Surface(vertices, faces), SETTINGS))
    turned = Surface(vertices @ random_rotation(3).T * 7 + [1, 2, 3], faces)
    rotated = outputs(HKS_NETWORK, discretize(turned, SETTINGS))
    np.testing.assert_allclose(original, rotated, atol=1e-3 * np.abs(original).max())


def test_the_order_of_vertices_does_not_matter(body):
    vertices, faces = lumpy_body(3)
    order = np.random.default_rng(0).permutation(len(vertices))
    place = np.argsort(order)
    shuffled = discretize(Surface(vertices[order], place[faces]), SETTINGS)
    np.testing.assert_allclose(
        outputs(HKS_NETWORK, body)[order], outputs(HKS_NETWORK, shuffled), atol=1e-3
    )


def reflection_change(gradient):
    """Largest change of the outputs when the shape is reflected, relative to their spread."""
    vertices, faces = lumpy_body(3)
    reflected = repair(Surface(vertices * [-1, 1, 1], faces)).surface
    found = []
    for surface in (Surface(vertices, faces), reflected):
        discretization = discretize(surface, SETTINGS)
        signature = input_features(discretization, ("hks",))
        # Contrast, so that the gradients of different channels point in different directions.
        contrast = (signature - signature.mean(axis=0)) / signature.std(axis=0)
        found.append(outputs(replace(HKS_NETWORK, gradient=gradient), discretization, contrast * 3))
    return np.abs(found[0] - found[1]).max() / found[0].std()


def test_only_a_complex_matrix_sees_a_reflection():
    """Paper 3.4 and Figure 5: the sense of rotation tells a shape from its mirror image."""
    assert reflection_change("real") < 0.005
    assert reflection_change("complex") > 0.05


def test_mirrored_weights_see_the_mirror_image_of_a_shape(body):
    weights = random_weights(HKS_NETWORK)
    features = input_features(body, ("hks",))
    mirrored = replace(body, gradient_y=-body.gradient_y)
    image = forward(HKS_NETWORK, weights, shape_of(mirrored, ENGINE), features, ENGINE)
    shape = shape_of(body, ENGINE)
    seen = forward(HKS_NETWORK, mirrored_weights(weights), shape, features, ENGINE)
    np.testing.assert_allclose(seen, image, atol=1e-10)
    assert np.abs(forward(HKS_NETWORK, weights, shape, features, ENGINE) - seen).max() > 1e-4


def test_without_diffusion_and_gradients_a_vertex_knows_nothing_of_the_others(body):
    network = replace(HKS_NETWORK, diffusion="none", gradient="none")
    features = input_features(body, ("hks",))
    changed = features.copy()
    changed[0] += 1.0
    found, after = (outputs(network, body, given) for given in (features, changed))
    np.testing.assert_array_equal(found[1:], after[1:])
    assert np.abs(found[0] - after[0]).max() > 1e-3


def test_outputs_at_edges_faces_and_the_whole_shape_are_means_of_the_vertices(body):
    at_vertices = outputs(HKS_NETWORK, body)
    faces = lumpy_body(3)[1]
    at_faces = outputs(replace(HKS_NETWORK, output_at="faces"), body, corners=faces)
    np.testing.assert_allclose(at_faces, at_vertices[faces].mean(axis=1))
    edges = faces[:, :2]
    at_edges = outputs(replace(HKS_NETWORK, output_at="edges"), body, corners=edges)
    np.testing.assert_allclose(at_edges, at_vertices[edges].mean(axis=1))
    whole = outputs(replace(HKS_NETWORK, output_at="shape"), body)
    np.testing.assert_allclose(whole, np.average(at_vertices, axis=0, weights=body.mass), rtol=1e-6)


@pytest.mark.parametrize("diffusion", ["spectral", "implicit"])
@pytest.mark.parametrize("output_at", ["vertices", "shape"])
def test_a_batch_on_one_shape_is_its_members(body, diffusion, output_at):
    network = replace(HKS_NETWORK, diffusion=diffusion, output_at=output_at)
    features = np.random.default_rng(0).standard_normal((3, len(body.mass), 16))
    together = outputs(network, body, features)
    for member, alone in zip(features, together, strict=True):
        np.testing.assert_allclose(outputs(network, body, member), alone, atol=1e-10)


@pytest.mark.parametrize("diffusion", ["spectral", "implicit"])
def test_both_engines_agree(body, diffusion):
    torch = pytest.importorskip("torch", reason="torch is optional")
    from diffusionnet_blender.network.torch_engine import TorchEngine

    network = replace(HKS_NETWORK, diffusion=diffusion)
    features = np.random.default_rng(0).standard_normal((2, len(body.mass), 16))
    for dtype, exact in ((np.float32, 1e-4), (np.float64, 1e-10)):
        torch_dtype = {np.float32: torch.float32, np.float64: torch.float64}[dtype]
        a = outputs(network, body, features, engine=NumpyEngine(dtype))
        b = outputs(network, body, features, engine=TorchEngine("cpu", torch_dtype))
        np.testing.assert_allclose(a, b, atol=exact)


@pytest.mark.parametrize(
    ("diffusion", "gradient"),
    [
        ("spectral", "complex"),
        ("spectral", "real"),
        ("spectral", "unlearned"),
        ("spectral", "none"),
        ("none", "complex"),
    ],
)
@pytest.mark.parametrize("threads", [1, 3])
def test_portions_of_rows_give_what_all_rows_at_once_give(
    body, diffusion, gradient, threads, monkeypatch
):
    torch = pytest.importorskip("torch", reason="torch is optional")
    from diffusionnet_blender.network.torch_engine import TorchEngine

    network = replace(HKS_NETWORK, diffusion=diffusion, gradient=gradient)
    whole = outputs(network, body, engine=TorchEngine("cpu", torch.float64))
    for engine in (NumpyEngine(np.float64), TorchEngine("cpu", torch.float64)):
        monkeypatch.setattr(engine, "_threads", lambda: threads)
        monkeypatch.setattr("diffusionnet_blender.network.torch_engine.ROWS_IN_CACHE", 100)
        monkeypatch.setattr("diffusionnet_blender.network.rows.ROWS_IN_CACHE", 100)
        with engine.inference():
            np.testing.assert_allclose(outputs(network, body, engine=engine), whole, atol=1e-10)


def test_channels_of_any_time_are_diffused_exactly(body):
    times = np.logspace(-8, 3, 23)
    values = np.random.default_rng(0).standard_normal((len(body.mass), len(times)))
    diffused = ImplicitDiffusion(body.laplacian, body.mass)(values, times)
    back = body.mass[:, None] * diffused + (body.laplacian @ diffused) * times
    scale = np.abs(body.laplacian @ diffused).max(axis=0) * times + body.mass.max()
    assert (np.abs(back - body.mass[:, None] * values).max(axis=0) < 1e-7 * scale).all()


def test_a_finer_mesh_of_the_same_shape_gives_about_the_same_outputs():
    """Paper 5.4: what is computed belongs to the surface, not to its triangles."""

    def at_poles(subdivisions):
        vertices, faces = icosphere(subdivisions)
        x, y, z = vertices.T
        pulled = vertices * (1 + 0.3 * x * y + 0.4 * z**2 + 0.2 * np.sin(3 * x + 1))[:, None]
        found = outputs(HKS_NETWORK, discretize(Surface(pulled, faces), SETTINGS))
        return np.stack([found[np.argmax(vertices @ d)] for d in np.eye(3)]), found.std()

    (coarse, spread), (fine, _) = at_poles(3), at_poles(4)
    assert np.abs(coarse - fine).mean() < 0.1 * spread
