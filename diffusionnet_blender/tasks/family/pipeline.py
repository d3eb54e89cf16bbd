"""The family of a figure by how well each model of parts is at home on it.

A network is sure of parts that it has learnt, and votes for the frame of a figure that it knows. So
both models of parts are evaluated, and their confidences and votes decide, by a logistic
regression that `training.figure_family` has fitted on figures of every kind.
"""

from __future__ import annotations

import numpy as np

from ..engines import choose_engine
from ..inference import prepare_cached, softmax
from ..memory import memory_errors_explained
from ..models import find_model
from ..progress import SILENT, Progress
from ..segment.framing import framed_probabilities
from ..sides import mirrored_classes
from .request import FAMILIES, MODELS, FamilyRequest, Proposal

# Votes for a frame are counted up to so much: more is no surer.
MOST_LEAD = 4.0
# Share of the area from which on a part is there.
LEAST_PART = 0.003
# Of a model that is not at home at all.
NOTHING = [0.5, 0.0]
# A confidence that only figures of a model's own family reach.
HIGH = 0.75
# Nothing is surer than this, or less.
SURELY_NOT = 1e-6
# Of the terms of `terms_of`, by family; printed by `python -m training.figure_family fit`.
COEFFICIENTS = np.array(
    [
        [0.17, 0.54, -0.63, -0.37, 2.68, -0.43, -1.18],
        [0.99, -0.46, 0.56, 0.68, -2.28, 2.24, -1.32],
        [-1.16, -0.08, 0.07, -0.31, -0.40, -1.81, 2.51],
    ]
)


def proposal(request: FamilyRequest, progress: Progress) -> Proposal:
    """The most probable family, see `job.run`."""
    with memory_errors_explained(len(request.surface.vertices)):
        found = evidence(request, progress)
    probabilities = softmax((COEFFICIENTS @ terms_of(found))[None])[0]
    best = int(probabilities.argmax())
    return Proposal(FAMILIES[best], float(probabilities[best]))


def evidence(request: FamilyRequest, progress: Progress = SILENT) -> np.ndarray:
    """How sure each model of parts is, (2 M,) of M models.

    Of each the mean probability of the part of a place, left and right taken as one, and the lead
    of the votes for a frame, from 0 to `MOST_LEAD`; `NOTHING` where it finds less than half of its
    parts, as on a ball, which may well be a head and nothing else.
    """
    engine = choose_engine(request.engine, request.device)
    found: list[float] = []
    for number, name in enumerate(MODELS.values()):
        model = find_model(name)

        def report(done: float, first: int = number) -> None:
            progress("network", (first + done) / len(MODELS))

        shape = prepare_cached(
            request.surface, model.card.discretization, False, request.cache, progress, {}
        ).discretization
        framed = framed_probabilities(model, [shape], engine, report)
        probabilities = framed.probabilities[0]
        other = np.array(mirrored_classes(model.card.class_names))
        sided = other != np.arange(len(other))
        either = probabilities + np.where(sided, probabilities[:, other], 0.0)
        share = shape.mass / shape.mass.sum()
        merged = np.minimum(other, np.arange(len(other)))
        of_part = np.bincount(merged[either.argmax(axis=1)], share)
        kinds = len(np.unique(merged))
        if 2 * np.count_nonzero(of_part > LEAST_PART) < kinds:
            found += NOTHING
            continue
        found += [float(share @ either.max(axis=1)), float(np.clip(framed.lead, 0.0, MOST_LEAD))]
    return np.array(found)


def terms_of(found: np.ndarray) -> np.ndarray:
    """What the regression is linear in: the `evidence` with confidences as log-odds, what is beyond
    `HIGH` once more, and a constant.
    """
    confidence, lead = found.reshape(-1, 2).T
    confidence = np.clip(confidence, SURELY_NOT, 1.0 - SURELY_NOT)
    odds = np.log(confidence / (1.0 - confidence))
    beyond = np.maximum(odds - np.log(HIGH / (1.0 - HIGH)), 0.0)
    return np.concatenate([np.stack([odds, lead], axis=1).ravel(), beyond, [1.0]])
