"""Models are learned from labels, and everything that stands in the way is said at once."""

import json
import os
import resource
import signal
import subprocess
import sys
import textwrap
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="training needs torch")

from diffusionnet_blender.errors import (  # noqa: E402
    Cancelled,
    DeviceError,
    DiffusionNetError,
    ModelError,
)
from diffusionnet_blender.surface.character import Character  # noqa: E402
from diffusionnet_blender.surface.surface import Surface  # noqa: E402
from diffusionnet_blender.tasks.classify import classify  # noqa: E402
from diffusionnet_blender.tasks.models import find_model  # noqa: E402
from diffusionnet_blender.tasks.segment import segment  # noqa: E402
from diffusionnet_blender.tasks.train import train  # noqa: E402
from diffusionnet_blender.tasks.train.sizes import Size  # noqa: E402
from diffusionnet_blender.tasks.train.training_set import (  # noqa: E402
    UNLABELLED,
    LabelledSurface,
    NamedLabels,
    TrainingSet,
    gathered,
    gathered_shapes,
    pooled_labels,
)
from tests.shapes import icosphere, lumpy_body, random_rotation  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
TINY = Size("Tiny", width=16, k=24, steps=60, copies=4, learning_rate=1e-2)
NAMES = ("waist", "ends")
COLOURS = ((1.0, 0.0, 0.0), (0.0, 0.0, 1.0))


def by_height(vertices):
    return (np.abs(vertices[:, 2]) > 0.7).astype(int)


def body(name="body", labels=None):
    vertices, faces = lumpy_body(2)
    labels = by_height(vertices) if labels is None else labels
    return LabelledSurface(name, Surface(vertices, faces), labels)


def set_of(*members, names=NAMES, colours=COLOURS):
    return TrainingSet(members, names, colours)


def line():
    """A mesh all of whose vertices lie on a line."""
    vertices, faces = lumpy_body(2)
    return LabelledSurface("line", Surface(vertices * [0, 0, 1], faces), by_height(vertices))


def loose():
    """A mesh of which nothing but a vertex of no face is labelled."""
    vertices, faces = lumpy_body(2)
    labels = np.append(np.full(len(vertices), UNLABELLED), 1)
    return LabelledSurface("body", Surface(np.vstack([vertices, [[3, 3, 3]]]), faces), labels)


@pytest.fixture
def folders(tmp_path):
    return {
        "model_folder": tmp_path / "models",
        "checkpoint_folder": tmp_path / "checkpoints",
        "start": "none",
    }


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    """Folders with a model "own" that has learned from one mesh, what training gave, its curves."""
    root = tmp_path_factory.mktemp("library")
    folders = {
        "model_folder": root / "models",
        "checkpoint_folder": root / "checkpoints",
        "start": "none",
    }
    seen = []
    found = train(
        set_of(body()), model_name="own", size=TINY, title="My own", report=seen.append, **folders
    )
    return folders, found, seen


def test_what_was_learned_from_one_mesh_holds_for_a_finer_one_that_is_turned(library):
    folders, found, seen = library
    model = find_model("own", [folders["model_folder"]])
    assert model.card == found.card
    assert (model.card.title, model.card.class_names) == ("My own", NAMES)
    assert model.card.class_colours == COLOURS
    vertices, faces = lumpy_body(3)
    turned = Surface(5 * vertices @ random_rotation(3).T + 7, faces)
    right = segment(turned, model).vertex_labels == by_height(vertices)
    assert right.mean() > 0.9
    # The curve grew while it learned, and what is kept is its best.
    assert [len(curve.rows) for curve in seen] == sorted(len(curve.rows) for curve in seen)
    assert seen[-1].rows[-1, 0] == TINY.steps
    assert seen[-1].rows[-1, 1] < seen[1].rows[0, 1]
    assert list(found.card.accuracy.values()) == [pytest.approx(found.curve.best, abs=1e-4)]
    assert list(folders["checkpoint_folder"].iterdir()) == []


def test_unlabelled_vertices_are_not_learned_from(folders):
    """Labels of one class alone are left, but for a few of the other: it learns nothing else."""
    vertices, _ = lumpy_body(2)
    right = by_height(vertices)
    labels = np.where((np.abs(vertices[:, 2]) > 0.5) & (right == 0), UNLABELLED, right)
    train(set_of(body(labels=labels)), model_name="own", size=TINY, **folders)
    found = segment(body().surface, find_model("own", [folders["model_folder"]])).vertex_labels
    known = labels != UNLABELLED
    assert (found == labels)[known].mean() > 0.9


