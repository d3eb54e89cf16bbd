"""How a training will go: what is learned, from which weights, in how many steps."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import numpy as np

from ...errors import DiffusionNetError
from ...network.architecture import Architecture
from ...network.card import ModelCard
from ...network.checkpoint import Model
from ...network.features import input_width
from ...surface.settings import DiscretizationSettings
from ..models import DEFAULT_MODEL, find_model
from .request import BY_KIND, FRESH, TrainRequest
from .sizes import BLOCKS, SIZES, Size
from .training_set import TrainingSet

# Heat kernel signatures: the same in every pose, place and scale (paper 5, Setup).
FEATURES = ("hks",)
DROPOUT = 0.1
# Of the labels of whole shapes (paper 5.1).
SHAPE_SMOOTHING = 0.2
# Raise it when another course of training follows from the same labels and settings.
FORMAT = 1


@dataclass(frozen=True)
class Plan:
    """All that decides how a training goes, but for the labels themselves.

    Attributes
    ----------
    card : ModelCard
        Of the model to be.
    steps : int
        Each on one shape.
    copies : int
        Shapes to learn from.
    learning_rate : float
    validation_share : float
        Of the meshes, held out.
    label_smoothing : float
    start : str
        Name of the model that it starts from, or empty.
    start_weights : dict of str to array
        Empty for fresh ones.
    """

    card: ModelCard
    steps: int
    copies: int
    learning_rate: float
    validation_share: float
    label_smoothing: float
    start: str
    start_weights: dict = field(hash=False, compare=False)


def make_plan(given: TrainingSet, request: TrainRequest, library: Path) -> Plan:
    """The plan of a training.

    Parameters
    ----------
    given : TrainingSet
        As `training_set.checked` returns it.
    request : TrainRequest
    library : Path
        Where the model to start from is looked for, besides the bundled ones.

    Raises
    ------
    DiffusionNetError
        If a setting is out of range.
    ModelError
        If the model to start from cannot be used.
    """
    size, validation_share = request.size, request.validation_share
    start = request.start
    if start == BY_KIND:
        start = FRESH if given.of_shapes else DEFAULT_MODEL
    start = "" if start == FRESH else start
    if not isinstance(size, Size) and size not in SIZES:
        raise DiffusionNetError(f"There is no size {size!r}", f"Choose one of {', '.join(SIZES)}.")
    if not 0.0 <= validation_share < 1.0:
        raise DiffusionNetError(
            f"The share held out for validation is {validation_share}",
            "Give a number from 0 to below 1.",
        )
    chosen = size if isinstance(size, Size) else SIZES[size]
    classes = len(given.class_names)
    output_at = "shape" if given.of_shapes else "vertices"
    weights: dict[str, np.ndarray] = {}
    if start:
        base = find_model(start, [library])
        architecture = replace(base.card.architecture, outputs=classes, output_at=output_at)
        features, settings = base.card.features, base.card.discretization
        weights = _started(base, architecture, given.class_names)
    else:
        features = FEATURES
        settings = DiscretizationSettings(k=chosen.k)
        architecture = Architecture(
            inputs=input_width(features),
            outputs=classes,
            width=chosen.width,
            blocks=BLOCKS,
            dropout=DROPOUT,
            output_at=output_at,
        )
    count = len(given.members)
    what = f"{count} whole shapes" if given.of_shapes else f"{count} meshes with labels"
    if count == 1:
        what = "1 mesh with labels"
    card = ModelCard(
        name=request.model_name,
        title=request.title or request.model_name,
        description=f"{classes} classes, learned from {what}.",
        class_names=given.class_names,
        class_colours=given.class_colours,
        features=features,
        architecture=architecture,
        discretization=settings,
        training_data=f"{what} of the user's"
        + (f", started from the model {start}" if start else ""),
    )
    return Plan(
        card=card,
        steps=chosen.steps,
        copies=chosen.copies,
        learning_rate=chosen.learning_rate,
        validation_share=validation_share,
        label_smoothing=SHAPE_SMOOTHING if given.of_shapes else 0.0,
        start=start,
        start_weights=weights,
    )


def _started(base: Model, architecture: Architecture, class_names: Sequence[str]) -> dict:
    """Weights of another model, with outputs of their own; those of classes it knows it keeps."""
    weights = {n: w for n, w in base.weights.items() if not n.startswith("last.")}
    shape = architecture.weight_shapes()["last.weight"]
    # Fresh outputs are small and alike: what the network sees is not judged before it learns.
    rows = 0.01 * np.random.default_rng(0).standard_normal(shape)
    bias = np.zeros(len(class_names))
    for row, name in enumerate(class_names):
        if name in base.card.class_names:
            known = base.card.class_names.index(name)
            rows[row] = base.weights["last.weight"][known]
            bias[row] = base.weights["last.bias"][known]
    return {**weights, "last.weight": rows.astype(np.float32), "last.bias": bias.astype(np.float32)}


def training_key(given: TrainingSet, plan: Plan) -> str:
    """Name of a training: the same labels and settings have the same."""
    settings = {
        "format": FORMAT,
        "card": {k: v for k, v in asdict(plan.card).items() if k not in ("name", "title")},
        "steps": plan.steps,
        "copies": plan.copies,
        "learning_rate": plan.learning_rate,
        "validation_share": plan.validation_share,
    }
    digest = hashlib.sha256(json.dumps(settings, sort_keys=True).encode())
    for member in given.members:
        for array in (member.surface.vertices, member.surface.faces, np.asarray(member.labels)):
            digest.update(np.ascontiguousarray(array))
            digest.update(str(array.shape).encode())
    for weight in plan.start_weights.values():
        digest.update(np.ascontiguousarray(weight))
    return digest.hexdigest()[:24]
