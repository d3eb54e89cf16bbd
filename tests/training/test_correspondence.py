"""Features to match by are learned, with and without supervision."""

from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="training needs torch")

from diffusionnet_blender.matching.functional_map import solve_commuting  # noqa: E402
from diffusionnet_blender.network.architecture import Architecture  # noqa: E402
from diffusionnet_blender.network.features import input_features  # noqa: E402
from diffusionnet_blender.network.shape import shape_of  # noqa: E402
from diffusionnet_blender.network.torch_engine import TorchEngine  # noqa: E402
from diffusionnet_blender.network.training import (  # noqa: E402
    IGNORED,
    TrainingSettings,
    scaled,
)
from diffusionnet_blender.network.votes import OTHER, VOTES  # noqa: E402
from diffusionnet_blender.surface.discretization import discretize  # noqa: E402
from diffusionnet_blender.surface.settings import DiscretizationSettings  # noqa: E402
from tests.matching.pairs import lumpy_surface  # noqa: E402
from training.correspondence import (  # noqa: E402
    MatchedShape,
    MatchTrainer,
    Seen,
    Template,
    TemplateNetwork,
    differentiable_map,
    isometry_loss,
    true_map,
)
from training.meshes import NOWHERE  # noqa: E402

SETTINGS = DiscretizationSettings(k=32)


@pytest.fixture(scope="module")
def world():
    """A template, and the same body in two other meshes that are known on it."""
    template_surface, directions = lumpy_surface(3)
    cosine = np.clip(directions @ directions.T, -1, 1)
    anchors = np.arange(0, len(directions), 6)
    template = Template(
        positions=directions,
        mirrored=(directions @ (directions * [-1, 1, 1]).T).argmax(axis=0),
        anchors=anchors,
        distances=(np.arccos(cosine[anchors]) / np.sqrt(4 * np.pi)).astype(np.float32),
        size=float(np.sqrt(4 * np.pi)),
        groups=((directions[:, 0] > 0).astype(np.int64), (directions[:, 2] > 0).astype(np.int64)),
    )
    shapes = []
    for seed in (3, 4):
        surface, own = lumpy_surface(3, seed)
        shapes.append(MatchedShape(discretize(surface, SETTINGS), (own @ directions.T).argmax(1)))
    return template, shapes


def trainer(world, supervised, steps, features=("hks", "wks"), k=12):
    template, shapes = world
    torch.manual_seed(0)
    inputs = {"xyz": 3}.get(features[0], 32)
    module = TemplateNetwork(
        Architecture(inputs=inputs, outputs=16, width=24, blocks=2),
        TorchEngine("cpu"),
        len(template.anchors) if supervised else 0,
    )
    settings = TrainingSettings(
        steps=steps, learning_rate=1e-2, scale_jitter=0.05, checkpoint_every=100
    )
    return MatchTrainer(
        module, features, shapes, template if supervised else None, settings, map_size=k
    )


def nearest_place(trained, world):
    """How far from its true place on the template each vertex of the second finds its partner."""
    template, shapes = world
    found = []
    for shape in shapes:
        inputs = trained.module.engine.array(input_features(shape.discretization, trained.features))
        with torch.no_grad():
            raw = trained.module(shape_of(shape.discretization, trained.module.engine), inputs)
        found.append(torch.nn.functional.normalize(raw, dim=1))
    partner = shapes[0].place[(found[1] @ found[0].T).argmax(dim=1).numpy()]
    cosine = (template.positions[partner] * template.positions[shapes[1].place]).sum(axis=1)
    return np.arccos(np.clip(cosine, -1, 1))


