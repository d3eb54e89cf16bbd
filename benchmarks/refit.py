"""How well *Refit* fits garments to another body, beside plain ways, on known truth.

python -m benchmarks.refit --makehuman FOLDER                   # a sample: minutes
python -m benchmarks.refit --makehuman FOLDER --pairs 30 --all  # every garment, hours

Garments and hair that people modelled for MakeHuman, on pairs of unseen bodies at rest, the second
remeshed. Truth is where MakeHuman itself puts them on the second body. Most are bound to helpers,
some 6 mm from the skin, which move otherwise than the skin beneath: *true correspondence* has that
error alone, which no method can know. Distances are in percent of the second body's height; what
is beneath its skin, and what of that was not beneath the first's, in percent of the garment's area;
edges are compared with the true ones.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import bpy
import numpy as np

from benchmarks.garments import add_object
from diffusionnet_blender.errors import DiffusionNetError
from diffusionnet_blender.matching.closest import ClosestPoints
from diffusionnet_blender.matching.refit import refit
from diffusionnet_blender.matching.skin import Skin
from diffusionnet_blender.surface.edges import unique_edges
from diffusionnet_blender.surface.repair import repair
from diffusionnet_blender.surface.surface import Surface, triangle_areas
from diffusionnet_blender.surface.triangles import compact
from diffusionnet_blender.tasks.clock import Clock
from diffusionnet_blender.tasks.match.job import match_request
from diffusionnet_blender.tasks.progress import SILENT
from diffusionnet_blender.tasks.refit.mannequin import mannequin_of
from diffusionnet_blender.tasks.refit.request import RefitRequest
from training.bodies import FIRST_HELD_OUT_SEED, build_body, rest_shape
from training.bodies import sample_local_changes as local_changes
from training.bodies import sample_phenotype as phenotype
from training.commands import leave, plain_errors
from training.documents import put_between, table
from training.dressed import bound_piece
from training.makehuman import triangles
from training.matched_bodies import MatchedBody, match_body
from training.meshes import SKIN
from training.template import load_template

DOCUMENT = Path(__file__).parents[1] / "docs" / "refit.md"
FIRST_SEED = FIRST_HELD_OUT_SEED + 7000
REMESHED = 8000
# Of each kind of thing one or two, long and short, tight and wide.
SAMPLE = (
    *("female_casualsuit02", "female_elegantsuit01", "male_elegantsuit01", "male_worksuit01"),
    *("shoes01", "shoes03", "fedora", "bob02", "long01", "short04"),
)
# Samples of a face for the share of its area: shares of its corners.
WITHIN = np.array([[1, 1, 1], [4, 1, 1], [1, 4, 1], [1, 1, 4]], float)
WITHIN /= WITHIN.sum(axis=1, keepdims=True)


class Pair:
    """Two unseen bodies at rest: the first as it is, the second remeshed."""

    def __init__(self, number: int):
        self.rest, skins = [], []
        for seed in (FIRST_SEED + 2 * number, FIRST_SEED + 2 * number + 1):
            rng = np.random.default_rng(seed)
            sampled = phenotype(rng), local_changes(rng)
            self.rest.append(rest_shape(*sampled, helpers=True)[0])
            skins.append((build_body(*sampled), rng))
        template = load_template()
        faces = template.faces[template.component[template.faces[:, 0]] == SKIN]
        faces, kept = compact(len(template.vertices), faces)
        self.body = Surface(skins[0][0].vertices[kept].astype(float), faces)
        remeshed: MatchedBody = match_body(*skins[1], "even", REMESHED)
        self.target = Surface(remeshed.vertices, remeshed.faces)
        # The remeshed body in the shape of the first.
        self.true = remeshed.template_points.interpolate(
            skins[0][0].vertices.astype(float), template.faces
        )
        self.height = float(np.ptp(self.target.vertices[:, 2]))

    @cached_property
    def aligned(self) -> np.ndarray:
        """The first body laid on the second by height and middle, and wrapped onto it, (V, 3)."""
        surface = ClosestPoints(self.target.vertices, self.target.faces)
        return surface.positions(surface(self._scale * self.body.vertices + self._shift)[0])

    @cached_property
    def _scale(self) -> float:
        return self.height / float(np.ptp(self.body.vertices[:, 2]))

    @cached_property
    def _shift(self) -> np.ndarray:
        middles = [
            (x.vertices.min(axis=0) + x.vertices.max(axis=0)) / 2 for x in (self.body, self.target)
        ]
        return middles[1] - self._scale * middles[0]

    @cached_property
    def matched(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Faces of the second body, and its vertices by the match and as they are."""
        match = match_request(self.body, self.target, method="MATCH")
        # What is cut away beneath garments is not: any garment does.
        request = RefitRequest(match, self.target, np.zeros(0, int), (), accept_uncertain=True)
        found = mannequin_of(request, Clock(SILENT), SILENT)
        return found.faces, found.before, found.after