def test_two_labelled_vertices_of_a_dense_mesh_are_labels_too(folders):
    """Copies have far fewer vertices, and hardly ever those two."""
    vertices, faces = lumpy_body(5)
    labels = np.full(len(vertices), UNLABELLED)
    labels[vertices[:, 2].argmax()], labels[np.abs(vertices[:, 2]).argmin()] = 1, 0
    dense = LabelledSurface("dense", Surface(vertices, faces), labels)
    size = replace(TINY, k=8, steps=1, copies=2)
    found = train(set_of(dense), model_name="own", size=size, **folders)
    assert found.card.class_names == NAMES
    assert "1 mesh with labels" in found.card.training_data


@pytest.mark.parametrize(("names", "mirrored"), [(("a.L", "a.R"), True), (NAMES, False)])
def test_mirrored_copies_are_learned_from_where_the_names_are_pairs(names, mirrored, folders):
    size = replace(TINY, steps=1)
    assert (
        train(set_of(body(), names=names), model_name="own", size=size, **folders).mirrored
        == mirrored
    )


def test_meshes_are_held_out_for_validation(folders):
    members = [body(f"body {i}") for i in range(4)]
    size = replace(TINY, steps=1)
    found = train(set_of(*members), model_name="own", size=size, validation_share=0.25, **folders)
    assert list(found.card.accuracy) == ["a mesh held out"]


def test_a_network_that_starts_from_another_keeps_its_make(library):
    folders, first, _ = library
    short = replace(TINY, width=64, steps=1, learning_rate=1e-4)
    second = train(set_of(body()), model_name="second", size=short, **{**folders, "start": "own"})
    assert second.card.architecture == first.card.architecture
    # One step from where the other was is still good; one step from nothing is not.
    fresh = train(set_of(body()), model_name="third", size=short, **folders)
    assert second.curve.best > 0.8 > fresh.curve.best


@pytest.mark.slow
def test_whole_shapes_are_classified(folders):
    rng = np.random.default_rng(0)
    made = {"ball": icosphere(2), "ring": torus(), "rod": rod()}

    def shape(name):
        vertices, faces = made[name]
        return Surface(vertices * rng.uniform(0.9, 1.1, 3) * rng.uniform(0.5, 2), faces)

    shapes = [(f"{name} {i}", shape(name), name) for name in made for i in range(2)]
    size = replace(TINY, width=32, copies=12, steps=120, learning_rate=3e-3)
    found = train(gathered_shapes(shapes), model_name="kinds", size=size, **folders)
    assert found.card.class_names == ("ball", "ring", "rod")
    assert found.card.architecture.output_at == "shape"
    model = find_model("kinds", [folders["model_folder"]])
    for name in made:
        result = classify(shape(name), model)
        assert result.class_name == name
        assert 1 / 3 < result.probability <= 1
        assert result.probabilities.sum() == pytest.approx(1, abs=1e-5)
    with pytest.raises(ModelError, match="classifies whole shapes"):
        segment(shape("ball"), model)
    with pytest.raises(ModelError, match="labels parts and does not classify"):
        classify(shape("ball"), find_model("body_parts"))


def dressed():
    """A figure and a shirt around it, as two surfaces in one space."""
    vertices, faces = lumpy_body(2)
    return Character([Surface(vertices, faces), Surface(vertices * [1.05, 1.05, 0.5], faces)])


def test_labels_of_several_meshes_are_joined_by_name():
    red, blue = COLOURS
    joined = pooled_labels(
        [
            NamedLabels(np.array([0, 1, -1]), ("skin", "hair"), (red, blue)),
            NamedLabels(np.full(2, UNLABELLED), ()),
            NamedLabels(np.array([1, 0]), ("shirt", "skin"), ((0.0, 1.0, 0.0), blue)),
        ]
    )
    assert joined.class_names == ("skin", "hair", "shirt")
    np.testing.assert_array_equal(joined.labels, [0, 1, -1, -1, -1, 0, 2])
    # The colour that a name has first.
    assert joined.class_colours == (red, blue, (0.0, 1.0, 0.0))
    assert pooled_labels([NamedLabels(np.array([0]), ("one",))]).class_colours is None


