"""Segmenting with a model, from Python, without Blender."""

import resource
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from diffusionnet_blender.errors import (
    Cancelled,
    DeviceError,
    ModelError,
    SurfaceError,
)
from diffusionnet_blender.network.architecture import Architecture
from diffusionnet_blender.network.card import ModelCard
from diffusionnet_blender.network.checkpoint import Model, save_model
from diffusionnet_blender.network.features import input_width
from diffusionnet_blender.surface.cache import OperatorCache
from diffusionnet_blender.surface.outer_skin import most_vertices
from diffusionnet_blender.surface.settings import DiscretizationSettings
from diffusionnet_blender.surface.surface import Surface
from diffusionnet_blender.tasks import segment as task
from diffusionnet_blender.tasks.labels import Polygons, polygon_labels, triangle_labels
from diffusionnet_blender.tasks.memory import estimated_bytes
from tests.network.test_forward import random_weights
from tests.shapes import icosphere, joined, lumpy_body, random_rotation


def segment(surface, model, **options):
    """Labels as the network gives them, with borders as they are."""
    return task.segment(surface, model, **{"clean": False, **options})


def untrained_model(output_at="vertices", features=("hks",), k=32):
    network = Architecture(
        inputs=input_width(features),
        outputs=3,
        width=16,
        blocks=2,
        output_at=output_at,
    )
    card = ModelCard(
        name="untrained",
        title="Untrained",
        class_names=("a", "b", "c"),
        class_colours=np.eye(3).tolist(),
        features=features,
        architecture=network,
        discretization=DiscretizationSettings(k=k),
    )
    weights = {n: w.astype(np.float32) for n, w in random_weights(network).items()}
    if output_at == "vertices":
        # Centred on what the lumpy body gives, so that every class is found on it.
        weights["last.weight"] *= 50
        found = segment(Surface(*lumpy_body(3)), Model(card, weights), engine="numpy")
        weights["last.bias"] -= np.log(found.vertex_probabilities).mean(axis=0)
    return Model(card, weights)


MODEL = untrained_model()


def test_every_vertex_gets_probabilities_and_the_most_probable_label():
    vertices, faces = lumpy_body(3)
    found = segment(Surface(vertices, faces), MODEL)
    assert found.vertex_probabilities.shape == (len(vertices), 3)
    np.testing.assert_allclose(found.vertex_probabilities.sum(axis=1), 1.0, atol=1e-5)
    np.testing.assert_array_equal(found.vertex_labels, found.vertex_probabilities.argmax(axis=1))
    np.testing.assert_array_equal(found.confidence, found.vertex_probabilities.max(axis=1))
    assert found.class_names == ("a", "b", "c")
    assert len(np.unique(found.vertex_labels)) > 1
    assert set(found.seconds) == {
        "repair",
        "laplacian",
        "eigenbasis",
        "gradient",
        "features",
        "network",
    }


@pytest.mark.parametrize("features", [("hks",), ("hks", "wks", "integral")])
def test_engines_agree_and_say_which_they_are(features):
    pytest.importorskip("torch", reason="torch is optional")
    surface, model = Surface(*lumpy_body(3)), untrained_model(features=features)
    found = {
        name: segment(surface, model, engine=name, device="cpu") for name in ("numpy", "torch")
    }
    np.testing.assert_allclose(
        found["numpy"].vertex_probabilities, found["torch"].vertex_probabilities, atol=1e-4
    )
    assert {name: result.engine for name, result in found.items()} == {
        "numpy": "numpy",
        "torch": "torch",
    }


def test_a_split_flipped_moved_mesh_gets_the_labels_of_the_clean_one():
    vertices, faces = lumpy_body(3)
    clean = segment(Surface(vertices, faces), MODEL)
    flipped = faces.copy()
    flipped[::3] = flipped[::3, ::-1]
    corners = (30 * vertices @ random_rotation(1).T + 5)[flipped].reshape(-1, 3)
    stray = corners[:1] * 1.001
    soup = Surface(np.concatenate([corners, stray]), np.arange(len(corners)).reshape(-1, 3))
    found = segment(soup, MODEL)
    np.testing.assert_allclose(
        found.vertex_probabilities[:-1],
        clean.vertex_probabilities[flipped].reshape(-1, 3),
        atol=0.02,
    )
    report = found.repairs
    assert report.welded_vertices
    assert report.flipped_faces
    assert report.unreferenced_vertices == 1
    assert "flipped faces" in report.summary()


