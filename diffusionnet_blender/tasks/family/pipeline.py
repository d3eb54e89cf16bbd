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
# Of confidence and lead of each model, in the order of `MODELS`, and of a constant; by family.
COEFFICIENTS = np.zeros((len(FAMILIES), 5))


def proposal(request: FamilyRequest, progress: Progress) -> Proposal:
    """The most probable family, see `job.run`."""
    with memory_errors_explained(len(request.surface.vertices)):
        found = evidence(request, progress)
    probabilities = softmax((COEFFICIENTS @ np.append(found, 1.0))[None])[0]
    best = int(probabilities.argmax())
    return Proposal(FAMILIES[best], float(probabilities[best]))


def evidence(request: FamilyRequest, progress: Progress = SILENT) -> np.ndarray:
    """How sure each model of parts is, (2 M,) of M models.

    Of each the mean probability of the part of a place, left and right taken as one, and the lead
    of the votes for a frame, from 0 to `MOST_LEAD`.
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
        found += [float(share @ either.max(axis=1)), float(np.clip(framed.lead, 0.0, MOST_LEAD))]
    return np.array(found)
