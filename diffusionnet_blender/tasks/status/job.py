"""Status: which Python, libraries and devices the process that computes has."""

from __future__ import annotations

import importlib
import platform
import sys
from dataclasses import dataclass
from importlib import metadata

import numpy as np

from ..progress import SILENT, Progress

STAGES: dict[str, float] = {}
SAMPLE = np.arange(4.0)
# Of all tasks: torch is optional, the others are not.
LIBRARIES = ("numpy", "scipy", "robust_laplacian", "safetensors", "threadpoolctl", "torch")


@dataclass(frozen=True)
class StatusRequest:
    """A look at the process."""


@dataclass(frozen=True)
class Status:
    """State of the process that computes.

    Attributes
    ----------
    python, executable, system : str
    libraries : dict of str to str
        Versions by name, or the reason why one does not load.
    engine : {"torch", "numpy"}
        As "auto" chooses.
    devices : tuple of str
    free_bytes : int or None
        Memory that can still be had; None where the system does not tell.
    """

    python: str
    executable: str
    system: str
    libraries: dict[str, str]
    engine: str
    devices: tuple[str, ...]
    free_bytes: int | None


def run(request: StatusRequest, progress: Progress = SILENT) -> Status:
    """Load the libraries and ask for devices and memory."""
    from ..memory import available_bytes

    libraries = {name: _version(name) for name in LIBRARIES}
    # One that does not get on with this NumPy is imported all the same.
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