class NotBound(DiffusionNetError):
    """Surface Deform does not bind to a body, as where a garment's vertex meets a sliver of it."""


@dataclass(frozen=True, eq=False)
class Worn:
    """A garment on the first body, and the truth on the second."""

    vertices: np.ndarray
    faces: np.ndarray
    truth: np.ndarray
    is_hair: bool


def by_nearest_point(pair: Pair, worn: Worn) -> np.ndarray:
    """Offsets from the nearest points of a body, put where these are after alignment."""
    points, _ = ClosestPoints(pair.body.vertices, pair.body.faces)(worn.vertices)
    offset = worn.vertices - points.interpolate(pair.body.vertices, pair.body.faces)
    return points.interpolate(pair.aligned, pair.body.faces) + offset


def by_surface_deform(pair: Pair, worn: Worn) -> np.ndarray:
    """Blender's modifier, bound to the first body, which is then wrapped onto the second."""
    return surface_deformed(worn, pair.body.vertices, pair.body.faces, pair.aligned)


def by_surface_deform_true(pair: Pair, worn: Worn) -> np.ndarray:
    """The modifier, bound to the second body while that has the shape of the first."""
    return surface_deformed(worn, pair.true, pair.target.faces, pair.target.vertices)


def surface_deformed(
    worn: Worn, before: np.ndarray, faces: np.ndarray, after: np.ndarray
) -> np.ndarray:
    """Garment (V, 3) by Blender's Surface Deform on a body that changes its shape."""
    bpy.ops.wm.read_homefile(app_template="", use_empty=True)
    body = add_object("Body", before, faces)
    cloth = add_object("Worn", worn.vertices, worn.faces)
    modifier = cloth.modifiers.new("Surface Deform", "SURFACE_DEFORM")
    modifier.target = body
    bpy.context.view_layer.objects.active = cloth
    bpy.ops.object.surfacedeform_bind(modifier=modifier.name)
    if not modifier.is_bound:
        raise NotBound("Surface Deform did not bind", "See Blender's message.")
    body.data.vertices.foreach_set("co", np.ascontiguousarray(after, np.float32).ravel())
    body.data.update()
    evaluated = cloth.evaluated_get(bpy.context.evaluated_depsgraph_get())
    found = np.empty(3 * len(worn.vertices), np.float32)
    evaluated.data.vertices.foreach_get("co", found)
    return found.reshape(-1, 3).astype(float)


def refitted(pair: Pair, worn: Worn, before: np.ndarray, body: Surface) -> np.ndarray:
    """By Refit, with a body in the shape of the first and as the second, the latter repaired."""
    clean = repair(Surface(worn.vertices, worn.faces))
    garment = clean.surface.vertices, clean.surface.faces
    gap = RefitRequest.gap / 100 * pair.height
    hair = np.full(len(clean.surface.vertices), worn.is_hair)
    found = refit(garment, (before, body.faces), body.vertices, hair=hair, gap=gap)
    return found.vertices[clean.clean_vertex]


def by_refit_true(pair: Pair, worn: Worn) -> np.ndarray:
    """By Refit, each point of the second body known on the first."""
    return refitted(pair, worn, pair.true, pair.target)


def by_refit(pair: Pair, worn: Worn) -> np.ndarray:
    """By Refit, with the match."""
    faces, before, after = pair.matched
    return refitted(pair, worn, before, Surface(after, faces))


WAYS = {
    "nearest-point offset after alignment": by_nearest_point,
    "Surface Deform, body wrapped after alignment": by_surface_deform,
    "Surface Deform, true correspondence": by_surface_deform_true,
    "Refit, true correspondence": by_refit_true,
    "**Refit**": by_refit,
    "truth": lambda pair, worn: worn.truth,
}


