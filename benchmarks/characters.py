"""Characters of several objects as they are imported, beside the same merged into one mesh.

python -m benchmarks.characters --characters FOLDER --makehuman FOLDER
python -m benchmarks.characters --characters FOLDER --names k_knight q_robot
python -m benchmarks.characters --makehuman FOLDER --dressed 8 --each

python -m benchmarks.characters --characters FOLDER --left-out --before FILE.safetensors

*As imported* is what `diffusionnet_blender segment FILE --labels X.npz` gives; *merged* what it
gives for all visible meshes joined by hand, as they are seen, in the world; *each alone* what it
gives with `--each`; *before* what it gives as imported with another model. With `--left-out` each
rigged character is segmented by the model that was trained without its pack, see
`training.left_out`. Shares are of the area, over the objects that were not left out; of all objects
for *left out*. Seconds are of the processor, without opening the file; `character_cost` measures
memory, in processes of their own.

What was measured is kept in build/bench/characters, by the state of the extension's code, and not
measured again.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.character_files import (
    UNKNOWN,
    Truth,
    character_files,
    dressed_file,
    read_truth,
    save_merged,
)
from benchmarks.meshes import BUILD, ROOT
from benchmarks.meter import Meter
from diffusionnet_blender.cli import main as command_line
from diffusionnet_blender.scene.files import open_file
from training.commands import leave, plain_errors
from training.documents import percent, put_between, table
from training.left_out import FOLD_OF, folder_of
from training.parts import PART_NAMES
from training.shares import Shares, shares_of

PAGE = ROOT / "docs" / "models.md"
FOLDER = BUILD / "characters"
DRESSED = 64
KINDS = (
    *("one object", "several objects"),
    *("dressed, at rest", "dressed, posed mesh", "dressed, posed bones"),
)


@dataclass(frozen=True, eq=False)
class Run:
    """What one command gave: labels of each object (V,) by its name, and what it took."""

    labels: dict[str, np.ndarray]
    seconds: float


def segment_file(path: Path, found: list[Truth], *options: str) -> Run:
    """Segment a file as the command line does, and measure it."""
    meter = Meter()
    meter.enter("open")
    open_file(path)
    meter.leave()
    with tempfile.TemporaryDirectory() as folder:
        labels = Path(folder) / "labels.npz"
        meter.enter("run")
        command_line(
            ["segment", str(path), "--labels", str(labels), "--cache", "off", "--quiet", *options],
            "benchmark",
        )
        meter.leave()
        labelled = _labels_by_name(labels, found) if labels.exists() else {}
    return Run(labelled, meter.stages["run"]["cpu"] - meter.stages["open"]["cpu"])


def _labels_by_name(path: Path, found: list[Truth]) -> dict[str, np.ndarray]:
    with np.load(path) as arrays:
        if arrays["class_names"].tolist() != [*PART_NAMES]:
            raise ValueError(f"{path} has other classes than the benchmark")
        if "objects" in arrays:
            return {name: arrays[f"{name}/vertex_labels"] for name in arrays["objects"].tolist()}
        stored = arrays["vertices"]
        alike = [each.name for each in found if np.array_equal(each.stored, stored)]
        return dict.fromkeys(alike[:1], arrays["vertex_labels"])


def share_right(found: list[Truth], labels: dict[str, np.ndarray]) -> Shares:
    """Shares of the known area of labelled objects."""
    labelled = [each for each in found if each.name in labels]
    if not any((each.labels != UNKNOWN).any() for each in labelled):
        return Shares(0.0, 0.0)
    return shares_of(
        np.concatenate([labels[each.name] for each in labelled]),
        np.concatenate([each.labels for each in labelled]),
        np.concatenate([each.areas for each in labelled]),
        PART_NAMES,
    )


def measure(path: Path, with_each: bool, model: str, before: str) -> dict:
    """Measure a file in all ways."""
    found = read_truth(path)
    merged = FOLDER / "merged" / f"{path.stem}.blend"
    save_merged(found, merged)
    runs = {"imported": segment_file(path, found, "--model", model)}
    runs["merged"] = segment_file(merged, read_truth(merged), "--model", model)
    if with_each:
        runs["each"] = segment_file(path, found, "--each", "--model", model)
    if before:
        runs["before"] = segment_file(path, found, "--model", before)
    if runs["merged"].labels:
        ends = np.cumsum([len(each.vertices) for each in found])[:-1]
        (whole,) = runs["merged"].labels.values()
        names = [each.name for each in found]
        labels = dict(zip(names, np.split(whole, ends), strict=True))
    else:
        labels = {}
    given = runs["imported"].labels
    kept = {name: values for name, values in labels.items() if name in given or not given}
    area = sum(each.areas.sum() for each in found)
    left_out = [each for each in found if each.name not in given]
    result = {
        "objects": len(found),
        "vertices": sum(len(each.vertices) for each in found),
        "left out": sum(each.areas.sum() for each in left_out) / area,
        "names left out": [each.name for each in left_out],
    }
    for way, run in runs.items():
        shares = share_right(found, kept if way == "merged" else run.labels)
        result[way] = {
            "right": shares.right,
            "either": shares.either_side,
            "seconds": run.seconds,
        }
    return result


def code_state() -> str | None:
    """Name of the extension's code as git knows it; None with changes that are not committed."""

    def git(*words: str) -> str:
        done = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    if git("status", "--porcelain", "diffusionnet_blender"):
        return None
    return git("rev-parse", "--short=12", "HEAD:diffusionnet_blender")


