"""The one-way rules of the house, read from the imports of every module.

panels -> operators -> scene + tasks -> matching, network -> surface; nothing imports to its left.
"""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import diffusionnet_blender

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "diffusionnet_blender"

# Each room, and the rooms that it may import from besides itself. A module that lies directly in
# the package (errors.py, cli.py ...) is a room of its own name.
MAY_IMPORT = {
    "errors": set(),
    "surface": {"errors"},
    "network": {"errors", "surface"},
    "matching": {"errors", "surface"},
    "tasks": {"errors", "surface", "network", "matching"},
    "worker": {"errors", "surface", "network", "matching", "tasks"},
    "scene": {"errors", "surface", "tasks"},
    "extras": set(),
    "properties": {"errors", "network", "tasks", "scene", "preferences"},
    "cli": {
        "register",
        "unregister",
        "errors",
        "folders",
        "scene",
        "operators",
        "tasks",
        "surface",
        "network",
        "preferences",
    },
    "operators": {
        "errors",
        "scene",
        "tasks",
        "worker",
        "properties",
        "preferences",
        "extras",
        "translations",
    },  # fmt: skip
    "torch_installer": {
        "errors",
        "folders",
        "worker",
        "extras",
        "operators",
        "translations",
    },  # fmt: skip
    "panels": {
        "errors",
        "scene",
        "operators",
        "tasks",
        "properties",
        "preferences",
        "translations",
    },  # fmt: skip
}
NO_BPY = {"errors", "surface", "network", "matching", "tasks", "worker"}
LIGHT = {"__init__", "extras", "operators", "panels", "preferences", "properties"}
LIGHT |= {"torch_installer"}
HEAVY = {"torch", "scipy", "robust_laplacian"}

MODULES = sorted(PACKAGE.rglob("*.py"))


def room_of(path: Path) -> str:
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return parts[0]


def imports_of(path: Path) -> list[tuple[str, bool]]:
    """Return (dotted name, inside the package) of each import, also of those inside functions."""
    found = []
    package_of = ["diffusionnet_blender", *path.relative_to(PACKAGE).parent.parts]
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found += [(alias.name, False) for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            found.append((node.module, False))
        elif isinstance(node, ast.ImportFrom):
            base = package_of[: len(package_of) - node.level + 1]
            module = [*base, *(node.module.split(".") if node.module else [])]
            found += [(".".join([*module, alias.name]), True) for alias in node.names]
    return found


def each_module(rooms):
    chosen = [path for path in MODULES if room_of(path) in rooms]
    return pytest.mark.parametrize(
        "path", chosen, ids=[str(path.relative_to(PACKAGE)) for path in chosen]
    )


@each_module(MAY_IMPORT)
def test_rooms_import_only_to_their_right(path):
    room = room_of(path)
    used = {name.split(".")[1] for name, inside in imports_of(path) if inside}
    assert used <= MAY_IMPORT[room] | {room}


@pytest.mark.parametrize("path", MODULES, ids=[str(path.relative_to(PACKAGE)) for path in MODULES])
def test_nothing_imports_what_some_zips_come_without(path):
    # But for what registers it, and looks whether it is there.
    optional = {"torch_installer"}
    used = {name.split(".")[1] for name, inside in imports_of(path) if inside}
    assert not used & optional or room_of(path) in {*optional, "registration"}


@each_module(NO_BPY)
def test_the_core_never_imports_blender(path):
    blender = {"bpy", "bmesh", "mathutils", "gpu", "bpy_extras"}
    assert not {name.split(".")[0] for name, _ in imports_of(path)} & blender


@each_module(LIGHT)
def test_the_blender_layer_never_imports_a_heavy_library(path):
    assert not {name.split(".")[0] for name, _ in imports_of(path)} & HEAVY


@pytest.mark.parametrize("path", MODULES, ids=[str(path.relative_to(PACKAGE)) for path in MODULES])
def test_imports_inside_the_package_are_relative(path):
    # As an extension the package has another name: bl_ext.<repository>.diffusionnet_blender.
    absolute = {name.split(".")[0] for name, inside in imports_of(path) if not inside}
    assert "diffusionnet_blender" not in absolute


def test_every_room_is_known():
    rooms = {path.name for path in PACKAGE.iterdir() if (path / "__init__.py").exists()}
    assert rooms <= set(MAY_IMPORT)


def loaded_after(statement: str) -> set[str]:
    """Return the top-level modules that a fresh Python has loaded after a statement."""
    code = f"{statement}\nimport sys\nprint('\\n'.join(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return {name.split(".")[0] for name in done.stdout.split()}


def test_importing_the_package_loads_nothing_heavy():
    loaded = loaded_after("import diffusionnet_blender")
    assert "diffusionnet_blender" in loaded
    assert not loaded & {"bpy", "numpy", *HEAVY}


def test_enabling_the_extension_loads_nothing_heavy():
    pytest.importorskip("bpy")
    # bpy as a module may crash while the interpreter winds down.
    leave = "print('\\n'.join(sys.modules), flush=True); os._exit(0)"
    loaded = loaded_after(
        f"import diffusionnet_blender, os, sys; diffusionnet_blender.register(); {leave}"
    )
    assert "bpy" in loaded
    assert not loaded & HEAVY


def test_the_public_names_are_found_when_they_are_asked_for():
    statement = """
import diffusionnet_blender as dn
assert set(dn.__all__) <= set(dir(dn))
assert all(callable(getattr(dn, name)) for name in dn.__all__)
from diffusionnet_blender import *
assert segment is dn.segment
assert not hasattr(dn, "no_such_name")
"""
    assert not loaded_after(statement) & {"bpy", "torch"}


def test_type_checkers_see_the_public_names():
    tree = ast.parse((PACKAGE / "__init__.py").read_text())
    (block,) = [node for node in tree.body if isinstance(node, ast.If)]
    seen = {node.names[0].name: f".{node.module}" for node in block.body}
    assert seen == diffusionnet_blender._MODULES
    assert sorted(seen) == diffusionnet_blender.__all__


def test_the_numpy_engine_never_loads_torch():
    statement = """
import numpy as np
from diffusionnet_blender.network.architecture import Architecture
from diffusionnet_blender.network.card import ModelCard
from diffusionnet_blender.network.checkpoint import Model
from diffusionnet_blender.surface.surface import Surface
from diffusionnet_blender.tasks.segment import segment
architecture = Architecture(inputs=16, outputs=2, width=8, blocks=1)
card = ModelCard("two", "Two", ("a", "b"), ((1, 0, 0), (0, 0, 1)), ("hks",), architecture)
weights = {k: np.zeros(s, np.float32) for k, s in architecture.weight_shapes().items()}
corners = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1.0]])
faces = np.array([[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]])
segment(Surface(corners, faces), Model(card, weights), engine="numpy")
"""
    loaded = loaded_after(statement)
    assert "scipy" in loaded
    assert "torch" not in loaded
