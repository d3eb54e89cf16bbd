"""Request and result of a training."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ...network.card import ModelCard
from ...options import option
from ..compute import OnDevice
from ..models import DEFAULT_MODEL
from .curve import Curve
from .sizes import SIZES, Size
from .training_set import TrainingSet

# Values of `TrainRequest.start` that are no names of models.
BY_KIND, FRESH = "auto", "none"


@dataclass(frozen=True, eq=False)
class TrainRequest(OnDevice):
    """Labelled meshes, and the options of the training and of the new model.

    Attributes
    ----------
    training_set : TrainingSet
        With labels at vertices, for segmentation; or of whole shapes, for classification (paper
        5.1: mean over the area, label smoothing 0.2).
    model_name, title : str
    size : {"fast", "balanced", "best"} or Size
        See `sizes`.
    start : str
    validation_share : float
    replace : bool
    model_folder : Path, optional
        Library of the new model; by default the user's.
    checkpoint_folder : Path, optional
        Of interrupted trainings, which resume when labels and settings are the same; by default
        the user's.
    """

    training_set: TrainingSet
    model_name: str = option(
        "my_parts", "Name", "Name of the new model and of its files", flag="name"
    )
    title: str = option("", "Title", "Title in lists of models. Empty: same as the name")
    size: str | Size = option(
        "balanced",
        "Size",
        "Training time, and size of the network if it starts from random weights",
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
        "Fraction of the meshes, rounded down, held out to validate and choose the best "
        "weights. If that is none, copies of the training meshes are used",
        minimum=0.0,
        maximum=0.5,
        subtype="FACTOR",
        flag="held-out",
    )
    replace: bool = option(
        False,
        "Replace",
        "Replace your own model of this name once training is done",
    )
    model_folder: Path | None = None
    checkpoint_folder: Path | None = None


@dataclass(frozen=True, eq=False)
class TrainedModel:
    """A new model, and the course of its training.

    Attributes
    ----------
    path : Path
        Of the weights, in the library; the card lies beside them.
    card : ModelCard
    curve : Curve
    steps : int
        Steps taken; fewer than `curve.steps` if it was ended early.
    resumed_at : int
        Step of the checkpoint from which it resumed; 0 without.
    mirrored : bool
        Whether there were mirrored copies among the training data.
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
        ((subject, share),) = self.card.accuracy.items()
        return (
            f"{self.card.name}: {share:.1%} right on {subject} after {self.steps:,} steps "
            f"in {self.seconds / 60:.1f} min"
        )
