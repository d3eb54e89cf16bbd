"""The recipe of docs/add-a-task.md, followed word by word in a copy of the package."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("bpy")

ROOT = Path(__file__).resolve().parents[2]
RECIPE = (ROOT / "docs" / "add-a-task.md").read_text(encoding="utf-8")

OPERATOR_IMPORTS = '''"""Measure parts."""

import bpy

from ..properties.from_options import ONE_CALL, properties_of, values_of
from ..scene.measure_jobs import MeasureJobs, write_areas
from ..scene.report_text import counted
from ..tasks.measure.job import MeasureRequest
from .background import JobOperator
from .base import ObjectOperator


'''
READING_IMPORTS = '''"""Measurement of objects."""

from collections.abc import Sequence
from typing import Any

import bpy

from ..tasks.measure import job as measure_job
from .jobs import Jobs
from .labels import read_labels
from .read import read_object
from .tracked import Tracked
from .write import require_writable


'''
COMMAND_IMPORTS = '''"""The command `measure`."""

from pathlib import Path

from ..tasks.measure import job
from .options import add_options, add_quiet_option


def run(chosen) -> int:
    """Do nothing."""
    return 0


'''
USE = """
import os, sys, time
import bpy
import diffusionnet_blender
assert diffusionnet_blender.__file__.startswith(os.getcwd())
diffusionnet_blender.register()
from diffusionnet_blender.cli import build_parser
from diffusionnet_blender.operators.run import JobRun
from diffusionnet_blender.scene.measure_jobs import MeasureJobs
from diffusionnet_blender.session import computing
from tests.scenes import add_body
body = add_body()
bpy.ops.diffusionnet.segment()
assert bpy.ops.diffusionnet.measure() == {"FINISHED"}
shares = list(body.data["part_areas"])
assert abs(sum(shares) - 1.0) < 1e-9
bpy.ops.diffusionnet.measure(relative=False)
assert sum(body.data["part_areas"]) > 2.0
run = JobRun(MeasureJobs([body]), computing.the_worker())
while not run.finished:
    run.advance()
    time.sleep(0.01)
assert abs(run.result.areas - shares).max() < 1e-9
computing.end_worker()
assert build_parser("dn").parse_args(["measure", "a.blend"]).relative
assert not build_parser("dn").parse_args(["measure", "a.blend", "--no-relative"]).relative
print("measured", flush=True)
os._exit(0)
"""


def edit(path, *changes):
    text = path.read_text(encoding="utf-8")
    for old, new in changes:
        assert text.count(old) == 1, (path.name, old)
        text = text.replace(old, new)
    path.write_text(text, encoding="utf-8")


def follow(package):
    """Make the changes that the page names; the files that they touch."""
    before = {path: path.read_bytes() for path in package.rglob("*.py")}
    job, reading, operator, command, *_ = re.findall(r"```python\n(.*?)```", RECIPE, re.DOTALL)
    task = package / "tasks" / "measure"
    task.mkdir()
    (task / "__init__.py").write_text('"""Measurement of parts."""\n')
    (task / "job.py").write_text(job)
    (package / "scene" / "measure_jobs.py").write_text(READING_IMPORTS + reading)
    (package / "operators" / "measure.py").write_text(OPERATOR_IMPORTS + operator)
    edit(
        package / "operators" / "__init__.py",
        ("    match,\n", "    match,\n    measure,\n"),
        ("    *match.CLASSES,\n", "    *match.CLASSES,\n    *measure.CLASSES,\n"),
    )
    edit(
        package / "panels" / "segment.py",
        (
            "        if worker_alive():\n",
            '        layout.operator("diffusionnet.measure")\n        if worker_alive():\n',
        ),
    )
    (package / "cli" / "measure.py").write_text(COMMAND_IMPORTS + command)
    edit(
        package / "cli" / "__init__.py",
        ("conform, match,", "conform, match, measure,"),
        ("(segment, rig,", "(measure, segment, rig,"),
    )
    return {
        path
        for path in package.rglob("*.py")
        if before.get(path) != path.read_bytes() and path.name != "__init__.py"
    } | {package / "operators" / "__init__.py", package / "cli" / "__init__.py"}


@pytest.mark.slow
def test_a_task_is_seven_files_and_works_everywhere(tmp_path):
    package = tmp_path / "diffusionnet_blender"
    shutil.copytree(
        ROOT / "diffusionnet_blender", package, ignore=shutil.ignore_patterns("__pycache__")
    )
    (tmp_path / "tests").symlink_to(ROOT / "tests")
    assert len(follow(package)) == 7
    done = subprocess.run(
        [sys.executable, "-c", USE], cwd=tmp_path, capture_output=True, text=True, timeout=200
    )
    assert "measured" in done.stdout, done.stdout + done.stderr
