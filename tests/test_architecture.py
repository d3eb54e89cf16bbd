"""The one-way rules of the house, read from the imports of every module.

panels, cli -> operators -> scene + worker -> tasks -> matching, network -> surface, and nothing
imports to its left.
"""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import diffusionnet_blender

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "diffusionnet_blender"

# The rooms from the ground up, and for each those that it may import from besides itself: all of
# them stand before it, so that no import runs upward or in a circle. A module that lies directly in
# the package (errors.py ...) is a room of its own name.
MAY_IMPORT = {
    "errors": set(),
    "folders": set(),
    "leftovers": set(),
    "options": set(),
    "translations": set(),
    "manual": set(),
    "extras": set(),
    "surface": {"errors"},
    "network": {"errors", "surface"},
    "matching": {"errors", "surface"},
    "tasks": {"errors", "folders", "options", "surface", "network", "matching"},
    "worker": {"errors", "leftovers", "tasks"},
    "settings": {"folders", "surface"},
    "scene": {"errors", "leftovers", "options", "surface", "tasks"},
    "session": {"errors", "translations", "extras", "tasks", "worker", "settings", "scene"},
    "properties": {"options", "network", "tasks", "scene", "settings"},
    "operators": {
        "errors", "translations", "tasks", "worker", "settings", "scene", "session", "properties",
    },
    "panels": {
        "translations", "extras", "tasks", "settings", "scene", "session", "properties",
        "operators",
    },
    "torch_installer": {
        "errors", "folders", "translations", "extras", "tasks", "worker", "session", "operators",
    },
    # Looks whether there is a torch_installer: some zips come without.
    "registration": {
        "translations", "manual", "extras", "scene", "session", "properties", "operators",
        "panels", "torch_installer",
    },
    "cli": {
        "errors", "folders", "leftovers", "options", "surface", "network", "tasks", "worker",
        "settings", "scene", "session", "registration",
    },
    "__init__": {"surface", "tasks", "registration", "cli"},
    "__main__": {"cli", "leftovers"},
}  # fmt: skip
ROOMS = list(MAY_IMPORT)
NO_BPY = {"errors", "folders", "options", "surface", "network", "matching", "tasks", "worker"}
# As a Blender extension the folder is asked of Blender; it never is where there is none.
ASKS_BLENDER = {"folders.py"}
LIGHT = {
    "__init__", "registration", "extras", "manual", "translations", "settings", "options",
    "session", "operators", "panels", "properties", "torch_installer",
}  # fmt: skip
HEAVY = {"torch", "scipy", "robust_laplacian", "safetensors"}

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


def name_of(path: Path) -> str:
    """Dotted name of a module, with that of the package."""
    parts = ["diffusionnet_blender", *path.relative_to(PACKAGE).with_suffix("").parts]
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def targets_of(path: Path, modules: dict[str, Path]) -> set[str]:
    """Modules of the package that a module imports: names of a module stand for the module."""
    own = name_of(path)
    found = set()
    for name, inside in imports_of(path):
        target = name if name in modules else name.rpartition(".")[0]
        # A package's own modules hand their names up to it.
        if inside and target != own and not (own + ".").startswith(target + "."):
            found.add(target)
    return found


def each_module(rooms):
    chosen = [path for path in MODULES if room_of(path) in rooms]
    return pytest.mark.parametrize(
        "path", chosen, ids=[str(path.relative_to(PACKAGE)) for path in chosen]
    )


def test_every_module_is_in_a_room_that_is_known():
    assert {room_of(path) for path in MODULES} == set(ROOMS)


@pytest.mark.parametrize("room", ROOMS)
def test_rooms_stand_on_those_below_them(room):
    assert MAY_IMPORT[room] <= set(ROOMS[: ROOMS.index(room)])


@pytest.mark.parametrize("room", ROOMS)
def test_no_room_may_import_more_than_it_does(room):
    used = {
        name.split(".")[1]
        for path in MODULES
        if room_of(path) == room
        for name, inside in imports_of(path)
        if inside
    }
    assert MAY_IMPORT[room] <= used


def test_no_modules_import_each_other_in_a_circle():
    """Imports inside functions included."""
    modules = {name_of(path): path for path in MODULES}
    graph = {name: targets_of(path, modules) for name, path in modules.items()}
    seen: dict[str, int] = {}

    def visit(name, trail):
        if name in trail:
            raise AssertionError(" -> ".join([*trail[trail.index(name) :], name]))
        if name not in seen:
            for target in graph[name]:
                visit(target, [*trail, name])
            seen[name] = 1

    for name in graph:
        visit(name, [])


@each_module(MAY_IMPORT)
def test_rooms_import_only_to_their_right(path):
    room = room_of(path)
    used = {name.split(".")[1] for name, inside in imports_of(path) if inside}
    assert used <= MAY_IMPORT[room] | {room}


@each_module(NO_BPY)
def test_the_core_never_imports_blender(path):
    blender = {"bpy", "bmesh", "mathutils", "gpu", "bpy_extras"}
    if str(path.relative_to(PACKAGE)) in ASKS_BLENDER:
        blender.remove("bpy")
    assert not {name.split(".")[0] for name, _ in imports_of(path)} & blender


@each_module(LIGHT)
def test_the_blender_layer_never_imports_a_heavy_library(path):
    assert not {name.split(".")[0] for name, _ in imports_of(path)} & HEAVY


@pytest.mark.parametrize("path", MODULES, ids=[str(path.relative_to(PACKAGE)) for path in MODULES])
def test_imports_inside_the_package_are_relative(path):
    # As an extension the package has another name: bl_ext.<repository>.diffusionnet_blender.
    absolute = {name.split(".")[0] for name, inside in imports_of(path) if not inside}
    assert "diffusionnet_blender" not in absolute


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
