"""Runtime (paper 5.6, Table 6): precompute, a training step, inference and memory at three sizes.

python -m experiments.runtime run [--device cpu] [--sizes 752 10000 184000]
python -m experiments.runtime write

The network of the paper, 4 blocks of width 128 on 128 eigenpairs of heat kernel signatures, on one
body at three sizes. *Published way* is the plain baseline of benchmarks/. Each row and size is a
process of its own, so that its peak of memory is its own as well; on a graphics processor memory is
that which torch has taken there. Times are by the clock, medians of several steps after one that is
not counted; those on a device end when it has finished. The precompute is on the processor always.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

import numpy as np
import torch

from benchmarks import baseline as plain
from benchmarks import machine, meshes
from benchmarks.meter import peak_memory, reset_peak
from diffusionnet_blender.errors import DiffusionNetError
from diffusionnet_blender.network.architecture import Architecture
from diffusionnet_blender.network.features import input_features, input_width
from diffusionnet_blender.network.module import DiffusionNet, fresh_weights
from diffusionnet_blender.network.torch_engine import TorchEngine, find_device
from diffusionnet_blender.network.training import LabelledShape, Trainer, TrainingSettings
from diffusionnet_blender.surface.discretization import Discretization, normalise
from diffusionnet_blender.surface.edges import directed_edges
from diffusionnet_blender.surface.frames import tangent_frames
from diffusionnet_blender.surface.prepare import prepare
from diffusionnet_blender.surface.repair import repair
from diffusionnet_blender.surface.settings import DiscretizationSettings
from diffusionnet_blender.surface.surface import Surface
from diffusionnet_blender.surface.winding import vertex_normals
from training.commands import plain_errors
from training.documents import table

from . import results
from .measure import network_outputs

FEATURES = ("hks",)
CLASSES = 8
ARCHITECTURE = Architecture(inputs=input_width(FEATURES), outputs=CLASSES, width=128, dropout=0.5)
SETTINGS = DiscretizationSettings(k=128)
SIZES = (752, 10_000, 184_000)
REPEATS = 5
# No new step after so many seconds; no process longer than the second.
ENOUGH, LONGEST = 60.0, 900.0
MEASURED = ("pre", "train", "infer")
PUBLISHED = "published way"


@dataclass(frozen=True)
class Row:
    """A way of this project to compute, where it differs from single precision and spectral.

    Attributes
    ----------
    implicit : bool
        Diffusion by implicit steps (3.3.1).
    half : bool
        Products in bfloat16.
    fused : bool
        The optimiser's step as one kernel.
    sizes : tuple of int
        Vertices, about.
    """

    implicit: bool = False
    half: bool = False
    fused: bool = False
    sizes: tuple[int, ...] = SIZES

    @property
    def architecture(self) -> Architecture:
        """The network of this row."""
        changes = {"diffusion": "implicit"} if self.implicit else {}
        return Architecture(**(ARCHITECTURE.__dict__ | changes))


ROWS = {
    "spectral": Row(),
    "spectral, half precision": Row(half=True),
    "spectral, half precision, fused optimiser": Row(half=True, fused=True),
    "direct": Row(implicit=True, sizes=SIZES[:2]),
}
DEVICES = {"cpu": "On the processor", "cuda": "On a graphics processor"}
HEADER = ["vertices", "", "precompute", "training step", "inference", "peak memory"]
# Milliseconds of the paper, on a Titan RTX and two Xeon 5120; a published direct method was not run
# beyond the smallest.
PAPER = {
    PUBLISHED: {752: (288, 19, 7), 10_000: (3550, 25, 10), 184_000: (69_500, 379, 154)},
    "direct": {752: (104, 329, 81)},
}


def measured(name: str, size: int, device: str) -> dict[str, float]:
    """Seconds of precompute, of a step of training and of inference; bytes of the peak.

    Parameters
    ----------
    name : str
        `PUBLISHED`, or a key of `ROWS`.
    size : int
    device : str
    """
    body = meshes.load("body", size)
    surface = Surface(body["vertices"], body["faces"])
    # Everything is imported and every library's memory taken once.
    timed(name, Surface(*meshes.bumpy_sphere(642)), device, repeats=1)
    _forget_peak(device)
    found = timed(name, surface, device, REPEATS)
    return {**found, "memory": _peak(device), "vertices": len(surface.vertices)}


def timed(name: str, surface: Surface, device: str, repeats: int) -> dict[str, float]:
    """Seconds of precompute, of a step of training and of inference on a surface."""
    way = _published if name == PUBLISHED else _ours
    return way(name, surface, device, repeats)


def _published(_: str, surface: Surface, device: str, repeats: int) -> dict[str, float]:
    clean = repair(surface).surface
    clock = time.perf_counter()
    vertices, faces = normalise(clean, "area"), clean.faces
    edges = directed_edges(faces)
    laplacian, mass = plain.laplacian_and_mass(vertices, faces, edges)
    values, vectors = plain.eigenbasis(laplacian, mass, SETTINGS.k)
    frames = tangent_frames(vertex_normals(vertices, faces))
    gradients = plain.gradient_matrices(vertices, edges, frames)
    pre = time.perf_counter() - clock

    place = find_device(device)
    weights = {
        name: torch.nn.Parameter(torch.as_tensor(value).to(place))
        for name, value in fresh_weights(ARCHITECTURE).items()
    }
    optimiser = torch.optim.Adam(weights.values(), lr=1e-3)
    dense = (mass, values, vectors)
    matrices = [*map(plain.tensor, dense), *map(plain.sparse_tensor, gradients)]
    matrices = [matrix.to(place) for matrix in matrices]
    shape = Discretization(
        vertices.astype(np.float32), faces, mass, laplacian, values, vectors, *gradients, mass
    )
    target = torch.zeros(len(vertices), dtype=torch.int64, device=place)

    def outputs() -> torch.Tensor:
        features = plain.tensor(input_features(shape, FEATURES)).to(place)
        return plain.network(weights, ARCHITECTURE.blocks, *matrices, features)

    def train() -> None:
        optimiser.zero_grad()
        loss = torch.nn.functional.cross_entropy(outputs(), target)
        loss.backward()
        optimiser.step()
        loss.item()

    def infer() -> None:
        with torch.no_grad():
            outputs().argmax(dim=1).cpu()

    return {"pre": pre, "train": _seconds(train, repeats), "infer": _seconds(infer, repeats)}


def _ours(name: str, surface: Surface, device: str, repeats: int) -> dict[str, float]:
    row = ROWS[name]
    clock = time.perf_counter()
    prepared = prepare(surface, SETTINGS, exact=True)
    pre = time.perf_counter() - clock
    shape = prepared.discretization
    module = DiffusionNet(row.architecture, TorchEngine(device))
    settings = TrainingSettings(steps=sys.maxsize, half_precision=row.half, report_every=1)
    trainer = Trainer(module, FEATURES, None, settings)
    if row.fused:
        trainer.optimiser = torch.optim.AdamW(module.parameters(), lr=1e-3, fused=True)
    example = [LabelledShape(shape, np.zeros(len(shape.vertices), np.int64))]

    def train() -> None:
        trainer.run(example, report=_stop)

    weights = trainer.averaged_weights()

    def infer() -> None:
        network_outputs(row.architecture, weights, FEATURES, shape, module.engine).argmax(axis=1)

    return {
        "pre": pre,
        "train": _seconds(lambda: _one_step(train), repeats),
        "infer": _seconds(infer, repeats),
    }


class _OneStep(Exception):
    """Enough of a training."""


def _stop(*_: float) -> None:
    raise _OneStep


def _one_step(train: Callable[[], None]) -> None:
    try:
        train()
    except _OneStep:
        pass


def _seconds(work: Callable[[], None], repeats: int) -> float:
    """Median of several runs by the clock, after one that is not counted."""
    began, seconds = time.perf_counter(), []
    for _ in range(repeats + 1):
        clock = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - clock)
        if time.perf_counter() - began > ENOUGH:
            break
    return median(seconds[1:] or seconds)


def _forget_peak(device: str) -> None:
    if device == "cpu":
        reset_peak()
    else:
        torch.cuda.reset_peak_memory_stats()


def _peak(device: str) -> int:
    return peak_memory() or 0 if device == "cpu" else torch.cuda.max_memory_allocated()


def run(device: str, sizes: list[int], names: list[str]) -> None:
    """Measure rows, a process each, and keep what each found."""
    for size in sizes:
        meshes.mesh_path("body", size)
        for name in names:
            if name != PUBLISHED and size not in ROWS[name].sizes:
                continue
            command = ["-m", "experiments.runtime", "one", name, str(size), "--device", device]
            try:
                done = subprocess.run(
                    [sys.executable, *command], capture_output=True, text=True, timeout=LONGEST
                )
            except subprocess.TimeoutExpired:
                found = {"error": f"over {LONGEST:.0f} s"}
            else:
                last = (done.stdout.strip().splitlines() or ["{}"])[-1]
                failed = done.returncode or not last.startswith("{")
                found = {"error": (done.stderr.strip() or last)[-300:]} if failed else None
                found = found or json.loads(last)
            print(device, name, size, found, flush=True)
            results.keep("runtime", f"{device}, {name}, {size}", found)
    described = machine.describe() | {"threads": str(torch.get_num_threads())}
    if device != "cpu":
        described["device"] = torch.cuda.get_device_name()
    results.keep("runtime", f"machine of {device}", described)


def tables(found: dict) -> str:
    """What was measured, in Markdown: a table for each device."""
    pieces = []
    for device, title in DEVICES.items():
        described = found.get(f"machine of {device}")
        if described is None:
            continue
        rows = [row for size in SIZES for row in _rows_of(found, device, size)]
        machine_text = ", ".join(f"{key} {value}" for key, value in described.items())
        pieces += [f"### {title}", table(HEADER, rows), f"Machine: {machine_text}."]
    return "\n\n".join(pieces)


def _rows_of(found: dict, device: str, size: int) -> list[list[str]]:
    """Rows of one size: the paper's, the published way, and ours as multiples of its speed."""
    rows = []
    for name, times in PAPER.items():
        if size in times:
            title = "spectral" if name == PUBLISHED else name
            rows.append(
                [f"{size:,}", f"paper, {title}", *(_time(t / 1000) for t in times[size]), ""]
            )
    plain_way = found.get(f"{device}, {PUBLISHED}, {size}", {})
    for name in (PUBLISHED, *ROWS):
        one = found.get(f"{device}, {name}, {size}")
        if one is None:
            continue
        if "error" in one:
            cells = ["failed", "", "", ""]
        else:
            cells = [_time(one[what]) for what in MEASURED]
            if name != PUBLISHED and "pre" in plain_way:
                ratios = [plain_way[what] / one[what] for what in MEASURED]
                cells = [f"{c} ({r:.1f}x)" for c, r in zip(cells, ratios, strict=True)]
            cells.append(f"{one['memory'] / 1e6:,.0f} MB")
        rows.append([f"{size:,}", name if name == PUBLISHED else f"ours, {name}", *cells])
    return rows


