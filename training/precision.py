"""Half of the digits in matrix products, where that is faster."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any

import torch

# Units of processors for products of bfloat16. Without one of them such a product takes ten times
# as long as one in single precision.
UNITS = ("avx512_bf16", "amx_bf16")


def in_halves(device: str, wanted: bool = True) -> AbstractContextManager[Any]:
    """Products in bfloat16, if they are wanted and the device is faster with them.

    Parameters
    ----------
    device : str
        Kind of device: "cpu", "cuda".
    wanted : bool
    """
    has_units = device != "cpu" or any(torch.cpu.get_capabilities().get(unit) for unit in UNITS)
    return torch.autocast(device, torch.bfloat16, enabled=wanted and has_units)
