"""How well shape keys of faces are moved to other topologies, beside plain ways, on known truth.

python -m benchmarks.faces                 # 20 expressions on 12 pairs
python -m benchmarks.faces --pairs 3 --write

Unseen people at rest, each meshed otherwise: whole bodies and heads alone, dense and coarse.
Expressions are ARKit's units as MakeHuman has them, scaled to the size of each face, so that the
true key is known at every vertex. Errors are in percent of the height of the target's head: of the
offsets of the face, and of the contact of lips and lids, where the true key has them together: how
far their gap differs from the true one, overlaps counted.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

import numpy as np
from scipy.spatial import cKDTree

from diffusionnet_blender.matching.closest import ClosestPoints
from diffusionnet_blender.matching.geodesic import geodesic_distances, surface_graph
from diffusionnet_blender.matching.points import SurfacePoints
from diffusionnet_blender.matching.similarity import similarity
from diffusionnet_blender.matching.transfer.shape_keys import deformation_transfer
from diffusionnet_blender.surface.surface import Surface
from diffusionnet_blender.surface.triangles import compact
from diffusionnet_blender.surface.winding import vertex_normals
from diffusionnet_blender.tasks.match import Correspondence, match
from diffusionnet_blender.tasks.transfer import Layers, MeshShape, transfer
from diffusionnet_blender.tasks.transfer.layers import ShapeKeys
from training.bodies import (
    FIRST_HELD_OUT_SEED,
    build_body,
    load_template,
    sample_local_changes,
    sample_phenotype,
)
from training.commands import plain_errors
from training.documents import put_between, table
from training.expressions import EXPRESSIONS, offsets
from training.matched_bodies import MatchedBody, match_body
from training.meshes import SKIN
from training.parts import FINE_NAMES

DOCUMENT = Path(__file__).parents[1] / "docs" / "faces.md"
FIRST_SEED = FIRST_HELD_OUT_SEED + 9000
# Vertices of source and target, and whether they are heads alone; the template has 13,718. Pairs
# beyond these begin again.
MESHES = (
    (14_000, 9000, False),
    (9000, 14_000, False),
    (14_000, 5000, False),
    (5000, 12_000, False),
    (8000, 8000, False),
    (14_000, 3000, True),
    (6000, 14_000, True),
    (9000, 9000, True),
    (12_000, 5000, True),
    (5000, 5000, True),
    (14_000, 7000, False),
    (10_000, 14_000, True),
)
KINDS = ("even", "even", "subdivided", "uneven")
# In units of the height of the head: a place belongs to the face where some expression moves it so
# far; two touch that are so near in space and so far apart along the skin.
MOVED = 0.005
TOUCHING = 0.0125
APART = 0.05
# Pairs of places without which nothing closes; lids touch in their corners at all times.
FEWEST = 25
# Gaps that are no more than this off are closed, in percent of the height of the head.
CLOSED = 1.0
CONTACTS = ("lips", "closed lips", "lids", "closed lids")


@dataclass(frozen=True, eq=False)
class Contacts:
    """Pairs (N, 2) of vertices of the template that touch in an expression, of lips and of lids."""

    lips: np.ndarray
    lids: np.ndarray


@lru_cache(maxsize=1)
def head_of_template() -> tuple[np.ndarray, np.ndarray, float]:
    """Faces (F, 3) of the head's skin in numbers (V,) of the template, those, and its height."""
    template = load_template()
    faces = template.faces[template.component[template.faces[:, 0]] == SKIN]
    faces = faces[(template.fine[faces] == FINE_NAMES.index("head")).all(axis=1)]
    faces, kept = compact(len(template.vertices), faces)
    return faces, kept, float(np.ptp(template.vertices[kept, 2]))


@lru_cache(maxsize=1)
def face_of_template() -> np.ndarray:
    """Whether each vertex of the template belongs to the face, (T,) bool."""
    farthest = np.max([np.linalg.norm(offsets(name), axis=1) for name in EXPRESSIONS], axis=0)
    return farthest > MOVED * head_of_template()[2]


