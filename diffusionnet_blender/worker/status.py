"""What the worker runs on, for the preferences and for reports of errors."""

from __future__ import annotations

import importlib
import platform
import sys
from importlib import metadata

import numpy as np

from ..tasks.memory import available_bytes
from .launch import LIBRARIES

SAMPLE = np.arange(4.0)


def run(request: dict, progress) -> dict:
    """Look; see `jobs.find_job`.

    Returns
    -------
    dict
        python, executable, system : str; libraries : dict of name to version, or to why it does
        not load; engine : "torch" or "numpy", as "auto" chooses; devices : list of str;
        free_bytes : int or None.
    """
    libraries = {name: _version(name) for name in LIBRARIES}
    # One that does not get on with this NumPy is imported all the same.
    torch = None if libraries["torch"].startswith("not ") else sys.modules["torch"]
    return {
        "python": platform.python_version(),
        "executable": sys.executable,
        "system": platform.platform(),
        "libraries": libraries,
        "engine": "torch" if torch else "numpy",
        "devices": ["cpu"] if torch is None else devices_of(torch),
        "free_bytes": available_bytes(),
    }


def _version(name: str) -> str:
    try:
        module = importlib.import_module(name)
        if name == "torch":
            _require_arrays(module)
        return metadata.version(name)
    except ModuleNotFoundError as error:
        return "not installed" if error.name == name else f"not loaded ({error})"
    except Exception as error:
        # A library that is damaged or of another platform raises whatever it likes.
        return f"not loaded ({type(error).__name__}: {error})"


def _require_arrays(torch) -> None:
    """A build for another NumPy may load, and fail as soon as it is handed an array."""
    if not np.array_equal(torch.from_numpy(SAMPLE).numpy(), SAMPLE):
        raise RuntimeError("it misreads the arrays of NumPy")


def devices_of(torch) -> list[str]:
    """Where a torch can run: its names of devices, with what they are."""
    found = ["cpu"]
    for name in ("cuda", "xpu"):
        kind = getattr(torch, name, None)
        if kind is not None and kind.is_available():
            found += [f"{name}:{i} {kind.get_device_name(i)}" for i in range(kind.device_count())]
    if torch.backends.mps.is_available():
        found.append("mps")
    return found
