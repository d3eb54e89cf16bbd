"""What the measurements were made on, as it calls itself."""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

PACKAGES = ("numpy", "scipy", "torch", "robust_laplacian", "cholespy", "bpy")


def describe() -> dict[str, str]:
    """Processor, cores, memory, system and versions."""
    return {
        "processor": _processor(),
        "cores": str(len(os.sched_getaffinity(0)) if _is_linux() else os.cpu_count()),
        "system": f"{platform.system()} {platform.machine()}",
        "Python": platform.python_version(),
        **{name: found for name in PACKAGES if (found := _version(name))},
    }


def load_average() -> float | None:
    """Processes that wanted a core in the last minute: how busy the machine was."""
    return os.getloadavg()[0] if hasattr(os, "getloadavg") else None


def _is_linux() -> bool:
    return platform.system() == "Linux"


def _processor() -> str:
    if _is_linux():
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
