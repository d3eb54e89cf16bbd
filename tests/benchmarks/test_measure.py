"""One case in a process of its own, from a mesh on disk to numbers."""

import json
import subprocess
import sys
import time
from dataclasses import asdict

import numpy as np
import pytest

pytest.importorskip("torch", reason="the baseline's network is torch's")
pytest.importorskip("trimesh", reason="the bumpy sphere needs the training extras")

from benchmarks import meshes  # noqa: E402
from benchmarks.case import Case  # noqa: E402
from benchmarks.meter import Meter  # noqa: E402
from diffusionnet_blender.tasks.models import find_model  # noqa: E402

STAGES = {"laplacian", "eigenbasis", "gradient", "features", "network"}


@pytest.fixture(scope="module", params=[pytest.param("baseline", marks=pytest.mark.slow), "ours"])
def measured(request, tmp_path_factory):
    """What a process told of a sphere of 642 vertices, and the arrays that it left."""
    folder = tmp_path_factory.mktemp("case")
    told, answer, arrays = folder / "case.json", folder / "result.json", folder / "arrays.npz"
    engine = {"baseline": "torch", "ours": "numpy"}[request.param]
    told.write_text(json.dumps(asdict(Case(request.param, "sphere", 642, 1, engine))))
    command = [sys.executable, "-m", "benchmarks.measure", told, answer, arrays]
    subprocess.run(list(map(str, command)), cwd=meshes.ROOT, check=True)
    return json.loads(answer.read_text()), dict(np.load(arrays))


def test_every_stage_has_its_seconds(measured):
    result, _ = measured
    assert result["stages"].keys() >= STAGES
    assert all(result["stages"][stage]["wall"] > 0 for stage in STAGES)
    assert result["vertices"] == 642


def test_eigenpairs_and_labels_are_left_to_compare(measured):
    _, arrays = measured
    assert arrays["eigenvectors"].shape == (642, find_model("body_parts").card.discretization.k)
    assert arrays["labels"].shape == (642,)


def test_a_stage_entered_twice_adds_up_and_sleep_takes_no_processor():
    meter = Meter()
    for _ in range(2):
        meter.enter("nap")
        time.sleep(0.02)
        meter.enter("work")
        meter.leave()
    assert meter.stages.keys() == {"nap", "work"}
    assert meter.stages["nap"]["wall"] >= 0.04
    assert meter.stages["nap"]["cpu"] < meter.stages["nap"]["wall"]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process its peak")
def test_a_stage_has_the_peak_of_its_own_time():
    meter = Meter()
    meter.enter("large")
    block = np.ones(40_000_000)
    meter.enter("small")
    del block
    meter.enter("none")
    meter.leave()
    assert meter.stages["large"]["memory"] - meter.stages["none"]["memory"] > 200_000_000
