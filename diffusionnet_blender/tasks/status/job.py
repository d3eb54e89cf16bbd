"""Status of the process that runs the tasks: Python, libraries, devices and memory."""

from __future__ import annotations

import importlib
import platform
import sys
from dataclasses import dataclass
from importlib import metadata
from typing import Any

import numpy as np

from ..progress import SILENT, Progress

STAGES: dict[str, float] = {}
SAMPLE = np.arange(4.0)
# Libraries that the tasks use; torch alone is optional.
LIBRARIES = ("numpy", "scipy", "robust_laplacian", "safetensors", "threadpoolctl", "torch")


@dataclass(frozen=True)
class StatusRequest:
    """The process that runs the task is the subject; there are no options."""


@dataclass(frozen=True)
class Status:
    """Versions, devices and memory of a process.

    Attributes
    ----------
    python, executable, system : str
    libraries : dict of str to str
        Version of each, or the reason why it does not load.
    engine : {"torch", "numpy"}
        The choice of "auto".
    devices : tuple of str
    free_bytes : int or None
        Available memory; None where the system does not report it.
    """

    python: str
    executable: str
    system: str
    libraries: dict[str, str]
    engine: str
    devices: tuple[str, ...]
    free_bytes: int | None


def run(request: StatusRequest, progress: Progress = SILENT) -> Status:
    """Load the libraries, and list versions, devices and memory."""
    from ..memory import available_bytes

    libraries = {name: _version(name) for name in LIBRARIES}
    # One that fails with this NumPy stays among the imported modules.
    torch = None if libraries["torch"].startswith("not ") else sys.modules["torch"]
    return Status(
        python=platform.python_version(),
        executable=sys.executable,
        system=platform.platform(),
        libraries=libraries,
        engine="torch" if torch else "numpy",
        devices=("cpu",) if torch is None else tuple(devices_of(torch)),
        free_bytes=available_bytes(),
    )


def _version(name: str) -> str:
    try:
        module = importlib.import_module(name)
        if name == "torch":
            _require_arrays(module)
        return metadata.version(name)
    except ModuleNotFoundError as error:
        return "not installed" if error.name == name else f"not loaded ({error})"
    except Exception as error:
        # A damaged library, or one for another platform, may raise anything.
        return f"not loaded ({type(error).__name__}: {error})"


def _require_arrays(torch: Any) -> None:
    """Raise RuntimeError for a torch built for another NumPy: it loads, and fails with arrays."""
    if not np.array_equal(torch.from_numpy(SAMPLE).numpy(), SAMPLE):
        raise RuntimeError("it misreads the arrays of NumPy")


def devices_of(torch: Any) -> list[str]:
    """Devices of a torch: their names, with the model of each graphics card."""
    found = ["cpu"]
    for name in ("cuda", "xpu"):
        kind = getattr(torch, name, None)
        if kind is not None and kind.is_available():
            found += [f"{name}:{i} {kind.get_device_name(i)}" for i in range(kind.device_count())]
    if torch.backends.mps.is_available():
        found.append("mps")
    return found
