"""How much memory a shape takes, and whether the machine has it."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from ..errors import DeviceError


@dataclass(frozen=True)
class Cost:
    """Peak memory of a way to prepare a shape.

    Attributes
    ----------
    vertex_bytes : int
        Per vertex, for all that is sparse.
    vectors_per_pair : float
        Double-precision vectors for each eigenpair.
    """

    vertex_bytes: int
    vectors_per_pair: float


# The factorisation (1,600 bytes a vertex at 200k vertices, measured, growing with size) with all
# else that is sparse; the Krylov basis and the result. At k = 128 this is a quarter above the
# measured peaks of 50k to 200k vertices.
EXACT = Cost(vertex_bytes=4500, vectors_per_pair=5)


def estimated_bytes(vertex_count: int, k: int, cost: Cost = EXACT) -> int:
    """Peak memory of preparing a shape, in bytes."""
    return int(vertex_count * (cost.vertex_bytes + 8 * cost.vectors_per_pair * k))


def require_memory(vertex_count: int, k: int, cost: Cost = EXACT) -> None:
    """Raise DeviceError if a shape will not fit into what is free.

    Where the system does not say what is free, nothing is refused.
    """
    needed, free = estimated_bytes(vertex_count, k, cost), available_bytes()
    if free is not None and needed > free:
        raise DeviceError(
            f"{vertex_count:,} vertices need about {needed / 2**30:.1f} GB of memory, "
            f"{free / 2**30:.1f} GB are free",
            "Close other programs, or decimate a copy of the mesh first.",
        )


def available_bytes() -> int | None:
    """Memory that this process can still get, in bytes; None where it cannot be told."""
    found = [_system_available(), _process_limit()]
    found = [value for value in found if value is not None]
    return min(found) if found else None


def _system_available() -> int | None:
    if sys.platform == "linux":
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    elif sys.platform == "win32":
        return _windows_available()
    elif sys.platform == "darwin":
        # Free memory means little on macOS, which compresses and swaps: half of all is safe.
        total = subprocess.run(
            ["/usr/sbin/sysctl", "-n", "hw.memsize"], capture_output=True, text=True, check=False
        ).stdout.strip()
        return int(total) // 2 if total.isdigit() else None
    return None


def _windows_available() -> int | None:
    class MemoryStatus(ctypes.Structure):
        _fields_ = [("length", ctypes.c_ulong), ("load", ctypes.c_ulong)] + [
            (name, ctypes.c_ulonglong)
            for name in ("total", "free", "page_total", "page_free", "virtual", "virtual_free", "x")
        ]

    status = MemoryStatus(length=ctypes.sizeof(MemoryStatus))
    if not ctypes.windll.kernel32.GlobalMemoryStatusEx(ctypes.byref(status)):
        return None
    return min(status.free, status.page_free)


def _process_limit() -> int | None:
    """What an address space limit (`ulimit -v`, a job scheduler) leaves."""
    if sys.platform != "linux":
        return None
    import resource

    limit = resource.getrlimit(resource.RLIMIT_AS)[0]
    if limit == resource.RLIM_INFINITY:
        return None
    used = int(Path("/proc/self/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    return max(limit - used, 0)
