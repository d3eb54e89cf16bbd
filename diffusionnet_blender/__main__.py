"""`python -m diffusionnet_blender ...`: the same commands as `blender --command diffusionnet`."""

import os
import sys

from .cli import main

if __name__ == "__main__":
    status = main(sys.argv[1:], program="python -m diffusionnet_blender")
    if "bpy" in sys.modules:
        # As a module, Blender 4.2 crashes and 4.5 may hang while the interpreter winds down.
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)
    sys.exit(status)
