"""Progress of a library on stderr: rate, time left, failures so far."""

from __future__ import annotations

import sys
import time

from ...tasks.clock import duration
from ..streams import note

# Seconds between two lines on a terminal, and elsewhere.
PAUSE, LOG_PAUSE = 0.2, 15.0
WIDTH = 24


class Bar:
    """A bar on a terminal, and now and then a line elsewhere.

    Parameters
    ----------
    total : int
    quiet : bool
    """

    def __init__(self, total: int, quiet: bool):
        self.total, self.done, self.failed = total, 0, 0
        self._terminal = sys.stderr is not None and sys.stderr.isatty()
        self._quiet = quiet
        self._start = time.monotonic()
        self._last = self._start

    def step(self, failed: bool) -> None:
        """Count an item that has ended."""
        self.done += 1
        self.failed += failed
        pause = PAUSE if self._terminal else LOG_PAUSE
        if time.monotonic() - self._last >= pause:
            self.show()

    def show(self) -> None:
        """Write the line now."""
        self._last = time.monotonic()
        if self._quiet:
            return
        line = self.line(self._last - self._start)
        if self._terminal:
            print(f"\r\x1b[K{line}", end="", file=sys.stderr, flush=True)
        else:
            note(line)

    def end(self) -> None:
        """Write the last line."""
        self.show()
        if self._terminal and not self._quiet:
            print(file=sys.stderr)

    def line(self, elapsed: float) -> str:
        """The line after so many seconds."""
        share = self.done / self.total if self.total else 1.0
        rate = self.done / elapsed if elapsed > 0 else 0.0
        filled = int(WIDTH * share)
        text = f"[{'#' * filled}{'.' * (WIDTH - filled)}] {self.done:,} of {self.total:,}"
        if self.done:
            text += f", {60 * rate:.0f} a minute, {duration((self.total - self.done) / rate)} left"
        return f"{text}, {self.failed:,} failed" if self.failed else text
