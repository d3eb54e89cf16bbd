"""Folders in an object store: a real S3 server on this machine."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest

pytest.importorskip("moto")
pytest.importorskip("s3fs")
pytest.importorskip("distributed")

from diffusionnet_blender.cli import session
from diffusionnet_blender.cli.library import inputs, records
from diffusionnet_blender.cli.library.records import MERGED, Records
from diffusionnet_blender.cli.library.storage import folder_at, opened_url
from tests.cli.test_segment import body, run, write_ply
from tests.conftest import MODEL
from tests.waiting import moments

BUCKET = "s3://studio"


@pytest.fixture(scope="module")
def store():
    """A bucket whose address and credentials are in the environment, as a studio has them."""
    code = (
        "from moto.server import ThreadedMotoServer as Server\n"
        "import time\n"
        "server = Server(ip_address='127.0.0.1', port=0, verbose=False)\n"
        "server.start()\n"
        "print(server.get_host_and_port()[1], flush=True)\n"
        "time.sleep(3600)\n"
    )
    server = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    port = int(server.stdout.readline())
    given = {
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    before = {name: os.environ.get(name) for name in given}
    os.environ.update(given)
    files, _ = opened_url(BUCKET)
    for _ in moments("the server answers"):
        try:
            files.mkdir("studio")
            break
        except OSError:
            continue
    yield files
    server.kill()
    server.wait()
    for name, value in before.items():
        os.environ.pop(name) if value is None else os.environ.update({name: value})


def test_a_folder_of_a_store_is_one(store):
    folder = folder_at(f"{BUCKET}/folder")
    folder.write("a/b.txt", b"text")
    assert folder.exists("a/b.txt")
    assert folder.read("a/b.txt") == b"text"
    assert folder.read("none") is None
    assert folder.names("a") == ["b.txt"]
    assert folder.tree() == {"a/b.txt"}
    folder.remove("a/b.txt")
    assert folder.tree() == set()


def test_records_are_objects_until_they_are_merged(store):
    kept = Records(folder_at(f"{BUCKET}/records"))
    assert [kept.start("a"), kept.start("b")] == [0, 0]
    kept.add({"name": "a", "key": "k", "status": records.DONE})
    assert kept.index()["a"].status == records.DONE
    assert kept.starts("b") == 1
    kept.end("a")
    assert kept.started() == {records.digest_of("b")}
    kept.merge()
    assert kept.folder.names(records.JOURNALS) == []
    assert set(kept.index()) == {"a"}


def test_what_the_store_says_of_the_content_is_the_fingerprint(store):
    store.pipe_file("studio/x.ply", b"one")
    first = inputs.fingerprint(f"{BUCKET}/x.ply")
    store.pipe_file("studio/x.ply", b"two")
    store.invalidate_cache()
    assert inputs.fingerprint(f"{BUCKET}/x.ply") != first


def test_a_bucket_that_is_not_there_is_told(store, tmp_path, capsys, tiny_model):
    write_ply(tmp_path / "a.ply", *body())
    arguments = ("--task", "segment", "--model", MODEL, "--output", "s3://nobodys/out")
    assert run("library", tmp_path / "a.ply", *arguments) == 1
    assert "s3://nobodys/out" in capsys.readouterr().err


def test_machines_share_a_cache(store, tmp_path, tiny_model, monkeypatch, addon):
    path = tmp_path / "a.ply"
    write_ply(path, *body())
    labels = []
    for number in range(2):
        # Another user's folder each: only the store is common.
        monkeypatch.setattr(session, "folder_of", lambda *_, n=number: tmp_path / f"user{n}")
        model = ("--model", str(tiny_model), "--cache", f"{BUCKET}/cache", "--quiet")
        labels.append(tmp_path / f"{number}.npz")
        assert run("segment", path, "--labels", labels[-1], *model) == 0
        assert [p.suffix for p in (tmp_path / f"user{number}").iterdir()] == [".npz"]
    (entry,) = folder_at(BUCKET).names("cache")
    assert (tmp_path / "user1" / entry).read_bytes() == (tmp_path / "user0" / entry).read_bytes()
    first, second = (np.load(each)["vertex_probabilities"] for each in labels)
    np.testing.assert_array_equal(first, second)


@pytest.mark.slow
def test_a_library_from_and_to_a_store(store, tmp_path, tiny_model, capsys):
    vertices, faces = body()
    for number in range(3):
        write_ply(tmp_path / "a.ply", vertices * (1 + number), faces)
        store.put_file(str(tmp_path / "a.ply"), f"studio/in/deep/{number}.ply")
    arguments = (
        *("library", f"{BUCKET}/in", "--task", "segment", "--output", f"{BUCKET}/out"),
        *("--model", MODEL, "--cache", "off", "--workers", "1", "--results", ".obj,.npz"),
    )
    assert run(*arguments) == 0, capsys.readouterr().err
    store.invalidate_cache()
    out = folder_at(f"{BUCKET}/out")
    told = [json.loads(line) for line in out.read(MERGED).splitlines()]
    assert {line["name"] for line in told} == {"deep/0", "deep/1", "deep/2"}
    for line in told:
        assert all(out.read(name) for name in line["results"])
        assert out.exists(f"{line['name']}.mtl"), "what belongs to an .obj"
    assert out.exists("report.html")
    times = {line["name"]: line["time"] for line in told}
    assert run(*arguments) == 0
    told = [json.loads(line) for line in out.read(MERGED).splitlines()]
    assert {line["name"]: line["time"] for line in told} == times


def test_a_relative_place_is_below_the_folder_at_hand(tmp_path, monkeypatch):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        monkeypatch.chdir(tmp_path / name)
        assert folder_at("out").at("x") == str(tmp_path / name / "out" / "x")