@lru_cache(maxsize=1)
def contacts() -> dict[str, Contacts]:
    """What touches in each expression of the template: each place with the nearest beyond the
    slit."""
    faces, kept, height = head_of_template()
    rest = load_template().vertices[kept].astype(float)
    apart = geodesic_distances(surface_graph(rest, faces), np.arange(len(rest))) > APART * height
    # Between the lids and the lips of all expressions is the tip of the nose.
    tip = rest[rest[:, 1].argmin(), 2]
    found = {}
    for name in EXPRESSIONS:
        at = rest + offsets(name)[kept]
        near = cKDTree(at).query_pairs(TOUCHING * height, output_type="ndarray")
        near = near[apart[near[:, 0], near[:, 1]]]
        length = np.linalg.norm(at[near[:, 0]] - at[near[:, 1]], axis=1)
        near = near[np.argsort(length)]
        near = near[np.unique(near[:, 0], return_index=True)[1]]
        is_lid = rest[near[:, 0], 2] > tip
        found[name] = Contacts(kept[near[~is_lid]], kept[near[is_lid]])
    return found


@dataclass(frozen=True, eq=False)
class Head:
    """A remeshed person with a face, and true keys at its vertices."""

    body: MatchedBody

    @cached_property
    def height(self) -> float:
        """Of the head, in metres."""
        return float(np.ptp(self.body.posed[head_of_template()[1], 2]))

    @cached_property
    def scale(self) -> float:
        """Of the face, by that of the template."""
        is_face = face_of_template()
        template = load_template().vertices[is_face].astype(float)
        return similarity(template, self.body.posed[is_face])[1]

    @cached_property
    def surface(self) -> Surface:
        """The mesh."""
        return Surface(self.body.vertices, self.body.faces)

    @cached_property
    def is_face(self) -> np.ndarray:
        """Vertices of the face, (V,) bool."""
        return self._at_vertices(face_of_template().astype(float)) > 0.5

    @cached_property
    def keys(self) -> np.ndarray:
        """Positions of all vertices in each expression, (K, V, 3)."""
        moved = [self.scale * self._at_vertices(offsets(name)) for name in EXPRESSIONS]
        return self.body.vertices + np.array(moved)

    @cached_property
    def places(self) -> SurfacePoints:
        """The point of the mesh at each vertex of the template, (T,)."""
        faces, posed = load_template().faces, self.body.posed
        surface = ClosestPoints(self.body.vertices, self.body.faces)
        return surface(posed, vertex_normals(posed, faces), 60.0)[0]

    def contact(
        self, key: np.ndarray, true: np.ndarray, name: str, kind: str
    ) -> tuple[float, float]:
        """Mean error of the gaps in a key (V, 3) in percent of the height of the head, and share
        of the places that are closed.

        A gap is measured along its true direction. It is closed if it is no more than `CLOSED` off
        the true one or that of the template: on other eyes MakeHuman's own lids do not quite meet.
        """
        pairs = getattr(contacts()[name], kind)
        # Blinks alone bring lids together; in other keys they stay as open as they are.
        if len(pairs) < FEWEST:
            return np.nan, np.nan
        gaps = [self._gaps(at, pairs) for at in (true, key)]
        length = np.linalg.norm(gaps[0], axis=1, keepdims=True)
        along = gaps[0] / np.maximum(length, 1e-9)
        height = self.height / 100
        true_gap, gap = (np.einsum("ni,ni->n", own, along) for own in gaps)
        at = load_template().vertices.astype(float) + offsets(name)
        own = self.scale * np.linalg.norm(at[pairs[:, 0]] - at[pairs[:, 1]], axis=1)
        off = np.abs(gap - true_gap) / height
        closed = np.minimum(off, np.abs(gap - own) / height) <= CLOSED
        return float(off.mean()), float(closed.mean())

    def _gaps(self, at: np.ndarray, pairs: np.ndarray) -> np.ndarray:
        one, other = (
            self.places[pairs[:, side]].interpolate(at, self.body.faces) for side in (0, 1)
        )
        return one - other

    def _at_vertices(self, values: np.ndarray) -> np.ndarray:
        return self.body.template_points.interpolate(values, load_template().faces)


