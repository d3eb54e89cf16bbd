"""Wall seconds, CPU seconds and peak memory of the stages of one process."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter, process_time

CLEAR_REFS = Path("/proc/self/clear_refs")
STATUS = Path("/proc/self/status")
RESET_PEAK = "5"


@dataclass
class Meter:
    """Walks from stage to stage; a stage that is entered twice adds up.

    The peak of a stage is that of the whole process while it lasted, in bytes: Linux lets a
    process reset its own high-water mark. Where that is not allowed, it is None.

    Attributes
    ----------
    stages : dict of str to dict
        "wall" and "cpu" seconds, "memory" in bytes or None.
    """

    stages: dict[str, dict] = field(default_factory=dict)
    current: str | None = None
    _wall: float = 0.0
    _cpu: float = 0.0

    def enter(self, stage: str) -> None:
        """Leave the current stage for another; the one that lasts already goes on."""
        if stage == self.current:
            return
        self.leave()
        self.current = stage
        reset_peak()
        self._wall, self._cpu = perf_counter(), process_time()

    def leave(self) -> None:
        """Close the current stage; what follows is not measured."""
        if self.current is None:
            return
        wall, cpu = perf_counter() - self._wall, process_time() - self._cpu
        done = self.stages.setdefault(self.current, {"wall": 0.0, "cpu": 0.0, "memory": None})
        done["wall"] += wall
        done["cpu"] += cpu
        peak = peak_memory()
        if peak is not None:
            done["memory"] = max(peak, done["memory"] or 0)
        self.current = None


def reset_peak() -> None:
    """Let `peak_memory` begin anew, where the system allows it."""
    try:
        CLEAR_REFS.write_text(RESET_PEAK)
    except OSError:
        pass  # Not Linux, or not allowed: the peak since the start of the process is kept.


def peak_memory() -> int | None:
    """Highest resident memory of this process since the last reset, in bytes; None off Linux."""
    return _status("VmHWM:")


def current_memory() -> int | None:
    """Resident memory of this process, in bytes; None off Linux."""
    return _status("VmRSS:")


def _status(field: str) -> int | None:
    try:
        lines = STATUS.read_text().splitlines()
    except OSError:
        return None
    found = next((line for line in lines if line.startswith(field)), None)
    return int(found.split()[1]) * 1024 if found else None