def test_a_character_is_learned_from_and_classified_as_its_pooled_surface(folders):
    character = dressed()
    labels = by_height(character.surface.vertices)
    (member,) = gathered([("knight", character, NamedLabels(labels, NAMES))]).members
    np.testing.assert_array_equal(member.surface.vertices, character.surface.vertices)
    np.testing.assert_array_equal(member.labels, labels)
    with pytest.raises(DiffusionNetError, match="'knight' has 324 vertices and 12 labels"):
        LabelledSurface.of("knight", character, labels[:12])
    short = replace(TINY, steps=2, copies=2)
    shapes = gathered_shapes([("a", character, "dressed"), ("b", body().surface, "bare")])
    train(shapes, model_name="kinds", size=short, **folders)
    model = find_model("kinds", [folders["model_folder"]])
    np.testing.assert_allclose(
        classify(character, model).probabilities,
        classify(character.surface, model).probabilities,
    )


def torus(around=24, across=8):
    """A ring of two circles."""
    u, v = np.meshgrid(np.arange(around), np.arange(across), indexing="ij")
    a, b = 2 * np.pi * u / around, 2 * np.pi * v / across
    radius = 1 + 0.3 * np.cos(b)
    points = np.stack([radius * np.cos(a), radius * np.sin(a), 0.3 * np.sin(b)], axis=-1)

    def number(du, dv):
        return ((u + du) % around * across + (v + dv) % across).ravel()

    first = np.stack([number(0, 0), number(1, 0), number(1, 1)], axis=1)
    second = np.stack([number(0, 0), number(1, 1), number(0, 1)], axis=1)
    return points.reshape(-1, 3), np.concatenate([first, second])


def rod():
    """A ball drawn out."""
    vertices, faces = icosphere(2)
    return vertices * [1, 1, 6], faces


BAD = {
    "nothing to learn from": lambda: set_of(),
    "0 has no labels|'body' has no labels": lambda: set_of(body(labels=np.full(162, -1))),
    "Only one class is labelled": lambda: set_of(body(labels=np.zeros(162, int))),
    "162 vertices and 12 labels": lambda: set_of(body(labels=np.zeros(12, int))),
    "labels from 0 to 7": lambda: set_of(body(labels=np.arange(162) % 8)),
    "of type float64": lambda: set_of(body(labels=np.zeros(162))),
    "called 'Waist' and 'waist'": lambda: set_of(body(), names=("Waist", "waist")),
    "some labels are of whole shapes": lambda: set_of(body(), body(labels=1)),
    "none of those of the other meshes": lambda: gathered(
        [("a", body().surface, NamedLabels(body().labels, ("head", "torso"))),
         ("b", body().surface, NamedLabels(body().labels, ("Kopf", "Rumpf")))]
    ),
    "2 classes and 1 colours": lambda: set_of(body(), colours=COLOURS[:1]),
    "'line': No triangle of the mesh has an area": lambda: set_of(body(), line()),
    "'body' has labels on loose vertices alone": lambda: set_of(body("a"), loose()),
    "'b' is of no class": lambda: gathered_shapes(
        [("a", body().surface, "thin"), ("b", body().surface, ""), ("c", body().surface, "thick")]
    ),
}  # fmt: skip


@pytest.mark.parametrize("message", BAD, ids=list(BAD))
def test_labels_that_cannot_be_learned_are_refused_before_any_work(message, folders):
    with pytest.raises(DiffusionNetError, match=f"(?i){message}") as caught:
        train(BAD[message](), model_name="own", size=TINY, progress=must_not_be_called, **folders)
    assert caught.value.fix
    assert not folders["model_folder"].exists() or not any(folders["model_folder"].iterdir())


def must_not_be_called(stage, fraction):
    raise AssertionError(f"{stage} has begun")


@pytest.mark.parametrize(
    ("changes", "kind", "message"),
    [
        ({"model_name": "body_parts"}, ModelError, "already has"),
        ({"model_name": "a/b"}, ModelError, "no name"),
        ({"size": "huge"}, DiffusionNetError, "no size"),
        ({"start": "nothing"}, ModelError, "no model 'nothing'"),
        ({"validation_share": 1.0}, DiffusionNetError, "below 1"),
    ],
)
def test_wrong_settings_are_refused_before_any_work(changes, kind, message, folders):
    options = {
        "model_name": "own",
        "size": TINY,
        "progress": must_not_be_called,
        **folders,
        **changes,
    }
    with pytest.raises(kind, match=message):
        train(set_of(body()), **options)


