"""Run pip: `python -I run_pip.py ARGUMENTS`.

Where a Python comes without pip it still has it packed inside ensurepip, from where it runs as
well: nothing is installed to get at it.
"""

import importlib.util
import runpy
import sys
from pathlib import Path

# Exit status where there is neither; pip itself has none of this number.
NO_PIP = 87


def main() -> None:
    """Hand the arguments to pip."""
    if importlib.util.find_spec("pip") is None:
        ensurepip = importlib.util.find_spec("ensurepip")
        packed = [] if ensurepip is None else Path(ensurepip.origin).parent.rglob("pip-*.whl")
        wheel = next(iter(packed), None)
        if wheel is None:
            sys.exit(NO_PIP)
        sys.path.insert(0, str(wheel))
    runpy.run_module("pip", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