class Pair:
    """Two people of which the second gets the keys of the first."""

    def __init__(self, number: int):
        source, target, head_alone = MESHES[number % len(MESHES)]
        seeds = FIRST_SEED + 2 * number, FIRST_SEED + 2 * number + 1
        made = [
            _person(seed, count, head_alone)
            for seed, count in zip(seeds, (source, target), strict=True)
        ]
        self.source, self.target = made

    @cached_property
    def aligned(self) -> SurfacePoints:
        """The nearest point of the source for each vertex of the target, faces laid together."""
        faces = [head.body.vertices[head.is_face] for head in (self.source, self.target)]
        low, size = (np.array([f(face, axis=0) for face in faces]) for f in (np.min, np.ptp))
        at = (self.target.body.vertices - low[1]) * size[0] / size[1] + low[0]
        return ClosestPoints(self.source.body.vertices, self.source.body.faces)(at)[0]

    @cached_property
    def true(self) -> SurfacePoints:
        """The true point of the source for each vertex of the target."""
        template = load_template().faces
        at = self.target.body.template_points.interpolate(self.source.body.posed, template)
        normals = vertex_normals(self.source.body.posed, template)
        towards = self.target.body.template_points.interpolate(normals, template)
        surface = ClosestPoints(self.source.body.vertices, self.source.body.faces)
        return surface(at, towards, 60.0)[0]

    def place_error(self, points: SurfacePoints) -> np.ndarray:
        """Mean and 90th percentile of the distance from the true place over the face, in percent
        of the height of the source's head."""
        true = self.target.body.template_points.interpolate(
            self.source.body.posed, load_template().faces
        )
        at = points.interpolate(self.source.body.vertices, self.source.body.faces)
        off = np.linalg.norm(at - true, axis=1)[self.target.is_face] / (self.source.height / 100)
        return np.array([off.mean(), np.percentile(off, 90)])

    def by_offsets(self, points: SurfacePoints) -> np.ndarray:
        """Offsets at points of the source, scaled by the true sizes of the faces, (K, V, 3)."""
        scale = self.target.scale / self.source.scale
        moved = self.source.keys - self.source.body.vertices
        faces = self.source.body.faces
        offset = np.array([points.interpolate(key, faces) for key in moved])
        return self.target.body.vertices + scale * offset

    @cached_property
    def match(self) -> Correspondence:
        """Of the two, as a script makes it."""
        return match(self.source.surface, self.target.surface)

    def deformed(self, points: SurfacePoints) -> np.ndarray:
        """Keys by deformation transfer along a map, (K, V, 3)."""
        shapes = ((head.body.vertices, head.body.faces) for head in (self.source, self.target))
        return deformation_transfer(points, *shapes, self.source.keys)

    def transferred(self, points: SurfacePoints, confidence: np.ndarray) -> np.ndarray:
        """Keys by the task, as a script calls it, (K, V, 3)."""
        keys = ShapeKeys(tuple(EXPRESSIONS), self.source.keys)
        shapes = (MeshShape.of(head.surface) for head in (self.source, self.target))
        found = transfer(*shapes, points, confidence, Layers(keys=keys), accept_uncertain=True)
        return found.keys.positions


def _person(seed: int, count: int, head_alone: bool) -> Head:
    rng = np.random.default_rng(seed)
    body = build_body(sample_phenotype(rng), sample_local_changes(rng))
    kind = KINDS[int(rng.integers(len(KINDS)))]
    made = match_body(body, rng, kind, count, skin_alone=bool(rng.uniform() < 0.5))
    if head_alone:
        above = np.isin(made.labelled().fine, [FINE_NAMES.index(n) for n in ("head", "neck")])
        made = made.with_faces(made.faces[above[made.faces].all(axis=1)])
    return Head(made)


def by_nearest_vertex(pair: Pair) -> np.ndarray:
    """The offset of the nearest vertex after alignment."""
    corner = np.eye(3)[pair.aligned.barycentric.argmax(axis=1)]
    return pair.by_offsets(SurfacePoints(pair.aligned.face, corner))