def test_a_point_cloud_gets_nearly_the_labels_of_its_mesh():
    vertices, faces = lumpy_body(4)
    mesh = segment(Surface(vertices, faces), MODEL)
    cloud = segment(Surface(vertices), MODEL)
    assert np.mean(mesh.vertex_labels == cloud.vertex_labels) > 0.9


def test_the_cache_saves_the_second_run_all_but_the_network(tmp_path):
    cache = OperatorCache(tmp_path)
    surface = Surface(*lumpy_body(3))
    first = segment(surface, MODEL, cache=cache)
    second = segment(surface, MODEL, cache=cache)
    np.testing.assert_array_equal(first.vertex_probabilities, second.vertex_probabilities)
    assert "eigenbasis" in first.seconds
    assert set(second.seconds) == {"cache", "features", "network"}


def test_the_cache_saves_the_repair_of_what_needs_one(tmp_path):
    cache = OperatorCache(tmp_path)
    vertices, faces = lumpy_body(3)
    soup = Surface(
        np.concatenate([vertices[faces].reshape(-1, 3), [[0.0, 0.0, 5.0]]]),
        np.arange(faces.size).reshape(-1, 3)[:, ::-1],
    )
    first, second = (segment(soup, MODEL, cache=cache) for _ in range(2))
    np.testing.assert_array_equal(first.vertex_probabilities, second.vertex_probabilities)
    assert first.repairs == second.repairs
    assert second.repairs.unreferenced_vertices == 1
    assert "repair" not in second.seconds


def bent(vertices):
    """Turned about z the further up, moved and scaled: another pose of a shape."""
    angle = 0.6 * vertices[:, 2]
    x = np.cos(angle) * vertices[:, 0] - np.sin(angle) * vertices[:, 1]
    y = np.sin(angle) * vertices[:, 0] + np.cos(angle) * vertices[:, 1]
    return 3.0 * np.stack([x, y, vertices[:, 2]], axis=1) + [4.0, 5.0, 6.0]


def test_every_pose_shares_the_matrices_of_the_rest_shape(tmp_path):
    vertices, faces = lumpy_body(3)
    rest = segment(Surface(vertices, faces), MODEL, cache=OperatorCache(tmp_path))
    posed = segment(
        Surface(bent(vertices), faces),
        MODEL,
        template=Surface(vertices, faces),
        cache=OperatorCache(tmp_path),
    )
    assert set(posed.seconds) == {"cache", "features", "network"}
    # This model is fed heat kernel signatures alone: it never sees the pose.
    np.testing.assert_array_equal(posed.vertex_probabilities, rest.vertex_probabilities)


def test_a_model_of_positions_sees_the_pose_on_the_matrices_of_the_rest_shape():
    model = untrained_model(features=("xyz",))
    vertices, faces = lumpy_body(3)
    # What repair takes out of the rest shape must not shift the positions of the posed one.
    stray = np.array([[0.0, 0.0, 2.0]])
    rest = Surface(np.concatenate([stray, vertices, vertices[:2]]), faces + 1)
    moved = bent(vertices)
    posed = Surface(np.concatenate([9.0 * stray, moved, moved[:2]]), faces + 1)
    found = segment(posed, model, template=rest).vertex_probabilities

    still = segment(rest, model).vertex_probabilities
    assert np.abs(found - still).max() > 0.01
    # A pose that only moves and scales the shape changes nothing.
    placed = Surface(7.0 * rest.vertices + [1.0, 2.0, 3.0], rest.faces)
    np.testing.assert_allclose(
        segment(placed, model, template=rest).vertex_probabilities, still, atol=1e-4
    )
    # Matrices that the pose does not change: a turned shape is the same with and without.
    turned = Surface(rest.vertices @ random_rotation(4).T, rest.faces)
    np.testing.assert_allclose(
        segment(turned, model, template=rest).vertex_probabilities,
        segment(turned, model).vertex_probabilities,
        atol=0.02,
    )


