"""Trial of PyTorch in this process, with the NumPy that is here."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..errors import DeviceError
from ..tasks.progress import SILENT, Progress
from ..tasks.status.job import devices_of

STAGES: dict[str, float] = {}
SAMPLE = np.arange(4.0)


@dataclass(frozen=True)
class TrialRequest:
    """A trial."""


@dataclass(frozen=True)
class Trial:
    """A PyTorch that works.

    Attributes
    ----------
    version : str
    devices : tuple of str
    """

    version: str
    devices: tuple[str, ...]


def run(request: TrialRequest, progress: Progress = SILENT) -> Trial:
    """Load PyTorch and hand an array there and back.

    Raises
    ------
    DeviceError
        If it does not load, or does not get on with this NumPy.
    """
    try:
        import torch

        same = np.array_equal(torch.from_numpy(SAMPLE).numpy(), SAMPLE)
        found = Trial(str(torch.__version__), tuple(devices_of(torch)))
    except Exception as error:
        # Missing libraries of the system, an older NumPy, another processor: it raises all sorts.
        raise DeviceError(
            f"PyTorch does not work here ({type(error).__name__}: {error})",
            "Choose another variant or another index of builds.",
        ) from error
    if not same:
        raise DeviceError("PyTorch misreads NumPy's arrays", "Choose another index of builds.")
    return found
