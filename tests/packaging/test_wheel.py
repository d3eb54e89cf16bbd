"""The package as pip takes it: what is in it, and that it works where there is no Blender."""

import json
import re
import struct
import subprocess
import sys
import tarfile
import tomllib
import venv
import zipfile
from pathlib import Path

import numpy as np
import pytest

from tools.package import CONSTRAINTS, PACKAGE, ROOT

CHARACTER = ROOT / "samples" / "ada.glb"
# Arrays come in a file; what the README calls `result` goes out as another.
AROUND_THE_EXAMPLE = """
import sys
import numpy as np

vertices, faces = (np.load(sys.argv[1])[name] for name in ("vertices", "faces"))
{example}
assert not {{"bpy", "torch"}} & set(sys.modules)
np.savez(
    sys.argv[2],
    labels=result.vertex_labels,
    probabilities=result.vertex_probabilities,
    names=result.class_names,
    module=dn.__file__,
)
"""


def contents(distribution: Path) -> set[str]:
    if distribution.suffix == ".whl":
        with zipfile.ZipFile(distribution) as archive:
            return set(archive.namelist())
    with tarfile.open(distribution) as archive:
        return {name.partition("/")[2] for name in archive.getnames()}


@pytest.mark.parametrize("kind", ["sdist", "wheel"])
def test_all_that_it_needs_is_in_it_and_nothing_else(distributions, kind):
    names = contents(distributions[kind])
    ours = {name for name in names if name.startswith("diffusionnet_blender/")}
    shipped = {
        str(path.relative_to(ROOT))
        for path in PACKAGE.rglob("*")
        if path.is_file() and not {"__pycache__", "torch_installer"} & set(path.parts)
    }
    assert ours == shipped
    assert any(name.endswith(".safetensors") for name in ours)
    assert {
        f"diffusionnet_blender/{name}" for name in ("py.typed", "blender_manifest.toml")
    } <= ours
    others = {name.partition("/")[0] for name in names - ours}
    if kind == "wheel":
        (metadata,) = others
        assert metadata.endswith(".dist-info")
    else:
        assert others <= {"LICENSE", "PKG-INFO", "README.md", "pyproject.toml", ".gitignore"}


def test_its_version_is_that_of_the_extension(distributions):
    manifest = tomllib.loads((PACKAGE / "blender_manifest.toml").read_text())
    assert f"-{manifest['version']}-py3-none-any" in distributions["wheel"].stem


def test_it_needs_neither_blender_nor_torch(distributions):
    with zipfile.ZipFile(distributions["wheel"]) as archive:
        (name,) = [name for name in archive.namelist() if name.endswith("/METADATA")]
        lines = archive.read(name).decode().splitlines()
    needed = [line.partition(": ")[2] for line in lines if line.startswith("Requires-Dist: ")]
    always = {re.match(r"[\w.-]+", line)[0] for line in needed if "extra ==" not in line}
    extras = {line.partition(": ")[2] for line in lines if line.startswith("Provides-Extra: ")}
    assert {name.replace("-", "_") for name in always} == {
        "numpy", "scipy", "robust_laplacian", "safetensors", "threadpoolctl",
    }  # fmt: skip
    assert {"torch", "blender", "train", "test", "docs"} <= extras


@pytest.fixture(scope="module")
def python(distributions, tmp_path_factory) -> Path:
    """A Python that has the wheel, at the versions that the extension ships, and nothing else."""
    folder = tmp_path_factory.mktemp("clean")
    venv.create(folder, with_pip=True)
    python = folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    wanted = [f"numpy=={np.__version__}", distributions["wheel"], "--constraint", CONSTRAINTS]
    run(python, "-m", "pip", "install", "--quiet", *wanted)
    return python


def run(python: Path, *arguments, cwd: Path | None = None) -> str:
    done = subprocess.run(
        [python, "-P", *arguments], capture_output=True, text=True, cwd=cwd or python.parent
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.slow
def test_the_example_of_the_readme_runs_in_a_clean_environment(python, tmp_path):
    blocks = re.findall(r"^```python\n(.*?)^```$", (ROOT / "README.md").read_text(), re.M | re.S)
    (example,) = [block for block in blocks if "import diffusionnet_blender as dn" in block]
    vertices, faces = first_mesh(CHARACTER)
    np.savez(tmp_path / "mesh.npz", vertices=vertices, faces=faces)
    script = tmp_path / "example.py"
    script.write_text(AROUND_THE_EXAMPLE.format(example=example))
    run(python, script, tmp_path / "mesh.npz", tmp_path / "result.npz")
    result = np.load(tmp_path / "result.npz")
    assert python.parent.parent in Path(str(result["module"])).parents
    names = result["names"]
    assert result["probabilities"].shape == (len(vertices), len(names))
    found = names[result["labels"]]
    assert len(set(found)) == 14
    # glTF has the height in y.
    height = {name: vertices[found == name, 1].mean() for name in ("head", "torso", "foot.L")}
    assert height["head"] > height["torso"] > height["foot.L"]


def first_mesh(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """(V, 3) vertices and (F, 3) faces of a .glb, read without Blender."""
    content = path.read_bytes()
    (length,) = struct.unpack_from("<I", content, 12)
    gltf, binary = json.loads(content[20 : 20 + length]), content[28 + length :]

    def rows_of_three(number: int, dtype: str) -> np.ndarray:
        view = gltf["bufferViews"][gltf["accessors"][number]["bufferView"]]
        bytes_of_view = binary[view["byteOffset"] :][: view["byteLength"]]
        return np.frombuffer(bytes_of_view, dtype).reshape(-1, 3)

    primitive = gltf["meshes"][0]["primitives"][0]
    vertices = rows_of_three(primitive["attributes"]["POSITION"], "<f4")
    return vertices, rows_of_three(primitive["indices"], "<u2")


@pytest.mark.slow
def test_the_command_line_says_what_it_lacks_without_blender(python):
    assert "body_parts" in run(python, "-m", "diffusionnet_blender", "models", "list")
    script = python.with_name("diffusionnet")
    done = subprocess.run(
        [script, "segment", CHARACTER, "--output", python.parent], capture_output=True, text=True
    )
    assert done.returncode == 1
    assert "needs Blender" in done.stdout + done.stderr
