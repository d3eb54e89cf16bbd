"""Source or target of a match: repaired surface, proxy, eigenbasis and features."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ...errors import DiffusionNetError
from ...matching.limbs.parted import PartedMesh
from ...matching.parts import Parts
from ...matching.pointwise import nearest_rows
from ...matching.spectral import SpectralMesh, spectral_mesh
from ...network.checkpoint import Model
from ...network.engine import Engine
from ...network.features import FRAME, input_features, with_frame
from ...network.forward import forward, mirrored_weights
from ...network.shape import shape_of
from ...surface.discretization import Discretization, discretize, truncated
from ...surface.repair import RepairedSurface
from ...surface.repair_report import RepairReport
from ...surface.settings import DEFAULT_SETTINGS
from ...surface.signatures import wave_kernel_signature
from ...surface.surface import Surface
from ..clock import Clock
from ..inference import require_finite_outputs
from .body import BodyParts
from .main_part import MainPart, main_part

# Eigenpairs of a refined map.
MAP_SIZE = 160
# Energies of the wave kernel signature, and the eigenpairs that it is computed from.
ENERGIES = 64
SIGNATURE_PAIRS = 100
# Fewest vertices of a shape: with fewer its spectrum is that of the triangulation.
FEWEST_VERTICES = 40
# Left and right of a frame exchanged.
MIRROR = np.diag([-1.0, 1.0, 1.0])


@dataclass(frozen=True, eq=False)
class Side:
    """Source or target: the input, its repaired surface, and a proxy with matrices and features.

    Attributes
    ----------
    original, surface, proxy : Surface
        The input; the repaired surface; the largest part of that, decimated.
    parts : Parts
    clean_vertex : (V,) int
        Vertex of the repaired surface for each of the input.
    report : RepairReport
    matrices : Discretization
        Of the proxy, as are `mesh`, `features` and `body`.
    mesh : SpectralMesh
    features : (V_proxy, d) float
    of_body : BodyParts or None
        Of the figure.
    body : PartedMesh or None
        In the frame of the figure.
    pins, pinned : (P,) int
        Vertices of the pins, on the proxy and on the repaired surface.
    """

    original: Surface
    surface: Surface
    parts: Parts
    clean_vertex: np.ndarray
    report: RepairReport
    proxy: Surface
    matrices: Discretization
    mesh: SpectralMesh
    features: np.ndarray
    of_body: BodyParts | None
    body: PartedMesh | None
    pins: np.ndarray
    pinned: np.ndarray

    @property
    def person(self) -> PartedMesh | None:
        """The body, if it has the fine parts of a person."""
        return self.body if self.of_body is not None and self.of_body.is_person else None


def prepare_side(
    original: Surface,
    repaired: RepairedSurface,
    pins: np.ndarray,
    main: MainPart | None,
    of_body: BodyParts | None,
    model: Model | None,
    engine: Engine | None,
    clock: Clock,
    name: str,
) -> Side:
    """Decimate a repaired surface, and compute its eigenbasis and features.

    Parameters
    ----------
    original : Surface
    repaired : RepairedSurface
        Of the original.
    pins : (P,) int
    main : MainPart, optional
        Of the repaired surface, where that is known.
    of_body : BodyParts, optional
        Of the figure; without them features are those of no frame.
    model : Model, optional
        By default features are wave kernel signatures.
    engine : Engine, optional
        Needed for a model.
    clock : Clock
    name : str
        "source" or "target", for messages.

    Raises
    ------
    DiffusionNetError
        If it is too small.
    """
    if len(repaired.surface.vertices) < FEWEST_VERTICES:
        raise DiffusionNetError(
            f"The {name} has only {len(repaired.surface.vertices)} vertices",
            f"A map needs at least {FEWEST_VERTICES}; subdivide it.",
        )
    if main is None:
        clock.start("proxy")
        main = main_part(repaired.surface)
        clock.stop("proxy")
    parts, proxy = main.parts, main.proxy
    report = clock.start("eigenbasis")
    settings = DEFAULT_SETTINGS if model is None else model.card.discretization
    # What is matched limb by limb needs no functional map.
    has_limbs = of_body is not None and of_body.is_person
    seen = None if of_body is None else of_body.seen
    # Parts may have been found on a figure, of which this is the skin.
    if seen is not None and has_limbs and seen.main is main:
        matrices = truncated(seen.matrices, settings.k)
    else:
        matrices = discretize(
            proxy,
            settings if has_limbs else replace(settings, k=max(MAP_SIZE, settings.k)),
            lambda stage, fraction: report(fraction if stage == "eigenbasis" else 0.0),
        )
    clock.stop("eigenbasis")
    clock.start("features")
    mesh = spectral_mesh(matrices)
    if model is None or engine is None:
        features = signatures(mesh)
    else:
        frame = None if of_body is None else of_body.frame
        features = vertex_features(model, truncated(matrices, settings.k), engine, frame)
    body = None if of_body is None else of_body.on(proxy)
    clock.stop("features")
    pinned = on_proxy = repaired.clean_vertex[pins]
    if proxy is not repaired.surface:
        on_proxy = nearest_rows(proxy.vertices, repaired.surface.vertices[pinned])
    return Side(
        original=original,
        surface=repaired.surface,
        parts=parts,
        clean_vertex=repaired.clean_vertex,
        report=repaired.report,
        proxy=proxy,
        matrices=matrices,
        mesh=mesh,
        features=features,
        of_body=of_body,
        body=body,
        pins=on_proxy,
        pinned=pinned,
    )


def signatures(mesh: SpectralMesh) -> np.ndarray:
    """Wave kernel signatures (V, `ENERGIES`), each energy divided by its mean over the surface."""
    pairs = slice(0, SIGNATURE_PAIRS)
    signature = wave_kernel_signature(
        mesh.eigenvalues[pairs], mesh.eigenvectors[:, pairs], ENERGIES
    )
    return signature / (mesh.mass @ signature)


def vertex_features(
    model: Model,
    discretization: Discretization,
    engine: Engine,
    frame: np.ndarray | None = None,
) -> np.ndarray:
    """Features of a network at vertices, rows of unit length, (V, C) float32.

    The outputs on the surface and those on its mirror image (`forward.mirrored_weights`), side by
    side, so that C is twice their number; votes are left out. In a frame the mirror image is seen
    in the mirrored frame: that tells the sides apart, and two views err less than one.

    Parameters
    ----------
    model : Model
    discretization : Discretization
    engine : Engine
    frame : (3, 3) float, optional
        Of the figure, as `features.with_frame` takes it; of no effect on a model without the input
        `frame`.
    """
    card = model.card
    seen = [input_features(discretization, card.features)] * 2
    if frame is not None and FRAME in card.features:
        axes = frame, MIRROR @ frame
        seen = [with_frame(seen[0], discretization, card.features, each) for each in axes]
    shape = shape_of(discretization, engine)
    views = []
    for features, weights in zip(
        seen, (model.weights, mirrored_weights(model.weights)), strict=True
    ):
        inputs = engine.array(features)
        arrays = {name: engine.array(value) for name, value in weights.items()}
        with engine.inference():
            outputs = engine.to_numpy(forward(card.architecture, arrays, shape, inputs, engine))
        raw = outputs[:, : card.architecture.outputs - card.votes]
        length = np.linalg.norm(raw, axis=1, keepdims=True)
        require_finite_outputs(model, length)
        views.append(raw / np.maximum(length, np.finfo(np.float32).tiny))
    return (np.concatenate(views, axis=1) / np.sqrt(len(views))).astype(np.float32)
