"""The extension, installed without a network into a Blender that has nothing but itself."""

import json
import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from tools import repository
from tools.package import bundled_libraries

HERE = Path(__file__).resolve().parent
CHARACTER = HERE.parents[1] / "samples" / "ada.glb"
# What the environment that runs the tests has, and a Blender that was just installed has not.
NOT_BLENDERS = {"torch", *bundled_libraries()}
INSTALLERS = {"find_torch", "install_torch", "remove_torch"}


@pytest.fixture(scope="module")
def blender(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("libraries")
    for source in Path(sysconfig.get_path("platlib")).iterdir():
        if not source.name.startswith(tuple(NOT_BLENDERS)):
            (folder / source.name).symlink_to(source)
    return folder


@pytest.fixture(
    scope="module",
    params=[
        "zip",
        pytest.param("repository", marks=pytest.mark.slow),
        pytest.param("official", marks=pytest.mark.slow),
    ],
)
def kind(request) -> str:
    return request.param


@pytest.fixture(scope="module")
def installed(kind, blender, extension_zip, official_zip, tmp_path_factory) -> dict:
    extension = official_zip if kind == "official" else extension_zip
    if kind == "repository":
        extension = repository.build([extension_zip], tmp_path_factory.mktemp("site") / "files")
    resources = tmp_path_factory.mktemp("resources")
    done = subprocess.run(
        [sys.executable, "-S", HERE / "install.py", blender, extension, CHARACTER],
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


def test_only_the_official_zip_has_no_button_that_installs(installed, kind):
    found = INSTALLERS & set(installed["states"][0]["operators"])
    assert found == (set() if kind == "official" else INSTALLERS)
    settings = {name for name in installed["states"][0]["classes"] if "torch" in name}
    assert bool(settings) == (kind != "official")


def test_the_preferences_draw_what_is_there(installed, kind):
    drawn = set(installed["drawn"])
    assert {"engine", "environment", "check", "palette"} <= drawn
    of_the_installer = {"variant", "index", "find_torch"}
    assert drawn & of_the_installer == (set() if kind == "official" else of_the_installer)


def test_it_segments_a_character_without_torch(installed):
    assert installed["segmented"] == {"parts": 14, "torch": False}


def test_enabling_and_disabling_twice_leaves_nothing_behind(installed):
    enabled, disabled = installed["states"][0::2], installed["states"][1::2]
    assert enabled[0] == enabled[1] == enabled[2]
    assert disabled[0] == disabled[1] == installed["before"]


def test_its_wheels_run_on_this_python_and_numpy(installed):
    assert all(path.startswith(installed["libraries"]) for path in installed["loaded"])
