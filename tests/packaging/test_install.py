"""The zip, installed into a Blender that has never seen it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def installed(extension_zip, tmp_path_factory) -> dict:
    resources = tmp_path_factory.mktemp("blender")
    done = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("install.py")), str(extension_zip)],
        env={**os.environ, "HOME": str(resources), "BLENDER_USER_RESOURCES": str(resources)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_it_registers_its_operators(installed):
    assert {"segment", "write_labels", "select_part"} <= set(installed["states"][0]["operators"])
    assert installed["states"][0]["scene"]
    assert installed["states"][0]["mesh"]


def test_enabling_and_disabling_twice_leaves_nothing_behind(installed):
    enabled, disabled = installed["states"][0::2], installed["states"][1::2]
    assert enabled[0] == enabled[1] == enabled[2]
    assert disabled[0] == disabled[1] == installed["before"]


def test_its_wheels_run_on_this_python_and_numpy(installed):
    assert all(path.startswith(installed["libraries"]) for path in installed["loaded"])
