"""One of the two shapes of a match: repaired, as a proxy, with its eigenbasis and features."""

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

# Most vertices of a mesh that is matched; a denser one has a proxy of as many.
PROXY_VERTICES = 4500
# Eigenpairs of a refined map.
MAP_SIZE = 160
# Energies of the wave kernel signature without a model, of so many eigenpairs.
ENERGIES = 64
SIGNATURE_PAIRS = 100
# Of the largest part of a shape, for a map to mean anything.
FEWEST_VERTICES = 40


@dataclass(frozen=True, eq=False)
class Side:
    """A shape as given, repaired, and its proxy with matrices and features.

    Attributes
    ----------
    given, surface, proxy : Surface
        As given; repaired; its largest part, decimated.
    parts : Parts
    clean_vertex : (V,) int
        Vertex of the repaired surface that each given one is.
    report : RepairReport
    matrices : Discretization
        Of the proxy, as are `mesh` and `features`.
    mesh : SpectralMesh
    features : (V_proxy, d) float
    pins, pinned : (P,) int
        Vertices of the proxy, and of the repaired surface.
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
    """Repair a surface, decimate it, and compute its eigenbasis and features.

    Parameters
    ----------
    given : Surface
    pins : (P,) int
    model : Model, optional
        Without one, features are wave kernel signatures.
    runner : NumpyEngine or TorchEngine
    clock : Clock
    name : str
        Of the side, for messages.

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
    report = clock.start("eigenbasis")
    settings = DEFAULT_SETTINGS if model is None else model.card.discretization
    matrices = discretize(
        proxy,
        replace(settings, k=max(MAP_SIZE, settings.k)),
        lambda stage, fraction: report(fraction if stage == "eigenbasis" else 0.0),
    )
    clock.stop("eigenbasis")
    clock.start("features")
    mesh = spectral_mesh(matrices)
    if model is None:
        features = _signatures(mesh)
    else:
        features = vertex_features(model, truncated(matrices, settings.k), runner)
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
        matrices=matrices,
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

    Those of the surface beside those of its mirror image, by another pass of the network
    (`forward.mirrored_weights`).

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
