"""Plan of a training: card of the new model, initial weights, number of steps."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import numpy as np

from ...errors import DiffusionNetError
from ...network.architecture import Architecture, OutputAt
from ...network.card import ModelCard
from ...network.checkpoint import Model
from ...network.features import input_width
from ...network.frameless import frameless
from ...surface.settings import DiscretizationSettings
from ..models import DEFAULT_MODEL, find_model
from .request import BY_KIND, FRESH, TrainRequest
from .sizes import BLOCKS, SIZES, Size
from .training_set import TrainingSet

# Heat kernel signatures: invariant to pose, position and scale (paper 5, Setup).
FEATURES = ("hks",)
DROPOUT = 0.1
# Label smoothing for whole shapes (paper 5.1).
SHAPE_SMOOTHING = 0.2
# Part of the key of checkpoints; to be raised when the same labels and settings give another
# training.
FORMAT = 1


@dataclass(frozen=True)
class Plan:
    """Settings that determine a training, together with the labelled surfaces.

    Attributes
    ----------
    card : ModelCard
        Of the new model.
    steps : int
        Each on one shape.
    copies : int
        Training shapes.
    learning_rate : float
    validation_share : float
        Of the meshes, held out.
    label_smoothing : float
    start : str
        Name of the model of the initial weights; empty for random ones.
    start_weights : dict of str to array
        Initial weights; empty for random ones.
    """

    card: ModelCard
    steps: int
    copies: int
    learning_rate: float
    validation_share: float
    label_smoothing: float
    start: str
    start_weights: dict[str, np.ndarray] = field(hash=False, compare=False)


def make_plan(training_set: TrainingSet, request: TrainRequest, library: Path) -> Plan:
    """The plan of a training.

    Parameters
    ----------
    training_set : TrainingSet
        As `training_set.checked` returns it.
    request : TrainRequest
    library : Path
        Searched for the model of the initial weights, after the bundled models.

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
        start = FRESH if training_set.of_shapes else DEFAULT_MODEL
    start = "" if start == FRESH else start
    if not isinstance(size, Size) and size not in SIZES:
        raise DiffusionNetError(f"There is no size {size!r}", f"Choose one of {', '.join(SIZES)}.")
    if not 0.0 <= validation_share < 1.0:
        raise DiffusionNetError(
            f"The share held out for validation is {validation_share}",
            "Give a number from 0 to below 1.",
        )
    chosen = size if isinstance(size, Size) else SIZES[size]
    classes = len(training_set.class_names)
    output_at: OutputAt = "shape" if training_set.of_shapes else "vertices"
    weights: dict[str, np.ndarray] = {}
    if start:
        base = frameless(find_model(start, [library]))
        architecture = replace(base.card.architecture, outputs=classes, output_at=output_at)
        features, settings = base.card.features, base.card.discretization
        weights = _initial_weights(base, architecture, training_set.class_names)
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
    count = len(training_set.members)
    data = f"{count} whole shapes" if training_set.of_shapes else f"{count} meshes with labels"
    if count == 1:
        data = "1 mesh with labels"
    card = ModelCard(
        name=request.model_name,
        title=request.title or request.model_name,
        description=f"{classes} classes, learned from {data}.",
        class_names=training_set.class_names,
        class_colours=training_set.class_colours,
        features=features,
        architecture=architecture,
        discretization=settings,
        training_data=f"{data} of the user's"
        + (f", started from the model {start}" if start else ""),
    )
    return Plan(
        card=card,
        steps=chosen.steps,
        copies=chosen.copies,
        learning_rate=chosen.learning_rate,
        validation_share=validation_share,
        label_smoothing=SHAPE_SMOOTHING if training_set.of_shapes else 0.0,
        start=start,
        start_weights=weights,
    )


def _initial_weights(
    base: Model, architecture: Architecture, class_names: Sequence[str]
) -> dict[str, np.ndarray]:
    """Weights of another model with a new last layer, whose rows of common classes are copied."""
    weights = {n: w for n, w in base.weights.items() if not n.startswith("last.")}
    shape = architecture.weight_shapes()["last.weight"]
    # Small random rows: no class is preferred before the first step.
    rows = 0.01 * np.random.default_rng(0).standard_normal(shape)
    bias = np.zeros(len(class_names))
    for row, name in enumerate(class_names):
        if name in base.card.class_names:
            base_row = base.card.class_names.index(name)
            rows[row] = base.weights["last.weight"][base_row]
            bias[row] = base.weights["last.bias"][base_row]
    return {**weights, "last.weight": rows.astype(np.float32), "last.bias": bias.astype(np.float32)}


def training_key(training_set: TrainingSet, plan: Plan) -> str:
    """Key of the checkpoints of a training: a digest of its labelled surfaces and settings."""
    settings = {
        "format": FORMAT,
        "card": {k: v for k, v in asdict(plan.card).items() if k not in ("name", "title")},
        "steps": plan.steps,
        "copies": plan.copies,
        "learning_rate": plan.learning_rate,
        "validation_share": plan.validation_share,
    }
    digest = hashlib.sha256(json.dumps(settings, sort_keys=True).encode())
    for member in training_set.members:
        for array in (member.surface.vertices, member.surface.faces, np.asarray(member.labels)):
            digest.update(np.ascontiguousarray(array).data)
            digest.update(str(array.shape).encode())
    for weight in plan.start_weights.values():
        digest.update(np.ascontiguousarray(weight).data)
    return digest.hexdigest()[:24]
