"""What runs that were killed leave behind, and what the next one sweeps."""

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from diffusionnet_blender import leftovers
from diffusionnet_blender.cli.streams import SIGNALS
from tests.cli.test_segment import ROOT, body, write_ply
from tests.conftest import MODEL
from tests.shapes import icosphere

pytest.importorskip("bpy")
posix = pytest.mark.skipif(os.name != "posix", reason="signals")

HANGING = """
import sys, time
from pathlib import Path
from diffusionnet_blender import leftovers
from diffusionnet_blender.cli.streams import SIGNALS
path = Path(sys.argv[1])
leftovers.staged(path).write_bytes(b"half")
leftovers.staged(path).with_name(leftovers.staged(path).name + "@").write_bytes(b"half")
(path.parent / (leftovers.staged_prefix(path) + ".abcd1234")).mkdir()
(leftovers.worker_folder() / "log").touch()
print("ready", flush=True)
time.sleep(100)
"""


def heed_signals():
    """A shell lets what it runs in the background ignore some, and a command then does, too."""
    for name in SIGNALS:
        signal.signal(getattr(signal, name), signal.SIG_DFL)


def start(*command, temporary, **options):
    environment = {**os.environ, "TMPDIR": str(temporary), "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        [sys.executable, *map(str, command)],
        cwd=ROOT,
        env=environment,
        text=True,
        preexec_fn=heed_signals if os.name == "posix" else None,
        **options,
    )


def segment(folder, *options, mesh=None):
    write_ply(folder / "body.ply", *(mesh or body()))
    out = folder / "out"
    return ("-m", "diffusionnet_blender", "segment", folder / "body.ply", "--model", MODEL,
            "--labels", out, "--output", out, "--cache", "off", *options)  # fmt: skip


@pytest.fixture
def temporary(tmp_path):
    (tmp_path / "temporary").mkdir()
    return tmp_path / "temporary"


@pytest.mark.usefixtures("tiny_model")
def test_a_run_leaves_nothing_but_its_results(tmp_path, temporary):
    assert start(*segment(tmp_path, "--quiet"), temporary=temporary).wait(200) == 0
    assert list(temporary.iterdir()) == []
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["body.blend", "body.npz"]


@posix
@pytest.mark.usefixtures("tiny_model")
@pytest.mark.parametrize(
    "number",
    [
        signal.SIGINT,
        pytest.param(signal.SIGTERM, marks=pytest.mark.slow),
        pytest.param(signal.SIGHUP, marks=pytest.mark.slow),
    ],
)
def test_a_signal_ends_a_run_that_leaves_nothing(number, tmp_path, temporary):
    # One that takes its time, so that the signal finds it at work.
    arguments = segment(tmp_path, mesh=icosphere(5))
    running = start(*arguments, temporary=temporary, stderr=subprocess.PIPE)
    running.stderr.readline()
    running.send_signal(number)
    assert "Traceback" not in running.communicate(timeout=200)[1]
    assert running.returncode == 128 + number
    assert list(temporary.iterdir()) == []
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
@posix
@pytest.mark.usefixtures("tiny_model")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_while_blender_starts_leaves_nothing(number, tmp_path, temporary):
    """Half imported, Blender crashes at its end."""
    running = start(*segment(tmp_path), temporary=temporary, stderr=subprocess.PIPE)
    while not list(temporary.glob("blender_*")):
        assert running.poll() is None
    running.send_signal(number)
    assert not running.communicate(timeout=200)[1]
    assert running.returncode == 128 + number
    assert list(temporary.iterdir()) == []


@pytest.mark.slow
@posix
@pytest.mark.usefixtures("tiny_model")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_at_any_time_leaves_nothing(number, tmp_path, temporary):
    for moment in range(16):
        running = start(*segment(tmp_path), temporary=temporary, stderr=subprocess.PIPE)
        with contextlib.suppress(subprocess.TimeoutExpired):
            running.wait(0.1 * moment)
        running.send_signal(number)
        running.communicate(timeout=200)
        # The first before Python itself has begun; the last may find it at its end.
        assert running.returncode in (0, 1, -number, 128 + number)
        assert list(temporary.iterdir()) == []
        left = list((tmp_path / "out").glob("*")) if (tmp_path / "out").exists() else []
        assert not [path for path in left if path.name.startswith(".")]


@pytest.mark.slow
@posix
@pytest.mark.usefixtures("tiny_model")
def test_the_next_run_sweeps_what_a_killed_one_has_left(tmp_path, temporary):
    running = start(*segment(tmp_path), temporary=temporary, stderr=subprocess.PIPE)
    running.stderr.readline()
    running.kill()
    running.communicate(timeout=200)
    assert list(temporary.iterdir())
    out = tmp_path / "out"
    out.mkdir()
    code = ("-c", HANGING, out / "other.npz")
    hanging = start(*code, temporary=temporary, stdout=subprocess.PIPE)
    hanging.stdout.readline()
    # Of a process that runs, nothing is taken.
    assert start(*segment(tmp_path, "--quiet"), temporary=temporary).wait(200) == 0
    left = sorted(re.sub(r"\d+-\w{8}", "OWNER", path.name) for path in out.iterdir())
    assert left[:3] == [".other.OWNER.abcd1234", ".other.OWNER.npz", ".other.OWNER.npz@"]
    (worker,) = temporary.iterdir()
    assert (worker / "log").exists()
    hanging.kill()
    hanging.communicate(timeout=200)
    assert start(*segment(tmp_path, "--quiet"), temporary=temporary).wait(200) == 0
    assert list(temporary.iterdir()) == []
    assert sorted(path.name for path in out.iterdir()) == ["body.blend", "body.npz"]


def gone():
    """Number of a process that has ended."""
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    return ended.pid


HERE = leftovers.owner().partition("-")[2]
HOUR, DAY = leftovers.ELSEWHERE_SECONDS + 60, leftovers.ALWAYS_SECONDS + 60


@pytest.mark.parametrize(
    ("name", "age", "swept"),
    [
        (".a.{gone}-{here}.npz", 0, True),
        (".b.{gone}-{here}.blend@", 0, True),
        (".a.{live}-{here}.npz", HOUR, False),
        (".a.{live}-{here}.npz", DAY, True),
        (".a.{gone}-0000ffff.blend", 0, False),
        (".a.{gone}-0000ffff.blend", HOUR, True),
        (".a.{gone}.npz", 0, False),
        (".a.{gone}.npz", 120, True),
        (".a.{live}.npz", 120, False),
        # Of the user.
        (".b.{gone}.npz", DAY, False),
        (".notes.2024.markdown", DAY, False),
        ("a.{gone}-{here}.npz", DAY, False),
        (".a.blend", DAY, False),
        ("a.blend1", DAY, False),
    ],
)
def test_age_and_process_tell_what_is_swept(name, age, swept, tmp_path):
    path = tmp_path / name.format(gone=gone(), live=os.getpid(), here=HERE)
    path.touch()
    os.utime(path, (time.time() - age,) * 2)
    leftovers.sweep_beside(tmp_path / "a.npz")
    assert path.exists() != swept


def test_folders_of_blender_without_our_mark_stay(tmp_path):
    for name in ("blender_user", "blender_ours", "diffusionnet_notes"):
        (tmp_path / name).mkdir()
    (tmp_path / "blender_ours" / f"diffusionnet.{gone()}-{HERE}").touch()
    leftovers.sweep_temporary(tmp_path)
    assert sorted(p.name for p in Path(tmp_path).iterdir()) == [
        "blender_user", "diffusionnet_notes",
    ]  # fmt: skip
