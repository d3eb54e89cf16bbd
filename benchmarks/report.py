"""From what was measured to the tables and the plot of docs/speed.md.

python -m benchmarks.report
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from statistics import median

import numpy as np

from benchmarks.case import Case
from benchmarks.meshes import BUILD, ROOT
from benchmarks.variants import VARIANTS

PAGE = ROOT / "docs" / "speed.md"
PLOT = ROOT / "docs" / "images" / "speed.webp"
START, END = "<!-- measured: start -->", "<!-- measured: end -->"
STAGES = (
    "read",
    "repair",
    "proxy",
    "laplacian",
    "eigenbasis",
    "gradient",
    "features",
    "network",
    "write",
)
# Everything else that a variant names is precompute: what one mesh needs once.
NOT_PRECOMPUTE = {"read", "repair", "features", "network", "write", "cache"}
GROWTH_FROM = 5_000
MISSING = ""
COLOURS = ("#c0392b", "#e59866", "#1f618d", "#1e8449", "#7d3c98")


@dataclass(frozen=True)
class Results:
    """What the files of build/bench hold, together."""

    machines: list[dict]
    runs: list[dict]
    accuracy: list[dict]

    @classmethod
    def load(cls, paths: Iterable[Path]) -> Results:
        """Read the files that exist."""
        found = [json.loads(path.read_text()) for path in paths if path.exists()]
        return cls(
            [one["machine"] for one in found],
            [run for one in found for run in one["runs"]],
            [row for one in found for row in one["accuracy"]],
        )

    def of(self, case: Case) -> list[dict]:
        """Runs of a case that came to an end."""
        return [run for run in self.runs if run["case"] == asdict(case) and "error" not in run]

    def errors(self) -> list[tuple[Case, str]]:
        """Cases that failed, and with what."""
        return [(Case(**run["case"]), run["error"]) for run in self.runs if "error" in run]

    def cases(self, program: str) -> list[Case]:
        """Cases of a program, each once, by mesh and size."""
        found = {Case(**run["case"]) for run in self.runs if run["case"]["program"] == program}
        return sorted(found, key=lambda c: (c.mesh, c.size, list(VARIANTS).index(c.variant)))

    def vertices(self, case: Case) -> int:
        """How many vertices the mesh of a case really has; about how many if no run told."""
        told = (
            run["vertices"]
            for run in self.runs
            if "vertices" in run
            and (run["case"]["mesh"], run["case"]["size"]) == (case.mesh, case.size)
        )
        return next(told, case.size)

    def stage(self, case: Case, stages: Iterable[str], what: str = "wall") -> float | None:
        """Median over the runs of the sum over some stages; None where none was measured."""
        sums = []
        for run in self.of(case):
            values = [
                run["stages"][stage][what]
                for stage in stages
                if stage in run["stages"] and run["stages"][stage].get(what) is not None
            ]
            if values:
                sums.append(sum(values))
        return median(sums) if sums else None

    def precompute(self, case: Case, what: str = "wall") -> float | None:
        """Median seconds of all stages from the Laplacian to the gradient."""
        stages = {name for run in self.of(case) for name in run["stages"]} - NOT_PRECOMPUTE
        return self.stage(case, stages, what)

    def memory(self, case: Case) -> float | None:
        """Median peak of the whole process, in bytes."""
        found = [run["memory"] for run in self.of(case) if run["memory"]]
        return median(found) if found else None


def table(head: list[str], rows: list[list[str]]) -> str:
    """Markdown; all but the first column to the right."""
    lines = [head, ["---"] + ["---:"] * (len(head) - 1), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def seconds(value: float | None) -> str:
    """Seconds with three digits."""
    if value is None:
        return MISSING
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


def ratio(baseline: float | None, ours: float | None) -> str:
    """How many times longer the baseline takes."""
    if baseline is None or not ours:
        return MISSING
    return f"**{baseline / ours:.1f}x**"


def megabytes(value: float | None) -> str:
    """Bytes as MB."""
    return MISSING if value is None else f"{value / 1e6:,.0f}"


def precompute_table(results: Results) -> str:
    """Laplacian, eigenbasis and gradient against the baseline's."""
    rows = []
    for ours in (case for case in results.cases("ours") if case.threads is None):
        row = _names(results, ours)
        for threads in (1, None):
            mine = replace(ours, threads=threads)
            plain = _baseline(mine)
            values = results.precompute(plain), results.precompute(mine)
            row += [seconds(values[0]), seconds(values[1]), ratio(*values)]
        one = replace(ours, threads=1)
        cpu = results.precompute(_baseline(one), "cpu"), results.precompute(one, "cpu")
        row += [ratio(*cpu), f"{len(results.of(_baseline(one)))} / {len(results.of(one))}"]
        rows.append(row)
    head = ["mesh", "vertices", "way", "baseline, 1 thread", "ours, 1 thread", "ratio"]
    head += ["baseline, default", "ours, default", "ratio", "ratio of CPU, 1 thread", "runs"]
    return table(head, rows)


