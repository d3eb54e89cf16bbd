"""How many eigenpairs a body-part network needs: accuracy and time at several k (paper, Figure 13).

Each network is trained and measured alike, on the same bodies; only the basis that it diffuses
and takes its heat kernel signature in is cut shorter.

python -m training.basis_size [--sizes 32 64 96 128] [--bodies 800] [--steps 4000]
"""

from __future__ import annotations

import argparse
import time
from concurrent.futures import ProcessPoolExecutor
from itertools import repeat

import numpy as np

from diffusionnet_blender.network.architecture import Architecture
from diffusionnet_blender.network.features import input_width
from diffusionnet_blender.network.training import LabelledShape
from diffusionnet_blender.surface.discretization import discretize
from diffusionnet_blender.surface.prepare import prepare
from diffusionnet_blender.surface.repair import repair
from diffusionnet_blender.surface.settings import DiscretizationSettings
from diffusionnet_blender.surface.surface import Surface
from training.bodies import FIRST_HELD_OUT_SEED, sample_body
from training.body_parts import RUN
from training.examples import sample_example
from training.parts import PART_NAMES, PART_OF_FINE
from training.trials import FEATURES, measured, trained_weights, truncated


def labelled(seed: int, k: int) -> LabelledShape:
    """A figure of the training set with k eigenpairs."""
    example = sample_example(seed)
    prepared = prepare(example.surface, DiscretizationSettings(k=k))
    return LabelledShape(prepared.discretization, PART_OF_FINE[example.fine[prepared.user_vertex]])


def precompute_seconds(k: int, repeats: int = 5) -> float:
    """CPU seconds that the matrices of a body take as it is generated, 13,718 vertices."""
    body = sample_body(FIRST_HELD_OUT_SEED)
    surface = repair(Surface(body.vertices, body.faces)).surface
    times = []
    for _ in range(repeats):
        clock = time.process_time()
        discretize(surface, DiscretizationSettings(k=k))
        times.append(time.process_time() - clock)
    return float(np.median(times))


def main() -> None:
    """Print one line for each size."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=(32, 64, 96, 128))
    parser.add_argument("--bodies", type=int, default=800)
    parser.add_argument("--held-out", type=int, default=100)
    parser.add_argument("--steps", type=int, default=4000)
    arguments = parser.parse_args()
    architecture = Architecture(
        inputs=input_width(FEATURES),
        outputs=len(PART_NAMES),
        width=96,
        dropout=0.1,
    )
    most = max(arguments.sizes)
    held_out = range(FIRST_HELD_OUT_SEED, FIRST_HELD_OUT_SEED + arguments.held_out)
    with ProcessPoolExecutor(2) as pool:
        learnt = list(pool.map(labelled, range(arguments.bodies), repeat(most), chunksize=8))
        unseen = list(pool.map(labelled, held_out, repeat(most), chunksize=8))
    RUN.mkdir(parents=True, exist_ok=True)
    for k in arguments.sizes:
        shapes, examples = ([truncated(shape, k) for shape in part] for part in (learnt, unseen))
        checkpoint = RUN / f"basis_size-{k}-{arguments.bodies}-{arguments.steps}.pt"
        weights = trained_weights(architecture, shapes, arguments.steps, checkpoint)
        right = measured(architecture, weights, examples).right
        print(
            f"k {k:4d}  accuracy {right:.4f}  precompute {precompute_seconds(k):.2f} s", flush=True
        )


if __name__ == "__main__":
    main()