@pytest.mark.parametrize("other", ["vertices", "faces", "corners", "cloud"])
def test_a_rest_shape_of_another_mesh_is_refused(other):
    vertices, faces = lumpy_body(2)
    rest = {
        "vertices": lambda: Surface(*lumpy_body(3)),
        "faces": lambda: Surface(vertices, faces[:-1]),
        "corners": lambda: Surface(vertices, np.maximum(faces, 2)),
        "cloud": lambda: Surface(vertices),
    }[other]()
    with pytest.raises(SurfaceError, match="rest shape") as caught:
        segment(Surface(vertices, faces), MODEL, template=rest)
    assert caught.value.fix


def test_progress_runs_through_the_stages_and_can_stop_at_any_of_them(tmp_path):
    surface = Surface(*lumpy_body(3))
    seen = []
    segment(surface, MODEL, progress=lambda stage, fraction: seen.append((stage, fraction)))
    stages = list(dict.fromkeys(stage for stage, _ in seen))
    assert stages == ["repair", "laplacian", "eigenbasis", "gradient", "network"]
    assert all(0 <= fraction <= 1 for _, fraction in seen)
    for stop_at in stages:

        def stop(stage, fraction, stop_at=stop_at):
            if stage == stop_at:
                raise Cancelled

        cache = OperatorCache(tmp_path / stop_at)
        with pytest.raises(Cancelled):
            segment(surface, MODEL, progress=stop, cache=cache)
        # The matrices are kept when all of them are there, and only then.
        assert (cache.size() > 0) == (stop_at == "network")


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"engine": "fortran"}, "no engine 'fortran'"),
        ({"engine": "numpy", "device": "cuda"}, "NumPy engine runs on the CPU"),
        ({"device": "toaster"}, "toaster"),
        ({"device": "cuda:99"}, "cuda:99"),
    ],
)
def test_engines_and_devices_that_are_not_there_are_refused(options, says):
    with pytest.raises(DeviceError, match=says) as caught:
        segment(Surface(*icosphere(1)), MODEL, **options)
    assert caught.value.fix


def test_a_model_that_classifies_shapes_is_refused():
    with pytest.raises(ModelError, match="whole shapes"):
        segment(Surface(*icosphere(1)), untrained_model(output_at="shape"))


def test_a_single_triangle_is_segmented():
    found = segment(Surface(np.eye(3), [[0, 1, 2]]), MODEL)
    assert np.isfinite(found.vertex_probabilities).all()


def test_triangles_without_area_are_refused():
    with pytest.raises(SurfaceError, match="No triangle"):
        segment(Surface([[0, 0, 0], [1, 0, 0], [2, 0, 0]], [[0, 1, 2]]), MODEL)


@pytest.mark.slow
def test_a_proxy_of_a_dense_mesh_gives_the_labels_of_every_vertex():
    vertices, faces = lumpy_body(6)
    surface = Surface(*joined((vertices, faces), (vertices + [3.0, 0.0, 0.0], faces)))
    by_proxy = segment(surface, MODEL, engine="numpy")
    exact = segment(surface, MODEL, engine="numpy", exact=True)
    assert exact.proxy_size is None
    assert 10_000 < by_proxy.proxy_size < 40_000
    np.testing.assert_allclose(by_proxy.vertex_probabilities.sum(axis=1), 1.0, atol=1e-5)
    assert np.mean(by_proxy.vertex_labels == exact.vertex_labels) > 0.97


