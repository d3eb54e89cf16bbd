"""Measure this project against the plain baseline, interleaved, and write the report.

python -m benchmarks.run [--large] [--sizes 750 5000 ...] [--minutes 14] [--no-report]

Each measurement is a process of its own. The first round measures everything once; further
rounds, up to three, go on while the minutes last.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path
from time import perf_counter

import numpy as np

from benchmarks import accuracy, machine, meshes, report
from benchmarks.case import Case
from benchmarks.variants import VARIANTS

ROUNDS = 3
BODIES = (750, 5_000, 10_000, 50_000, 184_000)
SPHERES = (10_000, 41_000)
LARGE_BODIES = (500_000, 1_000_000)
# ARPACK with COLAMD on a million vertices takes hours and more memory than most have.
LARGEST_BASELINE = 500_000
# Beyond this the baseline is measured once, and with one thread alone beyond the next.
REPEATED_BASELINE = 50_000
DEFAULT_THREADS_BASELINE = 184_000
CLICK_SIZE = 10_000
LONGEST_CASE = 3_600


def plan(bodies: tuple[int, ...], spheres: tuple[int, ...]) -> list[Case]:
    """Cases in the order in which a round measures them, the two sides next to each other."""
    cases = []
    for mesh, sizes in (("body", bodies), ("sphere", spheres)):
        for size in sizes:
            cases += _cases_of(mesh, size)
    return cases


def _cases_of(mesh: str, size: int) -> list[Case]:
    variants = [name for name, variant in VARIANTS.items() if size > variant.above]
    cases = []
    for threads in (1, None):
        if size <= (LARGEST_BASELINE if threads else DEFAULT_THREADS_BASELINE):
            cases.append(Case("baseline", mesh, size, threads, "torch"))
        cases += [Case("ours", mesh, size, threads, variant=name) for name in variants]
        cases.append(Case("network", mesh, size, threads, "torch"))
    if mesh == "body":
        cases.append(Case("scene", mesh, size))
        if size == CLICK_SIZE:
            cases += [Case("click", mesh, size, engine=engine) for engine in ("numpy", "torch")]
    return cases


def rounds_of(case: Case) -> int:
    """How often a case is measured at most."""
    if case.size > DEFAULT_THREADS_BASELINE:
        return 1
    if case.program == "baseline" and case.size > REPEATED_BASELINE:
        return 1
    return ROUNDS


def measure(case: Case) -> dict:
    """Run one case; a failure is a result too, under "error"."""
    folder = meshes.BUILD / "cases"
    folder.mkdir(parents=True, exist_ok=True)
    told, answer = folder / f"{case.key()}.json", folder / f"{case.key()}.result.json"
    told.write_text(json.dumps(asdict(case)))
    answer.unlink(missing_ok=True)
    command = [sys.executable, "-m", "benchmarks.measure", told, answer, arrays_path(case)]
    try:
        done = subprocess.run(
            list(map(str, command)),
            cwd=meshes.ROOT,
            env=case.environment(),
            capture_output=True,
            text=True,
            timeout=LONGEST_CASE,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return {"case": asdict(case), "error": f"stopped after {LONGEST_CASE} s"}
    (folder / f"{case.key()}.log").write_text(done.stdout + done.stderr)
    if done.returncode or not answer.exists():
        last = (done.stderr.strip().splitlines() or [f"exit status {done.returncode}"])[-1]
        return {"case": asdict(case), "error": last}
    return json.loads(answer.read_text())


def arrays_path(case: Case) -> Path:
    """Where a case leaves its eigenpairs and labels."""
    return meshes.BUILD / "cases" / f"{case.key()}.npz"


def run(cases: list[Case], minutes: float, results: Path) -> None:
    """Measure all cases, and keep what was found after each."""
    start = perf_counter()
    for case in cases:
        meshes.mesh_path(case.mesh, case.size)
    found = {"machine": machine.describe(), "runs": [], "accuracy": []}
    lasted: dict[Case, float] = {}
    for round_number in range(ROUNDS):
        for case in cases:
            left = 60 * minutes - (perf_counter() - start)
            if round_number >= rounds_of(case) or (round_number and lasted[case] > left):
                continue
            clock = perf_counter()
            measured = measure(case)
            lasted[case] = perf_counter() - clock
            measured["load"] = machine.load_average()
            found["runs"].append(measured)
            outcome = measured.get("error", f"{lasted[case]:.1f} s")
            print(f"round {round_number + 1}  {case.key():48} {outcome}", flush=True)
            results.write_text(json.dumps(found, indent=1))
        if round_number == 0:
            found["accuracy"] = compare_with_baseline(cases)
    found["minutes"] = (perf_counter() - start) / 60
    results.write_text(json.dumps(found, indent=1))


def compare_with_baseline(cases: list[Case]) -> list[dict]:
    """Accuracy of every way on every mesh; beyond the baseline's reach, against the exact one."""
    compared = []
    for case in cases:
        plain = Case("baseline", case.mesh, case.size, 1, "torch")
        reference = next(
            (one for one in (plain, replace(case, variant="exact")) if arrays_path(one).exists()),
            case,
        )
        if case.program != "ours" or case.threads is None or reference == case:
            continue
        if arrays_path(case).exists():
            with np.load(arrays_path(case)) as ours, np.load(arrays_path(reference)) as other:
                differences = accuracy.compare(dict(ours), dict(other))
            compared.append({"case": asdict(case), "reference": reference.program, **differences})
    return compared


def main() -> None:
    """Measure and report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--large", action="store_true", help="500,000 and 1,000,000 vertices")
    parser.add_argument("--sizes", type=int, nargs="*", help="bodies of these sizes only")
    parser.add_argument("--minutes", type=float, default=14.0, help="no new round after these")
    parser.add_argument("--no-report", action="store_true", help="leave docs/speed.md as it is")
    options = parser.parse_args()
    bodies, spheres = (LARGE_BODIES, ()) if options.large else (BODIES, SPHERES)
    if options.sizes:
        bodies, spheres = tuple(options.sizes), ()
    meshes.BUILD.mkdir(parents=True, exist_ok=True)
    results = meshes.BUILD / ("large.json" if options.large else "small.json")
    for old in (meshes.BUILD / "cases").glob("*.npz"):
        old.unlink()
    run(plan(bodies, spheres), options.minutes, results)
    if not options.no_report:
        report.write()


if __name__ == "__main__":
    main()
