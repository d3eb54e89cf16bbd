"""The command `library` on real files, by real worker processes."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("bpy")
pytest.importorskip("distributed")

from diffusionnet_blender.cli.library import cluster, records
from diffusionnet_blender.cli.library.library import Library
from diffusionnet_blender.cli.library.records import MERGED
from diffusionnet_blender.scene.files import open_file
from tests.cli.test_segment import body, run, write_glb, write_obj, write_ply, write_stl
from tests.conftest import CLASSES, MODEL
from tests.waiting import moments

ROOT = Path(__file__).resolve().parents[3]
WRITERS = {"glb": write_glb, "obj": write_obj, "ply": write_ply, "stl": write_stl}
OPTIONS = ("--model", MODEL, "--cache", "off", "--quiet", "--engine", "numpy")


@pytest.fixture(scope="module")
def client(tiny_model):
    with cluster.local_client(1) as started:
        yield started


@pytest.fixture
def files(tmp_path):
    """A folder of bodies in four formats, each of its own shape."""
    folder = tmp_path / "in"
    folder.mkdir()
    vertices, faces = body()
    for number, (suffix, write) in enumerate(WRITERS.items()):
        grown = vertices * np.float32([1.0, 1.0, 1.0 + 0.1 * number])
        write(folder / f"{suffix}_body.{suffix}", grown, faces)
    return folder


def merged(folder):
    lines = (folder / MERGED).read_text().splitlines()
    return {line["name"]: line for line in map(json.loads, lines)}


def processed(client, *arguments, task="segment", **options):
    """Run what is to be done on a cluster that is there already; the library."""
    inputs, output = arguments
    library = Library(
        [str(inputs)], task, str(output), model=MODEL, cache="off", engine="numpy", **options
    )
    library.done = [record["name"] for record in library.run(client)]
    library.totals = library.finish()
    return library


def by_command(*arguments, **options):
    return subprocess.Popen(
        [sys.executable, "-m", "diffusionnet_blender", "library", *map(str, arguments), *OPTIONS],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        **options,
    )


def test_each_file_gets_its_results_and_a_record(client, files, tmp_path):
    out = tmp_path / "out"
    library = processed(client, files, out, results=[".blend", ".npz"])
    told = merged(out)
    assert set(told) == {f"{suffix}_body" for suffix in WRITERS}
    for name, record in told.items():
        assert record["status"] in (records.DONE, records.UNCERTAIN)
        assert sorted(record["results"]) == [f"{name}.blend", f"{name}.npz"]
        (shape,) = record["shapes"].values()
        assert set(shape["parts"]) <= set(CLASSES)
        assert abs(sum(shape["parts"].values()) - 1.0) < 1e-3
        assert shape["seconds"]["eigenbasis"] > 0
        assert 0 < record["lowest_confidence"] <= record["confidence"] <= 1
        assert record["peak_memory"] > 1e8
        arrays = np.load(out / f"{name}.npz")
        assert record["vertices"] == len(arrays["vertex_labels"])
    assert library.totals["items"] == 4
    assert (out / "report.html").exists()
    # Nothing else is left.
    left = [p.name for p in out.rglob("*") if p.is_file() and p.name.startswith(".")]
    assert left == []


def test_labels_are_those_of_the_command_for_one_file(client, files, tmp_path, addon):
    processed(client, files, tmp_path / "out", results=[".npz"])
    for suffix in WRITERS:
        path, alone = files / f"{suffix}_body.{suffix}", tmp_path / f"{suffix}.npz"
        assert run("segment", path, "--labels", alone, *OPTIONS) == 0
        found, expected = np.load(tmp_path / "out" / f"{suffix}_body.npz"), np.load(alone)
        for name in ("vertices", "faces", "vertex_labels", "vertex_probabilities"):
            np.testing.assert_array_equal(found[name], expected[name])


def test_what_is_done_is_skipped_until_content_or_options_change(client, files, tmp_path):
    out = tmp_path / "out"
    assert len(processed(client, files, out).done) == 4
    assert processed(client, files, out).done == []
    (files / "stl_body.stl").write_bytes((files / "stl_body.stl").read_bytes() + b" ")
    assert processed(client, files, out).done == ["stl_body"]
    (out / "obj_body.blend").unlink()
    assert processed(client, files, out).done == ["obj_body"]
    assert len(processed(client, files, out, clean=False).done) == 4


def test_a_damaged_file_is_told_and_retried_only_when_asked(client, files, tmp_path):
    (files / "broken.glb").write_bytes(b"no glTF")
    out = tmp_path / "out"
    first = processed(client, files, out)
    assert first.totals["failed"] == 1
    (error,) = merged(out)["broken"]["errors"]
    assert error["class"] == "DiffusionNetError"
    assert "could not read" in error["message"]
    assert not (out / "broken.blend").exists()
    assert processed(client, files, out).done == []
    again = Library([str(files)], "segment", str(out), model=MODEL, cache="off", engine="numpy")
    assert [each.item.name for each in again.pending(retry_failed=True)] == ["broken"]


def test_only_what_is_uncertain_is_done_again(client, files, tmp_path):
    out = tmp_path / "out"
    library = processed(client, files, out)
    uncertain = {n for n, r in merged(out).items() if r["status"] == records.UNCERTAIN}
    assert {e.item.name for e in library.pending(only_uncertain=True)} == set()
    library.known = library.records.index()
    assert {e.item.name for e in library.pending(only_uncertain=True)} == uncertain


def test_a_manifest_chooses_objects_and_options(client, files, tmp_path, blender):
    from tests.scenes import add_body

    add_body("One")
    add_body("Two", subdivisions=3).location.x = 5.0
    path = files / "both.blend"
    blender.ops.wm.save_as_mainfile(filepath=str(path))
    manifest = files / "list.jsonl"
    lines = [
        {"file": "both.blend", "object": "One", "name": "one"},
        {"file": "both.blend", "object": "Two", "name": "two", "clean": False},
    ]
    manifest.write_text("".join(json.dumps(line) + "\n" for line in lines))
    processed(client, manifest, tmp_path / "out", results=[".npz"])
    told = merged(tmp_path / "out")
    assert (told["one"]["vertices"], told["two"]["vertices"]) == (162, 642)
    assert "clean" in told["one"]["shapes"]["One"]["seconds"]
    assert "clean" not in told["two"]["shapes"]["Two"]["seconds"]


def test_one_source_is_matched_to_many(client, files, tmp_path):
    options = {"model": "none", "cache": "off", "source": str(files / "glb_body.glb")}
    out = tmp_path / "out"
    targets = [str(files / name) for name in ("obj_body.obj", "stl_body.stl")]
    library = Library(targets, "match", str(out), **options)
    done = list(library.run(client))
    assert len(done) == 2
    for record in done:
        found = np.load(out / f"{record['name']}.npz")
        assert record["vertices"] == len(found["confidence"])
        assert found["target_to_source_barycentric"].shape == (len(found["confidence"]), 3)


def test_weights_are_transferred_to_many(client, files, tmp_path, blender):
    from tests.scenes import add_body, group_weights

    source = add_body("Source")
    source.vertex_groups.new(name="all").add(range(162), 0.5, "REPLACE")
    path = tmp_path / "source.blend"
    blender.ops.wm.save_as_mainfile(filepath=str(path))
    out = tmp_path / "out"
    library = Library(
        [str(files / "glb_body.glb")], "transfer", str(out),
        source=str(path), what="weights", model="none", cache="off", accept_uncertain=True,
    )  # fmt: skip
    (record,) = library.run(client)
    assert record["status"] == records.DONE, record
    blender.ops.wm.open_mainfile(filepath=str(out / "glb_body.blend"))
    (target,) = [o for o in blender.data.objects if o.type == "MESH"]
    np.testing.assert_allclose(group_weights(target, "all"), 0.5, atol=1e-5)


def test_pictures_show_before_and_after(client, files, tmp_path):
    image = pytest.importorskip("PIL.Image")
    out = tmp_path / "out"
    processed(client, files / "glb_body.glb", out)
    (record,) = merged(out).values()
    if record["warnings"]:
        pytest.skip(f"no graphics here: {record['warnings']}")
    before, after = (np.asarray(image.open(out / p).convert("RGBA")) for p in record["pictures"])
    drawn = before[..., 3] > 0
    assert 0.1 < drawn.mean() < 0.9
    # The second is coloured by parts, the first grey.
    colour = [np.ptp(p[drawn][:, :3].astype(int), axis=1).mean() for p in (before, after)]
    assert colour[1] > colour[0] + 20


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--task", "segment", "--no-such"], "--no-such is no option of the task segment"),
        (["--task", "segment", "--model", "nobody"], "There is no model 'nobody'"),
        (["--task", "segment", "--results", ".npy"], "does not write .npy"),
        (["--task", "match"], "has no source"),
        (["--task", "transfer", "--what", "hair", "--source", "x.glb"], "hair"),
        (["--task", "segment", "--source", "x.glb"], "does not use"),
        (["--task", "dance"], "invalid choice: 'dance'"),
        (["--task", "segment", "--chunk", "3/2"], "3/2"),
        (["--task", "segment", "--scheduler", "tcp://127.0.0.1:9"], "cannot be reached"),
        (["--task", "segment", "--output", "s4://bucket/x"], "s4://bucket/x cannot be opened"),
        (["--task", "segment", "--output", "x.glb"], "Choose another place with --output"),
        (["--task", "segment", "--workers", "-1"], "-1"),
        (["--task", "segment", "--retries", "-1"], "-1"),
        (["--task", "segment", "--time-limit", "-1"], "-1"),
    ],
)
def test_what_is_wrong_is_told_before_any_work(
    files, tmp_path, capsys, monkeypatch, tiny_model, arguments, said
):
    monkeypatch.setattr(cluster, "PATIENCE", 2.0)
    monkeypatch.chdir(files)
    (files / "x.glb").write_bytes((files / "glb_body.glb").read_bytes())
    try:
        status = run("library", files / "obj_body.obj", "--output", tmp_path / "out", *arguments)
    except SystemExit as stop:
        status = stop.code
    assert status in (1, 2)
    assert said in capsys.readouterr().err
    assert not (tmp_path / "out" / MERGED).exists()


def test_files_of_others_are_not_overwritten(files, tmp_path, tiny_model, capsys):
    out = tmp_path / "out"
    out.mkdir()
    (out / "obj_body.blend").write_text("mine")
    assert run("library", files, "--task", "segment", "--output", out, *OPTIONS) == 1
    assert "is no result of this library" in capsys.readouterr().err
    assert (out / "obj_body.blend").read_text() == "mine"


def test_without_dask_this_process_does_it(files, tmp_path, addon):
    out = tmp_path / "out"
    assert (
        run("library", files, "--task", "segment", "--output", out, *OPTIONS, "--workers", "0") == 0
    )
    assert len(merged(out)) == 4
    assert (out / "report.html").exists()


@pytest.mark.slow
def test_characters_are_rigged(tmp_path, addon):
    out = tmp_path / "out"
    call = ("library", ROOT / "samples" / "ada.glb", "--task", "rig", "--kind", "plain")
    call += ("--cache", "off", "--quiet", "--engine", "numpy", "--output", out, "--workers", "0")
    assert run(*call) == 0
    (record,) = merged(out).values()
    assert record["status"] == records.DONE
    assert record["confidence"] > 0.8
    meshes = open_file(out / "ada.blend")
    assert [modifier.type for modifier in meshes[0].modifiers] == ["ARMATURE"]
    # Another kind is another result.
    assert run(*call) == 0
    assert run(*(word if word != "plain" else "mixamo" for word in call)) == 0
    assert merged(out)["ada"]["key"] != record["key"]


@pytest.mark.slow
def test_chunks_and_their_report(files, tmp_path, tiny_model):
    out = tmp_path / "out"
    library = ("library", files, "--task", "segment", "--output", out, *OPTIONS, "--workers", "1")
    for number in (1, 2):
        assert run(*library, "--chunk", f"{number}/2") == 0
        assert not (out / "report.html").exists()
    assert run(*library, "--report-only") == 0
    assert len(merged(out)) == 4
    assert (out / "report.html").exists()


@pytest.mark.slow
def test_ctrl_c_finishes_what_runs_and_the_next_run_goes_on(files, tmp_path, tiny_model):
    many(files, 30)
    out = tmp_path / "out"
    process = by_command(files, "--task", "segment", "--output", out, "--workers", "2")
    wait_for_results(out, 3)
    process.send_signal(signal.SIGINT)
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 130, said
    done = merged(out)
    assert 3 <= len(done) < 30
    assert {f"{name}.blend" for name in done} == {p.name for p in out.glob("*.blend")}
    process = by_command(files, "--task", "segment", "--output", out, "--workers", "2")
    process.communicate(timeout=120)
    assert process.returncode in (0, 1)
    assert len(merged(out)) == 34
    assert all(merged(out)[name]["time"] == record["time"] for name, record in done.items())


@pytest.mark.slow
@pytest.mark.parametrize("signals", [[signal.SIGINT, signal.SIGINT], [signal.SIGTERM]])
def test_two_ctrl_c_or_the_queues_signal_end_at_once(files, tmp_path, tiny_model, signals):
    many(files, 30)
    out = tmp_path / "out"
    process = by_command(files, "--task", "segment", "--output", out, "--workers", "1")
    wait_for_results(out, 2)
    for number in signals:
        process.send_signal(number)
        time.sleep(0.2)
    process.communicate(timeout=60)
    assert process.returncode == 128 + signals[0]
    assert list(out.rglob(".*.blend*")) == []
    library = Library([str(files)], "segment", str(out), model=MODEL, cache="off", engine="numpy")
    left = [each.item.name for each in library.pending()]
    assert 0 < len(left) < 34
    assert not {f"{name}.blend" for name in library.known} - {p.name for p in out.glob("*.blend")}


@pytest.mark.slow
def test_a_killed_client_leaves_nothing_half_written(files, tmp_path, tiny_model):
    many(files, 30)
    out = tmp_path / "out"
    process = by_command(files, "--task", "segment", "--output", out, start_new_session=True)
    wait_for_results(out, 3)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate(timeout=60)
    process = by_command(files, "--task", "segment", "--output", out)
    said, _ = process.communicate(timeout=200)
    assert process.returncode == 0, said
    assert len(merged(out)) == 34
    assert all((out / f"{name}.blend").stat().st_size > 10_000 for name in merged(out))
    assert [p for p in out.rglob(".*.blend*")] == []


def many(files, count):
    """Add more files to a folder."""
    vertices, faces = body()
    for number in range(count):
        write_ply(files / f"more{number}.ply", vertices * np.float32(1 + 0.01 * number), faces)


def wait_for_results(out, count):
    for _ in moments(f"{count} results are there", pause=0.05):
        if len(list(out.glob("*.blend"))) >= count:
            return
