"""Training: its stages, and the function from the request to the result."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..progress import SILENT, CallbackProgress, Progress
from .curve import Curve
from .request import TrainedModel, TrainRequest
from .training_set import TrainingSet

# Shares of the time, by the names of the stages.
STAGES = {"": 0.01, "copies": 0.24, "learning": 0.75}


def run(request: TrainRequest, progress: Progress[Curve] = SILENT) -> TrainedModel:
    """Train a network on labelled meshes, and save it in the library.

    It is trained on copies of the meshes, bent, in other proportions and of other triangulations
    (`copies`), with Adam at 1e-3, halved after every quarter of the steps, one shape a step, cross
    entropy and dropout (paper 5). The result is the running mean of the weights at the step where
    it was best on meshes that were held out, or where there are too few for that, on copies of the
    meshes that were not trained on. Where classes come in pairs of left and right, mirrored copies
    are used, too.

    Parameters
    ----------
    request : TrainRequest
    progress : Progress
        Reports the curve whenever it has grown. May raise `Cancelled` to stop with nothing
        written: the next call with the same labels and settings goes on. Once `enough` is true,
        the best so far becomes the model.

    Returns
    -------
    TrainedModel

    Raises
    ------
    DiffusionNetError
        If the labels cannot be used, see `training_set.checked`, or a setting is out of range.
    DeviceError
        If torch or the device is not there.
    ModelError
        If the name is taken or invalid, the model to start from cannot be used, or a folder cannot
        be written to. A model that was there before is as it was.
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
        Called with the curve whenever it has grown.
    enough : callable
        Asked after every step; once it returns True, the best so far is kept.
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
