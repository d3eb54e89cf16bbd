"""What is in the zip, and what is not."""

import re
import tomllib
import zipfile

import pytest

from tools.package import (
    PACKAGE,
    PLATFORMS,
    PYTHONS,
    bundled_libraries,
    download_torch,
    manifest_text,
    pins,
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


def test_the_guide_is_in_it_and_its_links_lead_to_what_is_there(names, extension_zip):
    pages = {name for name in names if name.startswith("guide/") and name.endswith(".html")}
    assert {f"guide/{name}.html" for name in ("tutorial", "segment", "transfer", "farm")} <= pages
    with zipfile.ZipFile(extension_zip) as archive:
        texts = {page: archive.read(page).decode() for page in pages}
    for page, text in texts.items():
        for link in re.findall(r'(?:href|src)="([^"]+)"', text):
            if re.match(r"\w+:", link):
                continue
            path, _, anchor = link.partition("#")
            target = f"guide/{path}" if path else page
            assert target in names, (page, link)
            assert not anchor or f'id="{anchor}"' in texts[target], (page, link)


def test_nothing_else_is_in_it(names):
    kinds = {name.rpartition(".")[2] for name in names if not name.endswith("/")}
    assert kinds <= {"py", "toml", "LICENSE", "whl", "safetensors", "json", "png", "html", "webp"}
    assert not [name for name in names if "test" in name or "__pycache__" in name]


@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize("library", ["scipy", "robust_laplacian"])
def test_compiled_libraries_are_there_for_each_python(names, python, library):
    abi = f"cp{python.replace('.', '')}"
    found = [name for name in names if name.startswith(f"wheels/{library}-") and abi in name]
    assert len(found) == 1


def test_just_the_pinned_wheels_are_bundled(names):
    wheels = {name.split("/")[1].split("-")[0] for name in names if name.endswith(".whl")}
    assert wheels == set(bundled_libraries())
    # Blender has its own NumPy, and torch is the user's.
    assert not wheels & {"numpy", "torch"}


def test_the_manifest_names_all_wheels(extension_zip, names):
    with zipfile.ZipFile(extension_zip) as archive:
        manifest = tomllib.loads(archive.read("blender_manifest.toml").decode())
    wheels = {name.removeprefix("./") for name in manifest["wheels"]}
    assert {name for name in names if name.endswith(".whl")} <= wheels


def test_platforms_and_wheels_replace_those_of_the_manifest():
    text = 'id = "x"\nplatforms = ["linux-x64"]\n\n[permissions]\nfiles = "Read models"\n'
    manifest = tomllib.loads(manifest_text(text, list(PLATFORMS), ["./wheels/a.whl"], False))
    assert manifest["platforms"] == list(PLATFORMS)
    assert manifest["wheels"] == ["./wheels/a.whl"]
    assert manifest["permissions"] == {"files": "Read models"}


def test_the_official_zip_lacks_the_installer_alone(official_zip, names):
    with zipfile.ZipFile(official_zip) as archive:
        official = set(archive.namelist())
        manifest = tomllib.loads(archive.read("blender_manifest.toml").decode())
    missing = names - official
    assert official <= names
    assert missing == {name for name in names if name.startswith("torch_installer/")}
    assert set(manifest["permissions"]) == {"files"}


def test_nothing_in_the_official_zip_runs_pip_or_asks_a_network(official_zip):
    with zipfile.ZipFile(official_zip) as archive:
        sources = [name for name in archive.namelist() if name.endswith(".py")]
        texts = {name: archive.read(name).decode() for name in sources}
    for name, text in texts.items():
        assert not re.search(r"ensurepip|run_pip|urllib\.request|http\.client", text), name
        # A message may tell the user what to type for a Python of his own.
        assert not re.search(r"\bpip\b(?! install )", text), name


def test_the_studio_zip_states_what_it_uses_the_network_for(extension_zip):
    with zipfile.ZipFile(extension_zip) as archive:
        manifest = tomllib.loads(archive.read("blender_manifest.toml").decode())
    assert set(manifest["permissions"]) == {"files", "network"}


def test_a_python_may_have_a_pin_of_its_own():
    old, new = (pins(["scipy"], python)[0] for python in ("3.11", "3.14"))
    assert old.startswith("scipy==")
    assert new.startswith("scipy==")
    assert old != new
    assert len({tuple(pins(bundled_libraries(), python)) for python in PYTHONS}) == 1


def test_where_pip_has_no_torch_it_says_what_to_do(tmp_path, monkeypatch):
    # There have been none for this system since torch 2.2.
    monkeypatch.setenv("TORCH_INDEX", tmp_path.as_uri())
    with pytest.raises(SystemExit, match="(?s)no CPU build.*macos-x64.*TORCH_INDEX"):
        download_torch("macos-x64", PYTHONS[0])
