"""Choice of the engine that runs the network: torch or NumPy."""

from __future__ import annotations

import importlib.util

from ..errors import DeviceError
from ..network.engine import Engine


def choose_engine(engine: str = "auto", device: str = "auto") -> Engine:
    """Engine by its name, on a device.

    Parameters
    ----------
    engine : {"auto", "torch", "numpy"}
        "auto" is torch where it is installed.
    device : str
        "auto", or a device of torch; the NumPy engine has only "cpu".

    Returns
    -------
    Engine

    Raises
    ------
    DeviceError
        If the engine is unknown or not installed, or has no such device.
    """
    if engine not in ("auto", "torch", "numpy"):
        raise DeviceError(f"There is no engine {engine!r}", "Choose auto, torch or numpy.")
    has_torch = importlib.util.find_spec("torch") is not None
    if engine == "torch" and not has_torch:
        raise DeviceError(
            "The torch engine was asked for, but torch is not installed",
            "Choose auto or numpy, or install torch into this Python.",
        )
    if engine == "torch" or (engine == "auto" and has_torch):
        from ..network.torch_engine import TorchEngine

        return TorchEngine(device)
    if device not in ("auto", "cpu"):
        raise DeviceError(
            f"The NumPy engine runs on the CPU, not on {device!r}",
            "Choose auto or cpu, or install torch.",
        )
    from ..network.numpy_engine import NumpyEngine

    return NumpyEngine()
