"""Classification, stage by stage: matrices, then the network averaged over the shape."""

from __future__ import annotations

from time import perf_counter

from ...network.features import input_features
from ..engines import choose_engine
from ..inference import class_probabilities, prepare_cached
from ..memory import memory_shortage_told
from ..models import loaded
from ..progress import Progress
from .request import Classification, ClassifyRequest


def classification(request: ClassifyRequest, progress: Progress) -> Classification:
    """Find the class of a shape, see `job.run`."""
    surface = request.surface
    model = loaded(request.model, request.model_folders, "classify")
    card = model.card
    runner = choose_engine(request.engine, request.device)
    seconds: dict[str, float] = {}
    with memory_shortage_told(len(surface.vertices)):
        prepared = prepare_cached(
            surface, card.discretization, False, request.cache, progress, seconds
        )
        clock = perf_counter()
        features = input_features(prepared.discretization, card.features)
        probabilities = class_probabilities(
            model,
            prepared.discretization,
            features,
            runner,
            lambda done: progress("network", done),
            output_at="shape",
        )
        seconds["network"] = perf_counter() - clock
    return Classification(probabilities, card.class_names, card.name, seconds)
