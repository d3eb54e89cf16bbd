"""Training: the request, the result, and the function between them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...network.card import ModelCard
from ...options import option
from ..compute import OnDevice
from ..models import DEFAULT_MODEL
from ..progress import SILENT, CallbackProgress, Progress
from .curve import Curve
from .sizes import SIZES, Size
from .training_set import TrainingSet

# Shares of the time, by the names of the stages.
STAGES = {"": 0.01, "copies": 0.24, "learning": 0.75}
# Values of `TrainRequest.start` that name no model.
BY_KIND, FRESH = "auto", "none"


@dataclass(frozen=True, eq=False)
class TrainRequest(OnDevice):
    """Labelled meshes, and the model to train on them.

    Attributes
    ----------
    training_set : TrainingSet
        With labels at vertices for a model that segments, or at whole shapes for one that
        classifies (paper 5.1: mean over the area, label smoothing 0.2).
    model_name, title : str
    size : {"fast", "balanced", "best"} or Size
        See `sizes`.
    start : str
    validation_share : float
    replace : bool
    model_folder : Path, optional
        The library that the model goes to; by default the user's.
    checkpoint_folder : Path, optional
        Where a training that was interrupted is found again by its labels and settings; by default
        the user's.
    """

    training_set: TrainingSet
    model_name: str = option(
        "my_parts", "Name", "Name of the new model and of its files", flag="name"
    )
    title: str = option("", "Title", "Title in lists of models. Empty: the name")
    size: str | Size = option(
        "balanced",
        "Size",
        "How long to train, and how large the network is where it starts with fresh weights",
        choices=tuple(
            (key, size.title, f"{size.steps:,} steps on {size.copies} varied copies")
            for key, size in SIZES.items()
        ),
    )
    start: str = option(
        BY_KIND,
        "Start From",
        f"Model to start from. {BY_KIND}: {DEFAULT_MODEL} for parts, which needs far fewer labels "
        f"on people and characters, and fresh weights for whole shapes. {FRESH}: fresh weights, as "
        "for the parts of animals and props",
    )
    validation_share: float = option(
        0.1,
        "Held Out",
        "Share of the meshes, rounded down, that validates: the best weights are chosen on them, "
        "and they are not trained on. Where that is none, copies of the meshes are",
        minimum=0.0,
        maximum=0.5,
        subtype="FACTOR",
        flag="held-out",
    )
    replace: bool = option(
        False,
        "Replace",
        "Replace a model of your own that has this name, once the new one is done",
    )
    model_folder: Path | None = None
    checkpoint_folder: Path | None = None


@dataclass(frozen=True, eq=False)
class TrainedModel:
    """A model that was trained, and how.

    Attributes
    ----------
    path : Path
        Of the weights, in the library; the card lies beside them.
    card : ModelCard
    curve : Curve
    steps : int
        Taken; fewer than the curve's where it was stopped early.
    resumed_at : int
        Step of the checkpoint that it went on from; 0 without.
    mirrored : bool
        Whether mirrored copies were trained on.
    seconds : float
    """

    path: Path
    card: ModelCard
    curve: Curve
    steps: int
    resumed_at: int
    mirrored: bool
    seconds: float

    @property
    def summary(self) -> str:
        """One line for the user."""
        ((what, share),) = self.card.accuracy.items()
        return (
            f"{self.card.name}: {share:.1%} right on {what} after {self.steps:,} steps "
            f"in {self.seconds / 60:.1f} min"
        )


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