def test_the_map_in_the_loop_is_that_of_matching_at_any_size(world):
    _, (one, other) = world
    engine = TorchEngine("cpu", torch.float64)
    rng = np.random.default_rng(0)
    features = [rng.standard_normal((len(s.place), 9)) for s in (one, other)]
    made = []
    for size in (1.0, 3.0):
        shapes = [
            shape_of(d, engine) for d in (one.discretization, scaled(other.discretization, size))
        ]
        made.append(differentiable_map(*shapes, *map(engine.array, features), 10, 0.1).numpy())
    np.testing.assert_allclose(made[0], made[1], atol=1e-4)

    def coefficients(discretization, values):
        area = discretization.mass.sum()
        weighted = discretization.mass[:, None] * values
        return discretization.eigenvectors[:, :10].T @ weighted / np.sqrt(area), area

    (a, area_s), (b, area_t) = (
        coefficients(s.discretization, f) for s, f in zip((one, other), features, strict=True)
    )
    values = [
        s.discretization.eigenvalues[:10] * area for s, area in ((one, area_s), (other, area_t))
    ]
    np.testing.assert_allclose(made[0], solve_commuting(a, b, *values, 0.1), atol=1e-2)


def test_the_known_map_carries_functions_of_the_template(world):
    template, (one, other) = world
    c = true_map((one.discretization, one.place), (other.discretization, other.place), template, 30)

    def smooth(shape):
        d, height = shape.discretization, template.positions[shape.place][:, 2]
        return d.eigenvectors[:, :30].T @ (d.mass * height) / np.sqrt(d.mass.sum())

    np.testing.assert_allclose(c @ smooth(one), smooth(other), atol=0.02)


@pytest.mark.slow
def test_supervised_features_find_places_and_sides(world):
    trained = trainer(world, True, 400)
    reports = []
    trained.run(world[1], report=lambda *values: reports.append(values))
    error = nearest_place(trained, world)
    assert np.median(error) < 0.25
    assert reports[-1][2] > 0.5  # sides and top and bottom together


def test_of_half_a_shape_only_what_the_other_has_is_learned_from(world):
    template, (one, other) = world
    half = template.positions[:, 2] > 0
    upper, lower = np.flatnonzero(half), np.flatnonzero(~half)
    found = template.has_partner(np.arange(len(half)), upper)
    assert found[half].all()
    # A narrow rim is near enough.
    assert 0.0 < found[~half].mean() < 0.4
    assert not found[template.positions[:, 2] < -0.5].any()
    # Two shapes that have nothing in common teach what they are on the template, and no more.
    trained = trainer(world, True, 3)
    trained.shapes = [
        MatchedShape(shape.discretization, np.resize(places, len(shape.place)))
        for shape, places in (
            (one, upper[template.positions[upper, 2] > 0.5]),
            (other, lower[template.positions[lower, 2] < -0.5]),
        )
    ]
    reports = []
    trained.settings = TrainingSettings(steps=3, report_every=1)
    trained.run(trained.shapes, report=lambda *values: reports.append(values))
    assert np.isfinite([loss for _, loss, _ in reports]).all()


def gradients_of(trained, shape, vote=None, groups=None):
    """Which vertices' features the loss of one shape by itself has derivatives by, (V,) bool."""
    engine = trained.module.engine
    count = trained.module.feature_count
    outputs = torch.randn(len(shape.place), count + VOTES, requires_grad=True)
    features = torch.nn.functional.normalize(outputs[:, :count], dim=1)
    seen = Seen(shape.discretization, shape.place, groups, np.zeros(0), vote)
    discretization = shape_of(shape.discretization, engine)
    loss = trained._judged(seen, discretization, features, outputs, [])
    if loss.requires_grad:
        loss.backward()
        return [(g.abs() > 0).any(dim=1).numpy() for g in outputs.grad.split([count, VOTES], dim=1)]
    return [np.zeros(len(shape.place), bool)] * 2


