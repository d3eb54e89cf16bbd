"""Start script of the worker process: `python -I bootstrap.py`.

The first line of standard input has the folders of the package and of the libraries. The package is
loaded from its folder under its own name, whatever the folder is called and whatever else is in its
parent: in Blender the package is `bl_ext.<repository>.diffusionnet_blender`.
"""

import importlib
import importlib.util
import json
import sys
from pathlib import Path

NAME = "diffusionnet_blender"


def main() -> None:
    """Load the package, then run the server."""
    start = json.loads(sys.stdin.buffer.readline())
    # Before those of this Python: the order in which Blender searches.
    sys.path[:0] = start["paths"]
    if list(sys.version_info[:2]) == start["version"]:
        sys.path += start["spare_paths"]
    package = Path(start["package"])
    spec = importlib.util.spec_from_file_location(
        NAME, package / "__init__.py", submodule_search_locations=[str(package)]
    )
    if spec is None or spec.loader is None:
        raise ImportError(f"there is no package in {package}")
    module = importlib.util.module_from_spec(spec)
    sys.modules[NAME] = module
    spec.loader.exec_module(module)
    server = importlib.import_module(f"{NAME}.worker.server")
    server.serve(Path(start["folder"]), start["idle_seconds"])


if __name__ == "__main__":
    main()
