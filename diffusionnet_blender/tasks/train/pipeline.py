"""Teach a network from a few labelled meshes, and put it into the user's library."""

from __future__ import annotations

import importlib.util
import shutil
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ...errors import DeviceError, ModelError
from ...network.card import ModelCard
from ...network.checkpoint import save_model
from ..models import require_new_name
from .course import Course
from .curve import Curve
from .plan import make_plan, training_key
from .shapes import make_shapes
from .sizes import Size
from .training_set import TrainingSet, checked

# Checkpoints that nothing came back to are removed.
ABANDONED_SECONDS = 14 * 24 * 3600.0


@dataclass(frozen=True, eq=False)
class TrainedModel:
    """What training gave.

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
        Whether mirrored copies were learned from.
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


def train(
    given: TrainingSet,
    *,
    name: str,
    model_folder: Path,
    checkpoint_folder: Path,
    title: str = "",
    size: str | Size = "balanced",
    start: str = "",
    validation_share: float = 0.1,
    replace_model: bool = False,
    device: str = "auto",
    progress: Callable[[str, float], None] = lambda stage, fraction: None,
    report: Callable[[Curve], None] = lambda curve: None,
    enough: Callable[[], bool] = lambda: False,
) -> TrainedModel:
    """Teach a network what the labels of a training set are, and save it.

    It learns from copies of the meshes, bent, in other proportions and of other triangulations
    (`copies`), with Adam at 1e-3, halved after every quarter of the steps, one shape a step, cross
    entropy and dropout (paper 5). What is kept is the running mean of the weights at the step
    where it was best on meshes that were held out, or where there are too few for that, on copies
    of the meshes that it did not learn from. Where classes come in pairs of left and right, it
    learns from mirrored copies, too.

    Parameters
    ----------
    given : TrainingSet
        With labels at vertices for a model that segments, or at whole shapes for one that
        classifies (paper 5.1: mean over the area, label smoothing 0.2).
    name : str
        Of the model and its files.
    model_folder : Path
        The user's library, where the model goes.
    checkpoint_folder : Path
        Where a training that was interrupted is found again by its labels and settings.
    title : str
        What lists show; by default the name.
    size : {"fast", "balanced", "best"} or Size
        See `training_sizes`.
    start : str
        Model to start from: for people and characters "body_parts" needs far fewer labels. Empty:
        fresh weights.
    validation_share : float
        Of the meshes, rounded down, which are held out and not learned from.
    replace_model : bool
        Whether a model of the user's of that name may be replaced.
    device : str
        As for `engines.choose_engine`.
    progress : callable
        Called with "copies" or "learning" and a fraction; may raise `Cancelled` to stop with
        nothing written. The next call with the same labels and settings goes on.
    report : callable
        Called with the curve whenever it has grown.
    enough : callable
        Asked after every step; once it says yes, the best so far is kept.

    Returns
    -------
    TrainedModel

    Raises
    ------
    DiffusionNetError
        If the labels cannot be learned, see `training_set.checked`, or a setting is none.
    DeviceError
        If torch or the device is not there.
    ModelError
        If the name is taken or is none, the model to start from cannot be used, or a folder cannot
        be written to. A model that was there before is as it was.
    """
    started = time.monotonic()
    require_torch()
    given = checked(given)
    if not replace_model or not (Path(model_folder) / f"{name}.json").exists():
        require_new_name(name, model_folder)
    plan = make_plan(given, name, title, size, start, validation_share, model_folder)
    _require_room(model_folder, "model library")
    folder = Path(checkpoint_folder) / training_key(given, plan)
    _tidy(Path(checkpoint_folder), folder)
    _require_room(folder, "folder of checkpoints")

    learned, validated, plan = make_shapes(given, plan, progress)
    course = Course(plan, learned, validated, folder, device)
    try:
        course.run(progress, report, enough)
    except OSError as error:
        raise _unwritable("folder of checkpoints", folder, error) from error
    try:
        path = save_model(course.best, Path(model_folder), half=True)
    except OSError as error:
        raise _unwritable("model library", model_folder, error) from error
    shutil.rmtree(folder, ignore_errors=True)
    return TrainedModel(
        path=path,
        card=course.best.card,
        curve=course.curve,
        steps=course.trainer.step,
        resumed_at=course.resumed_at,
        mirrored=course.trainer.mirrored_class is not None,
        seconds=time.monotonic() - started,
    )


def require_torch() -> None:
    """Raise DeviceError where torch is not installed."""
    if importlib.util.find_spec("torch") is None:
        raise DeviceError(
            "Training needs PyTorch, which is not installed here",
            "The guide's page PyTorch has the ways to it; without Blender: pip install torch.",
        )


def _require_room(folder: Path, what: str) -> None:
    """Make a folder, and see that it can be written to, before hours are spent."""
    try:
        Path(folder).mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=folder) as probe:
            probe.write(b"\0" * 4096)
    except OSError as error:
        raise _unwritable(what, folder, error) from error


def _unwritable(what: str, folder: Path, error: OSError) -> ModelError:
    return ModelError(
        f"The {what} {folder} cannot be written ({error.strerror or error})",
        "Make room on that disk or choose another folder; started again, training goes on from "
        "its last checkpoint.",
    )


def _tidy(root: Path, kept: Path) -> None:
    """Remove what trainings have left that nobody went on with."""
    for folder in root.glob("*"):
        if folder != kept and time.time() - folder.stat().st_mtime > ABANDONED_SECONDS:
            shutil.rmtree(folder, ignore_errors=True)
