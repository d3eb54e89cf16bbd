"""What is in the zip, and what is not."""

import tomllib
import zipfile

import pytest

from tools.package import (
    PACKAGE,
    PLATFORMS,
    PYTHONS,
    REQUIREMENTS,
    download_torch,
    manifest_text,
)


@pytest.fixture(scope="module")
def names(extension_zip) -> set[str]:
    with zipfile.ZipFile(extension_zip) as archive:
        return set(archive.namelist())


def test_every_module_and_weight_is_in_it(names):
    shipped = [path for path in PACKAGE.rglob("*.py") if "__pycache__" not in path.parts]
    shipped += [path for path in (PACKAGE / "weights").rglob("*") if path.is_file()]
    assert {str(path.relative_to(PACKAGE)) for path in shipped} <= names
    assert "LICENSE" in names


def test_nothing_else_is_in_it(names):
    kinds = {name.rpartition(".")[2] for name in names if not name.endswith("/")}
    assert kinds <= {"py", "toml", "LICENSE", "whl", "safetensors", "json", "png"}
    assert not [name for name in names if "test" in name or "__pycache__" in name]


@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize("library", ["scipy", "robust_laplacian"])
def test_compiled_libraries_are_there_for_each_python(names, python, library):
    abi = f"cp{python.replace('.', '')}"
    found = [name for name in names if name.startswith(f"wheels/{library}-") and abi in name]
    assert len(found) == 1


def test_just_the_pinned_wheels_are_bundled(names):
    wheels = {name.split("/")[1].split("-")[0] for name in names if name.endswith(".whl")}
    assert wheels == {line.partition("==")[0] for line in REQUIREMENTS.read_text().split()}
    # Blender has its own NumPy, and torch is the user's.
    assert not wheels & {"numpy", "torch"}


def test_the_manifest_names_all_wheels(extension_zip, names):
    with zipfile.ZipFile(extension_zip) as archive:
        manifest = tomllib.loads(archive.read("blender_manifest.toml").decode())
    wheels = {name.removeprefix("./") for name in manifest["wheels"]}
    assert {name for name in names if name.endswith(".whl")} <= wheels


def test_platforms_and_wheels_replace_those_of_the_manifest():
    text = 'id = "x"\nplatforms = ["linux-x64"]\n\n[permissions]\nfiles = "Read models"\n'
    manifest = tomllib.loads(manifest_text(text, list(PLATFORMS), ["./wheels/a.whl"]))
    assert manifest["platforms"] == list(PLATFORMS)
    assert manifest["wheels"] == ["./wheels/a.whl"]
    assert manifest["permissions"] == {"files": "Read models"}


def test_where_pip_has_no_torch_it_says_what_to_do(tmp_path, monkeypatch):
    # There have been none for this system since torch 2.2.
    monkeypatch.setenv("TORCH_INDEX", tmp_path.as_uri())
    with pytest.raises(SystemExit, match="(?s)no CPU build.*macos-x64.*TORCH_INDEX"):
        download_torch("macos-x64", PYTHONS[0])
