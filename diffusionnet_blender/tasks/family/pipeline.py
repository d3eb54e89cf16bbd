"""The family of a figure by its whole shape, and by how well each model of parts is at home on it.

One network classifies whole shapes (paper 5.1). Another is sure of parts that it has learnt, and
votes for the frame of a figure that it knows. Neither alone is right as often as both: their
probabilities, confidences and votes decide, by a logistic regression that `training.figure_family`
has fitted on figures of every kind.
"""

from __future__ import annotations

import numpy as np

from ...network.checkpoint import Model
from ...network.engine import Engine
from ...network.features import input_features
from ...surface.discretization import Discretization
from ...surface.settings import DiscretizationSettings
from ..engines import choose_engine
from ..inference import class_probabilities, prepare_cached, softmax
from ..memory import memory_errors_explained
from ..models import FAMILY_MODEL, find_model
from ..progress import SILENT, CallbackProgress, Progress
from ..segment.framing import Framed, framed_probabilities
from ..sides import either_side, mirrored_classes
from .request import FAMILIES, MODELS, FamilyRequest, Proposal

# Votes for a frame are counted up to so much: more is no surer.
MOST_LEAD = 4.0
# Share of the area from which on a part is there.
LEAST_PART = 0.003
# Of a model that is not at home at all.
NOTHING = [0.5, 0.0]
# A confidence that only figures of a model's own family reach.
HIGH = 0.75
# Probability by the whole shape alone that no figure of another family has.
ALIKE = 0.92
# Nothing is surer than this, or less.
SURELY_NOT = 1e-6
# Of the terms of `terms_of`, by family; printed by `python -m training.figure_family fit`.
COEFFICIENTS = np.array(
    [
        [0.78, 0.49, -0.73, -0.76, 1.09, -0.28, -0.90, 0.58, -0.24, -0.34],
        [-0.19, -0.70, 0.99, 1.07, 0.14, 1.24, -1.87, -0.32, 0.66, -0.34],
        [-0.59, 0.22, -0.26, -0.32, -1.23, -0.95, 2.78, -0.26, -0.42, 0.68],
    ]
)


def proposal(request: FamilyRequest, progress: Progress) -> Proposal:
    """The most probable family, see `job.run`."""
    with memory_errors_explained(len(request.surface.vertices)):
        probabilities = _probabilities(request, progress, {})
    best = int(probabilities.argmax())
    return Proposal(FAMILIES[best], float(probabilities[best]))


def proposal_beside(
    family: str,
    request: FamilyRequest,
    progress: Progress,
    made: dict[DiscretizationSettings, Discretization],
) -> Proposal | None:
    """The most probable other family of a figure that is taken for one of a family.

    Its probability is that of all others. None where the figure's whole shape alone is that of the
    family: the other models take longer. `made` is as of `evidence`.
    """
    engine = choose_engine(request.engine, request.device)
    own = FAMILIES.index(family)
    with memory_errors_explained(len(request.surface.vertices)):
        if _by_shape(request, engine, SILENT, made)[own] > ALIKE:
            return None
        probabilities = _probabilities(request, progress, made)
    others = np.where(np.arange(len(FAMILIES)) == own, 0.0, probabilities)
    return Proposal(FAMILIES[int(others.argmax())], float(others.sum()))


def _probabilities(
    request: FamilyRequest,
    progress: Progress,
    made: dict[DiscretizationSettings, Discretization],
) -> np.ndarray:
    """Of the families, (F,)."""
    return softmax((COEFFICIENTS @ terms_of(evidence(request, progress, made)))[None])[0]


def evidence(
    request: FamilyRequest,
    progress: Progress = SILENT,
    made: dict[DiscretizationSettings, Discretization] | None = None,
) -> np.ndarray:
    """What the models make of a figure, (2 M + F,) of M models of parts and F families.

    Of each model of parts the mean probability of the part of a place, left and right taken as one,
    and the lead of the votes for a frame, from 0 to `MOST_LEAD`; `NOTHING` where it finds less than
    half of its parts, as on a ball, which may well be a head and nothing else. Then the
    probabilities of the families by the whole shape.

    `made` has matrices of the surface that were computed before, and gets those that were not.
    """
    engine = choose_engine(request.engine, request.device)
    made = {} if made is None else made
    count = len(MODELS) + 1
    found: list[float] = []
    for number, name in enumerate(MODELS.values()):
        model = find_model(name)

        def report(done: float, first: int = number) -> None:
            progress("network", (first + done) / count)

        shape = _shape_for(model, request, progress, made)
        found += _at_home(model, shape, framed_probabilities(model, [shape], engine, report))

    def last(stage: str, done: float) -> None:
        progress(stage, (len(MODELS) + done) / count if stage == "network" else done)

    return np.array([*found, *_by_shape(request, engine, CallbackProgress(last), made)])


def _shape_for(
    model: Model,
    request: FamilyRequest,
    progress: Progress,
    made: dict[DiscretizationSettings, Discretization],
) -> Discretization:
    """Matrices of the surface with the settings of a model, kept in `made`."""
    settings = model.card.discretization
    if settings not in made:
        made[settings] = prepare_cached(
            request.surface, settings, False, request.cache, progress, {}
        ).discretization
    return made[settings]


def _by_shape(
    request: FamilyRequest,
    engine: Engine,
    progress: Progress,
    made: dict[DiscretizationSettings, Discretization],
) -> np.ndarray:
    """Probabilities (F,) of the families by the network that classifies whole shapes."""
    model = find_model(FAMILY_MODEL)
    shape = _shape_for(model, request, progress, made)
    features = input_features(shape, model.card.features)
    return class_probabilities(
        model,
        shape,
        features,
        engine,
        lambda done: progress("network", done),
        output_at="shape",
    )


def _at_home(model: Model, shape: Discretization, framed: Framed) -> list[float]:
    """How sure a model is of the parts of a figure, and of its frame."""
    either = either_side(framed.probabilities[0], model.card.class_names)
    other = np.array(mirrored_classes(model.card.class_names))
    share = shape.mass / shape.mass.sum()
    merged = np.minimum(other, np.arange(len(other)))
    of_part = np.bincount(merged[either.argmax(axis=1)], share)
    kinds = len(np.unique(merged))
    if 2 * np.count_nonzero(of_part > LEAST_PART) < kinds:
        return NOTHING
    return [float(share @ either.max(axis=1)), float(np.clip(framed.lead, 0.0, MOST_LEAD))]


def terms_of(found: np.ndarray) -> np.ndarray:
    """What the regression is linear in: the `evidence` with confidences as log-odds, what is beyond
    `HIGH` once more, a constant, and the log-probabilities of the families less their mean.
    """
    of_parts, of_shape = found[: 2 * len(MODELS)], found[2 * len(MODELS) :]
    confidence, lead = of_parts.reshape(-1, 2).T
    confidence = np.clip(confidence, SURELY_NOT, 1.0 - SURELY_NOT)
    odds = np.log(confidence / (1.0 - confidence))
    beyond = np.maximum(odds - np.log(HIGH / (1.0 - HIGH)), 0.0)
    scores = np.log(np.maximum(of_shape, SURELY_NOT))
    return np.concatenate(
        [np.stack([odds, lead], axis=1).ravel(), beyond, [1.0], scores - scores.mean()]
    )
