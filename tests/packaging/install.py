"""Install a zip into this Blender, enable and disable it twice, and tell what was seen as JSON.

Run in a process of its own, since what Blender has loaded cannot be unloaded.
"""

import json
import sys

import bpy

PYTHON = f"python{sys.version_info.major}.{sys.version_info.minor}"
MODULE = "bl_ext.user_default.diffusionnet_blender"


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


before = state()
bpy.ops.extensions.package_install_files(
    filepath=sys.argv[1], repo="user_default", enable_on_install=True
)
states = [state()]

# The libraries that came in the zip, not those that this Python has as well.
libraries = bpy.utils.user_resource("EXTENSIONS", path=f".local/lib/{PYTHON}/site-packages")
sys.path.insert(0, libraries)
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
print(
    "\n"
    + json.dumps({"before": before, "states": states, "libraries": libraries, "loaded": loaded})
)
