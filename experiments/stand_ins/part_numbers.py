"""The numbers of the benchmark's eight parts, which nothing documents.

They are the assignment that fits best to what the published weights find on synthetic bodies: both
of them, of HKS and of positions, find at least two thirds of each part under one number.

python -m experiments.stand_ins.part_numbers WEIGHTS.pth
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from scipy.optimize import linear_sum_assignment

from diffusionnet_blender.network.torch_engine import TorchEngine
from diffusionnet_blender.surface.prepare import prepare
from diffusionnet_blender.surface.surface import Surface
from training.bodies import sample_body
from training.commands import plain_errors
from training.documents import percent
from training.remesh import decimate, keep_skin

from ..human_parts import SETTINGS, published
from ..measure import outputs
from .human_benchmark import NUMBER, PARTS

BODIES, VERTICES = 20, 4000


def found_beside_ours(weights: Path, bodies: int = BODIES) -> np.ndarray:
    """How many vertices of each part of ours (rows) the weights give each number, (8, 8) int."""
    network, engine = published(weights, "vertices"), TorchEngine("cpu")
    counts = np.zeros((len(PARTS), len(PARTS)), int)
    for seed in range(bodies):
        body = decimate(keep_skin(sample_body(seed)), VERTICES)
        prepared = prepare(Surface(body.vertices, body.faces), SETTINGS, exact=True)
        scores = outputs(network.architecture, network.weights, network.features, prepared, engine)
        np.add.at(counts, (NUMBER[body.labels], scores.argmax(axis=1)), 1)
    return counts


@plain_errors
def main() -> None:
    """Print what was found, and the assignment."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("weights", type=Path)
    counts = found_beside_ours(parser.parse_args().weights)
    shares = counts / counts.sum(axis=1, keepdims=True)
    for part, row, number in zip(PARTS, shares, linear_sum_assignment(-shares)[1], strict=True):
        print(f"{part:10} {number}  {' '.join(f'{percent(share):>6}' for share in row)}")


if __name__ == "__main__":
    main()
