"""`python -m diffusionnet_blender ...`: the same commands as `blender --command diffusionnet`."""

import os
import signal
import sys
from pathlib import Path

from .leftovers import remove_temporary


def run(program: str = "diffusionnet") -> None:
    """Run the command that this process was given, and end with its exit status.

    Parameters
    ----------
    program : str
        For the help text. The default is the script that comes with the package.
    """
    # Ctrl C before the command begins ends the process without a traceback, as SIGTERM does.
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from .cli import main
    from .cli.streams import flushed, open_missing_streams, stop_no_more

    open_missing_streams()
    try:
        status = main(sys.argv[1:], program=program)
    except SystemExit as stop:
        # argparse exits after a wrong option and after --help.
        status = int(stop.code or 0)
    stop_no_more()
    status = flushed(status)
    if "bpy" in sys.modules:
        import bpy

        # As a module, Blender 4.2 crashes and 4.5 may hang while the interpreter winds down.
        if bpy.app.tempdir:
            remove_temporary(Path(bpy.app.tempdir))
        os._exit(status)
    sys.exit(status)


if __name__ == "__main__":
    run("python -m diffusionnet_blender")
