"""Faults of one file, of a stream, and those that are told before anything is computed."""

import os
import subprocess
import sys

import pytest

from diffusionnet_blender.tasks.classify import job as classify_job
from diffusionnet_blender.tasks.segment import job as segment_job
from tests.cli.test_segment import ROOT, body, module, run, write_blend, write_obj, write_ply
from tests.conftest import MODEL

bpy = pytest.importorskip("bpy")
UNFORESEEN = [RuntimeError("Error: of Blender\nin two lines"), MemoryError(), ZeroDivisionError()]


@pytest.fixture
def here(tmp_path, monkeypatch, tiny_model):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def raise_at(number, error, function):
    """A function that raises once, at its call of this number."""
    calls = []

    def called(*arguments, **options):
        calls.append(1)
        if len(calls) == number:
            raise error
        return function(*arguments, **options)

    return called


@pytest.mark.parametrize("error", UNFORESEEN, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("debug", ["0", "1"])
def test_an_unforeseen_error_of_one_file_leaves_the_others(error, debug, here, capfd, monkeypatch):
    monkeypatch.setattr(segment_job, "run", raise_at(2, error, segment_job.run))
    monkeypatch.setenv("DIFFUSIONNET_DEBUG", debug)
    for name in "abc":
        write_ply(here / f"{name}.ply", *body())
    files = "a.ply", "b.ply", "c.ply"
    assert run("segment", *files, "--model", MODEL, "--labels", "out", "--quiet") == 1
    told = capfd.readouterr().err.strip().splitlines()
    assert told[-1].startswith(f"b.ply: {type(error).__name__}")
    assert ("Traceback (most recent call last):" in told) == (debug == "1")
    assert debug == "1" or len(told) == 1
    assert sorted(path.name for path in (here / "out").iterdir()) == ["a.npz", "c.npz"]


@pytest.mark.parametrize("error", UNFORESEEN, ids=lambda error: type(error).__name__)
def test_classify_likewise(error, here, capfd, monkeypatch):
    from types import SimpleNamespace

    from diffusionnet_blender.cli import classify

    found = SimpleNamespace(class_name="cat", probability=0.9)
    monkeypatch.setattr(classify, "loaded", lambda *_: None)
    monkeypatch.setattr(classify_job, "classify", raise_at(2, error, lambda *_, **__: found))
    for name in "abc":
        write_ply(here / f"{name}.ply", *body())
    assert (
        run("classify", "a.ply", "b.ply", "c.ply", "--model", "x", "--quiet", "--table", "t.tsv")
        == 1
    )
    assert capfd.readouterr().err.startswith(f"b.ply: {type(error).__name__}")
    rows = (here / "t.tsv").read_text().splitlines()
    assert [row.split("\t")[0] for row in rows] == ["a.ply", "c.ply"]


@pytest.mark.parametrize("error", UNFORESEEN, ids=lambda error: type(error).__name__)
def test_train_tells_the_file(error, here, capfd, monkeypatch):
    pytest.importorskip("torch")
    from diffusionnet_blender.scene import character_read

    reading = raise_at(1, error, character_read.read_seen)
    monkeypatch.setattr(character_read, "read_seen", reading)
    write_blend(here / "a.blend", *body())
    assert run("train", "a.blend", "--name", "never", "--shapes", "folder") == 1
    told = capfd.readouterr().err.strip().splitlines()
    assert told[-1].startswith(f"a.blend: {type(error).__name__}")


@pytest.mark.parametrize("spelled", ["a.blend", "link.blend", "hard.blend", ".", "folder/../."])
@pytest.mark.parametrize("command", ["segment", "transfer", "classify"])
def test_a_source_is_rewritten_with_in_place_alone(command, spelled, here, capfd):
    write_blend(here / "a.blend", *body())
    write_ply(here / "b.ply", *body())
    (here / "folder").mkdir()
    (here / "link.blend").symlink_to("a.blend")
    os.link(here / "a.blend", here / "hard.blend")
    before = (here / "a.blend").read_bytes()
    if command == "transfer":
        if spelled.endswith("."):
            pytest.skip("takes no folder")
        arguments = ["a.blend", "b.ply", "--what", "weights", "--model", "none"]
    else:
        arguments = ["a.blend", "--model", MODEL]
    assert run(command, *arguments, "--output", spelled) == 1
    assert "overwrite the input a.blend" in capfd.readouterr().err
    assert (here / "a.blend").read_bytes() == before
    if command == "segment":
        assert run(command, *arguments, "--output", spelled, "--in-place", "--quiet") == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("segment a.ply --output a.ply/x.blend", "a.ply/x.blend cannot be written"),
        ("segment a.ply --labels folder.npz/a.npz/", "cannot be written"),
        ("segment a.ply --output o.blend --model a.ply", "a.ply"),
        ("match a.ply a.ply --output a.ply/m.npz", "a.ply/m.npz cannot be written"),
        ("match a.ply small.obj --output m.npz", "small.obj: 'Body' has only 3 vertices"),
        ("match a.ply a.ply --output m.npz --model a.ply", "a.ply"),
        ("transfer a.ply b.ply --what uv --output o.xyz", "'.xyz' are not supported"),
        ("transfer a.ply b.ply --what uv --output a.ply/o.obj", "cannot be written"),
        ("transfer a.ply b.ply --what texture --output o.obj", "a.ply to b.ply: "),
        ("transfer a.ply b.ply --what uv --output o.obj", "a.ply to b.ply: "),
        ("transfer a.ply b.ply --what shape_keys --output o.obj", "a.ply to b.ply: "),
        ("transfer a.ply b.ply --what weights --output o.obj", "a.ply to b.ply: "),
        ("transfer a.ply b.ply --what armature --output o.obj", "a.ply to b.ply: "),
        ("transfer a.ply small.obj --what uv --output o.obj", "small.obj: 'Body' has only 3"),
        ("classify a.ply --model x --table a.ply", "--table would overwrite the input a.ply"),
        (
            "classify a.ply --model x --output o.blend --table o.blend",
            "overwrite the result o.blend",
        ),
        (
            "segment a.ply --output " + "x" * 300 + ".blend",
            "cannot be written (File name too long)",
        ),
        (
            "match a.ply a.ply --output " + "x" * 248 + ".npz",
            "cannot be written (File name too long)",
        ),
        ("match a.ply a.ply --output /proc/m.npz", "/proc/m.npz cannot be written"),
        ("train a.ply --name ../x", "is no name for a model"),
        ("train a.ply --name CON", "is no name for a model"),
        ("train a.ply --name body_parts", "already has a model 'body_parts'"),
        ("train a.ply --name tiny", "already has a model 'tiny'"),
        ("classify a.ply --model x --table a.ply/t.tsv", "a.ply/t.tsv cannot be written"),
    ],
)
def test_told_before_anything_is_computed(arguments, words, here, capfd, monkeypatch):
    from diffusionnet_blender.tasks.match import job as match_job

    if arguments.startswith("train"):
        pytest.importorskip("torch", reason="training needs torch")
    computed = []
    for job in (segment_job, match_job):
        monkeypatch.setattr(job, "run", lambda *_: computed.append(1))
    write_ply(here / "a.ply", *body())
    write_ply(here / "b.ply", *body())
    (here / "folder.npz").touch()
    write_obj(here / "small.obj", [(0, 0, 0), (1, 0, 0), (0, 1, 0)], [(0, 1, 2)])
    model = [] if "--model" in arguments or arguments[0] in "mtc" else ["--model", MODEL]
    assert run(*arguments.split(), *model) == 1
    error = capfd.readouterr().err
    assert words in error
    assert "Error:" not in error
    assert len(error.strip().splitlines()) == 1
    assert not computed


