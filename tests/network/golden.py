"""The published implementation's operators and outputs, where they are at hand."""

import json
from pathlib import Path

import numpy as np
import pytest
from scipy.sparse import coo_matrix

from diffusionnet_blender.network.published import architecture_of, rename_published
from diffusionnet_blender.surface.discretization import Discretization

SHARED = Path(__file__).parents[3] / "shared"
GOLDEN = SHARED / "golden"
PUBLISHED = SHARED / "published_weights"
SHAPES = ("body", "bumpy_sphere", "open_cap", "cloud")
CONFIGURATIONS = (
    "spectral",
    "no_gradient",
    "real_gradient",
    "implicit",
    "global_mean",
    "wide_mlp",
    "faces",
    "edges",
)
# A point cloud has no faces or edges to give outputs at.
CASES = [
    (shape, configuration)
    for shape in SHAPES
    for configuration in CONFIGURATIONS
    if shape != "cloud" or configuration not in ("faces", "edges")
]
_OUTPUT_AT = {"global_mean": "shape", "faces": "faces", "edges": "edges"}

needs_golden = pytest.mark.skipif(
    not GOLDEN.exists(), reason="the fixtures of the published implementation are not here"
)
needs_published_weights = pytest.mark.skipif(
    not PUBLISHED.exists(), reason="the published weights are not here"
)


def load(shape: str):
    """The fixture's arrays."""
    return np.load(GOLDEN / f"{shape}.npz")


def sparse(fixture, name: str):
    """One of its matrices."""
    count = len(fixture["vertices"])
    index = (fixture[f"{name}_row"], fixture[f"{name}_col"])
    return coo_matrix((fixture[f"{name}_data"], index), (count, count)).tocsr()


def discretization(fixture) -> Discretization:
    """Its operators, in double precision."""
    return Discretization(
        vertices=fixture["normalized"],
        faces=fixture["faces"],
        mass=fixture["mass"],
        laplacian=sparse(fixture, "L"),
        eigenvalues=fixture["evals"],
        eigenvectors=fixture["evecs"],
        gradient_x=sparse(fixture, "gradX"),
        gradient_y=sparse(fixture, "gradY"),
        part=np.zeros(len(fixture["vertices"]), dtype=np.int32),
    )


def network(fixture, configuration: str):
    """Architecture, weights, corners and expected output of one configuration."""
    prefix = f"net/{configuration}/weight/"
    weights = rename_published(
        {name[len(prefix) :]: fixture[name] for name in fixture.files if name.startswith(prefix)}
    )
    told = json.loads((GOLDEN / "configs.json").read_text())[configuration]
    architecture = architecture_of(
        weights,
        _OUTPUT_AT.get(told.get("outputs_at"), "vertices"),
        "implicit" if told.get("diffusion_method") == "implicit_dense" else "spectral",
    )
    corners = {
        "faces": fixture["faces"],
        "edges": fixture["edges"] if "edges" in fixture.files else None,
    }
    return (
        architecture,
        weights,
        corners.get(architecture.output_at),
        fixture[f"net/{configuration}/output"],
    )
