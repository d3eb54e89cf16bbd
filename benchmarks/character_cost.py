"""Seconds and memory of a character of several objects, beside the same merged into one mesh.

python -m benchmarks.character_cost samples/cleo.glb ../shared/characters/q_robot.glb

Each run is the command line in a process of its own, opening the file included; both files are of
one format. Shown are medians over interleaved runs.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

from benchmarks.character_files import read_truth, save_merged
from training.commands import leave
from training.documents import table

RUNS = 3
KILOBYTE, MEGABYTE = 1024, 1e6
HEADER = ["character", "objects", "vertices", "CPU s", "merged", "ratio", "MB", "merged", "ratio"]


def cost(path: Path, folder: Path) -> tuple[float, float]:
    """CPU seconds and megabytes at the peak of segmenting a file."""
    command = [sys.executable, "-m", "diffusionnet_blender", "segment", str(path)]
    command += ["--labels", str(folder / "labels.npz"), "--cache", "off", "--quiet"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    told = process.stderr.read()
    _, status, used = os.wait4(process.pid, 0)
    if os.waitstatus_to_exitcode(status):
        raise RuntimeError(told.decode(errors="replace"))
    return used.ru_utime + used.ru_stime, used.ru_maxrss * KILOBYTE / MEGABYTE


def row(path: Path, folder: Path) -> list[str]:
    """A line of the table."""
    found = read_truth(path)
    merged = folder / f"merged{path.suffix}"
    save_merged(found, merged)
    # The first run reads libraries from the disk.
    cost(merged, folder)
    runs = [(cost(path, folder), cost(merged, folder)) for _ in range(RUNS)]
    cells = [path.stem, str(len(found)), f"{sum(len(each.vertices) for each in found):,}"]
    for what, digits in ((0, 1), (1, 0)):
        ours, other = (median(run[side][what] for run in runs) for side in (0, 1))
        cells += [f"{ours:.{digits}f}", f"{other:.{digits}f}", f"{ours / other:.2f} x"]
    return cells


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        rows = [row(path, Path(folder)) for path in chosen.files]
    print(f"\n{table(HEADER, rows)}")


if __name__ == "__main__":
    main()
    leave()
