"""Joints and weights of Rig beside those of an armature that a match carries, and bone heat.

python -m benchmarks.rig --characters ../shared/characters
python -m benchmarks.rig --characters FOLDER --makehuman FOLDER --stylised 24 --baselines 4 --write

The truth are the characters' own rigs, of which nothing else is read; swords and shields that hang
on their bones are left out, as an artist leaves them out. Errors are distances of a joint from
that of the rig, in heights of the figure; a figure counts as within 4 % where its eight main joints
(elbows, wrists, knees, ankles) are. *Match* is what *Armature* of Transfer does from the mean body
of `anny`; *bone heat* is Blender's *With Automatic Weights* at the joints of Rig. A place is on the
right bone where the part (of 14) that holds most of it is that of its own rig; it moves wrongly in
a turn of neck, shoulder, elbow or knee where it makes less than half of the turn and should make
more, or the other way round. Seconds are of the processor, without the segmentation.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from time import process_time
from typing import TypeAlias

import bpy
import numpy as np

from benchmarks.character_files import dressed_file
from benchmarks.meshes import BUILD, ROOT
from diffusionnet_blender.errors import DiffusionNetError
from diffusionnet_blender.matching.transfer.joints import carry_joints
from diffusionnet_blender.surface.surface import Surface, vertex_areas
from diffusionnet_blender.tasks.match.job import match
from diffusionnet_blender.tasks.rig.bone_specs import BoneSpec
from diffusionnet_blender.tasks.rig.job import rig
from diffusionnet_blender.tasks.rig.kinds import HUMANOID
from diffusionnet_blender.tasks.segment.carried import body_of
from training.bodies import FIRST_HELD_OUT_SEED
from training.commands import glb_files, leave, plain_errors
from training.documents import percent, put_between, table
from training.meshes import SKIN
from training.parts import FINE_NAMES, PART_OF_FINE
from training.rig_bodies import jointed_body
from training.rig_parts import segment_of_bone
from training.rig_truth import MAIN_JOINTS, read_truth, segment_of_template_bone

PAGE = ROOT / "docs" / "rig.md"
FOLDER = BUILD / "rig"
STYLISED_FROM = FIRST_HELD_OUT_SEED + 500_000
# Turns of the measure of what moves wrongly: the links that each moves.
TURNS = {
    "neck": ("neck", "head"),
    **{
        f"{joint}.{side}": tuple(f"{part}.{side}" for part in parts)
        for side in "LR"
        for joint, parts in (
            ("shoulder", ("upper_arm", "forearm", "palm", "fingers")),
            ("elbow", ("forearm", "palm", "fingers")),
            ("knee", ("shin", "foot", "toes")),
        )
    },
}
FAR = 8.0
# Main joints as a match carries them.
MatchOf: TypeAlias = "Callable[[Case], dict[str, np.ndarray]]"
# The joint of each bone of the template that a match carries, and the bones that meet in it.
CARRIED = {"elbow": "lowerarm01", "wrist": "wrist", "knee": "lowerleg01", "ankle": "foot"}


@dataclass(frozen=True, eq=False)
class Links:
    """What bones of a family of figures move, and the turns of the measure of what moves wrongly.

    Attributes
    ----------
    names : tuple of C str
        Links of the columns of the truth.
    merged : (C,) int
        The part that each counts as.
    bones : sequence of BoneSpec
    turns : dict of str to tuple of str
        The links that a turn of each joint moves.
    """

    names: tuple[str, ...]
    merged: np.ndarray
    bones: Sequence[BoneSpec]
    turns: dict[str, tuple[str, ...]]


PEOPLE = Links(FINE_NAMES, PART_OF_FINE, HUMANOID, TURNS)


@dataclass(frozen=True, eq=False)
class Case:
    """A figure with the truth.

    Attributes
    ----------
    name : str
    surface : Surface
    member : (V,) int or None
    joints : dict of str to (3,);  weights : (V, C);  height : float
    links : of its family.
    """

    name: str
    surface: Surface
    member: np.ndarray | None
    joints: dict[str, np.ndarray]
    weights: np.ndarray
    height: float
    links: Links = field(default_factory=lambda: PEOPLE)


def from_file(path: Path, segment_of=segment_of_bone) -> Case:
    """A figure of a file."""
    truth = read_truth(path, segment_of)
    placed = truth.geometry.placed
    several = len(truth.geometry.members) > 1
    body, kept = body_of(placed.surface, truth.carried)
    return Case(
        path.stem,
        body,
        placed.member[kept] if several else None,
        truth.joints,
        truth.weights[kept],
        truth.height,
    )


def stylised(number: int) -> Case:
    """A generated figure of cartoon proportions, of no training set."""
    found = jointed_body(np.random.default_rng(STYLISED_FROM + number), 1.0, restyled=True)
    body = found.body
    kept = (body.component == SKIN)[body.faces].all(axis=1)
    used, faces = np.unique(body.faces[kept], return_inverse=True)
    vertices = body.vertices[used]
    return Case(
        f"stylised_{number:03}",
        Surface(vertices, faces.reshape(-1, 3)),
        None,
        found.joints,
        found.weights[used].toarray(),
        float(np.ptp(vertices[:, 2])),
    )


def measure(case: Case, baselines: bool, match_of: MatchOf, **options) -> dict:
    """What Rig gives, and what the baselines give, on one figure; `options` of its request."""
    started: list[float] = []

    def progress(stage: str, fraction: float) -> None:
        if stage == "joints" and not started:
            started.append(process_time())

    try:
        skeleton, weights, found = rig(
            case.surface,
            "plain",
            fingers=False,
            member=case.member,
            progress=progress,
            **options,
        )
    except DiffusionNetError as error:
        return {"error": str(error)}
    result = {
        "worst": worst(found.places, case),
        "mean": errors(found.places, case).mean(),
        "doubts": found.doubts,
        "seconds": process_time() - started[0],
        **of_weights(by_link(weights, skeleton.roles, case.links), case),
    }
    if baselines:
        result["match"] = worst(match_of(case), case)
        heat = by_link(bone_heat(case, skeleton), skeleton.roles, case.links)
        result["heat"] = of_weights(heat, case)
    return result


def errors(places: dict[str, np.ndarray], case: Case) -> np.ndarray:
    """Errors of the main joints in % of the height; one that is missing is off by all of it."""
    wanted = [name for name in MAIN_JOINTS if name in case.joints]
    return np.array(
        [
            100 * np.linalg.norm(places[name] - case.joints[name]) / case.height
            if name in places
            else 100.0
            for name in wanted
        ]
    )


def worst(places: dict[str, np.ndarray], case: Case) -> float:
    """The largest error of a main joint."""
    return float(errors(places, case).max())


def by_link(weights: np.ndarray, roles: tuple[str, ...], links: Links) -> np.ndarray:
    """Weights (V, C) of the links that bones move."""
    parts = {spec.name: spec.parts for spec in links.bones}
    found = np.zeros((len(weights), len(links.names)))
    for column, role in zip(weights.T, roles, strict=True):
        own = parts[role] or ("head",)
        found[:, links.names.index(own[0])] += column
    return found


def of_weights(links: np.ndarray, case: Case) -> dict[str, float]:
    """Share of the area on the right bone, and of that which moves wrongly, of known vertices."""
    areas = vertex_areas(case.surface.vertices, case.surface.faces)
    areas = areas * (case.weights.sum(axis=1) > 0.5)
    member = np.eye(case.links.merged.max() + 1)[case.links.merged]
    same = (links @ member).argmax(axis=1) == (case.weights @ member).argmax(axis=1)
    wrong = []
    for joint, parts in case.links.turns.items():
        if joint in case.joints:
            chosen = [case.links.names.index(part) for part in parts]
            turned, should = (w[:, chosen].sum(axis=1) > 0.5 for w in (links, case.weights))
            wrong.append(areas[turned != should].sum() / areas.sum())
    return {"right": float(areas[same].sum() / areas.sum()), "wrong": float(np.mean(wrong))}


def carried_from_anny(case: Case) -> dict[str, np.ndarray]:
    """Main joints of the mean body of `anny`, carried by a match."""
    from training.bodies import rest_shape
    from training.template import load_template

    template = load_template()
    rest, heads = rest_shape({"age": 2 / 3}, {})
    kept = (template.component == SKIN)[template.faces].all(axis=1)
    used, faces = np.unique(template.faces[kept], return_inverse=True)
    source = Surface(rest[used], faces.reshape(-1, 3))
    names = [f"{joint}.{side}" for joint in CARRIED for side in "LR"]
    bones = [template.bone(f"{CARRIED[n[:-2]]}{n[-2:]}") for n in names]
    pairs = [(bone, template.parents[bone]) for bone in bones]
    weights = template.weights[used].toarray()
    influence = np.stack([weights[:, list(pair)].sum(axis=1) for pair in pairs], axis=1)
    return carried(source, dict(zip(names, heads[bones], strict=True)), influence, case)


def carried(
    source: Surface, joints: dict[str, np.ndarray], influence: np.ndarray, case: Case, **options
) -> dict[str, np.ndarray]:
    """Joints of another figure, carried by a match; none where there is none.

    Parameters
    ----------
    source : Surface
    joints : dict of str to (3,).
    influence : (V, J) how much the bones that meet in each joint move a vertex of the source.
    case : Case
    options : of the match.
    """
    try:
        found = match(source, case.surface, **options)
    except DiffusionNetError:
        return {}
    moved = carry_joints(
        found.target_to_source,
        (source.vertices, source.faces),
        (case.surface.vertices, case.surface.faces),
        np.array(list(joints.values())),
        influence,
        found.confidence,
        [
            (
                own.centre(source.vertices, source.faces),
                other.centre(case.surface.vertices, case.surface.faces),
            )
            for own, other in found.joints.values()
        ],
    )
    return dict(zip(joints, moved.positions, strict=True))


def bone_heat(case: Case, skeleton) -> np.ndarray:
    """Weights (V, B) of Blender's automatic weights at the same bones; zeros where it fails."""
    bpy.ops.wm.read_homefile(app_template="", use_empty=True)
    member = np.zeros(len(case.surface.vertices), int) if case.member is None else case.member
    armature = bpy.data.objects.new("Rig", bpy.data.armatures.new("Rig"))
    bpy.context.collection.objects.link(armature)
    bpy.context.view_layer.objects.active = armature
    bpy.ops.object.mode_set(mode="EDIT")
    made = [armature.data.edit_bones.new(name) for name in skeleton.names]
    for number, bone in enumerate(made):
        bone.head, bone.tail = skeleton.heads[number].tolist(), skeleton.tails[number].tolist()
        if skeleton.parents[number] >= 0:
            bone.parent = made[skeleton.parents[number]]
    bpy.ops.object.mode_set(mode="OBJECT")
    weights = np.zeros((len(member), len(skeleton.names)))
    for number in np.unique(member):
        own = np.flatnonzero(member == number)
        place = np.full(len(member), -1)
        place[own] = np.arange(len(own))
        faces = case.surface.faces[(member == number)[case.surface.faces].all(axis=1)]
        mesh = bpy.data.meshes.new("Mesh")
        mesh.from_pydata(case.surface.vertices[own].tolist(), [], place[faces].tolist())
        obj = bpy.data.objects.new("Mesh", mesh)
        bpy.context.collection.objects.link(obj)
        obj.select_set(True)
        armature.select_set(True)
        bpy.context.view_layer.objects.active = armature
        bpy.ops.object.parent_set(type="ARMATURE_AUTO")
        obj.select_set(False)
        column = [skeleton.names.index(group.name) for group in obj.vertex_groups]
        for vertex in mesh.vertices:
            for entry in vertex.groups:
                weights[own[vertex.index], column[entry.group]] += entry.weight
    return weights