def test_a_device_that_is_not_there_is_refused(folders):
    with pytest.raises(DeviceError):
        train(set_of(body()), model_name="own", size=TINY, device="nothing", **folders)


def test_stopping_keeps_the_best_so_far(folders):
    steps = []

    def progress(stage, fraction):
        if stage == "learning":
            steps.append(fraction)

    found = train(
        set_of(body()), model_name="own", size=TINY, progress=progress,
        enough=lambda: len(steps) > 14, **folders,
    )  # fmt: skip
    assert 14 <= found.steps < TINY.steps
    assert find_model("own", [folders["model_folder"]]).card.accuracy == found.card.accuracy


def interrupt_at(fraction):
    def progress(stage, done):
        if stage == "learning" and done >= fraction:
            raise Cancelled

    return progress


def test_what_was_interrupted_goes_on_and_ends_as_if_it_had_not_been(library, folders):
    _, whole, _ = library
    with pytest.raises(Cancelled):
        train(set_of(body()), model_name="again", size=TINY, progress=interrupt_at(0.5), **folders)
    assert not (folders["model_folder"] / "again.json").exists()
    found = train(set_of(body()), model_name="again", size=TINY, **folders)
    assert found.resumed_at == 20
    np.testing.assert_allclose(found.curve.rows, whole.curve.rows, atol=1e-3)


def test_other_labels_are_another_training(folders):
    size = replace(TINY, steps=21)
    with pytest.raises(Cancelled):
        train(set_of(body()), model_name="own", size=size, progress=interrupt_at(1.0), **folders)
    other = set_of(body(labels=1 - body().labels))
    assert train(other, model_name="own", size=size, **folders).resumed_at == 0


def test_a_damaged_checkpoint_is_begun_anew(folders):
    with pytest.raises(Cancelled):
        train(set_of(body()), model_name="own", size=TINY, progress=interrupt_at(0.5), **folders)
    (checkpoint,) = folders["checkpoint_folder"].glob("*/run.pt")
    checkpoint.write_bytes(checkpoint.read_bytes()[:1000])
    assert train(set_of(body()), model_name="own", size=TINY, **folders).resumed_at == 0


SCRIPT = """
import sys
from pathlib import Path
from diffusionnet_blender.tasks.train import train
from tests.tasks.test_train import TINY, body, set_of

root = Path(sys.argv[1])
def progress(stage, fraction):
    if stage == "learning":
        print(fraction, flush=True)
train(set_of(body()), model_name="own", size=TINY, replace=True, progress=progress,
      model_folder=root / "models", checkpoint_folder=root / "checkpoints", start="none")
"""


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="signals are POSIX's")
def test_a_killed_training_leaves_the_model_before_it_and_the_next_goes_on(folders, tmp_path):
    train(set_of(body()), model_name="own", size=replace(TINY, steps=2), **folders)
    before = {p.name: p.read_bytes() for p in folders["model_folder"].iterdir()}
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(SCRIPT), str(tmp_path)],
        cwd=ROOT, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    for line in process.stdout:
        if float(line) >= 0.5:
            break
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert {p.name: p.read_bytes() for p in folders["model_folder"].iterdir()} == before
    found = train(set_of(body()), model_name="own", size=TINY, replace=True, **folders)
    assert found.resumed_at >= 20
    assert find_model("own", [folders["model_folder"]]).card.accuracy == found.card.accuracy


@pytest.mark.skipif(os.name != "posix", reason="limits of size are POSIX's")
def test_a_disk_that_is_full_leaves_the_model_before_it(folders):
    train(set_of(body()), model_name="own", size=replace(TINY, steps=2), **folders)
    before = {p.name: p.read_bytes() for p in folders["model_folder"].iterdir()}
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (8192, limits[1]))
    try:
        with pytest.raises(ModelError, match="cannot be written") as caught:
            train(set_of(body()), model_name="own", size=TINY, replace=True, **folders)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert "Make room" in caught.value.fix
    assert {p.name: p.read_bytes() for p in folders["model_folder"].iterdir()} == before
    card = json.loads((folders["model_folder"] / "own.json").read_text())
    assert card["name"] == "own"
