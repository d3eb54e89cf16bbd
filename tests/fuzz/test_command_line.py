"""Any arguments and files: an exit status, an error in one line, no traceback, nothing left."""

import contextlib
import os
import shlex

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.cli.test_segment import body, run, write_obj, write_ply, write_stl
from tests.conftest import MODEL
from tests.fuzz.fuzzing import examples, in_time, quick_and_full, tree
from tests.shapes import lumpy_body

pytest.importorskip("bpy")

INPUTS = (
    "a.ply", "b.obj", "a.stl", "small.obj", "empty.ply", "cut.ply", "nan.ply", "text.obj",
    "cut.blend", "cut.glb", "cut.usda", "cut.fbx", "missing.ply", "folder", "folder/", ".", "",
    "no suffix", "a.ply/inside.ply", "words.txt", "x" * 300 + ".ply", "a.PLY", "link.ply",
    "loop.ply", "-", "~/a.ply", "ä ö.ply",
)  # fmt: skip
OUTPUTS = (
    "out.npz", "out.blend", "out.obj", "out.ply", "out", "out/", "out/deep/x.npz", "folder", ".",
    "", "a.ply", "link.ply", "folder.npz", "a.ply/o.npz", "/dev/null/x.npz", "/proc/x.npz",
    "out.xyz", "out.tsv", "x" * 300 + ".npz", "loop.ply", "../out.npz", "b.obj",
)  # fmt: skip
VALUES = (
    "", "0", "-1", "1", "nan", "inf", "1e400", "9" * 30, "on", "off", "none", MODEL, "body_parts",
    "../x", "a.ply", "words.txt", "cpu", "cuda:99", "numpy", "torch", "weights,uv", "weights",
    "labels", "12:345", "0:0", "a:b", "-1:-1", ",", "\u202e", "\udcff", "property:", "folder",
    "file", "auto",
)  # fmt: skip
OPTIONS = {
    "segment": "--output --labels --in-place --model --engine --device --exact --no-exact --cache "
    "--clean --no-clean --confidence --no-colors --materials --rest-shape --modifiers --quiet",
    "match": "--output --model --engine --device --pin --source-object --target-object "
    "--fit --quiet",
    "transfer": "--output --what --in-place --model --pin --texture-size --margin --limit "
    "--group-names --least-confidence --small-keys --source-object --quiet",
    "classify": "--output --table --model --engine --cache --in-place --quiet",
    "train": "--name --labels --classes --shapes --attribute --collection --steps --start --quiet",
    "models": "--card --output-at",
}
NEEDED = {
    "segment": {"--labels": "good", "--model": MODEL, "--output": "good"},
    "match": {"--output": "good.npz", "--model": "none"},
    "transfer": {"--output": "good.blend", "--model": "none", "--what": "attributes,colors"},
    "classify": {"--model": "body_parts"},
    "train": {"--name": "never"},
}
FLAGS = {
    "--in-place", "--exact", "--no-exact", "--clean", "--no-clean", "--no-colors", "--materials",
    "--quiet", "--fit", "--small-keys", "--confidence", "--rest-shape", "--modifiers",
}  # fmt: skip


@st.composite
def command_lines(draw):
    """A command with files and options, most of them of its own, many wrong."""
    command = draw(st.sampled_from(list(OPTIONS)))
    line = [command]
    if command == "models":
        line.append(draw(st.sampled_from(("list", "info", "import", "remove"))))
    files = st.sampled_from(INPUTS)
    few = st.one_of(st.just("a.ply"), st.just("b.obj"), files)
    count = {"models": (0, 2), "match": (2, 2), "transfer": (2, 2)}.get(command, (1, 3))
    line += draw(st.lists(few, min_size=count[0], max_size=count[1]))
    own = st.sampled_from(OPTIONS[command].split())
    every = st.sampled_from([option for options in OPTIONS.values() for option in options.split()])
    places = st.sampled_from(OUTPUTS)
    for option in draw(st.lists(st.one_of(*[own] * 9, every), max_size=4)):
        line.append(option)
        if option not in FLAGS:
            kinds = {"--output": places, "--labels": places, "--table": places, "--cache": places}
            line.append(draw(kinds.get(option, st.sampled_from(VALUES))))
    # What is needed, or else few get beyond the parser.
    for option, value in NEEDED.get(command, {}).items():
        if draw(st.integers(0, 3)):
            line += [option, draw(st.one_of(st.just(value), places)) if "put" in option else value]
    return line


