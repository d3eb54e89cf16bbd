"""Memory: the peak that a shape needs, and the amount that is available."""

from __future__ import annotations

import contextlib
import ctypes
import math
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from ..errors import DeviceError
from ..surface.outer_skin import most_vertices
from ..surface.proxy import DENSE_SIZE, PROXY_SIZE

# Per vertex of a surface: reading, repair, and the proxy of a dense one.
SURFACE_BYTES = 1000
# Per vertex of the surface, proxy or skin whose matrices are computed: all sparse matrices with the
# factorisation, whose fill-in grows with the logarithm of their number, and single-precision
# vectors for each eigenpair (the Krylov basis and the result). The sum is a tenth to a quarter
# above the measured peaks of 10k to 164k vertices, the network's included.
SPARSE_BYTES = 200
VECTORS_PER_PAIR = 4
FREE_SOME = "Close other programs, or decimate a copy of the mesh first."


def estimated_bytes(vertex_count: int, k: int, exact: bool, outer_skin: bool = False) -> int:
    """Peak memory of preparing a shape, in bytes.

    Parameters
    ----------
    vertex_count : int
    k : int
        Eigenpairs.
    exact : bool
        Without a proxy.
    outer_skin : bool
        Whether the skin of all its parts may be prepared as well.
    """
    is_dense = vertex_count > DENSE_SIZE and not exact
    discretized = [PROXY_SIZE if is_dense else vertex_count]
    if outer_skin:
        discretized.append(most_vertices(vertex_count))
    return vertex_count * SURFACE_BYTES + sum(
        int(count * (SPARSE_BYTES * math.log2(count) + 4 * VECTORS_PER_PAIR * k))
        for count in discretized
    )


def require_memory(vertex_count: int, k: int, exact: bool, outer_skin: bool = False) -> None:
    """Raise DeviceError if a shape needs more memory than is available, see `estimated_bytes`.

    Where the system does not report the available memory, every shape passes.
    """
    needed, free = estimated_bytes(vertex_count, k, exact, outer_skin), available_bytes()
    if free is not None and needed > free:
        fix = FREE_SOME
        if exact and vertex_count > DENSE_SIZE:
            fix = "Switch off Full Resolution, or decimate a copy of the mesh first."
        raise DeviceError(
            f"{vertex_count:,} vertices need about {needed / 2**30:.1f} GB of memory, "
            f"{free / 2**30:.1f} GB are free",
            fix,
        )


@contextlib.contextmanager
def memory_errors_explained(*vertex_counts: int) -> Iterator[None]:
    """Context in which a MemoryError becomes a DeviceError with a remedy."""
    try:
        yield
    except MemoryError as error:
        vertices = " and ".join(f"{count:,}" for count in vertex_counts)
        raise DeviceError(f"Memory ran out on {vertices} vertices", FREE_SOME) from error


def available_bytes() -> int | None:
    """Memory available to this process, in bytes; None where the system does not report it."""
    limits = [limit for limit in (_system_available(), _process_limit()) if limit is not None]
    return min(limits, default=None)


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
    # For type checkers, which know `ctypes.windll` on Windows alone.
    if sys.platform != "win32":
        return None

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
    """Rest of an address space limit (`ulimit -v`, a job scheduler), in bytes."""
    if sys.platform != "linux":
        return None
    import resource

    limit = resource.getrlimit(resource.RLIMIT_AS)[0]
    if limit == resource.RLIM_INFINITY:
        return None
    used = int(Path("/proc/self/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    return max(limit - used, 0)
