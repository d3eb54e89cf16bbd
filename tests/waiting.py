"""Waiting for another process, but not for ever."""

import time
from collections.abc import Iterator

import pytest

# Far more than anything that is waited for takes, on a busy machine as well.
LIMIT = 60.0


def moments(what: str, seconds: float = LIMIT, pause: float = 0.005) -> Iterator[None]:
    """Go round a loop that is left once `what` has happened; fail if that takes too long."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        yield
        time.sleep(pause)
    pytest.fail(f"waited {seconds:.0f} s until {what}")
