"""One of the two shapes of a match: mended, as a proxy, with what its places are known by."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ...errors import DiffusionNetError
from ...matching.parts import Parts, split_parts
from ...matching.pointwise import nearest_rows
from ...matching.proxy import decimate
from ...matching.spectral import SpectralMesh, spectral_mesh
from ...network.checkpoint import Model
from ...network.features import input_features
from ...network.forward import forward, mirrored_weights
from ...network.shape import shape_of
from ...surface.discretization import Discretization, discretize, truncated
from ...surface.repair import repair
from ...surface.repair_report import RepairReport
from ...surface.settings import DEFAULT_SETTINGS
from ...surface.signatures import wave_kernel_signature
from ...surface.surface import Surface
from ..clock import Clock

# Meshes are matched with no more vertices than this; dense ones by a proxy of as many.
PROXY_VERTICES = 4500
# Eigenpairs: those that a map is refined to.
MAP_SIZE = 160
# Energies of the wave kernel signature where no model knows the shapes, of so many eigenpairs.
ENERGIES = 64
SIGNATURE_PAIRS = 100
# What the largest part of a shape must have for a map to mean anything.
FEWEST_VERTICES = 40


@dataclass(frozen=True, eq=False)
class Side:
    """As handed in, mended, its proxy, and what that has.

    Attributes
    ----------
    given, surface, proxy : Surface
        As handed in; mended; its largest part with few vertices.
    parts : Parts
    clean_vertex : (V,) int
        Vertex of the mended surface that each given one is.
    report : RepairReport
    matrices : Discretization
        Of the proxy, as are `mesh` and `features`.
    mesh : SpectralMesh
    features : (V_proxy, d) float
    pins, pinned : (P,) int
        Vertices of the proxy, and of the mended surface.
    """

    given: Surface
    surface: Surface
    parts: Parts
    clean_vertex: np.ndarray
    report: RepairReport
    proxy: Surface
    matrices: Discretization
    mesh: SpectralMesh
    features: np.ndarray
    pins: np.ndarray
    pinned: np.ndarray


def prepare_side(
    given: Surface, pins: np.ndarray, model: Model | None, runner, clock: Clock, name: str
) -> Side:
    """Mend a surface, make its proxy, and find the features of its places.

    Parameters
    ----------
    given : Surface
    pins : (P,) int
    model : Model, optional
        Without one, features are wave kernel signatures.
    runner : NumpyEngine or TorchEngine
    clock : Clock
    name : str
        What messages call it.

    Raises
    ------
    SurfaceError
        If the geometry cannot be used.
    DiffusionNetError
        If it is too small.
    """
    clock.start("repair")
    repaired = repair(given)
    if len(repaired.surface.vertices) < FEWEST_VERTICES:
        raise DiffusionNetError(
            f"The {name} has only {len(repaired.surface.vertices)} vertices",
            f"A map needs at least {FEWEST_VERTICES}; subdivide it.",
        )
    clock.stop("repair")
    clock.start("proxy")
    parts = split_parts(repaired.surface)
    proxy = decimate(parts.main, PROXY_VERTICES)
    clock.stop("proxy")
    tell = clock.start("eigenbasis")
    settings = DEFAULT_SETTINGS if model is None else model.card.discretization
    found = discretize(
        proxy,
        replace(settings, k=max(MAP_SIZE, settings.k)),
        lambda stage, fraction: tell(fraction if stage == "eigenbasis" else 0.0),
    )
    clock.stop("eigenbasis")
    clock.start("features")
    mesh = spectral_mesh(found)
    if model is None:
        features = _signatures(mesh)
    else:
        features = vertex_features(model, truncated(found, settings.k), runner)
    clock.stop("features")
    pins = repaired.clean_vertex[pins]
    on_proxy = pins
    if proxy is not repaired.surface:
        on_proxy = nearest_rows(proxy.vertices, repaired.surface.vertices[pins])
    return Side(
        given=given,
        surface=repaired.surface,
        parts=parts,
        clean_vertex=repaired.clean_vertex,
        report=repaired.report,
        proxy=proxy,
        matrices=found,
        mesh=mesh,
        features=features,
        pins=on_proxy,
        pinned=pins,
    )


def _signatures(mesh: SpectralMesh) -> np.ndarray:
    """Wave kernel signatures, each energy relative to its mean over the surface."""
    pairs = slice(0, SIGNATURE_PAIRS)
    signature = wave_kernel_signature(
        mesh.eigenvalues[pairs], mesh.eigenvectors[:, pairs], ENERGIES
    )
    return signature / (mesh.mass @ signature)


def vertex_features(model: Model, discretization: Discretization, engine) -> np.ndarray:
    """Features of a network at vertices, rows of unit length, (V, 2 outputs) float32.

    Those of the surface, and those of its image in a mirror, which another pass of the network
    gives (`forward.mirrored_weights`): two opinions of each place.

    Parameters
    ----------
    model : Model
    discretization : Discretization
    engine : NumpyEngine or TorchEngine
    """
    inputs = engine.array(input_features(discretization, model.card.features))
    shape = shape_of(discretization, engine)
    found = []
    for weights in (model.weights, mirrored_weights(model.weights)):
        weights = {name: engine.array(value) for name, value in weights.items()}
        with engine.inference():
            raw = engine.to_numpy(forward(model.card.architecture, weights, shape, inputs, engine))
        length = np.linalg.norm(raw, axis=1, keepdims=True)
        found.append(raw / np.maximum(length, np.finfo(np.float32).tiny))
    return (np.concatenate(found, axis=1) / np.sqrt(2.0)).astype(np.float32)
