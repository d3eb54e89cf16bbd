"""Networks learn, stop, and go on."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

torch = pytest.importorskip("torch", reason="training needs torch")

from diffusionnet_blender.network.architecture import Architecture  # noqa: E402
from diffusionnet_blender.network.features import input_features  # noqa: E402
from diffusionnet_blender.network.forward import forward  # noqa: E402
from diffusionnet_blender.network.module import DiffusionNet  # noqa: E402
from diffusionnet_blender.network.shape import shape_of  # noqa: E402
from diffusionnet_blender.network.torch_engine import TorchEngine  # noqa: E402
from diffusionnet_blender.network.training import (  # noqa: E402
    LabelledShape,
    Trainer,
    TrainingSettings,
    mirrored,
    rotated,
    scaled,
)
from diffusionnet_blender.surface.discretization import discretize  # noqa: E402
from diffusionnet_blender.surface.edges import unique_edges  # noqa: E402
from diffusionnet_blender.surface.settings import DiscretizationSettings  # noqa: E402
from diffusionnet_blender.surface.surface import Surface  # noqa: E402
from tests.shapes import lumpy_body  # noqa: E402

SETTINGS = DiscretizationSettings(k=32)
NETWORK = Architecture(inputs=16, outputs=2, width=16, blocks=2)


@pytest.fixture(scope="module")
def body():
    """An ellipsoid-like body, labelled by latitude; a strip between is left unlabelled."""
    vertices, faces = lumpy_body(3)
    height = vertices[:, 2]
    labels = np.where(np.abs(height) < 0.5, 0, 1)
    labels[(np.abs(height) > 0.4) & (np.abs(height) < 0.6)] = -1
    return LabelledShape(discretize(Surface(vertices, faces), SETTINGS), labels)


def trainer(steps, network=NETWORK, **changes):
    torch.manual_seed(0)
    settings = TrainingSettings(steps=steps, scale_jitter=0.0, checkpoint_every=100, **changes)
    return Trainer(DiffusionNet(network, TorchEngine("cpu")), ("hks",), settings=settings)


@pytest.mark.slow
def test_a_network_learns_what_hks_can_tell(body):
    reports = []
    trainer(300, learning_rate=1e-2).run([body], report=lambda *values: reports.append(values))
    assert [step for step, _, _ in reports] == [100, 200, 300]
    assert reports[-1][1] < reports[0][1]
    assert reports[-1][2] > 0.95


class Interrupted(Exception):
    pass


@pytest.mark.slow
def test_training_stopped_and_resumed_is_the_same_as_in_one_go(body, tmp_path):
    other = LabelledShape(scaled(body.discretization, 0.8), body.labels)
    shapes = [body, other, body]
    whole = trainer(220)
    whole.run(shapes)

    def interrupt(step, loss, accuracy):
        if step == 200:
            raise Interrupted

    with pytest.raises(Interrupted):
        trainer(220).run(shapes, tmp_path / "run.pt", interrupt)
    second = trainer(220)
    second.resume(tmp_path / "run.pt")
    assert second.step == 100
    second.run(shapes, tmp_path / "run.pt")
    for name, weight in whole.averaged_weights().items():
        np.testing.assert_allclose(second.averaged_weights()[name], weight, atol=1e-5)


@pytest.mark.parametrize(("label_there", "best_accuracy"), [(-1, 1.0), (1, 0.98)])
def test_unlabelled_vertices_do_not_count(body, label_there, best_accuracy):
    """Labels nobody can learn lower the accuracy; vertices without one do not."""
    labels = np.zeros(len(body.labels), dtype=int)
    labels[np.random.default_rng(0).random(len(labels)) < 0.05] = label_there
    reports = []
    trainer(100).run(
        [LabelledShape(body.discretization, labels)], report=lambda *r: reports.append(r)
    )
    accuracy = reports[-1][2]
    assert (accuracy == pytest.approx(1.0)) if label_there == -1 else (accuracy < best_accuracy)


@pytest.mark.parametrize("output_at", ["edges", "faces"])
def test_labels_may_be_at_edges_or_faces(body, output_at):
    faces = body.discretization.faces
    corners = faces if output_at == "faces" else unique_edges(faces)[0]
    labels = (np.abs(body.discretization.vertices[corners][:, :, 2].mean(axis=1)) > 0.3).astype(int)
    labels[:5] = -1
    shapes = [LabelledShape(body.discretization, labels, corners)]
    learner = trainer(60, replace(NETWORK, output_at=output_at), learning_rate=1e-2)
    before = learner.accuracy(shapes)
    learner.run(shapes)
    assert before < 0.8 < learner.accuracy(shapes)


def test_a_mirrored_copy_is_the_discretization_of_the_mirrored_shape(body):
    vertices, faces = lumpy_body(3)
    real = discretize(Surface(vertices * [-1, 1, 1], faces[:, ::-1]), SETTINGS)
    made = mirrored(body.discretization)
    np.testing.assert_allclose(made.vertices, real.vertices, atol=1e-6)
    np.testing.assert_allclose(made.mass, real.mass, atol=1e-6)
    np.testing.assert_allclose(made.eigenvalues, real.eigenvalues, rtol=1e-4, atol=1e-4)

    def twist(discretization):
        """Cross product of two channels' gradients: its sign is the sense of rotation."""
        u, v = discretization.mass, discretization.vertices[:, 2]
        x, y = discretization.gradient_x, discretization.gradient_y
        return (x @ u) * (y @ v) - (y @ u) * (x @ v)

    largest = np.abs(twist(real)).max()
    np.testing.assert_allclose(twist(made), twist(real), atol=1e-3 * largest)
    np.testing.assert_allclose(twist(made), -twist(body.discretization), atol=1e-3 * largest)


