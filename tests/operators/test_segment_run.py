"""Runs in the worker, step by step, with what an artist does meanwhile."""

import time

import bpy
import numpy as np
import pytest

from diffusionnet_blender.errors import DiffusionNetError
from diffusionnet_blender.operators.run import JobRun
from diffusionnet_blender.scene.character import alone
from diffusionnet_blender.scene.options import ReadOptions
from diffusionnet_blender.scene.results import find_result
from diffusionnet_blender.scene.segment_jobs import SegmentJobs
from diffusionnet_blender.session import computing
from diffusionnet_blender.session.progress import Meter, duration
from diffusionnet_blender.settings import settings
from diffusionnet_blender.tasks.segment.job import STAGES
from tests.conftest import MODEL
from tests.scenes import add_body, add_mesh, select, values_of

pytestmark = pytest.mark.usefixtures("blender")


@pytest.fixture(scope="module", autouse=True)
def _end_worker():
    yield
    computing.end_worker()


def start(*objects, model=MODEL, use_modifiers=False, use_rest_shape=False):
    compute = settings().compute | {"engine": "numpy"}
    reading = ReadOptions(use_modifiers, use_rest_shape)
    jobs = SegmentJobs(
        list(map(alone, objects)), reading, model=model, cache=settings().cache, **compute
    )
    return JobRun(jobs, computing.the_worker())


def step(run, times=1):
    for _ in range(times):
        run.advance()


def finish(run, meanwhile=None):
    """Advance to the end; `meanwhile` is called once, when the worker has the first object."""
    step(run)
    if meanwhile:
        meanwhile()
    while not run.finished:
        step(run)
        time.sleep(0.005)
    return outcome(run)


def outcome(run):
    """What to write and what went wrong, judged by the objects as they are now."""
    done, failed = [], list(run.failed)
    for character in run.jobs.segmented.values():
        found, missed = character.unchanged()
        done += found
        failed += missed
    return done, failed


def test_it_finds_what_the_operator_finds():
    obj = add_body()
    done, failed = finish(start(obj))
    assert not failed
    assert [o for o, _ in done] == [obj]
    in_worker = find_result(obj.data)
    bpy.ops.diffusionnet.segment()
    here = find_result(obj.data)
    np.testing.assert_allclose(in_worker.vertex_probabilities, here.vertex_probabilities, atol=1e-4)
    assert np.mean(in_worker.polygon_labels == here.polygon_labels) > 0.99
    np.testing.assert_allclose(in_worker.polygon_areas, here.polygon_areas)
    assert in_worker.topology == here.topology
    assert in_worker.class_names == here.class_names


