"""`python -m diffusionnet_blender ...`: the same commands as `blender --command diffusionnet`."""

import sys

from .cli import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], program="python -m diffusionnet_blender"))