def by_overlap(pair: Pair) -> np.ndarray:
    """The interpolated offset at the same place after alignment."""
    return pair.by_offsets(pair.aligned)


def by_true_offsets(pair: Pair) -> np.ndarray:
    """The offset of the true point of the source."""
    return pair.by_offsets(pair.true)


def by_deformation_transfer(pair: Pair) -> np.ndarray:
    """By deformation transfer alone, with the match of the whole."""
    return pair.deformed(pair.match.target_to_source)


def by_transfer(pair: Pair) -> np.ndarray:
    """By the task, with the match."""
    return pair.transferred(pair.match.target_to_source, pair.match.confidence)


WAYS: dict[str, Callable[[Pair], np.ndarray]] = {
    "nearest vertex after alignment": by_nearest_vertex,
    "interpolated at the same place": by_overlap,
    "deformation transfer, by the match": by_deformation_transfer,
    "**Transfer**": by_transfer,
    "offsets at the true places": by_true_offsets,
    "truth": lambda pair: pair.target.keys,
}


def errors(head: Head, keys: np.ndarray) -> dict[str, np.ndarray]:
    """Measures of one result for each expression, nan where nothing touches."""
    unit = head.height / 100
    off = np.linalg.norm(keys - head.keys, axis=2)[:, head.is_face] / unit
    found = {"mean": off.mean(axis=1), "worst": np.percentile(off, 99, axis=1)}
    for kind in ("lips", "lids"):
        measured = [
            head.contact(key, true, name, kind)
            for key, true, name in zip(keys, head.keys, EXPRESSIONS, strict=True)
        ]
        found[kind], found[f"closed {kind}"] = np.array(measured).T
    return found


@plain_errors
def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=int, default=12)
    parser.add_argument("--write", action="store_true", help="into docs/faces.md")
    parser.add_argument("--each", action="store_true", help="print each expression, too")
    chosen = parser.parse_args()
    found: dict[str, list[dict[str, np.ndarray]]] = {name: [] for name in WAYS}
    for number in range(chosen.pairs):
        pair = Pair(number)
        for name, way in WAYS.items():
            clock = time.process_time()
            keys = way(pair)
            seconds = np.array([time.process_time() - clock])
            found[name].append(errors(pair.target, keys) | {"seconds": seconds})
        for name, points in (
            ("same place", pair.aligned),
            ("match", pair.match.target_to_source),
        ):
            mean, high = pair.place_error(points)
            print(f"{number:3} place of {name:10} {mean:6.2f} mean {high:6.2f} at 90 %", flush=True)
        sizes = " -> ".join(f"{len(h.body.vertices):6,}" for h in (pair.source, pair.target))
        for kind in ("mean", *CONTACTS):
            row = (f"{np.nanmean(found[name][-1][kind]):6.2f}" for name in WAYS)
            print(f"{number:3} {sizes} {kind:11}", *row, flush=True)
    if chosen.each:
        for number, expression in enumerate(EXPRESSIONS):
            for kind in ("mean", *CONTACTS):
                row = [np.mean([one[kind][number] for one in found[name]]) for name in WAYS]
                print(f"{expression:20} {kind:11}", *(f"{value:6.2f}" for value in row))
    rows = []
    for name, results in found.items():
        mean = {key: float(np.nanmean([one[key] for one in results])) for key in results[0]}
        shares = (f"{100 * mean[f'closed {kind}']:.0f}" for kind in ("lips", "lids"))
        gaps = (f"{mean[kind]:.2f}" for kind in ("lips", "lids"))
        contact = (text for pair in zip(gaps, shares, strict=True) for text in pair)
        rows.append([name, f"{mean['mean']:.3f}", f"{mean['worst']:.2f}", *contact])
        rows[-1].append(f"{mean['seconds']:.1f}")
    header = ["way", "offset", "offset, 99 %", "gap of lips", "closed, %", "gap of lids"]
    header += ["closed, %", "CPU s"]
    text = f"{len(EXPRESSIONS)} expressions, {chosen.pairs} pairs.\n\n{table(header, rows)}"
    print(text)
    if chosen.write:
        put_between(DOCUMENT, "faces", text)


if __name__ == "__main__":
    main()
