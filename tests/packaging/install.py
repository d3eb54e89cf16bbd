"""Install the extension into this Blender, use it, and tell what was seen as JSON.

python -S install.py BLENDER EXTENSION CHARACTER

BLENDER is a folder of the libraries that Blender brings, such as NumPy: those of this Python are
out of sight. EXTENSION is a zip, or the index.json of a repository. Runs in a process of its own,
since what Blender has loaded cannot be unloaded.
"""

import json
import os
import sys
import types
from pathlib import Path

BLENDER, EXTENSION, CHARACTER = sys.argv[1:]
sys.path.append(BLENDER)


def refuse_network(event: str, arguments: tuple) -> None:
    if event in ("socket.connect", "socket.getaddrinfo"):
        raise RuntimeError(f"the network was asked for: {arguments}")


sys.addaudithook(refuse_network)

import bpy  # noqa: E402

REPOSITORY = "studio" if EXTENSION.endswith(".json") else "user_default"
PYTHON = f"python{sys.version_info.major}.{sys.version_info.minor}"
MODULE = f"bl_ext.{REPOSITORY}.diffusionnet_blender"


def state() -> dict:
    operators = [name for name in dir(bpy.ops.diffusionnet)]
    return {
        "operators": sorted(operators),
        "classes": sorted(name for name in dir(bpy.types) if name.startswith("DIFFUSIONNET")),
        "scene": hasattr(bpy.types.Scene, "diffusionnet"),
        "mesh": hasattr(bpy.types.Mesh, "diffusionnet"),
        "handlers": sum(
            function.__module__.startswith(MODULE)
            for name in dir(bpy.app.handlers)
            if isinstance(getattr(bpy.app.handlers, name), list)
            for function in getattr(bpy.app.handlers, name)
        ),
    }


def install() -> None:
    if REPOSITORY == "user_default":
        bpy.ops.extensions.package_install_files(
            filepath=EXTENSION, repo=REPOSITORY, enable_on_install=True
        )
        return
    # Blender wants this for files as well.
    bpy.context.preferences.system.use_online_access = True
    repositories = bpy.context.preferences.extensions.repos
    repository = repositories.new(
        name=REPOSITORY, module=REPOSITORY, remote_url=Path(EXTENSION).as_uri()
    )
    index = repositories.values().index(repository)
    bpy.ops.extensions.repo_sync(repo_index=index)
    bpy.ops.extensions.package_install(repo_index=index, pkg_id="diffusionnet_blender")


class Layout:
    """Where there is no window: what is drawn must be there, and is noted."""

    def __init__(self):
        self.drawn = set()

    def prop(self, owner, name: str, **_) -> None:
        getattr(owner, name)
        self.drawn.add(name)

    def operator(self, idname: str, **_) -> types.SimpleNamespace:
        room, name = idname.split(".")
        getattr(getattr(bpy.ops, room), name).get_rna_type()
        self.drawn.add(name)
        return types.SimpleNamespace()

    def __getattr__(self, name: str):
        return lambda *_, **__: self


def draw_preferences() -> list[str]:
    preferences = bpy.context.preferences.addons[MODULE].preferences

    class Panel:
        layout = Layout()

        def __getattr__(self, name: str):
            return getattr(preferences, name)

    type(preferences).draw(Panel(), bpy.context)
    return sorted(Panel.layout.drawn)


def segment() -> dict:
    bpy.ops.wm.read_homefile(app_template="", use_empty=True)
    bpy.ops.import_scene.gltf(filepath=CHARACTER)
    (character,) = [obj for obj in bpy.context.scene.objects if obj.type == "MESH"]
    bpy.ops.diffusionnet.segment(object_name=character.name)
    parts = character.data.attributes["part"].data
    return {
        "parts": len({item.value for item in parts}),
        "torch": "torch" in sys.modules,
    }


before = state()
install()
states = [state()]
drawn = draw_preferences()
segmented = segment()

# The libraries that came in the zip, not those that this Python has as well.
libraries = bpy.utils.user_resource("EXTENSIONS", path=f".local/lib/{PYTHON}/site-packages")
import robust_laplacian  # noqa: E402
import safetensors.numpy  # noqa: E402
import scipy.sparse.linalg  # noqa: E402

loaded = [module.__file__ for module in (robust_laplacian, safetensors, scipy)]

for _ in range(2):
    bpy.ops.preferences.addon_disable(module=MODULE)
    states.append(state())
    bpy.ops.preferences.addon_enable(module=MODULE)
    states.append(state())
bpy.ops.preferences.addon_disable(module=MODULE)
told = {
    "before": before,
    "states": states,
    "drawn": drawn,
    "segmented": segmented,
    "libraries": libraries,
    "loaded": loaded,
}
print("\n" + json.dumps(told), flush=True)
os._exit(0)
