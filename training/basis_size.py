"""How many eigenpairs a body-part network needs: accuracy and time at several k (paper, Figure 13).

Each network is trained and measured alike, on the same bodies; only the basis that it diffuses
and takes its heat kernel signature in is cut shorter.

python -m training.basis_size [--sizes 32 64 96 128] [--bodies 800] [--steps 4000]
"""

from __future__ import annotations

import argparse
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from diffusionnet_blender.network.architecture import Architecture
from diffusionnet_blender.network.card import FEATURE_WIDTHS
from diffusionnet_blender.network.features import input_features
from diffusionnet_blender.network.forward import forward
from diffusionnet_blender.network.numpy_engine import NumpyEngine
from diffusionnet_blender.network.shape import shape_of
from diffusionnet_blender.surface.discretization import Discretization, discretize
from diffusionnet_blender.surface.repair import repair
from diffusionnet_blender.surface.settings import DiscretizationSettings
from diffusionnet_blender.surface.surface import Surface
from training.bodies import PART_NAMES, sample_body
from training.body_parts import FEATURES, HELD_OUT, MIRRORED, RUN, load, make_data


def truncated(discretization: Discretization, k: int) -> Discretization:
    """The same shape with its first k eigenpairs only."""
    return replace(
        discretization,
        eigenvalues=discretization.eigenvalues[:k],
        eigenvectors=np.ascontiguousarray(discretization.eigenvectors[:, :k]),
    )


def trained_weights(architecture: Architecture, shapes: list, steps: int, checkpoint: Path):
    """Weights after so many steps, all else as for the bundled model."""
    import torch

    from diffusionnet_blender.network.module import DiffusionNet
    from diffusionnet_blender.network.torch_engine import TorchEngine
    from diffusionnet_blender.network.training import Trainer, TrainingSettings

    torch.set_num_threads(1)
    torch.manual_seed(0)
    module = DiffusionNet(architecture, TorchEngine("auto"))
    trainer = Trainer(module, FEATURES, MIRRORED, TrainingSettings(steps=steps))
    if checkpoint.exists():
        trainer.resume(checkpoint)
    trainer.run(shapes, checkpoint)
    return trainer.averaged_weights()


def precompute_seconds(k: int, repeats: int = 5) -> float:
    """CPU seconds that the matrices of a body take as it is generated, 13,718 vertices."""
    body = sample_body(HELD_OUT)
    surface = repair(Surface(body.vertices, body.faces)).surface
    times = []
    for _ in range(repeats):
        clock = time.process_time()
        discretize(surface, DiscretizationSettings(k=k))
        times.append(time.process_time() - clock)
    return float(np.median(times))


def accuracy(architecture: Architecture, weights: dict, k: int, count: int) -> float:
    """Share of the area of held-out bodies that is labelled right."""
    engine = NumpyEngine()
    right = []
    for seed in range(HELD_OUT, HELD_OUT + count):
        example = load(seed)
        shape = truncated(example.discretization, k)
        features = input_features(shape, FEATURES)
        outputs = forward(architecture, weights, shape_of(shape, engine), features, engine)
        found = outputs.argmax(axis=1)
        right.append(np.average(found == example.labels, weights=shape.mass))
    return float(np.mean(right))


def main() -> None:
    """Print one line for each size."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=(32, 64, 96, 128))
    parser.add_argument("--bodies", type=int, default=800)
    parser.add_argument("--held-out", type=int, default=100)
    parser.add_argument("--steps", type=int, default=4000)
    arguments = parser.parse_args()
    make_data(range(arguments.bodies), 2)
    make_data(range(HELD_OUT, HELD_OUT + arguments.held_out), 2)
    architecture = Architecture(
        inputs=sum(FEATURE_WIDTHS[feature] for feature in FEATURES),
        outputs=len(PART_NAMES),
        width=96,
        dropout=0.1,
    )
    loaded = [load(seed) for seed in range(arguments.bodies)]
    for k in arguments.sizes:
        shapes = [replace(s, discretization=truncated(s.discretization, k)) for s in loaded]
        checkpoint = RUN / f"basis_size-{k}-{arguments.bodies}-{arguments.steps}.pt"
        weights = trained_weights(architecture, shapes, arguments.steps, checkpoint)
        right = accuracy(architecture, weights, k, arguments.held_out)
        print(
            f"k {k:4d}  accuracy {right:.4f}  precompute {precompute_seconds(k):.2f} s", flush=True
        )


if __name__ == "__main__":
    main()