@pytest.mark.skipif(sys.platform != "linux", reason="address space limits are Linux's")
def test_a_million_vertices_without_the_memory_for_them_are_refused(tmp_path):
    path = save_model(untrained_model(k=128), tmp_path)
    script = f"""
import numpy as np
from diffusionnet_blender.errors import DeviceError
from diffusionnet_blender.surface.surface import Surface
from diffusionnet_blender.tasks.models import find_model
from diffusionnet_blender.tasks.segment import segment
x, y = np.meshgrid(np.arange(1000.0), np.arange(1000.0), indexing="ij")
i = np.arange(1000000).reshape(1000, 1000)
faces = np.stack([i[:-1, :-1], i[1:, :-1], i[1:, 1:]], axis=-1).reshape(-1, 3)
surface = Surface(np.stack([x.ravel(), y.ravel(), 0 * x.ravel()], axis=1), faces)
try:
    segment(surface, find_model({str(path)!r}), engine="numpy", exact=True)
except DeviceError as error:
    print(error)
"""
    limit = 3 * 2**30
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (limit, limit)),
    )
    assert "1,000,000 vertices need about" in done.stdout, done.stderr
    assert "Switch off Full Resolution, or decimate" in done.stdout


def test_an_ngon_follows_the_area_weighted_vote_of_its_triangles():
    probabilities = np.eye(3, dtype=np.float32)[[0, 0, 0, 1, 1, 2]]
    triangles = np.array([[0, 1, 2], [0, 2, 3], [2, 3, 4], [3, 4, 5]])
    np.testing.assert_array_equal(triangle_labels(probabilities, triangles), [0, 0, 1, 1])
    polygons = Polygons(np.array([0, 0, 0, 1]), 2)
    small_first = polygon_labels(probabilities, triangles, np.array([1, 1, 5, 1.0]), polygons)
    np.testing.assert_array_equal(small_first, [1, 1])
    big_first = polygon_labels(probabilities, triangles, np.array([4, 2, 5, 0.0]), polygons)
    np.testing.assert_array_equal(big_first, [0, 1])


def sided_model():
    return Model(replace(MODEL.card, class_names=("arm.L", "arm.R", "head")), MODEL.weights)


def test_a_mirrored_surface_gets_the_same_parts_with_sides_exchanged():
    vertices, faces = lumpy_body(3)
    mirrored = Surface(vertices * [-1, 1, 1], faces[:, ::-1])
    found = segment(Surface(vertices, faces), sided_model()).vertex_probabilities
    seen = segment(mirrored, sided_model()).vertex_probabilities
    np.testing.assert_allclose(seen[:, [1, 0, 2]], found, atol=0.01)
    # The network alone gives this lumpy shape, which is no mirror image of itself, something else.
    alone = segment(Surface(vertices, faces), MODEL).vertex_probabilities
    in_mirror = segment(mirrored, MODEL).vertex_probabilities
    assert np.abs(in_mirror[:, [1, 0, 2]] - alone).max() > 0.05


def test_the_temperature_of_a_card_changes_how_sure_a_model_is_and_not_what_it_says():
    surface = Surface(*lumpy_body(3))
    cool = segment(surface, MODEL)
    warm = segment(surface, Model(replace(MODEL.card, temperature=2.0), MODEL.weights))
    np.testing.assert_array_equal(cool.vertex_labels, warm.vertex_labels)
    expected = np.sqrt(cool.vertex_probabilities)
    expected /= expected.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(warm.vertex_probabilities, expected, atol=1e-4)
    assert warm.confidence.mean() < cool.confidence.mean()


def skin_model():
    return Model(replace(MODEL.card, outer_skin=True), MODEL.weights)


def shells():
    """A lumpy body, the same larger around it, and a small ball far away."""
    vertices, faces = lumpy_body(3)
    ball, ball_faces = icosphere(2)
    return Surface(
        *joined(*((vertices, faces), (1.2 * vertices, faces), (0.1 * ball + [5, 0, 0], ball_faces)))
    )


