"""Matches between characters by other makers, in other clothes and of other builds.

python -m benchmarks.character_pairs --characters FOLDER              # all pairs, hours
python -m benchmarks.character_pairs --characters FOLDER --pairs 40 --form merged
python -m benchmarks.character_pairs --makehuman FOLDER --pairs 12
python -m benchmarks.character_pairs --characters FOLDER --makehuman FOLDER --write
python -m benchmarks.character_pairs --characters FOLDER --left-out    # parts learnt elsewhere

*Characters* are the ordered pairs between packs of `training.rigged.PACKS`, `--pairs` of them drawn
at random: the same first ones of any number. *As files* come each is read as the command `match`
reads it, with the parts that its bones tell and without them; *merged* is all that is worn as one
mesh, without what is carried. Other parts are found by the bundled model, which has learnt from
these packs, and with `--left-out` by the models that never saw the pack, see `training.left_out`.
Measured are the area of the target that goes to the right one of 14 parts,
without what is held in a hand, and the joints of the source's rig as Transfer carries them, in
shares of the target's height. *Turned* are pairs of which more would be right with left and right
exchanged.

*Dressed* bodies are those of `dressed_pairs`, as one mesh and as a character of several: geodesic
error x100 at unit area on the skin; and distances on the face and on the hands, in percent of the
height of the head, the median of the pairs.

What was measured is kept in build/bench/character_pairs by the state of the extension's code and
the models, and not measured again.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cache, partial
from pathlib import Path

import numpy as np

import diffusionnet_blender
from benchmarks.character_sides import Side, file_side, joint_errors, merged_side
from benchmarks.characters import code_state
from benchmarks.dressed_pairs import KINDS, Errors, sampled_pair
from benchmarks.matching import ASTRAY, nearest_after_alignment
from benchmarks.meshes import BUILD, ROOT
from diffusionnet_blender.errors import DiffusionNetError
from diffusionnet_blender.matching.joint_rings import JointPair
from diffusionnet_blender.matching.points import SurfacePoints
from diffusionnet_blender.network.checkpoint import Model, load_model
from diffusionnet_blender.scene.match_jobs import request_of
from diffusionnet_blender.surface.surface import Surface
from diffusionnet_blender.tasks.match import Correspondence, MatchRequest, job, match
from diffusionnet_blender.tasks.models import DEFAULT_MATCH_MODEL, FINE_PARTS_MODEL, model_path
from training.commands import leave, plain_errors
from training.documents import percent, put_between, table
from training.left_out import FOLD_OF, FOLDS, compare, folder_of
from training.rig_truth import MAIN_JOINTS
from training.rigged import PACKS

PAGE = ROOT / "docs" / "transfer.md"
FOLDER = BUILD / "character_pairs"
NEAREST, WITHOUT, BONELESS, OURS = "nearest", "without parts", "bones unknown", "match"
WAYS = {
    NEAREST: "nearest point after alignment (Data Transfer)",
    WITHOUT: "match without parts",
    BONELESS: "match, bones unknown",
    OURS: "match",
}
"""What ways are called in tables. Data Transfer (nearest face, interpolated) between two that were
laid together is the nearest point, too."""
SHORT_WAYS = {NEAREST: "nearest point", WITHOUT: "without parts", OURS: "match"}
FORMS = {"files": "as files come", "merged": "merged"}
DRESSED_FORMS = {"merged": "merged", "members": "of several objects"}
DRESSED = 24
# Joints within these shares of the height, and the right area of a pair that is a bad one.
WITHIN = (0.04, 0.06)
BAD = 0.7


@dataclass(frozen=True, eq=False)
class Found:
    """A map, its confidence, joints and way as of `Correspondence`, and processor seconds."""

    points: SurfacePoints
    confidence: np.ndarray
    joints: dict[str, JointPair]
    way: str
    seconds: float


@dataclass(frozen=True, eq=False)
class Pair:
    """What is matched and measured.

    Attributes
    ----------
    source, target : Surface
        As one surface each.
    matched : callable
        From options of `MatchRequest` to the match of both.
    measured : callable
        From what was found to what is told of it.
    """

    source: Surface
    target: Surface
    matched: Callable[..., Correspondence]
    measured: Callable[[Found], dict]


def pairs_of_packs(count: int | None) -> list[tuple[str, str]]:
    """Ordered pairs of characters of different packs, in a random order; the first `count`."""
    pack_of = {name: pack for pack, names in PACKS.items() for name in names}
    found = [(a, b) for a in pack_of for b in pack_of if pack_of[a] != pack_of[b]]
    order = np.random.default_rng(0).permutation(len(found))
    return [found[index] for index in order[:count]]


def left_out_path(fold: tuple[str, ...]) -> Path:
    """Of the model of fine parts that never saw the packs of a fold."""
    return folder_of(fold) / "body_parts_fine.safetensors"


@cache
def left_out_model(name: str) -> Model:
    """The model of fine parts that never saw the pack of a character."""
    return load_model(left_out_path(FOLD_OF[name]))


def digest_of(paths: Sequence[Path]) -> str:
    """Name for the contents of some models."""
    found = hashlib.sha256()
    for path in paths:
        found.update(path.read_bytes())
    return found.hexdigest()[:8]


def found_by(way: str, pair: Pair, model: Model, before: Model) -> Found:
    """The map of a way between the two of a pair; without parts it is that of the model before."""
    started = time.process_time()
    if way == NEAREST:
        points = nearest_after_alignment(pair.source, pair.target)
        found = points, np.ones(len(points)), {}, ""
    else:
        options = {
            WITHOUT: {"model": before, "parts_models": None},
            BONELESS: {"model": model, "source_known": None, "target_known": None},
            OURS: {"model": model},
        }
        try:
            made = pair.matched(**options[way])
            found = made.target_to_source, made.confidence, made.joints, made.way
        except DiffusionNetError as error:
            print(error, file=sys.stderr)
            found = nowhere(len(pair.target.vertices))
    return Found(*found, time.process_time() - started)


def nowhere(count: int) -> tuple[SurfacePoints, np.ndarray, dict, str]:
    """What a match that fails counts as: all in one point."""
    points = SurfacePoints(np.zeros(count, np.int64), np.tile([1.0, 0, 0], (count, 1)))
    return points, np.zeros(count), {}, "failed"


def character_pair(form: str, names: tuple[str, str], folder: Path, left_out: bool) -> Pair:
    """Two characters in a form of `FORMS`; files all stand in one place."""
    read = merged_side if form == "merged" else lambda name: file_side(folder / f"{name}.glb")
    source, target = map(read, names)
    models: tuple[str | Model, str | Model] = (FINE_PARTS_MODEL, FINE_PARTS_MODEL)
    if left_out:
        models = left_out_model(source.name), left_out_model(target.name)
    if source.read is None or target.read is None:
        request = MatchRequest(source.surface, target.surface, parts_models=models, method="MATCH")
    else:
        request = request_of(source.read, target.read, parts_models=models, method="MATCH")
    return Pair(
        source.surface,
        target.surface,
        lambda **options: job.run(replace(request, **options)),
        partial(measured_character, source, target),
    )


def measured_character(source: Side, target: Side, found: Found) -> dict:
    """What is told of a map between two characters."""
    at = source.labels[found.points.nearest_vertex(source.surface.faces)]
    return {
        **asdict(compare(at, target.labels, target.areas)),
        "confidence": float(np.average(found.confidence, weights=target.areas)),
        "way": found.way,
        "seconds": found.seconds,
        "joints": joint_errors(source, target, found.points, found.confidence, found.joints),
    }


def dressed_pair(form: str, number: int, makehuman: Path) -> Pair:
    """Two bodies, some of them dressed, in a form of `DRESSED_FORMS`."""
    source, target = sampled_pair(number, makehuman)
    shapes = [side.surface if form == "merged" else side for side in (source, target)]
    return Pair(
        source.surface,
        target.surface,
        partial(match, *shapes, method="MATCH"),
        partial(measured_dressed, Errors(source, target)),
    )


def measured_dressed(errors: Errors, found: Found) -> dict:
    """What is told of a map between two bodies, some of them dressed."""
    error = errors(found.points)
    return {
        "mean": float(error.mean()),
        "face": errors.of_face(found.points),
        "hands": errors.of_hands(found.points),
        "astray": bool(np.median(error) > ASTRAY),
        "confidence": float(found.confidence.mean()),
        "way": found.way,
        "seconds": found.seconds,
    }


# A group of the results, a name in it, and how the pair is made.
Task = tuple[str, str, Callable[[], Pair]]


def tasks_of(chosen: argparse.Namespace) -> Iterator[Task]:
    """What was asked for on the command line."""
    if chosen.characters is not None:
        for names in pairs_of_packs(chosen.pairs):
            for form in FORMS if chosen.form is None else (chosen.form,):
                make = partial(character_pair, form, names, chosen.characters, chosen.left_out)
                yield form, " > ".join(names), make
    if chosen.makehuman is not None:
        for number in range(DRESSED if chosen.pairs is None else chosen.pairs):
            kind = " to ".join(KINDS[number % len(KINDS)])
            for form in DRESSED_FORMS:
                make = partial(dressed_pair, form, number, chosen.makehuman)
                yield f"{kind}, {DRESSED_FORMS[form]}", str(number), make


def measure(
    tasks: Iterator[Task], models: tuple[Model, Model], kept: dict, keep: Callable[[], None]
) -> None:
    """Measure all ways that are not among what is kept: `kept[group][name][way]`."""
    for group, name, make in tasks:
        done = kept.setdefault(group, {}).setdefault(name, {})
        # Of one mesh no bones are known.
        ways = [way for way in WAYS if group == "files" or way != BONELESS]
        if len(done) < len(ways):
            pair = make()
            for way in ways:
                if way not in done:
                    done[way] = pair.measured(found_by(way, pair, *models))
            keep()
        told = [f"{way} {_short(done[way])}" for way in ways]
        print(f"{group}, {name}:", *told, sep="  ", file=sys.stderr, flush=True)


def _short(found: dict) -> str:
    return f"{found['mean']:.2f}" if "mean" in found else percent(found["right"])


def parts_table(kept: dict) -> str:
    """Area that goes to the right part, by forms and ways."""
    rows = []
    for form, called in FORMS.items():
        for way, title in WAYS.items():
            found = {name: done[way] for name, done in kept.get(form, {}).items() if way in done}
            if not found:
                continue
            right = {name: each["right"] for name, each in found.items()}
            worst = min(right, key=lambda name: right[name])
            rows.append(
                [
                    f"{called}, {title}",
                    str(len(found)),
                    *(percent(_mean(found, what)) for what in ("right", "either_side")),
                    "" if way == NEAREST else f"{_mean(found, 'confidence'):.2f}",
                    percent(_mean(found, "sides_swapped")),
                    percent(float(np.mean([share < BAD for share in right.values()]))),
                    f"{percent(right[worst])} ({worst.replace(' > ', ' to ')})",
                    f"{_mean(found, 'seconds'):.1f}",
                ]
            )
    header = ["", "pairs", "right part", "sides merged", "confidence", "turned"]
    return table([*header, f"under {BAD:.0%}", "worst pair", "CPU s"], rows)


def joints_table(kept: dict) -> str:
    """Errors of the joints, by forms and ways."""
    rows = []
    for form, called in FORMS.items():
        for way, title in WAYS.items():
            found = [d[way]["joints"] for d in kept.get(form, {}).values() if way in d]
            main = [
                max(joints[name] for name in MAIN_JOINTS)
                for joints in found
                if all(name in joints for name in MAIN_JOINTS)
            ]
            if not main:
                continue
            errors = np.concatenate([list(joints.values()) for joints in found])
            rows.append(
                [
                    f"{called}, {title}",
                    str(len(main)),
                    *(percent(float(np.mean(np.array(main) <= within))) for within in WITHIN),
                    percent(float(errors.mean())),
                    percent(float(np.median(errors))),
                ]
            )
    header = [f"all main joints within {within:.0%}" for within in WITHIN]
    return table(["", "pairs", *header, "mean error", "median"], rows)


def dressed_table(kept: dict) -> str:
    """Errors on the skin, by kinds and forms."""
    rows, ways = [], [way for way in WAYS if way != BONELESS]
    for kind in KINDS:
        for form in DRESSED_FORMS.values():
            group = f"{' to '.join(kind)}, {form}"
            found = kept.get(group, {}).values()
            if not found:
                continue
            means = {way: [done[way]["mean"] for done in found] for way in ways}
            ours = {name: done[OURS] for name, done in kept[group].items()}
            rows.append(
                [
                    group,
                    str(len(found)),
                    *(f"{np.mean(means[way]):.2f}" for way in ways),
                    f"{np.median(means[OURS]):.2f}",
                    percent(_mean(ours, "astray")),
                    f"{_mean(ours, 'confidence'):.2f}",
                    f"{_mean(ours, 'seconds'):.1f}",
                ]
            )
    header = ["", "pairs", *(WAYS[way] for way in ways), "match, median", "match, turned around"]
    return table([*header, "confidence", "CPU s"], rows)


def details_table(kept: dict) -> str:
    """Distances on faces and hands of dressed and bare bodies, by kinds and forms."""
    rows, columns = [], [(part, way) for part in ("face", "hands") for way in SHORT_WAYS]
    for kind in KINDS:
        for form in DRESSED_FORMS.values():
            group = f"{' to '.join(kind)}, {form}"
            found = kept.get(group, {}).values()
            if found:
                off = [np.median([done[way][part] for done in found]) for part, way in columns]
                rows.append([group, str(len(found)), *(f"{each:.2f}" for each in off)])
    header = [f"{part}: {SHORT_WAYS[way]}" for part, way in columns]
    return table(["", "pairs", *header], rows)


def _mean(found: dict[str, dict], what: str) -> float:
    return float(np.mean([each[what] for each in found.values()]))


def reports(kept: dict) -> dict[str, str]:
    """The tables of what was measured, by their places in `PAGE`."""
    found = {}
    if any(form in kept for form in FORMS):
        found["characters"] = f"{parts_table(kept)}\n\n{joints_table(kept)}"
    if any(group not in FORMS for group in kept):
        found["dressed"] = f"{dressed_table(kept)}\n\n{details_table(kept)}"
    return found


@plain_errors
def main() -> None:
    """Measure, and print tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--characters", type=Path, metavar="FOLDER", help="rigged .glb")
    parser.add_argument("--makehuman", type=Path, metavar="FOLDER", help="with clothes/*/*.mhclo")
    parser.add_argument("--form", choices=FORMS, help="of characters; by default all")
    parser.add_argument(
        "--pairs", type=int, help=f"by default all of characters, and {DRESSED} dressed ones"
    )
    parser.add_argument("--left-out", action="store_true", help="models that never saw a pack")
    parser.add_argument("--write", action="store_true", help="put the tables into docs/transfer.md")
    parser.add_argument("--model", default=DEFAULT_MATCH_MODEL, help="of the features")
    parser.add_argument("--before", help="another one for the match without parts")
    chosen = parser.parse_args()
    if chosen.characters is None and chosen.makehuman is None:
        parser.error("give --characters, --makehuman or both")

    diffusionnet_blender.register()
    FOLDER.mkdir(parents=True, exist_ok=True)
    paths = [model_path(name) for name in (chosen.model, chosen.before or chosen.model)]
    # With changes that are not committed, nothing is taken from a run before.
    state = code_state()
    parts = [*map(left_out_path, FOLDS)] if chosen.left_out else [model_path(FINE_PARTS_MODEL)]
    kept_in = FOLDER / f"{state or 'changed'}-{digest_of([*paths, *parts])}.json"
    kept = json.loads(kept_in.read_text()) if state and kept_in.exists() else {}
    model, before = map(load_model, paths)
    measure(
        tasks_of(chosen),
        (model, before),
        kept,
        lambda: kept_in.write_text(json.dumps(kept, indent=1)),
    )
    for place, text in reports(kept).items():
        print(text)
        if chosen.write:
            put_between(PAGE, place, text)


if __name__ == "__main__":
    main()
    leave()
