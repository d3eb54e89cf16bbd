"""The paper's checks on bodies of our own: the ablation (Table 7), the size of the basis (Figure
13), complex against real A (Figure 5), meshes against point clouds (5.5), spectral against
implicit diffusion (3.3).

Every network is trained and measured alike on the same small bodies and differs in one thing.

python -m training.paper_checks run      # resumes where it stopped
python -m training.paper_checks write    # the tables of docs/paper.md

What `write` has shown is kept in paper_checks.json, which is in git: what a machine has not
measured itself stays as it was.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import numpy as np

from diffusionnet_blender.network.architecture import Architecture
from diffusionnet_blender.network.features import input_width
from diffusionnet_blender.network.training import LabelledShape
from diffusionnet_blender.surface.prepare import prepare
from diffusionnet_blender.surface.settings import DiscretizationSettings
from diffusionnet_blender.surface.surface import Surface
from training.bodies import FIRST_HELD_OUT_SEED
from training.clouds import point_cloud
from training.documents import percent, put_between, table
from training.figures import sample_figure
from training.meshes import shuffle
from training.parts import PART_NAMES, PART_OF_FINE
from training.remesh import decimate, keep_skin
from training.trials import FEATURES, measured, trained_weights, truncated

FOLDER = Path(__file__).parent / "data" / "paper_checks"
MEASURED, KEPT = FOLDER / "results.json", Path(__file__).with_suffix(".json")
DOCUMENT = Path(__file__).parents[1] / "docs" / "paper.md"
BODIES, HELD_OUT, STEPS, WIDTH, VERTICES, K = 300, 60, 1500, 64, 800, 128
BASE = Architecture(
    inputs=input_width(FEATURES),
    outputs=len(PART_NAMES),
    width=WIDTH,
    dropout=0.1,
)


@dataclass(frozen=True)
class Variant:
    """What a network is trained with, where it differs from the full method on meshes.

    Attributes
    ----------
    changes : dict
        Fields of `Architecture`.
    k : int
        Eigenpairs.
    fixed_time : float or None
        Of all diffusion, where it is not learned.
    kind : {"mesh", "cloud"}
        What it is trained on.
    """

    changes: dict = field(default_factory=dict)
    k: int = K
    fixed_time: float | None = None
    kind: str = "mesh"


FULL, CLOUDS, IMPLICIT = "full method", "trained on point clouds", "implicit diffusion"
SIZES = (8, 16, 32, 64, 96)
VARIANTS = {
    FULL: Variant(),
    "no diffusion": Variant({"diffusion": "none"}),
    "fixed-time diffusion, t = 0.1": Variant(fixed_time=0.1),
    "fixed-time diffusion, t = 0.5": Variant(fixed_time=0.5),
    "no gradient features": Variant({"gradient": "none"}),
    "unlearned gradient features": Variant({"gradient": "unlearned"}),
    "real A": Variant({"gradient": "real"}),
    CLOUDS: Variant(kind="cloud"),
    **{f"k = {k}": Variant(k=k) for k in SIZES},
    IMPLICIT: Variant({"diffusion": "implicit"}),
}
PAPER = {
    FULL: "90.6%",
    "no diffusion": "31.4%",
    "fixed-time diffusion, t = 0.1": "89.1%",
    "fixed-time diffusion, t = 0.5": "81.6%",
    "no gradient features": "84.1%",
    "unlearned gradient features": "85.6%",
}


def sample(seed: int, kind: str) -> LabelledShape:
    """A bare body as a small mesh, or as so many points with normals, with its matrices."""
    rng = np.random.default_rng(seed)
    body = keep_skin(sample_figure(rng, "bare"))
    if kind == "mesh":
        body = shuffle(decimate(body, int(rng.integers(VERTICES, 2 * VERTICES))), rng)
        surface, fine = Surface(body.vertices, body.faces), body.fine
    else:
        cloud = point_cloud(body, int(rng.integers(VERTICES, 2 * VERTICES)), rng)
        surface, fine = Surface(cloud.points, normals=cloud.normals), cloud.fine
    prepared = prepare(surface, DiscretizationSettings(k=K))
    return LabelledShape(prepared.discretization, PART_OF_FINE[fine[prepared.user_vertex]])


class Shapes:
    """Shapes of each kind, made when they are first asked for."""

    def __init__(self):
        self._made: dict[tuple[str, bool], list[LabelledShape]] = {}

    def of(self, kind: str, unseen: bool, k: int = K) -> list[LabelledShape]:
        """Shapes to train on, or unseen ones to measure on."""
        if (kind, unseen) not in self._made:
            first, count = (FIRST_HELD_OUT_SEED, HELD_OUT) if unseen else (0, BODIES)
            self._made[kind, unseen] = [sample(seed, kind) for seed in range(first, first + count)]
        shapes = self._made[kind, unseen]
        return shapes if k == K else [truncated(shape, k) for shape in shapes]


def run(names: list[str]) -> None:
    """Train and measure what is not yet measured, one after the other."""
    shapes = Shapes()
    for name in names:
        results = _read(MEASURED)
        if name in results:
            continue
        variant = VARIANTS[name]
        network = replace(BASE, **variant.changes)
        clock = time.process_time()
        weights = trained_weights(
            network,
            shapes.of(variant.kind, False, variant.k),
            STEPS,
            FOLDER / f"{name}.pt",
            variant.fixed_time,
        )
        seconds = time.process_time() - clock
        measures = {variant.kind: network}
        if name in (FULL, CLOUDS):
            measures = {"mesh": network, "cloud": network}
        found = {
            kind: asdict(measured(network, weights, shapes.of(kind, True, variant.k)))
            for kind, network in measures.items()
        }
        if variant.changes.get("diffusion") == "implicit" or name == FULL:
            other = "spectral" if network.diffusion == "implicit" else "implicit"
            swapped = replace(network, diffusion=other)
            found[f"mesh, {other} diffusion"] = asdict(
                measured(swapped, weights, shapes.of("mesh", True))
            )
        results[name] = {**found, "seconds": round(seconds)}
        _write(results, MEASURED)
        print(name, json.dumps(results[name]), flush=True)


def tables(results: dict) -> str:
    """What was found, in Markdown; a check that has not been run is an empty cell."""

    def share(name: str, on: str = "mesh", what: str = "right") -> str:
        return percent(results[name][on][what]) if on in results.get(name, {}) else ""

    def both(name: str, on: str = "mesh") -> list[str]:
        return [share(name, on), share(name, on, "either_side")]

    ablation = [[name, PAPER[name], *both(name)] for name in PAPER]
    sizes = [[str(k), *both(FULL if k == K else f"k = {k}")] for k in (*SIZES, K)]
    matrices = [["complex", *both(FULL)], ["real", *both("real A")]]
    kinds = [
        ["meshes", *both(FULL), *both(FULL, "cloud")],
        ["point clouds", *both(CLOUDS), *both(CLOUDS, "cloud")],
    ]
    swapped = "mesh, {} diffusion"
    diffusions = [
        ["spectral", share(FULL), share(FULL, swapped.format("implicit"))],
        ["implicit", share(IMPLICIT, swapped.format("spectral")), share(IMPLICIT)],
    ]
    pieces = [
        f"Measured with {len(results)} of {len(VARIANTS)} networks.",
        "## Ablation (Table 7)",
        table(["", "paper", "right", "either side"], ablation),
        "## Size of the basis (Figure 13)",
        table(["eigenpairs", "right", "either side"], sizes),
        "## Complex against real A (Figure 5)",
        table(["A", "right", "either side"], matrices),
        "## Meshes and point clouds (5.5)",
        table(["trained on", "meshes", "either side", "clouds", "either side"], kinds),
        "## Spectral against implicit diffusion (3.3)",
        table(["trained with", "run with spectral", "run with implicit"], diffusions),
    ]
    return "\n\n".join(pieces)


def _read(path: Path) -> dict:
    return json.loads(path.read_text()) if path.exists() else {}


def _write(results: dict, path: Path) -> None:
    temporary = path.with_suffix(".part")
    temporary.write_text(json.dumps(results, indent=1) + "\n")
    os.replace(temporary, path)


def main() -> None:
    """Run the checks, or write what they found."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("step", choices=("run", "write"))
    parser.add_argument("--variants", nargs="+", choices=list(VARIANTS), default=list(VARIANTS))
    arguments = parser.parse_args()
    FOLDER.mkdir(parents=True, exist_ok=True)
    if arguments.step == "run":
        run(arguments.variants)
    else:
        found = _read(KEPT) | _read(MEASURED)
        _write(found, KEPT)
        put_between(DOCUMENT, "checks", tables(found))


if __name__ == "__main__":
    main()
