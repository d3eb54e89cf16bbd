"""Training: stages, and the function from request to result."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..progress import SILENT, CallbackProgress, Progress
from .curve import Curve
from .request import TrainedModel, TrainRequest
from .training_set import TrainingSet

# Shares of the duration.
STAGES = {"": 0.01, "copies": 0.24, "learning": 0.75}


def run(request: TrainRequest, progress: Progress[Curve] = SILENT) -> TrainedModel:
    """Train a network on labelled meshes, and save it in the library.

    The training data are copies of the meshes with other poses, proportions and triangulations
    (`copies`), mirrored as well where classes are in pairs of left and right. The optimiser is Adam
    at 1e-3, halved after every quarter of the steps, with one shape a step, cross entropy and
    dropout (paper 5). The result is the running mean of the weights at the step of the highest
    accuracy on meshes that were held out, or if there are too few, on further copies.

    Parameters
    ----------
    request : TrainRequest
    progress : Progress
        Gets the curve after each validation. May raise `Cancelled` to stop without a model: the
        next call with the same labels and settings resumes. Once `enough` is true, the best
        weights so far become the model.

    Returns
    -------
    TrainedModel

    Raises
    ------
    DiffusionNetError
        If the labels cannot be used, see `training_set.checked`, or a setting is out of range.
    DeviceError
        If torch or the device is missing.
    ModelError
        If the name is taken or invalid, the model to start from cannot be used, or a folder cannot
        be written to. An earlier model of the name is then unchanged.
    """
    from .pipeline import trained

    return trained(request, progress)


def train(
    training_set: TrainingSet,
    model_name: str,
    *,
    progress: Callable[[str, float], None] = SILENT,
    report: Callable[[Curve], None] = SILENT.report,
    enough: Callable[[], bool] = lambda: False,
    **options: Any,
) -> TrainedModel:
    """Train a network on labelled meshes, and save it in the library.

    Parameters
    ----------
    training_set : TrainingSet
    model_name : str
    progress : callable
        Called with "copies" or "learning" and a fraction; may raise `Cancelled` to stop.
    report : callable
        Called with the curve after each validation.
    enough : callable
        Called after every step; once it returns True, the training ends with the best weights.
    **options
        Other fields of `TrainRequest`.

    Returns
    -------
    TrainedModel

    Raises
    ------
    DiffusionNetError, DeviceError, ModelError
        As `run`.
    """
    request = TrainRequest(training_set, model_name, **options)
    return run(request, CallbackProgress(progress, report, enough))
