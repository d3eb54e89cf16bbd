"""The Laplacian is measured beside that of robust_laplacian."""

import pytest

from benchmarks.laplacian import OURS, THEIRS, measured
from benchmarks.meter import STATUS
from tests.shapes import icosphere


@pytest.mark.skipif(not STATUS.exists(), reason="only Linux reports the peak of a process")
def test_seconds_memory_and_waits_of_both_libraries():
    for library in (OURS, THEIRS):
        found = measured(library, *icosphere(5))
        assert found["vertices"] == 10242
        assert found["seconds"] > 0
        assert found["memory"] >= 0
        assert found["wait"] > 0
