"""Say what a whole shape is (paper 5.1)."""

from __future__ import annotations

from dataclasses import dataclass
from time import perf_counter

import numpy as np

from ...errors import ModelError
from ...network.checkpoint import Model
from ...network.features import input_features
from ...surface.cache import OperatorCache
from ...surface.surface import Surface
from ..engines import choose_engine
from ..memory import memory_shortage_told
from ..segment.pipeline import Progress, class_probabilities, prepare_cached


@dataclass(frozen=True, eq=False)
class Classification:
    """Which class a shape is of.

    Attributes
    ----------
    probabilities : (C,) float32
    class_names : tuple of str
    model_name : str
    seconds : dict of str to float
        Of each stage; stages that the cache saved are missing.
    """

    probabilities: np.ndarray
    class_names: tuple[str, ...]
    model_name: str
    seconds: dict[str, float]

    @property
    def class_name(self) -> str:
        """The most probable class."""
        return self.class_names[int(self.probabilities.argmax())]

    @property
    def probability(self) -> float:
        """Its probability, 0 to 1."""
        return float(self.probabilities.max())


def classify(
    surface: Surface,
    model: Model,
    *,
    engine: str = "auto",
    device: str = "auto",
    cache: OperatorCache | None = None,
    progress: Progress = lambda stage, fraction: None,
) -> Classification:
    """Say which class a mesh or a point cloud is of.

    Parameters
    ----------
    surface : Surface
    model : Model
        One whose outputs are at the shape, as `train.train` makes from labels of shapes.
    engine, device
        As for `engines.choose_engine`.
    cache : OperatorCache, optional
        Makes the next run on the same geometry skip all but the network.
    progress : callable
        Called with a stage and a fraction from 0 to 1; may raise `Cancelled` to stop.

    Returns
    -------
    Classification

    Raises
    ------
    SurfaceError
        If the geometry cannot be used.
    DeviceError
        If the engine or the device is not there, or memory does not suffice.
    ModelError
        If the model labels parts.
    """
    card = model.card
    if card.architecture.output_at != "shape":
        raise ModelError(
            f"Model {card.name!r} finds parts, it does not classify whole shapes",
            "Choose a model that was trained on whole shapes, or segment with this one.",
        )
    runner = choose_engine(engine, device)
    seconds: dict[str, float] = {}
    with memory_shortage_told(len(surface.vertices)):
        prepared = prepare_cached(surface, card.discretization, False, cache, progress, seconds)
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