@pytest.mark.parametrize(
    "arguments",
    [
        ["segment", "a.ply", "--output", ""],
        ["segment", "a.ply", "--labels", " "],
        ["segment", "", "--output", "o.blend"],
        ["classify", "a.ply", "--table", ""],
        ["rig", "a.ply", "--output", ""],
        ["match", "a.ply", "", "--output", "m.npz"],
        ["transfer", "a.ply", "a.ply", "--what", "uv", "--output", ""],
        ["library", "a.ply", "--task", "rig", "--output", ""],
    ],
    ids=" ".join,
)
def test_an_empty_path_is_not_the_folder_at_hand(arguments, here, capfd):
    """As a variable that a script has not set."""
    write_ply(here / "a.ply", *body())
    with pytest.raises(SystemExit) as stop:
        run(*arguments)
    assert stop.value.code == 2
    assert "the path is empty" in capfd.readouterr().err.lower()
    assert [path.name for path in here.iterdir()] == ["a.ply"]


@pytest.mark.parametrize("command", ["segment a.ply", "rig a.ply", "classify a.ply"])
@pytest.mark.parametrize("cache", ["a.ply", ""])
def test_a_cache_that_is_no_folder_is_told(command, cache, here, capfd):
    write_ply(here / "a.ply", *body())
    model = [] if command.startswith("rig") else ["--model", MODEL]
    assert run(*command.split(), *model, "--output", "o.blend", "--cache", cache) == 1
    told = capfd.readouterr().err
    assert "is no folder" in told or "classif" in told
    assert not (here / "o.blend").exists()


