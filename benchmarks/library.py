"""A library beside plain loops: files a minute, overhead, faults, a second run, many items.

python -m benchmarks.library --files 2000 --baseline-files 200
python -m benchmarks.library rate faults --files 300

Each figure stands beside its baseline, measured in turns in the same minutes. Results are kept in
build/bench/library.json, and written into docs/library.md.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

from benchmarks import library_faults, library_files
from benchmarks.machine import describe, load_average
from benchmarks.meshes import BUILD, ROOT
from benchmarks.report import insert, table

PAGE = ROOT / "docs" / "library.md"
RESULTS = BUILD / "library.json"
FILES = BUILD / "library"
SCRATCH = BUILD / "library_out"
OPTIONS = ("--cache", "off", "--quiet")
ROUNDS = 3
# Of the estimate for a large studio.
MILLION, MACHINES, CORES = 1_000_000, 100, 16
SCALE = (10_000, 30_000, 100_000)
# As for each process of `xargs`, and for Dask's workers.
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}


def environment() -> dict[str, str]:
    """Of all that is measured."""
    return {**os.environ, **ONE_THREAD}


def fresh(name: str) -> Path:
    """An empty folder."""
    folder = SCRATCH / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def library(inputs: list[str], output: Path, *more: str) -> float:
    """Seconds of the command."""
    command = [sys.executable, "-m", "diffusionnet_blender", "library", *inputs]
    command += ["--task", "segment", "--output", str(output), *OPTIONS, *more]
    start = time.monotonic()
    subprocess.run(
        command, cwd=ROOT, env=environment(), check=True, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    return time.monotonic() - start


def with_xargs(files: list[Path], output: Path) -> float:
    """Seconds of one process a file, two at a time, as docs/farm.md has it."""
    command = f"xargs -P 2 -n 1 {sys.executable} -m diffusionnet_blender segment"
    command += f" --output {output}/ {' '.join(OPTIONS)} "
    start = time.monotonic()
    subprocess.run(
        ["sh", "-c", f"{command} >/dev/null 2>&1"], cwd=ROOT, env=environment(), check=True,
        input="\n".join(map(str, files)), text=True,
    )  # fmt: skip
    return time.monotonic() - start


def rate(files: list[Path], baseline_files: int) -> dict:
    """Files a minute of both, in turns; the baseline on a part of the files."""
    rounds = []
    for number in range(ROUNDS):
        own = files[number::ROUNDS]
        part = own[:: max(1, len(own) * ROUNDS // baseline_files)]
        plain = len(part) / with_xargs(part, fresh("xargs"))
        manifest = SCRATCH / "rate.csv"
        manifest.write_text("file\n" + "".join(f"{path}\n" for path in own))
        pictured = len(own) / library([str(manifest)], fresh("library"), "--workers", "2")
        bare = len(own) / library(
            [str(manifest)], fresh("library"), "--workers", "2", "--no-pictures"
        )
        rounds.append({"xargs": 60 * plain, "library": 60 * pictured, "no_pictures": 60 * bare})
        print(rounds[-1], flush=True)
    ratios = [each["library"] / each["xargs"] for each in rounds]
    found = {name: median(each[name] for each in rounds) for name in rounds[0]}
    return {**found, "ratio": median(ratios), "ratios": ratios, "load": load_average()}


def second_run(files: list[Path]) -> dict:
    """Seconds of a run, and of the same command over the finished library."""
    manifest = SCRATCH / "second.csv"
    output = fresh("second")
    manifest.write_text("file\n" + "".join(f"{path}\n" for path in files))
    first = library([str(manifest)], output, "--workers", "2")
    seconds = [library([str(manifest)], output, "--workers", "2") for _ in range(ROUNDS)]
    return {"files": len(files), "first": first, "second": median(seconds)}


def overhead(files: list[Path]) -> dict:
    """Seconds a file of the bare command in a loop, and of the engine with one worker, in turns."""
    result = SCRATCH / "overhead.json"
    fresh("overhead")
    manifest = SCRATCH / "overhead.csv"
    manifest.write_text("file\n" + "".join(f"{path}\n" for path in files))
    subprocess.run(
        [sys.executable, "-m", "benchmarks.library_overhead", str(manifest), str(result)],
        cwd=ROOT, env=environment(), check=True, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    return json.loads(result.read_text())


def scale(counts: list[int]) -> dict:
    """What many items without work take."""
    rows = []
    for count in counts:
        result = SCRATCH / "scale.json"
        SCRATCH.mkdir(parents=True, exist_ok=True)
        subprocess.run(
            [sys.executable, "-m", "benchmarks.library_scale", str(count), str(result)],
            cwd=ROOT, env=environment(), check=True,
        )  # fmt: skip
        rows.append(json.loads(result.read_text()))
        print(rows[-1], flush=True)
    return {"rows": rows}


def storage(files: list[Path]) -> dict:
    """Bytes that an item leaves: results, pictures, record, and matrices in the cache."""
    output, cache = fresh("storage"), fresh("cache")
    manifest = SCRATCH / "storage.csv"
    manifest.write_text("file\n" + "".join(f"{path}\n" for path in files))
    library([str(manifest)], output, "--workers", "2", "--cache", str(cache))
    count = len(files)
    kinds = {
        "result": output.glob("*.blend"),
        "picture": output.rglob("*.webp"),
        "record": [output / "records.jsonl"],
        "cache": cache.rglob("*.npz"),
    }
    return {name: sum(p.stat().st_size for p in paths) / count for name, paths in kinds.items()}


def million(found: dict) -> str:
    """What a million of these characters need on 100 machines, from what was measured."""
    seconds = 2 * 60 / found["rate"]["library"]
    cores = MACHINES * CORES
    needs = {name: MILLION * size / 1e9 for name, size in found["storage"].items()}
    row = found["scale"]["rows"][-1]
    each = row["seconds"] / row["items"]
    first = found["scale"]["rows"][0]
    growth = (row["client_bytes"] - first["client_bytes"]) / (row["items"] - first["items"])
    # Merging holds the lines of all records as well.
    memory = row["client_bytes"] + MILLION * (growth + found["storage"]["record"])
    return (
        f"**A million of these characters on {MACHINES} machines of {CORES} cores**: "
        f"{seconds:.2f} s of a core each, {MILLION * seconds / 3600:,.0f} hours of a core, so "
        f"{MILLION * seconds / cores / 60:.0f} minutes on {cores:,} cores. Storage: "
        f"{needs['result']:,.0f} GB of results, {needs['picture']:.0f} GB of pictures, "
        f"{needs['record']:.1f} GB of records; the cache would take {needs['cache']:,.0f} GB "
        "and pays only where the same shapes come again: `--cache off`. What breaks first is one "
        f"client with its scheduler, at {each * 1e3:.0f} ms an item: it feeds no more than "
        f"{seconds / each:.0f} such workers, and alone would take {MILLION * each / 3600:.1f} "
        f"hours. From there on several clients share the work, each with a `--chunk` and a "
        f"cluster of its own: {max(1, round(cores * each / seconds))} of them here. Next is the "
        "memory of the process that merges the records, "
        f"{memory / 1e9:.1f} GB for a million, and the "
        f"report, which shows the least sure 20,000 and leaves the rest to the CSV."
    )


def tables(found: dict) -> str:
    """What stands in docs/library.md."""
    rows = []
    if one := found.get("rate"):
        rows.append(
            [f"files a minute, 2 workers ({one['files']:,} files)", f"{one['library']:.0f}",
             f"{one['xargs']:.0f} (`xargs -P 2`, a process a file)", f"{one['ratio']:.1f} x",
             "at least 3 x"]
        )  # fmt: skip
        rows.append(
            ["the same without pictures", f"{one['no_pictures']:.0f}", "",
             "", ""]
        )  # fmt: skip
    if one := found.get("overhead"):
        rows.append(
            [f"seconds a file, 1 worker ({one['files']:,} files)", f"{one['engine']:.3f}",
             f"{one['bare']:.3f} (the command in a loop)", f"{one['overhead']:+.1%}", "under 5 %"]
        )  # fmt: skip
    if one := found.get("second"):
        rows.append(
            [f"seconds of a second run ({one['files']:,} files)", f"{one['second']:.1f}",
             f"{one['first']:.1f} (the first)", f"{one['second'] / one['first']:.1%}", "under 2 %"]
        )  # fmt: skip
    text = table(["what", "library", "baseline", "ratio", "target"], rows)
    if one := found.get("faults"):
        text += "\n\n" + library_faults.text(one)
    if one := found.get("scale"):
        head = ["items without work", "ms an item", "list, s", "merge, s"]
        head += ["list, MB", "client, MB", "scheduler, MB"]
        body = [
            [
                f"{r['items']:,}",
                f"{1e3 * r['seconds'] / r['items']:.1f}",
                f"{r['list_seconds']:.1f}",
                f"{r['merge_seconds']:.1f}",
                *(f"{r[f'{name}_bytes'] / 1e6:.0f}" for name in ("list", "client", "scheduler")),
            ]
            for r in one["rows"]
        ]
        text += "\n\n" + table(head, body)
    if all(name in found for name in ("rate", "storage", "scale")):
        text += "\n\n" + million(found)
    machine = ", ".join(f"{name} {value}" for name, value in found["machine"].items())
    return f"{text}\n\n{machine}; load average {found['load']:.1f} at the end."


def main() -> None:
    """Measure what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", nargs="*", metavar="rate|overhead|second|faults|storage|scale")
    parser.add_argument("--files", type=int, default=2000)
    parser.add_argument("--baseline-files", type=int, default=200)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--items", type=int, nargs="+", default=list(SCALE))
    chosen = parser.parse_args()
    found = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    files = library_files.make(FILES, chosen.files)
    measures = {
        "rate": lambda: {**rate(files, chosen.baseline_files), "files": len(files)},
        "overhead": lambda: overhead(files[: min(len(files), 200)]),
        "second": lambda: second_run(files),
        "faults": lambda: library_faults.measure(files, fresh("faults"), chosen.kills),
        "storage": lambda: storage(files[:40]),
        "scale": lambda: scale(chosen.items),
    }
    for name in chosen.what or measures:
        print(f"== {name}", flush=True)
        found[name] = measures[name]()
        print(found[name], flush=True)
        found |= {"machine": describe(), "load": load_average()}
        RESULTS.write_text(json.dumps(found, indent=1))
    PAGE.write_text(insert(PAGE.read_text(), tables(found)))


if __name__ == "__main__":
    main()