def network_table(results: Results) -> str:
    """The network in both engines against the baseline's."""
    rows = []
    exact = [c for c in results.cases("ours") if c.threads is None and c.variant == "exact"]
    for case in exact:
        row = _names(results, case)[:2]
        for threads in (1, None):
            mine = replace(case, threads=threads)
            plain = results.stage(_baseline(mine), ["network"])
            numpy = results.stage(mine, ["network"])
            torch = results.stage(replace(mine, program="network", engine="torch"), ["network"])
            row += [seconds(plain), seconds(numpy), ratio(plain, numpy)]
            row += [seconds(torch), ratio(plain, torch)]
        rows.append(row)
    sides = ["baseline", "NumPy", "ratio", "torch", "ratio"]
    head = ["mesh", "vertices", *(f"{side}, 1 thread" for side in sides)]
    return table([*head, *(f"{side}, default" for side in sides)], rows)


def stage_table(results: Results) -> str:
    """Seconds and peak memory of each stage, one thread."""
    rows = []
    for case in (case for case in results.cases("ours") if case.threads == 1):
        scene = Case("scene", case.mesh, case.size)
        for title, shown in (("baseline", _baseline(case)), (VARIANTS[case.variant].title, case)):
            if not results.of(shown) or (shown != case and case.variant != "exact"):
                continue
            row = [*_names(results, case)[:2], title]
            for stage in STAGES:
                source = scene if stage in ("read", "write") and shown == case else shown
                wall = results.stage(source, [stage])
                memory = results.stage(source, [stage], "memory")
                row.append(
                    MISSING if wall is None else f"{seconds(wall)} s, {megabytes(memory)} MB"
                )
            rows.append(row)
    return table(["mesh", "vertices", "", *STAGES], rows)


def memory_table(results: Results) -> str:
    """Peak memory of whole processes."""
    rows = []
    for case in (case for case in results.cases("ours") if case.threads is None):
        torch = replace(case, program="network", engine="torch", variant="exact")
        values = [_baseline(replace(case, threads=1)), case, torch]
        rows.append(_names(results, case) + [megabytes(results.memory(value)) for value in values])
    head = ["mesh", "vertices", "way", "baseline", "ours, NumPy engine"]
    return table([*head, "ours, torch engine on cached matrices"], rows)


def accuracy_table(results: Results) -> str:
    """Eigenpairs and labels against the baseline's."""
    rows = []
    for found in results.accuracy:
        against = {"baseline": "baseline", "ours": "exact"}[found["reference"]]
        row = [*_names(results, Case(**found["case"])), against]
        for name in ("eigenvalue_largest", "eigenvalue_median", "subspace_sine"):
            row.append(f"{found[name]:.1e}" if name in found else MISSING)
        rows.append([*row, f"{found['labels_different']:.3%}"])
    head = ["mesh", "vertices", "way", "against", "eigenvalues, largest error", "median"]
    return table([*head, "sine of the largest angle", "labels that differ"], rows)


def click_table(results: Results) -> str:
    """The operator in Blender."""
    rows = []
    for case in sorted(results.cases("click"), key=lambda case: case.engine):
        clicks = [results.stage(case, [f"{which} click"]) for which in ("first", "second")]
        engine = {"numpy": "NumPy (no torch installed)", "torch": "torch, imported before"}
        rows.append(
            [engine[case.engine], f"{results.vertices(case):,}", *map(seconds, clicks)]
            + [megabytes(results.memory(case))]
        )
    head = ["engine", "vertices", "first click, s", "second click, s", "peak of Blender, MB"]
    return table(head, rows)


def growth_exponent(sizes: list[int], times: list[float]) -> float | None:
    """Slope of log seconds over log vertices, by least squares; None with fewer than two."""
    if len(sizes) < 2:
        return None
    return float(np.polyfit(np.log(sizes), np.log(times), 1)[0])


def growth_lines(results: Results) -> str:
    """The exponents, one line a curve."""
    lines = []
    for title, cases in _curves(results):
        known = [c for c in cases if c.size >= GROWTH_FROM and results.precompute(c)]
        exponent = growth_exponent(
            [results.vertices(c) for c in known], [results.precompute(c) for c in known]
        )
        if exponent is not None:
            spans = f"{results.vertices(known[0]):,} to {results.vertices(known[-1]):,}"
            lines.append(f"- {title}: vertices to the power of {exponent:.2f} ({spans})")
    return "\n".join(lines)