def test_a_model_that_knows_outer_skins_looks_at_one_around_all_parts(tmp_path):
    cache = OperatorCache(tmp_path)
    surface, count = shells(), len(lumpy_body(3)[0])
    alone = segment(surface, MODEL)
    first = segment(surface, skin_model(), cache=cache)
    assert alone.skin_size is None
    assert first.skin_size > 1000
    assert "outer skin" in first.remark
    np.testing.assert_allclose(first.vertex_probabilities.sum(axis=1), 1.0, atol=1e-5)
    changed = np.abs(first.vertex_probabilities - alone.vertex_probabilities).max(axis=1)
    assert (changed[: 2 * count] > 0.01).mean() > 0.5
    # The ball is nowhere near the skin.
    np.testing.assert_allclose(
        first.vertex_probabilities[2 * count :], alone.vertex_probabilities[2 * count :], atol=1e-6
    )
    second = segment(surface, skin_model(), cache=cache)
    np.testing.assert_array_equal(first.vertex_probabilities, second.vertex_probabilities)
    assert set(second.seconds) == {"cache", "features", "network"}


def test_one_part_with_buttons_needs_no_skin():
    vertices, faces = lumpy_body(3)
    ball, ball_faces = icosphere(1)
    button = (0.03 * ball + vertices[0], ball_faces)
    found = segment(Surface(*joined((vertices, faces), button)), skin_model())
    assert found.skin_size is None
    assert segment(Surface(vertices), skin_model()).skin_size is None


def test_the_skin_is_that_of_the_rest_shape_where_one_is_given():
    rest = shells()
    posed = Surface(bent(rest.vertices), rest.faces)
    found = segment(posed, skin_model(), template=rest)
    expected = segment(rest, skin_model())
    np.testing.assert_array_equal(found.vertex_probabilities, expected.vertex_probabilities)


@pytest.mark.parametrize("count", [300, 10_000, 60_000, 150_000, 1_000_000])
@pytest.mark.parametrize("exact", [False, True])
def test_memory_is_estimated_with_the_outer_skin(count, exact):
    alone = estimated_bytes(count, 96, exact)
    both = estimated_bytes(count, 96, exact, outer_skin=True)
    skin = most_vertices(count)
    assert 1_000 * skin < both - alone < 10_000 * skin


@pytest.mark.parametrize(("count", "peak"), [(10_242, 41.3), (40_962, 177.6), (163_842, 829.7)])
def test_estimates_of_memory_are_above_what_was_measured(count, peak):
    """Peaks in MB, of `segment(..., exact=True)` on spheres with a model of 96 eigenpairs."""
    assert 1.05 < estimated_bytes(count, 96, exact=True) / (peak * 2**20) < 1.35


def known_below(surface, height):
    """The first class for certain at vertices below a height, nothing known above."""
    known = np.zeros((len(surface.vertices), 3), np.float32)
    known[surface.vertices[:, 2] < height, 0] = 1.0
    return known


def test_what_is_known_is_kept_and_the_network_fills_in_the_rest():
    surface = Surface(*lumpy_body(3))
    known = known_below(surface, 0.0)
    told = known.any(axis=1)
    free = segment(surface, MODEL, clean=True)
    found = segment(surface, MODEL, known=known, clean=True)
    np.testing.assert_array_equal(found.vertex_probabilities[told], known[told])
    np.testing.assert_array_equal(
        found.vertex_probabilities[~told], free.vertex_probabilities[~told]
    )


def test_where_all_is_known_neither_matrices_nor_network_are_computed():
    surface = Surface(*lumpy_body(3))
    found = segment(surface, MODEL, known=known_below(surface, np.inf), engine="numpy")
    assert set(found.vertex_labels) == {0}
    assert found.engine == ""
    assert set(found.seconds) == {"rig"}


def test_by_the_rig_all_parts_are_those_of_the_default_model():
    surface = Surface(*lumpy_body(2))
    known = np.eye(14, dtype=np.float32)[np.arange(len(surface.vertices)) % 14]
    found = segment(surface, "rig", known=known)
    assert (found.model_name, len(found.class_names)) == ("rig", 14)
    np.testing.assert_array_equal(found.vertex_labels, known.argmax(axis=1))
