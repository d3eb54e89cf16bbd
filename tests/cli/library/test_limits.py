"""A process that passes a limit ends itself, whatever it is doing."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
WORK = {
    # Python's regular expressions let no other thread run.
    "a hold on Python": "import re; re.match('(a*)*b', 'a' * 40)",
    "sleep": "import time; time.sleep(60)",
}


@pytest.mark.parametrize("what", WORK)
def test_what_hangs_is_ended(what, tmp_path):
    said = tmp_path / "said"
    code = f"""
import sys
from pathlib import Path
from diffusionnet_blender.cli.library import limits
limits.GRACE = 0.5
with limits.limited(0.5, None, Path({str(said)!r}).write_text):
    {WORK[what]}
print("not ended")
"""
    begun = time.monotonic()
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, timeout=50)
    assert done.returncode != 0
    assert b"not ended" not in done.stdout
    assert time.monotonic() - begun < 30
    assert what != "sleep" or said.read_text() == "It took more than 0.5 s"


def test_what_is_quick_is_left_alone():
    from diffusionnet_blender.cli.library.limits import limited

    said = []
    with limited(60.0, 2**60, said.append):
        pass
    assert said == []