def cases(chosen: argparse.Namespace) -> Iterator[tuple[str, Case]]:
    """Kind and figure of each case."""
    if chosen.characters is not None:
        for path in glb_files(chosen.characters, chosen.names):
            yield "artists' characters", from_file(path)
    if chosen.makehuman is not None:
        for number in range(chosen.dressed):
            _, path = dressed_file(number, chosen.makehuman, FOLDER / "files")
            yield "dressed, unseen clothes", from_file(path, segment_of_template_bone)
    for number in range(chosen.stylised):
        yield "stylised, generated", stylised(number)


COLUMNS = [
    *("figures", "number", "within 4 %", "within 6 %", "mean error, %", "right bone"),
    *("moves wrongly", "over 8 % told", "false alarms", "CPU s"),
]
BESIDE = [
    *("figures", "number", "within 4 %: Rig / match", "within 6 %: Rig / match"),
    *("right bone: Rig / heat", "moves wrongly: Rig / heat"),
]


def row(kind: str, found: list[dict]) -> list[str]:
    """A line of the table of Rig."""
    good = [each for each in found if "error" not in each]
    far = [each for each in found if "error" in each or each["worst"] > FAR]
    told = [each for each in far if "error" in each or each["doubts"]]
    near = [each for each in good if each["worst"] <= FAR]
    return [
        kind,
        str(len(found)),
        *(within([each.get("worst", 100.0) for each in found], limit) for limit in (4.0, 6.0)),
        f"{np.median([each['mean'] for each in good]):.1f}",
        *(percent(float(np.median([each[n] for each in good]))) for n in ("right", "wrong")),
        f"{len(told)} of {len(far)}",
        f"{sum(bool(each['doubts']) for each in near)} of {len(near)}",
        f"{np.median([each['seconds'] for each in good]):.1f}",
    ]