def test_a_scaled_copy_is_the_discretization_in_another_unit(body):
    made = scaled(body.discretization, 2.0)
    gram = made.eigenvectors.T @ (made.mass[:, None] * made.eigenvectors)
    np.testing.assert_allclose(gram, np.eye(len(gram)), atol=1e-4)
    np.testing.assert_allclose(made.mass.sum(), 4 * body.discretization.mass.sum(), rtol=1e-5)
    slope = made.gradient_x @ made.vertices[:, 0]
    before = body.discretization.gradient_x @ body.discretization.vertices[:, 0]
    np.testing.assert_allclose(slope, before, atol=1e-5)


@pytest.mark.parametrize("diffusion", ["spectral", "implicit"])
def test_derivatives_are_right(diffusion):
    """Against finite differences, in double precision, by inputs and by every weight."""
    engine = TorchEngine("cpu", torch.float64)
    architecture = Architecture(inputs=2, outputs=2, width=3, blocks=1, diffusion=diffusion)
    torch.manual_seed(1)
    module = DiffusionNet(architecture, engine)
    found = discretize(Surface(*lumpy_body(1)), DiscretizationSettings(k=12))
    shape = shape_of(found, engine)
    features = torch.rand(len(found.mass), 2, dtype=torch.float64, requires_grad=True)
    names, weights = zip(*module.named_weights().items(), strict=True)

    def run(features, *weights):
        named = dict(zip(names, weights, strict=True))
        return forward(architecture, named, shape, features, engine)

    given = (features, *(w.detach().clone().requires_grad_() for w in weights))
    assert torch.autograd.gradcheck(run, given, atol=1e-6)


def test_dropout_is_for_training_only(body):
    torch.manual_seed(0)
    network = Architecture(inputs=16, outputs=2, width=16, blocks=2, dropout=0.5)
    module = DiffusionNet(network, TorchEngine("cpu"))
    shape = shape_of(body.discretization, module.engine)
    features = module.engine.array(input_features(body.discretization, ("hks",)))
    module.train()
    assert not torch.equal(module(shape, features), module(shape, features))
    module.eval()
    assert torch.equal(module(shape, features), module(shape, features))


def test_a_rotated_copy_is_the_discretization_of_the_rotated_shape(body):
    """All but the positions stays; tangent frames of the copy may be others."""
    rotation = Rotation.from_rotvec([0.3, -1.0, 0.7]).as_matrix()
    vertices, faces = lumpy_body(3)
    real = discretize(Surface(vertices @ rotation.T, faces), SETTINGS)
    made = rotated(body.discretization, rotation)
    np.testing.assert_allclose(made.vertices, real.vertices, atol=1e-6)
    np.testing.assert_allclose(made.mass, real.mass, atol=1e-6)
    np.testing.assert_allclose(made.eigenvalues, real.eigenvalues, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("random_rotation", [False, True])
def test_random_rotations_make_steps_on_positions_differ(body, random_rotation):
    """The same weights, the same shape twice: only a rotation can change the loss."""
    torch.manual_seed(0)
    network = Architecture(inputs=3, outputs=2, width=8, blocks=1)
    settings = TrainingSettings(
        steps=2,
        learning_rate=0.0,
        weight_decay=0.0,
        scale_jitter=0.0,
        random_rotation=random_rotation,
        report_every=1,
    )
    losses = []
    Trainer(DiffusionNet(network, TorchEngine("cpu")), ("xyz",), settings=settings).run(
        [body], report=lambda step, loss, accuracy: losses.append(loss)
    )
    assert (abs(losses[0] - losses[1]) > 1e-4) == random_rotation


def test_rotations_about_an_axis_keep_the_heights_along_it(body):
    """A network sees the body turned otherwise in every step, but never tilted."""
    seen = []

    class Watched(DiffusionNet):
        def forward(self, shape, features):
            seen.append(features.detach().numpy().copy())
            return super().forward(shape, features)

    network = Architecture(inputs=3, outputs=2, width=8, blocks=1)
    settings = TrainingSettings(
        steps=2, scale_jitter=0.0, random_rotation=True, rotation_axis=(0.0, 1.0, 0.0)
    )
    Trainer(Watched(network, TorchEngine("cpu")), ("xyz",), settings=settings).run([body])
    for positions in seen:
        np.testing.assert_allclose(positions[:, 1], body.discretization.vertices[:, 1], atol=1e-6)
    assert np.abs(seen[0] - seen[1]).max() > 0.01


def test_half_precision_learns_about_the_same(body):
    losses = {}
    for half in (False, True):
        reports = []
        trainer(60, half_precision=half, report_every=60).run(
            [body], report=lambda *values, reports=reports: reports.append(values)
        )
        losses[half] = reports[-1][1]
    assert losses[True] == pytest.approx(losses[False], rel=0.1)
    assert losses[True] != losses[False]