def test_nothing_heavy_is_loaded_into_blender_for_it(addon):
    """SciPy and torch take a second or two to import: that would be a frozen window."""
    import subprocess
    import sys

    code = """
import os, sys
import bpy
import diffusionnet_blender
diffusionnet_blender.register()
from tests.operators.test_segment_run import finish, start
from tests.scenes import add_body
found = finish(start(add_body(), model="body_parts"))
heavy = [name for name in ("scipy", "torch", "robust_laplacian") if name in sys.modules]
from diffusionnet_blender.session import computing
computing.end_worker()
print("loaded", heavy, len(found[0]), flush=True)
os._exit(0)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "loaded [] 1" in done.stdout, done.stdout + done.stderr


def test_objects_one_after_the_other_and_one_bad_one():
    first, bad, last = add_body("A"), add_mesh("Bad", [[1, 2, 3]] * 4, [[0, 1, 2]]), add_body("C")
    done, failed = finish(start(first, bad, last))
    assert [obj.name for obj, _ in done] == ["A", "C"]
    assert [error.message for error in failed] == ["'Bad': All vertices are at the same place"]


def test_a_bad_object_does_not_stop_the_others_in_place_either():
    first, bad, last = add_body("A"), add_mesh("Bad", [[1, 2, 3]] * 4, [[0, 1, 2]]), add_body("C")
    bars = []
    jobs = SegmentJobs(
        list(map(alone, (first, bad, last))), ReadOptions(), model=MODEL, **settings().compute
    )
    run = JobRun(jobs, listen=bars.append)
    while not run.finished:
        run.advance()
    done, failed = outcome(run)
    assert [obj.name for obj, _ in done] == ["A", "C"]
    assert len(failed) == 1
    assert [bar.factor for bar in bars] == sorted(bar.factor for bar in bars)


def test_a_run_that_is_cancelled_before_its_start_reads_and_writes_nothing():
    obj = add_body("A")
    run = start(obj)
    run.cancel()
    assert run.finished
    assert run.cancelled
    assert run.farewell == "Cancelled; nothing was written"
    assert not computing.the_worker().busy
    assert find_result(obj.data) is None


def test_a_run_that_is_abandoned_leaves_the_worker_free():
    run = start(add_body("A", subdivisions=5))
    step(run)
    run.abandon()
    assert not computing.the_worker().busy
    assert len(finish(start(add_body("B")))[0]) == 1


def test_a_deleted_object_is_told_and_the_others_are_done():
    names = add_body("A").name, add_body("B").name
    run = start(*(bpy.data.objects[name] for name in names))
    done, failed = finish(run, lambda: bpy.data.objects.remove(bpy.data.objects["A"]))
    assert [obj.name for obj, _ in done] == ["B"]
    assert "'A' was deleted during the run" in str(failed[0])


def test_an_object_that_took_its_name_gets_nothing():
    def swap():
        bpy.data.objects.remove(bpy.data.objects["A"])
        add_body("A")

    done, failed = finish(start(add_body("A")), swap)
    assert not done
    assert "deleted during the run" in str(failed[0])
    assert find_result(bpy.data.objects["A"].data) is None


def test_a_renamed_object_is_still_the_same():
    obj = add_body("A")
    done, failed = finish(start(obj), lambda: setattr(obj, "name", "Z"))
    assert [o.name for o, _ in done] == ["Z"]
    assert not failed


@pytest.mark.parametrize("mode", ["OBJECT", "EDIT"])
def test_an_edited_mesh_is_told_and_nothing_is_written(mode):
    obj = add_body("A")

    def edit():
        bpy.ops.object.mode_set(mode="EDIT")
        bpy.ops.mesh.select_all(action="SELECT")
        bpy.ops.mesh.subdivide()
        bpy.ops.object.mode_set(mode=mode)

    done, failed = finish(start(obj), edit)
    bpy.ops.object.mode_set(mode="OBJECT")
    assert not done
    assert "'A' was edited while it was being segmented" in str(failed[0])
    assert failed[0].fix == "Segment it again."
    assert "part" not in obj.data.attributes


def test_another_mesh_in_the_same_object_is_told():
    obj, other = add_body("A"), add_body("B")
    done, failed = finish(start(obj), lambda: setattr(obj, "data", other.data))
    assert not done
    assert "a different mesh" in str(failed[0])
    assert find_result(other.data) is None


def test_undo_while_it_runs():
    """All that was read before is invalid then, and the object is another one in memory."""
    add_body("A")
    bpy.ops.ed.undo_push(message="Body")
    bpy.data.objects["A"].location.x = 5
    bpy.ops.ed.undo_push(message="Move")
    done, failed = finish(start(bpy.data.objects["A"]), bpy.ops.ed.undo)
    assert not failed
    ((obj, result),) = done
    assert obj == bpy.data.objects["A"]
    assert obj.location.x == 0
    bpy.ops.diffusionnet.write_labels(objects=[{"name": obj.name}])
    assert np.array_equal(values_of(obj, "part"), result.polygon_labels)


def test_undo_of_the_object_itself_while_it_runs():
    bpy.ops.ed.undo_push(message="Empty")
    add_body("A")
    bpy.ops.ed.undo_push(message="Body")
    done, failed = finish(start(bpy.data.objects["A"]), bpy.ops.ed.undo)
    assert not done
    assert "deleted during the run" in str(failed[0])


def test_cancel_writes_nothing_and_says_what_was_done_before():
    first, second = add_body("A"), add_body("B", subdivisions=5)
    run = start(first, second)
    finished = find_result(first.data)
    while finished is None or run.touches_data:
        step(run)
        finished = find_result(first.data)
        time.sleep(0.005)
    run.cancel()
    while not run.finished:
        step(run)
        time.sleep(0.005)
    assert run.cancelled
    assert "A: already segmented, written by Write Labels" in run.farewell
    assert find_result(second.data) is None
    done, failed = finish(start(second))
    assert len(done) == 1
    assert not failed


def test_a_worker_that_is_killed_costs_only_the_object_that_it_had():
    first, second = add_body("A", subdivisions=6), add_body("B")
    run = start(first, second)

    def kill():
        while run.progress.factor == 0:
            step(run)
        computing.the_worker()._live.process.kill()

    done, failed = finish(run, kill)
    assert [obj.name for obj, _ in done] == ["B"]
    assert "worker process" in str(failed[0])


@pytest.mark.parametrize("use_modifiers", [False, True])
def test_modifiers_that_make_geometry_count_and_results_are_for_the_base_mesh(use_modifiers):
    obj = add_body()
    obj.modifiers.new("Subdivision", "SUBSURF")
    run = start(obj, use_modifiers=use_modifiers)
    done, failed = finish(run)
    assert not failed
    assert [len(labels.vertex_labels) for _, labels in done] == [len(obj.data.vertices)]
    (segmented,) = run.jobs.segmented.values()
    assert len(segmented.whole.vertex_labels) > 3 * len(obj.data.vertices)


def test_the_rest_shape_gives_a_pose_its_labels():
    obj = add_body()
    for key in ("Basis", "Pose"):
        obj.shape_key_add(name=key)
    pose = obj.data.shape_keys.key_blocks["Pose"]
    pose.value = 1.0
    for point in pose.data:
        point.co.x += point.co.z
    finish(start(obj, use_modifiers=True, use_rest_shape=True))
    in_worker = find_result(obj.data)
    settings_of_scene = bpy.context.scene.diffusionnet
    settings_of_scene.use_modifiers = settings_of_scene.use_rest_shape = True
    bpy.ops.diffusionnet.segment()
    here = find_result(obj.data)
    np.testing.assert_allclose(in_worker.vertex_probabilities, here.vertex_probabilities, atol=1e-4)


def test_an_earlier_result_is_forgotten_when_the_run_fails():
    obj = add_body("A")
    bpy.ops.diffusionnet.segment()
    for vertex in obj.data.vertices:
        vertex.co = (0, 0, 0)
    assert finish(start(obj))[1]
    assert find_result(obj.data) is None


def test_write_labels_on_several_objects_by_name():
    first, second, other = add_body("A"), add_body("B"), add_body("C")
    bpy.ops.diffusionnet.segment(objects=[{"name": "A"}, {"name": "B"}])
    assert "part" in first.data.attributes
    assert "part" in second.data.attributes
    assert "part" not in other.data.attributes
    select(other)
    bpy.ops.diffusionnet.write_labels(objects=[{"name": "A"}, {"name": "B"}], face_sets=True)
    assert ".sculpt_face_set" in second.data.attributes
    with pytest.raises(RuntimeError, match="no object 'Z'"):
        bpy.ops.diffusionnet.write_labels(objects=[{"name": "A"}, {"name": "Z"}])


def test_release_memory_ends_the_worker():
    finish(start(add_body()))
    assert computing.worker_alive()
    assert bpy.ops.diffusionnet.release_memory() == {"FINISHED"}
    assert not computing.worker_alive()
    with pytest.raises(RuntimeError, match="No background process is running"):
        bpy.ops.diffusionnet.release_memory()
    assert not finish(start(add_body()))[1]


def test_cancel_without_a_run_says_so():
    with pytest.raises(RuntimeError, match="No DiffusionNet job"):
        bpy.ops.diffusionnet.cancel()


def test_state_of_a_run_is_not_saved(tmp_path):
    path = str(tmp_path / "saved.blend")
    state = bpy.context.window_manager.diffusionnet
    state.running, state.text = True, "Body: eigenbasis"
    try:
        bpy.ops.wm.save_as_mainfile(filepath=path)
    finally:
        state.running, state.text = False, ""
    bpy.ops.wm.open_mainfile(filepath=path, load_ui=True)
    assert not bpy.context.window_manager.diffusionnet.running


def test_progress_only_goes_forward_through_stages_and_objects():
    meter = Meter(["A", "B"])
    factors = [meter.progress.factor]
    for name in ("A", "B"):
        meter.start(name, STAGES)
        for stage in STAGES:
            for fraction in (0.0, 0.5, 1.0):
                meter.at(stage, fraction)
                factors.append(meter.progress.factor)
    assert factors == sorted(factors)
    assert factors[0] == 0
    assert factors[-1] == pytest.approx(1)
    assert "B (2 of 2): network, 100%" in meter.progress.text


@pytest.mark.parametrize(("seconds", "text"), [(8.4, "8 s"), (99.0, "99 s"), (150, "2 min")])
def test_durations_as_people_say_them(seconds, text):
    assert duration(seconds) == text


def test_a_model_that_is_not_there_is_told_by_the_worker_as_well():
    failed = finish(start(add_body(), model="nobody"))[1]
    assert isinstance(failed[0], DiffusionNetError)
    assert "There is no model 'nobody'" in str(failed[0])