def machine_lines(results: Results) -> str:
    """What the measurements were made on, and how busy it was."""
    lines = []
    for found in results.machines:
        lines.append("- " + ", ".join(f"{name} {value}" for name, value in found.items()))
    loads = [run["load"] for run in results.runs if run.get("load") is not None]
    if loads:
        lines.append(
            f"- load average at the end of each measurement: {min(loads):.1f} to {max(loads):.1f}, "
            f"median {median(loads):.1f}"
        )
    return "\n".join(dict.fromkeys(lines))


def measured(results: Results) -> str:
    """All that stands between the marks in docs/speed.md."""
    parts = [
        ("Machine", machine_lines(results)),
        ("Precompute, seconds", precompute_table(results)),
        ("Network, seconds", network_table(results)),
        ("From click to written labels, in Blender", click_table(results)),
        ("How the precompute grows with the size of a body", growth_lines(results)),
        ("Peak memory of the process, MB", memory_table(results)),
        ("Accuracy of eigenpairs and labels", accuracy_table(results)),
        ("Stages with one thread: seconds, and the process's peak meanwhile", stage_table(results)),
    ]
    failed = [f"- {case.key()}: {error}" for case, error in results.errors()]
    if failed:
        parts.append(("Not measured", "\n".join(failed)))
    return "\n\n".join(f"## {title}\n{text}" for title, text in parts)


def draw(results: Results, path: Path) -> None:
    """Seconds and memory over vertices, both logarithmic."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot
    from matplotlib.ticker import LogLocator, StrMethodFormatter

    curves = _curves(results)
    figure, (time_axes, memory_axes) = pyplot.subplots(1, 2, figsize=(11, 4.2), dpi=150)
    for colour, (title, cases) in zip(COLOURS, curves, strict=False):
        style = {"color": colour, "label": title, "marker": "o", "markersize": 4}
        for axes, value, unit in (
            (time_axes, results.precompute, 1.0),
            (memory_axes, results.memory, 1e9),
        ):
            known = [case for case in cases if value(case)]
            axes.plot(
                [results.vertices(case) for case in known],
                [value(case) / unit for case in known],
                **style,
            )
    time_axes.set(title="Precompute", ylabel="seconds")
    memory_axes.set(title="Peak memory of the process", ylabel="GB")
    for axes in (time_axes, memory_axes):
        axes.set(xscale="log", yscale="log", xlabel="vertices of a human body")
        axes.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
        axes.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
        axes.grid(which="major", color="#dddddd")
        axes.spines[["top", "right"]].set_visible(False)
        axes.set_xticks(ticks := sorted({results.vertices(c) for _, cs in curves for c in cs}))
        axes.set_xticklabels([f"{round(tick, -2) / 1000:g}k" for tick in ticks])
        axes.minorticks_off()
    time_axes.legend(frameon=False)
    figure.tight_layout()
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, pil_kwargs={"quality": 90})
    pyplot.close(figure)


def insert(page: str, text: str) -> str:
    """A page with everything between the two marks replaced."""
    before, found, rest = page.partition(START)
    _, closed, after = rest.partition(END)
    if not found or not closed:
        raise ValueError(f"The page needs the marks {START} and {END}.")
    return f"{before}{START}\n{text}\n{END}{after}"


def write() -> None:
    """Bring docs/speed.md and its plot up to what was measured."""
    results = Results.load([BUILD / "small.json", BUILD / "large.json"])
    PAGE.write_text(insert(PAGE.read_text(), measured(results)))
    draw(results, PLOT)
    print(f"{PAGE} and {PLOT} are up to date")


def _baseline(case: Case) -> Case:
    return Case("baseline", case.mesh, case.size, case.threads, "torch")


def _names(results: Results, case: Case) -> list[str]:
    return [case.mesh, f"{results.vertices(case):,}", VARIANTS[case.variant].title]


def _curves(results: Results) -> list[tuple[str, list[Case]]]:
    """What the plot and the exponents show: title, and the cases by size."""
    curves = []
    for threads, title in ((1, "baseline, 1 thread"), (None, "baseline, default threads")):
        cases = results.cases("baseline")
        curves.append((title, [c for c in cases if c.mesh == "body" and c.threads == threads]))
    for name, variant in VARIANTS.items():
        cases = [c for c in results.cases("ours") if c.mesh == "body" and c.variant == name]
        curves.append((f"ours, {variant.title}", [c for c in cases if c.threads is None]))
    return [(title, cases) for title, cases in curves if cases]


if __name__ == "__main__":
    write()
