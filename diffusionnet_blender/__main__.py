"""`python -m diffusionnet_blender ...`: the same commands as `blender --command diffusionnet`."""

import os
import sys

from .cli import main


def run(program: str = "diffusionnet") -> None:
    """Run the command that this process was given, and end with its exit status.

    Parameters
    ----------
    program : str
        For the help text. The default is the script that comes with the package.
    """
    status = main(sys.argv[1:], program=program)
    if "bpy" in sys.modules:
        # As a module, Blender 4.2 crashes and 4.5 may hang while the interpreter winds down.
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)
    sys.exit(status)


if __name__ == "__main__":
    run("python -m diffusionnet_blender")
