"""Training and classifying in the worker: live curve, ending early, killed and gone on with."""

import numpy as np
import pytest

pytest.importorskip("torch", reason="training needs torch")

from diffusionnet_blender.errors import Cancelled, DiffusionNetError  # noqa: E402
from diffusionnet_blender.surface.surface import Surface  # noqa: E402
from diffusionnet_blender.tasks.classify import job as classify_job  # noqa: E402
from diffusionnet_blender.tasks.models import find_model  # noqa: E402
from diffusionnet_blender.tasks.train import job as train_job  # noqa: E402
from diffusionnet_blender.tasks.train.sizes import Size  # noqa: E402
from diffusionnet_blender.tasks.train.training_set import LabelledSurface, TrainingSet  # noqa: E402
from diffusionnet_blender.worker.client import Answer, Worker  # noqa: E402
from diffusionnet_blender.worker.launch import own_python  # noqa: E402
from tests.shapes import lumpy_body  # noqa: E402
from tests.waiting import moments  # noqa: E402

# Long enough not to be over before it is stopped.
LONG = Size("Long", width=8, k=8, steps=400, copies=2)


@pytest.fixture(scope="module")
def worker():
    worker = Worker(own_python())
    yield worker
    worker.stop()


def request(folder, labels=None, **options):
    vertices, faces = lumpy_body(1)
    labels = (np.abs(vertices[:, 2]) > 0.7).astype(int) if labels is None else labels
    members = (LabelledSurface("body", Surface(vertices, faces), labels),)
    return train_job.TrainRequest(
        TrainingSet(members, ("waist", "ends"), ((1.0, 0.0, 0.0), (0.0, 0.0, 1.0))),
        "own",
        size=LONG,
        start="none",
        model_folder=folder / "models",
        checkpoint_folder=folder / "checkpoints",
        **options,
    )


def wait(worker, until=lambda progress: False):
    for _ in moments("the job is done", seconds=240, pause=0.01):
        found = worker.poll()
        if isinstance(found, Answer) or until(found):
            return found


def has_curve(rows):
    return lambda progress: progress.partial and len(progress.partial.rows) >= rows


@pytest.mark.slow
def test_the_curve_comes_while_it_learns_and_enough_keeps_the_best(worker, tmp_path):
    worker.submit(train_job, request(tmp_path))
    progress = wait(worker, until=has_curve(2))
    curve = progress.partial
    assert curve.steps > curve.rows[-1, 0] > 0
    assert not (tmp_path / "models" / "own.json").exists()
    worker.enough()
    found = wait(worker).result
    assert found.card.name == "own"
    assert found.curve.rows[-1, 0] < curve.steps
    model = find_model("own", [tmp_path / "models"])
    assert model.card.class_names == ("waist", "ends")
    assert f"{next(iter(model.card.accuracy.values())):.1%}" in found.summary


@pytest.mark.slow
def test_killed_it_leaves_no_model_and_the_next_goes_on(worker, tmp_path):
    worker.submit(train_job, request(tmp_path))
    wait(worker, until=has_curve(3))
    worker.stop()
    assert not (tmp_path / "models" / "own.json").exists()
    worker.submit(train_job, request(tmp_path))
    # What it tells first is what was measured before.
    first = wait(worker, until=has_curve(0))
    assert len(first.partial.rows) >= 2
    worker.cancel()
    with pytest.raises(Cancelled):
        wait(worker)


def test_what_cannot_be_learned_comes_back_as_its_own_error(worker, tmp_path):
    vertices, _ = lumpy_body(1)
    worker.submit(train_job, request(tmp_path, labels=np.zeros(len(vertices), int)))
    with pytest.raises(DiffusionNetError, match="Only one class is labelled"):
        wait(worker)


def test_parts_are_no_classes(worker, tiny_model):
    surface = Surface(*lumpy_body(1))
    worker.submit(classify_job, classify_job.ClassifyRequest(surface, str(tiny_model)))
    with pytest.raises(DiffusionNetError, match="does not classify"):
        wait(worker)