def _time(seconds: float) -> str:
    return f"{1000 * seconds:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"


@plain_errors
def main() -> None:
    """Measure, or write the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    steps = parser.add_subparsers(dest="step", required=True)
    all_rows = [PUBLISHED, *ROWS]
    measure = steps.add_parser("run", help="measure rows, a process each")
    measure.add_argument("--device", default="cpu", help="cpu or cuda")
    measure.add_argument("--sizes", type=int, nargs="+", default=list(SIZES), choices=SIZES)
    measure.add_argument("--rows", nargs="+", default=all_rows, choices=all_rows)
    one = steps.add_parser("one", help="measure one row in this process, and print it as JSON")
    one.add_argument("row", choices=all_rows)
    one.add_argument("size", type=int)
    one.add_argument("--device", default="cpu")
    steps.add_parser("write", help="write the tables into docs/paper.md")
    chosen = parser.parse_args()
    if chosen.step == "write":
        results.write("runtime", tables(results.kept("runtime")))
        return
    if chosen.device != "cpu" and not torch.cuda.is_available():
        raise DiffusionNetError(
            "torch finds no CUDA here", "Install a build of torch with CUDA, or measure the CPU."
        )
    if chosen.step == "run":
        run(chosen.device, chosen.sizes, chosen.rows)
    else:
        print(json.dumps(measured(chosen.row, chosen.size, chosen.device)))


if __name__ == "__main__":
    main()
