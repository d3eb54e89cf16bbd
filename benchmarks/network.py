"""The network's speed as a share of the machine's own matrix products, measured in one run.

Counted are the dense products of a forward pass; what else there is to do (sparse products, tanh,
copies) takes time and counts for nothing. The peak is that of one large product in single precision
by the same library. The basis is random: speed does not depend on what it holds.

python -m benchmarks.network 10000 50000 [--width 128] [--k 128] [--repeats 5]
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from importlib.util import find_spec
from time import perf_counter

import numpy as np

from benchmarks import meshes
from diffusionnet_blender.network.architecture import Architecture
from diffusionnet_blender.network.forward import forward
from diffusionnet_blender.network.numpy_engine import NumpyEngine
from diffusionnet_blender.network.shape import Shape, shape_of
from diffusionnet_blender.surface.discretization import Discretization, normalise
from diffusionnet_blender.surface.edges import directed_edges
from diffusionnet_blender.surface.frames import tangent_frames
from diffusionnet_blender.surface.gradient import gradient_matrices
from diffusionnet_blender.surface.surface import Surface
from diffusionnet_blender.surface.winding import vertex_normals

# Rows and columns of the large product.
PEAK_SIZE = 2048


def dense_flops(architecture: Architecture, vertex_count: int, k: int) -> int:
    """Floating point operations of the dense products in one forward pass."""
    shapes = architecture.weight_shapes()
    a_vertex = sum(2 * np.prod(shape) for name, shape in shapes.items() if name.endswith("weight"))
    # Both halves of the gradient meet both halves of A.
    a_vertex += sum(4 * np.prod(shape) for name, shape in shapes.items() if "gradient_" in name)
    a_vertex += architecture.blocks * 2 * (2 * k * architecture.width)
    return int(a_vertex) * vertex_count


def shape_with_random_basis(size: int, k: int) -> Discretization:
    """A body's gradient matrices with a basis that was drawn."""
    with np.load(meshes.mesh_path("body", size)) as mesh:
        surface = Surface(mesh["vertices"], mesh["faces"])
    vertices = normalise(surface, "area")
    frames = tangent_frames(vertex_normals(vertices, surface.faces))
    gradient = gradient_matrices(vertices, directed_edges(surface.faces), frames)
    rng, count = np.random.default_rng(0), len(vertices)
    return Discretization(
        vertices=vertices.astype(np.float32),
        faces=surface.faces,
        mass=np.full(count, 1.0 / count, dtype=np.float32),
        laplacian=None,
        eigenvalues=np.linspace(0.0, 1000.0, k, dtype=np.float32),
        eigenvectors=rng.standard_normal((count, k), dtype=np.float32),
        gradient_x=gradient[0].astype(np.float32),
        gradient_y=gradient[1].astype(np.float32),
        part=np.zeros(count, dtype=np.int32),
    )


def fastest(work: Callable[[], None], repeats: int) -> float:
    """Least seconds of several runs: the others were disturbed."""
    seconds = []
    for _ in range(repeats):
        clock = perf_counter()
        work()
        seconds.append(perf_counter() - clock)
    return min(seconds)


def share_of_peak(
    engine, architecture: Architecture, discretization: Discretization, repeats: int = 5
) -> dict[str, float]:
    """Speed of one engine.

    Returns
    -------
    dict
        "seconds" of a forward pass, "network" and "peak" in GFLOP/s, and "share" of the peak.
    """
    rng = np.random.default_rng(0)
    weights = {
        name: engine.array(rng.uniform(0.0, 1.0, size) / size[-1])
        for name, size in architecture.weight_shapes().items()
    }
    shape: Shape = shape_of(discretization, engine)
    count, k = discretization.eigenvectors.shape
    features = engine.array(rng.standard_normal((count, architecture.inputs)))
    square = engine.array(rng.standard_normal((PEAK_SIZE, PEAK_SIZE)))

    def network():
        engine.to_numpy(forward(architecture, weights, shape, features, engine))

    with engine.inference():
        network()
        seconds, peak = np.inf, np.inf
        # By turns, so that both see the machine as busy.
        for _ in range(repeats):
            seconds = min(seconds, fastest(network, 1))
            peak = min(peak, fastest(lambda: engine.to_numpy((square @ square)[:1]), 1))
    speed = dense_flops(architecture, count, k) / seconds / 1e9
    top = 2 * PEAK_SIZE**3 / peak / 1e9
    return {"seconds": seconds, "network": speed, "peak": top, "share": speed / top}


def main() -> None:
    """Print one row for each size and engine."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sizes", type=int, nargs="*", default=[10_000, 50_000])
    parser.add_argument("--width", type=int, default=128)
    parser.add_argument("--k", type=int, default=128)
    parser.add_argument("--repeats", type=int, default=5)
    arguments = parser.parse_args()
    engines = [NumpyEngine()]
    if find_spec("torch"):
        from diffusionnet_blender.network.torch_engine import TorchEngine

        engines.append(TorchEngine("cpu"))
    architecture = Architecture(inputs=16, outputs=20, width=arguments.width)
    print(f"{'vertices':>9} {'engine':7}{'seconds':>9}{'GFLOP/s':>9}{'peak':>7}{'share':>8}")
    for size in arguments.sizes:
        discretization = shape_with_random_basis(size, arguments.k)
        for engine in engines:
            found = share_of_peak(engine, architecture, discretization, arguments.repeats)
            print(
                f"{len(discretization.mass):9,} {engine.name:7}{found['seconds']:9.3f}"
                f"{found['network']:9.0f}{found['peak']:7.0f}{found['share']:8.0%}",
                flush=True,
            )


if __name__ == "__main__":
    main()
