"""The script that the worker's Python is started with: `python -I bootstrap.py`.

The first line of its standard input says where the package and the libraries are. The package is
loaded under its own name from its folder, whatever that is called and whatever lies beside it:
in Blender it is `bl_ext.<repository>.diffusionnet_blender`.
"""

import importlib
import importlib.util
import json
import sys
from pathlib import Path

NAME = "diffusionnet_blender"


def main() -> None:
    """Make the package importable, then serve."""
    start = json.loads(sys.stdin.buffer.readline())
    # Before this Python's own: the order in which Blender looks.
    sys.path[:0] = start["paths"]
    if list(sys.version_info[:2]) == start["version"]:
        sys.path += start["spare_paths"]
    package = Path(start["package"])
    spec = importlib.util.spec_from_file_location(
        NAME, package / "__init__.py", submodule_search_locations=[str(package)]
    )
    module = importlib.util.module_from_spec(spec)
    sys.modules[NAME] = module
    spec.loader.exec_module(module)
    server = importlib.import_module(f"{NAME}.worker.server")
    server.serve(Path(start["folder"]), start["idle_seconds"])


if __name__ == "__main__":
    main()
