"""Jobs for render farms: executed by openjd, and by Node with a stub of Flamenco's author."""

import importlib.util
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("distributed")

from diffusionnet_blender.cli.library.records import MERGED
from tests.cli.test_segment import body, run, write_ply
from tests.conftest import MODEL

ROOT = Path(__file__).resolve().parents[3]
OPENJD = importlib.util.find_spec("openjd") and importlib.util.find_spec("openjd.cli")
# What Flamenco's compiler of jobs gives a script, and what its manager makes of it.
FLAMENCO = """
const author = {
    Task: (name, type) => ({
        name, type, commands: [], dependencies: [],
        addCommand(command) { this.commands.push(command); },
        addDependency(task) { this.dependencies.push(task.name); },
    }),
    Command: (name, parameters) => ({ name, parameters }),
};
const fs = require("fs");
const code = fs.readFileSync(process.argv[2], "utf8");
const { JOB_TYPE, compileJob } = new Function(
    "author", code + "; return { JOB_TYPE, compileJob };")(author);
const settings = {};
for (const each of JOB_TYPE.settings) settings[each.key] = each.default;
Object.assign(settings, JSON.parse(process.argv[3]));
const job = { settings, tasks: [], addTask(task) { this.tasks.push(task); } };
compileJob(job);
console.log(JSON.stringify({ JOB_TYPE, tasks: job.tasks }));
"""


@pytest.fixture
def program(tmp_path):
    """The command, under one name without arguments, as a farm calls it."""
    path = tmp_path / "bin" / "diffusionnet"
    path.parent.mkdir()
    path.write_text(
        f'#!/bin/sh\ncd {ROOT}\nexec {sys.executable} -m diffusionnet_blender "$@" --workers 1\n'
    )
    path.chmod(0o755)
    return path


def written(tmp_path, kind, *more):
    folder = tmp_path / "in"
    folder.mkdir()
    vertices, faces = body()
    for number in range(3):
        write_ply(folder / f"body {number}.ply", vertices * (1 + number), faces)
    arguments = ("--task", "segment", "--output", tmp_path / "out", "--model", MODEL, "--no-clean")
    job = ("--write-job", kind, tmp_path / "job", "--chunks", "2", "--cache", "off")
    assert run("library", folder, *arguments, *job, *more) == 0
    return tmp_path / "job"


def assert_whole(folder):
    told = [json.loads(line) for line in (folder / MERGED).read_text().splitlines()]
    assert {line["name"] for line in told} == {f"body {number}" for number in range(3)}
    assert all((folder / name).exists() for line in told for name in line["results"])
    assert "clean" not in told[0]["shapes"]["body 0"]["seconds"]
    assert (folder / "report.html").exists()


@pytest.mark.slow
@pytest.mark.skipif(not OPENJD, reason="openjd-cli is not installed")
def test_open_job_description_runs(tmp_path, tiny_model, program):
    template = written(tmp_path, "openjd") / "template.json"
    openjd = [sys.executable, "-m", "openjd"]
    subprocess.run([*openjd, "check", str(template)], check=True, timeout=60)
    command = [*openjd, "run", str(template), "--step", "Report", "--run-dependencies"]
    command += ["-p", f"Program={program}"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert_whole(tmp_path / "out")


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("node") is None, reason="Node is not installed")
def test_flamenco_compiles_the_job_and_its_commands_run(tmp_path, tiny_model, program):
    script = written(tmp_path, "flamenco") / "diffusionnet_segment.js"
    stub = tmp_path / "flamenco.js"
    stub.write_text(FLAMENCO)
    settings = json.dumps({"program": str(program)})
    done = subprocess.run(
        ["node", str(stub), str(script), settings], capture_output=True, text=True, check=True
    )
    compiled = json.loads(done.stdout)
    assert {each["key"] for each in compiled["JOB_TYPE"]["settings"]} == {
        "program", "manifest", "chunks",
    }  # fmt: skip
    tasks = compiled["tasks"]
    chunks = [task["name"] for task in tasks[:-1]]
    assert chunks == ["items 1/2", "items 2/2"]
    assert tasks[-1]["dependencies"] == chunks
    for task in tasks:
        (command,) = task["commands"]
        assert command["name"] == "exec"
        words = [command["parameters"]["exe"], *command["parameters"]["args"]]
        subprocess.run(words, check=True, timeout=200)
    assert_whole(tmp_path / "out")


def test_an_unknown_farm_is_told(tmp_path, tiny_model, capsys):
    write_ply(tmp_path / "a.ply", *body())
    arguments = ("--task", "segment", "--output", tmp_path / "out", "--model", MODEL)
    assert run("library", tmp_path / "a.ply", *arguments, "--write-job", "x", tmp_path) == 1
    assert "openjd, flamenco" in capsys.readouterr().err
