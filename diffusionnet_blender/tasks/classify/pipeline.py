"""Classification in stages: matrices, then the network with its outputs averaged."""

from __future__ import annotations

from time import perf_counter

from ...network.features import input_features
from ..engines import choose_engine
from ..inference import class_probabilities, prepare_cached
from ..memory import memory_errors_explained
from ..models import loaded
from ..progress import Progress
from .request import Classification, ClassifyRequest


def classification(request: ClassifyRequest, progress: Progress) -> Classification:
    """Class probabilities of a shape, see `job.run`."""
    surface = request.surface
    model = loaded(request.model, request.model_folders, "classify")
    card = model.card
    runner = choose_engine(request.engine, request.device)
    seconds: dict[str, float] = {}
    with memory_errors_explained(len(surface.vertices)):
        prepared = prepare_cached(
            surface, card.discretization, False, request.cache, progress, seconds
        )
        started = perf_counter()
        features = input_features(prepared.discretization, card.features)
        probabilities = class_probabilities(
            model,
            prepared.discretization,
            features,
            runner,
            lambda done: progress("network", done),
            output_at="shape",
        )
        seconds["network"] = perf_counter() - started
    return Classification(probabilities, card.class_names, card.name, seconds)
