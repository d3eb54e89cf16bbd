"""A library while its workers, its scheduler and its client are killed, with bad files in it."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from benchmarks import library_files
from benchmarks.library_cluster import Cluster
from benchmarks.meshes import ROOT
from diffusionnet_blender.cli.library import records
from diffusionnet_blender.cli.library.records import Records
from diffusionnet_blender.cli.library.storage import folder_at

TIME_LIMIT, RETRIES = 30, 3
PATIENCE = 3600.0


def measure(files: list[Path], folder: Path, kills: int) -> dict:
    """Process files and bad ones while processes are killed; what became of each."""
    manifest, reasons = library_files.make_bad(folder / "bad", files)
    output, random_moments = folder / "out", random.Random(0)
    ends: dict[str, set[float]] = {}
    killed = {"workers": 0, "scheduler": 0, "client": 0}
    runs, began = 0, time.monotonic()
    with Cluster(2) as running:
        while time.monotonic() - began < PATIENCE:
            runs += 1
            client = _client(manifest, output, running.address)
            _kill_until_it_ends(client, running, output, killed, kills, len(files), random_moments)
            for record in Records(folder_at(str(output))).read():
                if record["status"] in records.WITH_RESULTS:
                    ends.setdefault(record["name"], set()).add(record["time"])
            if client.returncode in (0, 1) and killed["scheduler"] and killed["client"]:
                if (output / "report.html").exists() and running.scheduler.poll() is None:
                    break
            if running.scheduler.poll() is not None:
                running.end()
                running.start()
        # A file that hangs is the most likely one to be killed from outside, before its time is
        # over; its record says that a retry can help.
        _client(manifest, output, running.address, "--retry-failed").wait()
    index = Records(folder_at(str(output))).index()
    good = [path.stem for path in files]
    return {
        "files": len(good),
        "bad": len(reasons),
        "runs": runs,
        "seconds": time.monotonic() - began,
        "killed": killed,
        "done": sum(index[n].status in records.WITH_RESULTS for n in good if n in index),
        "done_once": sum(len(ends.get(name, ())) == 1 for name in good),
        "right": _right(files, output),
        "told": sum(_is_told(output, name, reason) for name, reason in reasons.items()),
        "left_over": [p.name for p in output.glob("**/.*") if p.is_file()],
    }


def text(found: dict) -> str:
    """The outcome in a sentence of docs/library.md."""
    killed = found["killed"]
    left = f"{len(found['left_over'])} unfinished files" if found["left_over"] else "nothing"
    return (
        f"Killed meanwhile: a worker at {killed['workers']} random moments, the scheduler "
        f"{killed['scheduler']} time, the client {killed['client']} time; the command was given "
        f"{found['runs']} times. Of {found['files']:,} good files {found['done']:,} are done, "
        f"{found['done_once']:,} of them exactly once, and {found['right']:,} have the labels "
        f"of an undisturbed run; of {found['bad']} bad ones (damaged, hanging, too large) "
        f"{found['told']} are told with their reason, after a last run with --retry-failed; "
        f"{left} is half-written."
    )


def _client(manifest: Path, output: Path, address: str, *more: str) -> subprocess.Popen:
    command = [sys.executable, "-m", "diffusionnet_blender", "library", str(manifest)]
    command += ["--task", "segment", "--output", str(output), "--results", ".npz", "--cache", "off"]
    command += ["--scheduler", address, "--time-limit", str(TIME_LIMIT), "--quiet"]
    command += ["--retries", str(RETRIES), "--no-pictures", "--device", "cpu", *more]
    return subprocess.Popen(
        command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip


def _kill_until_it_ends(
    client: subprocess.Popen, running: Cluster, output: Path, killed: dict[str, int], kills: int,
    count: int, moments: random.Random,
) -> None:  # fmt: skip
    """Kill a worker now and then; the scheduler after a third of the files, the client later."""
    while client.poll() is None:
        time.sleep(moments.uniform(2.0, 8.0))
        done = len(list(output.glob("*.npz")))
        if done > count / 3 and not killed["scheduler"]:
            killed["scheduler"] += 1
            os.kill(running.scheduler.pid, signal.SIGKILL)
            running.scheduler.wait()
        elif done > count / 2 and not killed["client"]:
            killed["client"] += 1
            client.kill()
        elif 0 < done < count and killed["workers"] < kills and (pids := running.worker_pids()):
            killed["workers"] += 1
            os.kill(moments.choice(pids), signal.SIGKILL)


def _right(files: list[Path], output: Path) -> int:
    """How many files have the labels that the command gives them by itself, undisturbed."""
    alone = output.parent / "alone"
    command = [sys.executable, "-m", "diffusionnet_blender", "segment", *map(str, files)]
    command += ["--labels", f"{alone}/", "--cache", "off", "--quiet", "--device", "cpu"]
    subprocess.run(
        command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL,
        env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    return sum(_same(alone / f"{path.stem}.npz", output / f"{path.stem}.npz") for path in files)


def _same(one: Path, other: Path) -> bool:
    if not other.exists():
        return False
    with np.load(one) as expected, np.load(other) as found:
        names = ("vertex_labels", "vertex_probabilities", "faces")
        return all(np.allclose(expected[name], found[name], atol=1e-5) for name in names)


def _is_told(output: Path, name: str, reason: str) -> bool:
    for line in (output / records.MERGED).read_text().splitlines():
        record = json.loads(line)
        if record["name"] == name:
            failed = record["status"] == records.FAILED
            return failed and reason in record["errors"][0]["message"]
    return False