def test_an_error_of_writing_names_the_file_asked_for(here):
    from diffusionnet_blender.errors import DiffusionNetError
    from diffusionnet_blender.scene.files import open_file, save_file

    write_blend(here / "a.blend", *body())
    open_file(here / "a.blend")
    long = here / f"{'x' * 245}.blend"
    with pytest.raises(DiffusionNetError) as raised:
        save_file(long)
    assert str(long) in str(raised.value)
    assert "whole" not in str(raised.value)
    assert str(os.getpid()) not in str(raised.value)
    (here / "broken.blend").write_bytes(b"BLENDER-v405" + bytes(100))
    with pytest.raises(DiffusionNetError, match=r"Is the file whole\?"):
        open_file(here / "broken.blend")


def shell(command):
    return subprocess.run(
        ["bash", "-c", command.replace("dn ", f"{sys.executable} -m diffusionnet_blender ")],
        cwd=ROOT, capture_output=True, text=True, timeout=200,
    )  # fmt: skip


@pytest.mark.skipif(os.name != "posix", reason="pipes")
@pytest.mark.usefixtures("tiny_model")
@pytest.mark.parametrize("command", ["models list", f"models info {MODEL}"])
def test_a_reader_that_leaves_ends_the_command_without_a_word(command):
    done = shell(f"(sleep 0.3; dn {command}; echo $? >&2) | true")
    assert done.stderr.split() == ["141"]


@pytest.mark.skipif(os.name != "posix", reason="pipes")
@pytest.mark.usefixtures("tiny_model")
@pytest.mark.parametrize(
    "closed",
    ["2>&-"]
    + [
        pytest.param(how, marks=pytest.mark.slow)
        for how in ("2> >(exec true)", "2>/dev/full", "<&- 2>&-")
    ],
)
def test_a_closed_stderr_does_not_change_the_status(closed, tmp_path):
    write_ply(tmp_path / "a.ply", *body())
    command = f"segment {tmp_path}/a.ply --model {MODEL} --labels {tmp_path}/o.npz {closed}"
    done = shell(f"dn {command}")
    assert done.returncode == 0
    assert "eigen" not in done.stdout
    assert (tmp_path / "o.npz").exists()
    assert shell(f"dn segment {tmp_path}/b.ply --labels {tmp_path}/p.npz {closed}").returncode == 1


def test_both_characters_in_one_file(here):
    from tests.scenes import add_mesh

    vertices, faces = body()
    bpy.ops.wm.read_homefile(app_template="", use_empty=True)
    for name in ("Ada", "Bo"):
        obj = add_mesh(name, vertices, faces)
        obj.location.x = 3 * (name == "Bo")
    bpy.data.objects["Ada"].vertex_groups.new(name="all").add(range(len(vertices)), 1.0, "ADD")
    bpy.ops.wm.save_as_mainfile(filepath=str(here / "both.blend"))
    (here / "link.blend").symlink_to("both.blend")
    pair = "both.blend", "link.blend", "--source-object", "Ada", "--target-object", "Bo"
    options = "--what", "weights", "--model", "none", "--output"
    assert run("transfer", *pair, *options, "out.blend") == 0
    bpy.ops.wm.open_mainfile(filepath=str(here / "out.blend"))
    assert sorted(bpy.data.objects.keys()) == ["Ada", "Bo"]
    assert bpy.data.objects["Bo"].vertex_groups.keys() == ["all"]
    assert module("transfer", "x").returncode == 2
