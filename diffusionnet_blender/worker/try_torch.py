"""Whether PyTorch works in this process, with the NumPy that is here."""

from __future__ import annotations

import numpy as np

from ..errors import DeviceError
from .status import devices_of

SAMPLE = np.arange(4.0)


def run(request: dict, progress) -> dict:
    """Load it and hand an array there and back; see `jobs.find_job`.

    Returns
    -------
    dict
        version : str; devices : list of str.

    Raises
    ------
    DeviceError
        If it does not load, or does not get on with this NumPy.
    """
    try:
        import torch

        same = np.array_equal(torch.from_numpy(SAMPLE).numpy(), SAMPLE)
        found = {"version": str(torch.__version__), "devices": devices_of(torch)}
    except Exception as error:
        # Missing libraries of the system, an older NumPy, another processor: it raises all sorts.
        raise DeviceError(
            f"PyTorch does not work here ({type(error).__name__}: {error})",
            "Choose another variant or another index of builds.",
        ) from error
    if not same:
        raise DeviceError("PyTorch misreads NumPy's arrays", "Choose another index of builds.")
    return found