def row(name: str, found: dict) -> list[str]:
    """A line of the table of files."""
    one, other = found["imported"], found["merged"]
    each = found.get("each")
    return [
        name,
        str(found["objects"]),
        percent(one["right"]),
        percent(other["right"]),
        f"{100 * (one['right'] - other['right']):+.1f}",
        percent(each["right"]) if each else "",
        percent(found["before"]["right"]) if "before" in found else "",
        f"{percent(one['either'])} / {percent(other['either'])}",
        percent(found["left out"]),
        f"{one['seconds']:.1f} / {other['seconds']:.1f}",
    ]


FILES = [
    *("file", "objects", "as imported", "merged", "difference", "each alone", "before"),
    *("either side", "left out", "CPU s"),
]
MEANS = [
    *("characters", "files", "as imported", "merged", "worst difference", "each alone", "before"),
    *("either side", "left out", "CPU seconds"),
]


def mean_row(kind: str, found: list[dict]) -> list[str]:
    """A line of the table of kinds: means, the worst difference, the ratio of mean seconds."""

    def mean(way: str, what: str) -> float:
        return float(np.mean([each[way][what] for each in found]))

    worst = min(each["imported"]["right"] - each["merged"]["right"] for each in found)
    return [
        kind,
        str(len(found)),
        percent(mean("imported", "right")),
        percent(mean("merged", "right")),
        f"{100 * worst:+.1f}",
        *(
            percent(mean(way, "right")) if all(way in each for each in found) else ""
            for way in ("each", "before")
        ),
        f"{percent(mean('imported', 'either'))} / {percent(mean('merged', 'either'))}",
        percent(float(np.mean([each["left out"] for each in found]))),
        f"{mean('imported', 'seconds') / mean('merged', 'seconds'):.2f} x",
    ]


def means_table(rows: list[tuple[str, dict]]) -> str:
    """The table of kinds, of (kind, what was measured) for each file; no empty columns."""
    lines = []
    for kind in KINDS:
        found = [each for of, each in rows if of == kind]
        if found:
            lines.append(mean_row(kind, found))
    if len(lines) > 1:
        lines.append(mean_row("all", [each for _, each in rows]))
    columns = [i for i in range(len(MEANS)) if any(line[i] for line in lines)]
    return table([MEANS[i] for i in columns], [[line[i] for i in columns] for line in lines])


@plain_errors
def main() -> None:
    """Measure, and print tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--characters", type=Path, metavar="FOLDER", help="rigged .glb")
    parser.add_argument("--makehuman", type=Path, metavar="FOLDER", help="with clothes/*/*.mhclo")
    parser.add_argument("--dressed", type=int, default=DRESSED, help="characters made of those")
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=KINDS)
    parser.add_argument("--names", nargs="+", metavar="NAME", help="of files, without suffix")
    parser.add_argument("--each", action="store_true", help="measure each object alone as well")
    parser.add_argument("--before", default="", metavar="MODEL", help="measured as well")
    parser.add_argument("--left-out", action="store_true", help="models that never saw a pack")
    parser.add_argument("--write", action="store_true", help="put the means into docs/models.md")
    chosen = parser.parse_args()
    if chosen.characters is None and chosen.makehuman is None:
        parser.error("give --characters, --makehuman or both")

    files = [] if chosen.characters is None else list(character_files(chosen.characters))
    if chosen.makehuman is not None:
        folder = FOLDER / "files"
        files += [dressed_file(i, chosen.makehuman, folder) for i in range(chosen.dressed)]
    FOLDER.mkdir(parents=True, exist_ok=True)
    # Of other models nothing is kept.
    state = None if chosen.left_out or chosen.before else code_state()
    kept_in = FOLDER / f"{state or 'changed'}.json"
    kept = json.loads(kept_in.read_text()) if state and kept_in.exists() else {}
    rows = []
    for kind, path in files:
        if kind not in chosen.kinds or (chosen.names and path.stem not in chosen.names):
            continue
        found = kept.get(path.name)
        if found is None or (chosen.each and "each" not in found):
            # The first run of a process imports what all need.
            model = "body_parts"
            if chosen.left_out and path.stem in FOLD_OF:
                model = str(folder_of(FOLD_OF[path.stem]) / "body_parts.safetensors")
            found = kept[path.name] = measure(path, chosen.each, model, chosen.before)
            kept_in.write_text(json.dumps(kept, indent=1))
        rows.append((kind, path.stem, found))
        print(*row(path.stem, found), sep="  ", file=sys.stderr, flush=True)
    text = means_table([(kind, found) for kind, _, found in rows])
    print(f"\n{table(FILES, [row(name, found) for _, name, found in rows])}\n\n{text}")
    if chosen.write:
        put_between(PAGE, "characters", text)


if __name__ == "__main__":
    main()
    leave()
