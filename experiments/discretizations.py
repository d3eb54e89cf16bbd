"""Discretization agnostic learning (paper 5.4, Table 5, Figures 3 and 11).

python -m experiments.stand_ins.remeshings FOLDER      bodies of our own in that layout
python -m experiments.discretizations run --data FOLDER --cache FOLDER [--networks NAME ...]
python -m experiments.discretizations draw --data FOLDER --cache FOLDER     the picture of bodies
python -m experiments.discretizations write

Networks of as many weights learn on the same bodies of one connectivity, for as many steps, which
vertex of a template each vertex is. They are measured on unseen bodies in that connectivity,
remeshed, and as points. Stopped, a training goes on from its checkpoint.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import torch

from diffusionnet_blender.errors import DiffusionNetError
from diffusionnet_blender.surface.surface import Surface
from training.commands import plain_errors

from . import results
from .baselines import GraphNetwork, PointNetwork
from .discretization_figures import THRESHOLDS, draw_bodies, draw_curves, tables
from .layouts import remeshed
from .template_labels import Data, Labelling

NAME = "discretizations"
NETWORKS = {
    "DiffusionNet, xyz": Labelling(("xyz",)),
    "DiffusionNet, hks": Labelling(("hks",)),
    "graph convolutions, xyz": Labelling(("xyz",), GraphNetwork),
    "pooling over all points, xyz": Labelling(("xyz",), PointNetwork),
}
# Those that see edges have nothing to see in a cloud, as in the paper's table.
NEEDS_EDGES = ("graph convolutions, xyz",)
# Whose labels are drawn, as in Figure 3.
SHOWN = ("DiffusionNet, xyz", "graph convolutions, xyz")


def folder_of(name: str, data: Data, cache: Path) -> Path:
    """Where a network has its checkpoint."""
    return cache / "runs" / f"{NAME}-{data.name}-{name}-{NETWORKS[name].epochs}-epochs"


def kinds_for(name: str) -> list[str]:
    """What a network can be measured on."""
    return [kind for kind in remeshed.KINDS if kind != "cloud" or name not in NEEDS_EDGES]


def run(name: str, data: Data, cache: Path, hours: float | None) -> dict[str, Any] | None:
    """Train a network and measure it on every kind; None where time was up before its end."""
    labelling = NETWORKS[name]
    course = labelling.train(data, folder_of(name, data, cache), hours)
    if not course.finished:
        return None
    weights = course.trainer.averaged_weights()
    found: dict[str, Any] = {"mean": {}, "within": {}}
    for kind in kinds_for(name):
        errors = labelling.errors(weights, data, kind)
        found["mean"][kind] = round(float(errors.mean()), 3)
        found["within"][kind] = [round(float(np.mean(errors <= most)), 4) for most in THRESHOLDS]
    print(name, found["mean"], flush=True)
    return {
        "data": data.described,
        "epochs": labelling.epochs,
        "width": labelling.width,
        "weights": sum(weight.size for weight in weights.values()),
        "hours": round(course.curve[-1].hours, 4),
        **found,
    }


def shown(name: str, data: Data, cache: Path) -> dict[str, tuple[Surface, np.ndarray]]:
    """Of each kind the first body of the test split and the labels that a network gives it.

    Raises
    ------
    DiffusionNetError
        If the network has not been trained to the end.
    """
    course = NETWORKS[name].course(data, folder_of(name, data, cache))
    if not course.finished:
        raise DiffusionNetError(
            f"{name} is not trained on {data.folder} yet", "Run the command with `run` first."
        )
    weights, found = course.trainer.averaged_weights(), {}
    for kind in kinds_for(name):
        labels, _ = next(NETWORKS[name].labels(weights, data, kind, 1))
        found[kind] = next(remeshed.read(data.folder, "test", kind)).surface, labels
    return found


def true_labels(data: Data) -> dict[str, tuple[Surface, np.ndarray]]:
    """The same bodies with their own labels."""
    bodies = {kind: next(remeshed.read(data.folder, "test", kind)) for kind in remeshed.KINDS}
    return {kind: (body.surface, np.asarray(body.labels)) for kind, body in bodies.items()}


@plain_errors
def main() -> None:
    """Train and measure what is not measured yet, or write table and figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("step", choices=("run", "draw", "write"))
    parser.add_argument("--data", type=Path, help="folder of registrations and remeshed versions")
    parser.add_argument("--cache", type=Path, help="folder for matrices and checkpoints, 2 GB")
    parser.add_argument("--networks", nargs="+", choices=list(NETWORKS), default=list(NETWORKS))
    parser.add_argument("--hours", type=float, help="stop a training after so many by the clock")
    parser.add_argument("--processes", type=int, default=1, help="that make matrices")
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    if chosen.step == "write":
        found = results.kept(NAME)
        if found:
            draw_curves(found)
        results.write(NAME, tables(found))
        return
    if chosen.data is None or chosen.cache is None:
        parser.error(f"{chosen.step} needs --data and --cache")
    data = Data(chosen.data, chosen.cache, chosen.processes)
    if chosen.step == "draw":
        rows = {name: shown(name, data, chosen.cache) for name in SHOWN}
        draw_bodies(data.template, {"truth": true_labels(data), **rows})
        return
    for name in chosen.networks:
        # What is kept of other data, or of another length, is measured again.
        kept, epochs = results.kept(NAME).get(name, {}), NETWORKS[name].epochs
        if (kept.get("data"), kept.get("epochs")) != (data.described, epochs):
            measured = run(name, data, chosen.cache, chosen.hours)
            if measured is not None:
                results.keep(NAME, name, measured)


if __name__ == "__main__":
    main()
