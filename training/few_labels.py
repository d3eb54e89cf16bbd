"""How good a model is that was trained from few labels, beside copying the nearest labels.

python -m training.few_labels          # trains what is missing, and prints the table
python -m training.few_labels --table  # prints what has been measured so far

Characters in an A-pose, as one models them, are labelled and trained from; what is measured are
(a) the same characters in other poses, remeshed, and (b) other characters, posed and remeshed. The
baseline, on the same meshes: the labels of the nearest point of the labelled mesh that fits best
after rigid alignment with scale, which starts from bodies that all stand upright and face one way.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
from scipy.spatial import cKDTree

from diffusionnet_blender.network.checkpoint import load_model
from diffusionnet_blender.surface.cache import OperatorCache
from diffusionnet_blender.surface.surface import Surface, triangle_areas
from diffusionnet_blender.tasks.segment import segment
from diffusionnet_blender.tasks.train import train
from diffusionnet_blender.tasks.train.training_set import LabelledSurface, TrainingSet
from training.bodies import (
    FIRST_HELD_OUT_SEED,
    PART_NAMES,
    Body,
    Pose,
    build_body,
    load_template,
    sample_body,
    sample_local_changes,
    sample_phenotype,
)
from training.commands import leave
from training.parts import COLOURS
from training.poses import sample_pose
from training.remesh import keep_skin, remesh

# Of the labelled characters: `body_parts` knows none of them, nor any that it is measured on.
FIRST_SEED = FIRST_HELD_OUT_SEED + 500_000
RUN = Path(__file__).parent / "data" / "few_labels"
COUNTS = (1, 2, 5, 10)
REMESHINGS = ("even", "uneven", "subdivided")
A_POSE = Pose()
SAME_TESTS, OTHER_TESTS = 16, 24
# Of a partition that no bundled weights know: borders run through the middle of body parts, and
# the legs have no sides.
ZONES = (
    "cap", "face", "shirt", "bare_arm.L", "bare_arm.R", "glove.L", "glove.R", "shorts",
    "bare_leg", "boot.L", "boot.R",
)  # fmt: skip
_ZONE_OF_BONE = {
    "neck": "face", "head": "face", "eye": "face", "clavicle": "shirt", "shoulder01": "shirt",
    "upperarm01": "shirt", "upperarm02": "bare_arm", "lowerarm01": "bare_arm",
    "lowerarm02": "glove", "wrist": "glove", "metacarpal": "glove", "finger": "glove",
    "spine01": "shirt", "spine02": "shirt", "spine03": "shirt", "spine": "shorts",
    "pelvis": "shorts", "root": "shorts", "upperleg01": "shorts", "upperleg02": "bare_leg",
    "lowerleg01": "bare_leg", "lowerleg02": "boot", "foot": "boot", "toe": "boot",
}  # fmt: skip


def zone_labels() -> np.ndarray:
    """Zone of each vertex of the template, (V,) int32."""
    template = load_template()
    of_bone = []
    for bone in template.bones:
        stem = bone.split(".")[0]
        known = next((z for b, z in _ZONE_OF_BONE.items() if stem.startswith(b)), "face")
        side = f".{bone[-1]}"
        of_bone.append(ZONES.index(known if known in ZONES else known + side))
    in_zone = np.eye(len(ZONES))[of_bone]
    labels = (template.weights @ in_zone).argmax(axis=1).astype(np.int32)
    eyes = template.vertices[template.component >= 2][:, 2].max()
    labels[(labels == ZONES.index("face")) & (template.vertices[:, 2] > eyes)] = 0
    return labels


def labelled_body(seed: int, labelling: str, pose: Pose = A_POSE) -> Body:
    """A character by its seed, labelled; in an A-pose, unless another is given."""
    rng = np.random.default_rng(FIRST_SEED + seed)
    body = build_body(sample_phenotype(rng), sample_local_changes(rng), pose)
    return with_labels(body, labelling)


def with_labels(body: Body, labelling: str) -> Body:
    """A body in the template's own order, its skin alone; `fine` holds a partition's labels."""
    labels = body.labels if labelling == "body parts" else zone_labels()
    return keep_skin(replace(body, fine=labels))


def remeshed(body: Body, rng) -> Body:
    """In another triangulation."""
    return remesh(body, rng, str(rng.choice(REMESHINGS)))


def tests_of(labelling: str, count: int) -> tuple[list[Body], list[Body]]:
    """Meshes of the first characters in other poses, and of characters never labelled."""
    same = []
    for number in range(SAME_TESTS):
        rng = np.random.default_rng(2 * FIRST_SEED + number)
        same.append(remeshed(labelled_body(number % count, labelling, sample_pose(rng)), rng))
    others = []
    for number in range(OTHER_TESTS):
        rng = np.random.default_rng(FIRST_HELD_OUT_SEED + number)
        body = sample_body(rng, stylised=0.3)
        others.append(remeshed(with_labels(body, labelling), rng))
    return same, others


def accuracy(body: Body, found: np.ndarray) -> float:
    """Share of the area whose vertices have the right label."""
    areas = triangle_areas(body.vertices, body.faces)
    mass = np.bincount(body.faces.ravel(), np.repeat(areas, 3), minlength=len(body.vertices))
    return float(np.average(found == body.fine, weights=mass))


def nearest_labels(body: Body, labelled: list[Body]) -> np.ndarray:
    """Labels of the nearest points of the labelled mesh that fits best after alignment."""
    best = (np.inf, None)
    for source in labelled:
        tree = cKDTree(source.vertices)
        moved = body.vertices - body.vertices.mean(axis=0)
        moved *= np.linalg.norm(np.ptp(source.vertices, axis=0)) / np.linalg.norm(
            np.ptp(moved, axis=0)
        )
        moved += source.vertices.mean(axis=0)
        for _ in range(30):
            target = source.vertices[tree.query(moved)[1]]
            moved = _aligned(moved, target)
        distance, index = tree.query(moved)
        if np.mean(distance) < best[0]:
            best = (np.mean(distance), source.fine[index])
    return best[1]


def _aligned(points, target):
    """Points rotated, scaled and moved onto their targets, by least squares (Umeyama 1991)."""
    p, t = points - points.mean(axis=0), target - target.mean(axis=0)
    u, s, vt = np.linalg.svd(p.T @ t)
    turn = np.diag([1.0, 1.0, np.sign(np.linalg.det(u @ vt))])
    scale = np.sum(s * np.diag(turn)) / np.sum(p**2)
    return scale * p @ (u @ turn @ vt) + target.mean(axis=0)


def measure(labelling: str, start: str, count: int, size: str) -> dict:
    """Train from a few labelled meshes, and measure on all others."""
    names = PART_NAMES if labelling == "body parts" else ZONES
    colours = [COLOURS.get(name, (0.5, 0.5, 0.5)) for name in names]
    labelled = [labelled_body(seed, labelling) for seed in range(count)]
    same, others = tests_of(labelling, count)
    row = {"labelling": labelling, "start": start, "meshes": count, "size": size}
    if start == "nearest point":
        clock = time.process_time()
        for what, bodies in (("same", same), ("other", others)):
            found = [accuracy(body, nearest_labels(body, labelled)) for body in bodies]
            row[what] = float(np.mean(found))
        return {**row, "minutes": (time.process_time() - clock) / 60}
    members = [
        LabelledSurface(f"body {i}", Surface(b.vertices, b.faces), b.fine)
        for i, b in enumerate(labelled)
    ]
    clock, cpu = time.monotonic(), time.process_time()
    trained = train(
        TrainingSet(tuple(members), tuple(names), tuple(colours)),
        "few_labels",
        model_folder=RUN / "models",
        checkpoint_folder=RUN / "checkpoints",
        size=size,
        start="none" if start == "fresh" else start,
        replace=True,
        device="cpu",
    )
    row["minutes"] = (time.process_time() - cpu) / 60
    row["wall"] = (time.monotonic() - clock) / 60
    row["validation"] = trained.curve.best
    model = load_model(trained.path)
    cache = OperatorCache(RUN / "cache", max_bytes=2**40)
    for what, bodies in (("same", same), ("other", others)):
        found = []
        for body in bodies:
            surface = Surface(body.vertices, body.faces)
            found.append(
                accuracy(body, segment(surface, model, cache=cache, clean=False).vertex_labels)
            )
        row[what] = float(np.mean(found))
    return row


def table(rows: list[dict]) -> str:
    """As docs/train.md has it."""
    lines = [
        "| parts | starts from | labelled meshes | minutes | same character | other characters |",
        "|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {row['labelling']} | {row['start']} | {row['meshes']} | {row['minutes']:.1f} "
        f"| {row['same']:.1%} | {row['other']:.1%} |"
        for row in rows
    ]
    return "\n".join(lines)


def main() -> None:
    """Measure what is missing."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--table", action="store_true")
    parser.add_argument("--size", default="fast")
    parser.add_argument("--labelling", nargs="*", default=["zones", "body parts"])
    parser.add_argument("--start", nargs="*", default=["nearest point", "body_parts", "fresh"])
    parser.add_argument("--meshes", nargs="*", type=int, default=COUNTS)
    parser.add_argument("--threads", type=int, default=2)
    chosen = parser.parse_args()
    RUN.mkdir(parents=True, exist_ok=True)
    results = RUN / "results.jsonl"
    rows = (
        [json.loads(line) for line in results.read_text().splitlines()] if results.exists() else []
    )
    if not chosen.table:
        import torch

        torch.set_num_threads(chosen.threads)
        for count in chosen.meshes:
            for labelling in chosen.labelling:
                for start in chosen.start:
                    wanted = {"labelling": labelling, "start": start, "meshes": count}
                    if start != "nearest point":
                        wanted["size"] = chosen.size
                    if any(wanted.items() <= row.items() for row in rows):
                        continue
                    rows.append(measure(labelling, start, count, chosen.size))
                    with open(results, "a") as file:
                        file.write(json.dumps(rows[-1]) + "\n")
                    print(rows[-1], flush=True)
    rows.sort(key=lambda r: (r["labelling"], r["start"], r["size"], r["meshes"]))
    print(table(rows))


if __name__ == "__main__":
    main()
    # Threads of torch are not waited for.
    leave()