def errors(pair: Pair, worn: Worn, at: np.ndarray) -> dict[str, float]:
    """Measures of one result."""
    off = np.sort(np.linalg.norm(at - worn.truth, axis=1)) / pair.height * 100
    edges, _ = unique_edges(worn.faces)
    lengths = [np.linalg.norm(x[edges[:, 0]] - x[edges[:, 1]], axis=1) for x in (at, worn.truth)]
    ratio = lengths[0] / np.maximum(lengths[1], 1e-9)
    area = np.tile(triangle_areas(at, worn.faces), len(WITHIN))
    area /= area.sum()
    beneath = is_beneath(pair.target, at, worn.faces)
    before = is_beneath(pair.body, worn.vertices, worn.faces)
    return {
        "mean": float(off.mean()),
        "worst": float(off[-max(1, len(off) // 100) :].mean()),
        "beneath": 100 * float(area @ beneath),
        "newly": 100 * float(area @ (beneath & ~before)),
        "short": float(np.percentile(ratio, 1)),
        "long": float(np.percentile(ratio, 99)),
    }


def is_beneath(body: Surface, at: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """Whether places on the faces of a garment are beneath the skin, four a face, (4 F,)."""
    skin = Skin(body.vertices, body.faces)
    samples = np.concatenate([np.einsum("c,fci->fi", shares, at[faces]) for shares in WITHIN])
    points, _ = skin.surface(samples)
    return skin.above(points, samples, samples)[0] < 0


def summary(found: dict[str, list[dict[str, float]]]) -> str:
    """Table of the means of the measures of each way."""
    rows = []
    for way, results in found.items():
        mean = {key: float(np.mean([one[key] for one in results])) for key in results[0]}
        rows.append(
            [
                way,
                f"{mean['mean']:.2f}",
                f"{mean['worst']:.2f}",
                f"{mean['beneath']:.2f}",
                f"{mean['newly']:.2f}",
                f"{mean['short']:.2f} / {mean['long']:.2f}",
                f"{mean['seconds']:.1f}",
            ]
        )
    header = ["way", "place, %", "worst 1 %", "beneath, %", "newly, %", "edges, 1 / 99 %", "CPU s"]
    return table(header, rows)


def parser_of(about: str, pairs: int) -> argparse.ArgumentParser:
    """Options of the benchmarks of garments, whose docstring begins with what they do."""
    parser = argparse.ArgumentParser(description=about.splitlines()[0])
    parser.add_argument("--makehuman", type=Path, required=True, help="folder of its assets")
    parser.add_argument("--pairs", type=int, default=pairs)
    parser.add_argument("--write", action="store_true", help="into docs/refit.md")
    return parser


def tell(name: str, text: str, write: bool) -> None:
    """Print a table, and put it into the page if asked."""
    print(text, flush=True)
    if write:
        put_between(DOCUMENT, name, text)


@plain_errors
def main() -> None:
    """Measure, and print a table after each pair."""
    parser = parser_of(__doc__, pairs=6)
    parser.add_argument("--all", action="store_true", help="every garment and hair, not a sample")
    chosen = parser.parse_args()
    kinds = ("clothes", "hair")
    files = sorted(path for kind in kinds for path in chosen.makehuman.glob(f"{kind}/*/*.mhclo"))
    if not files:
        raise FileNotFoundError(
            f"{chosen.makehuman} has no clothes/*/*.mhclo of MakeHuman's assets"
        )
    files = [path for path in files if chosen.all or path.stem in SAMPLE]
    found: dict[str, list[dict[str, float]]] = {name: [] for name in WAYS}
    unbound = 0
    for number in range(chosen.pairs):
        pair = Pair(number)
        for path in files:
            piece = bound_piece("", path)
            one, other = (piece.fitted(rest) for rest in pair.rest)
            worn = Worn(one, triangles(piece.piece.polygons), other, "hair" in path.parts)
            for way, fit in WAYS.items():
                clock = time.process_time()
                try:
                    at = fit(pair, worn)
                except NotBound:
                    unbound += 1
                    print(f"{number:3} {path.stem:24} {way}: not bound", flush=True)
                    continue
                seconds = time.process_time() - clock
                found[way].append(errors(pair, worn, at) | {"seconds": seconds})
            row = " ".join(f"{found[way][-1]['mean']:6.2f}" for way in WAYS if found[way])
            print(f"{number:3} {path.stem:24} {row}", flush=True)
        text = f"{len(files)} garments on {number + 1} pairs; Surface Deform did not bind "
        text += f"{unbound} times, which do not count for it.\n\n{summary(found)}"
        tell("refit", text, chosen.write)


if __name__ == "__main__":
    main()
    leave()