def row_beside(kind: str, found: list[dict]) -> list[str]:
    """A line of the table beside the baselines, of the figures on which all was measured."""
    both = [each for each in found if "match" in each]
    return [
        kind,
        str(len(both)),
        *(
            " / ".join(within([each[way] for each in both], limit) for way in ("worst", "match"))
            for limit in (4.0, 6.0)
        ),
        *(
            " / ".join(
                percent(float(np.median([way[name] for way in ways])))
                for ways in (both, [each["heat"] for each in both])
            )
            for name in ("right", "wrong")
        ),
    ]


def within(errors_of_figures: list[float], limit: float) -> str:
    """Share of figures whose worst joint is within a limit."""
    return percent(float(np.mean([error <= limit for error in errors_of_figures])))


def parser_of(about: str) -> argparse.ArgumentParser:
    """The options that a benchmark of rigs has in any case; `about` begins with what it does."""
    parser = argparse.ArgumentParser(description=about.splitlines()[0])
    parser.add_argument(
        "--baselines",
        type=int,
        default=0,
        metavar="N",
        help="measure match and bone heat, too, on every Nth figure of a kind",
    )
    parser.add_argument("--write", action="store_true", help="put the table into docs/rig.md")
    return parser


@plain_errors
def main() -> None:
    """Measure, and print or write the table."""
    parser = parser_of(__doc__)
    parser.add_argument("--characters", type=Path, metavar="FOLDER", help="rigged .glb")
    parser.add_argument("--makehuman", type=Path, metavar="FOLDER", help="with clothes/*/*.mhclo")
    parser.add_argument("--dressed", type=int, default=12, help="characters made of those")
    parser.add_argument("--stylised", type=int, default=0, help="generated figures")
    parser.add_argument("--names", nargs="+", metavar="NAME", help="of files, without suffix")
    chosen = parser.parse_args()
    from diffusionnet_blender import register

    register()
    texts = measured(cases(chosen), chosen.baselines, carried_from_anny)
    report(texts, chosen.write, PAGE, "rig")


def measured(
    figures: Iterator[tuple[str, Case]],
    baselines: int,
    match_of: MatchOf,
    options_of: Callable[[Case], dict] = lambda case: {},
) -> str:
    """Tables of figures by their kinds, the baselines on every so many of a kind (0 for none)."""
    rows: dict[str, list[dict]] = {}
    for kind, case in figures:
        of_kind = rows.setdefault(kind, [])
        with_baselines = baselines > 0 and len(of_kind) % baselines == 0
        found = measure(case, with_baselines, match_of, **options_of(case))
        of_kind.append(found)
        line = {
            key: round(value, 3) if isinstance(value, float) else value
            for key, value in found.items()
        }
        print(case.name, line, file=sys.stderr, flush=True)
    text = table(COLUMNS, [row(kind, found) for kind, found in rows.items()])
    if baselines:
        beside = [row_beside(kind, found) for kind, found in rows.items()]
        text = f"{text}\n\n{table(BESIDE, beside)}"
    return text


def report(text: str, write: bool, page: Path, mark: str) -> None:
    """Print the tables, or put them into a page as well."""
    print(text)
    if write:
        put_between(page, mark, text)


if __name__ == "__main__":
    main()
    leave()