@pytest.fixture
def here(tmp_path, monkeypatch, tiny_model):
    """A folder of good and bad files."""
    monkeypatch.chdir(tmp_path)
    write_ply(tmp_path / "a.ply", *body())
    write_obj(tmp_path / "b.obj", *lumpy_body(1))
    write_stl(tmp_path / "a.stl", *body())
    write_obj(tmp_path / "small.obj", [(0, 0, 0), (1, 0, 0), (0, 1, 0)], [(0, 1, 2)])
    whole = (tmp_path / "a.ply").read_bytes()
    (tmp_path / "empty.ply").write_bytes(b"")
    (tmp_path / "cut.ply").write_bytes(whole[: len(whole) // 2])
    vertices, faces = body()
    vertices[3, 1] = np.nan
    write_ply(tmp_path / "nan.ply", vertices, faces)
    for name in ("text.obj", "words.txt", "no suffix", "cut.usda"):
        (tmp_path / name).write_text("these are words\n")
    (tmp_path / "cut.blend").write_bytes(b"BLENDER-v405" + bytes(100))
    (tmp_path / "cut.glb").write_bytes(b"glTF\2\0\0\0" + bytes(20))
    (tmp_path / "cut.fbx").write_bytes(b"Kaydara FBX Binary  \0" + bytes(20))
    (tmp_path / "ä ö.ply").write_bytes(whole)
    for name in ("folder", "folder.npz"):
        (tmp_path / name).mkdir()
    (tmp_path / "link.ply").symlink_to("a.ply")
    (tmp_path / "loop.ply").symlink_to("loop.ply")
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


@pytest.mark.skipif(os.name != "posix", reason="links")
@quick_and_full(15, 800)
def test_any_arguments_end_in_a_status_and_a_line(count, here, capfd):
    inputs = {path: content for path, content in tree(here).items() if content is not False}

    @examples(count)
    @given(command_lines())
    @example(["models", "import", "folder"])
    @example(["segment", "x" * 300 + ".ply", "--labels", "good", "--model", MODEL])
    @example(["segment", "a.ply", "--labels", "good", "--output", "x" * 300 + ".blend"])
    @example(["train", "x" * 300 + ".ply", "--name", "never"])
    @example(["match", "a.ply", "b.obj", "--model", "none", "--output", "/proc/x.npz"])
    def holds(line):
        capfd.readouterr()
        with in_time():
            try:
                status = run(*line)
            except SystemExit as stop:
                status = stop.code
        out, err = capfd.readouterr()
        assert status in (0, 1, 2), shlex.join(line)
        assert "Traceback" not in out + err
        if status:
            told = err.strip().splitlines()
            assert told, line
            assert "DIFFUSIONNET_DEBUG" not in err, err
        if "--in-place" not in line:
            for path, content in inputs.items():
                assert path.read_bytes() == content, path
        for path in set(here.rglob("*")) - set(inputs):
            # Nothing half written; results go, so that the next run finds what this one found.
            assert not path.name.startswith("."), path
            if path.is_file() and path.name not in ("loop.ply", "link.ply"):
                path.unlink()
        for path in sorted(here.rglob("*"), reverse=True):
            if path.is_dir() and path.name not in ("folder", "folder.npz"):
                with contextlib.suppress(OSError):
                    path.rmdir()
        for path, content in inputs.items():
            if path.read_bytes() != content:
                path.write_bytes(content)

    holds()