def test_what_has_no_place_is_not_learned_from(world):
    trained = trainer(world, True, 1)
    _, (one, _) = world
    masked = np.arange(len(one.place)) % 3 == 0
    partly = replace(one, place=np.where(masked, NOWHERE, one.place))
    by_features, by_votes = gradients_of(trained, partly)
    np.testing.assert_array_equal(by_features, ~masked)
    assert not by_votes.any()
    # In a wrong frame only the vote is learned; of a shape without places nothing.
    by_features, by_votes = gradients_of(trained, one, vote=OTHER)
    assert not by_features.any()
    assert by_votes.all()
    nowhere = replace(one, place=np.full(len(masked), NOWHERE))
    assert not np.any(gradients_of(trained, nowhere))
    # Unless its groups are known, in part.
    groups = tuple(np.where(masked, IGNORED, group[one.place]) for group in world[0].groups)
    by_features, _ = gradients_of(trained, nowhere, groups=groups)
    np.testing.assert_array_equal(by_features, ~masked)


def test_a_pair_is_not_learned_from_where_either_has_no_place(world):
    trained = trainer(world, True, 1)
    template, (one, other) = world
    masked = [np.arange(len(shape.place)) % step == 0 for shape, step in ((one, 3), (other, 4))]
    pair = [
        Seen(s.discretization, np.where(gone, NOWHERE, s.place), None, np.zeros(0))
        for s, gone in zip((one, other), masked, strict=True)
    ]
    found = [torch.randn(len(s.place), 8, requires_grad=True) for s in pair]
    shapes = [shape_of(s.discretization, trained.module.engine) for s in pair]
    trained._pair_loss(pair, shapes, found).backward()
    for features, gone in zip(found, masked, strict=True):
        by = (features.grad.abs() > 0).any(dim=1).numpy()
        assert by.any()
        assert not by[gone].any()
    assert not template.has_partner(pair[0].place, pair[1].place)[masked[0]].any()


def test_classes_of_the_other_side_are_those_of_mirrored_places(world):
    template, _ = world
    side, top = template.mirrored_classes()
    assert list(side) == [1, 0]
    assert list(top) == [0, 1]


@pytest.mark.slow
def test_aligned_shapes_teach_each_other_without_any_correspondence(world):
    trained = trainer(world, False, 300, ("xyz",))
    reports = []
    trained.run(world[1], report=lambda *values: reports.append(values))
    assert reports[-1][1] < 0.5 * reports[0][1]
    assert np.median(nearest_place(trained, world)) < 0.2


def test_an_isometry_has_no_loss_and_a_wrong_map_has(world):
    _, (one, _) = world
    engine = TorchEngine("cpu", torch.float64)
    shape = shape_of(one.discretization, engine)
    features = shape.eigenvectors[:, :12]
    right = isometry_loss(shape, shape, features, features, 12)
    wrong = isometry_loss(shape, shape, features, features.roll(1, dims=1), 12)
    assert float(right) < 0.05 < float(wrong)


def test_the_loss_has_right_derivatives(world):
    _, (one, other) = world
    engine = TorchEngine("cpu", torch.float64)
    shapes = [shape_of(s.discretization, engine) for s in (one, other)]
    torch.manual_seed(1)
    # Independent features: where they are few, differences say little of steep derivatives.
    mix = (torch.rand(6, 6, dtype=torch.float64) + torch.eye(6)).requires_grad_()

    def loss(mix):
        return isometry_loss(*shapes, *(s.eigenvectors[:, :6] @ mix for s in shapes), 5)

    assert torch.autograd.gradcheck(loss, (mix,))


@pytest.mark.slow
def test_training_to_match_goes_on_where_it_stopped(world, tmp_path):
    whole = trainer(world, True, 120)
    whole.run(world[1])

    def stop(step, loss, right):
        raise InterruptedError

    first = trainer(world, True, 120)
    first.save(tmp_path / "run.pt")
    with pytest.raises(InterruptedError):
        first.run(world[1], tmp_path / "run.pt", stop)
    second = trainer(world, True, 120)
    second.resume(tmp_path / "run.pt")
    second.run(world[1])
    for name, weight in whole.averaged_weights().items():
        np.testing.assert_allclose(second.averaged_weights()[name], weight, atol=1e-4)
