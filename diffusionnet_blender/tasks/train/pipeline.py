"""Training in stages: plan, copies of the meshes, training loop, saved model."""

from __future__ import annotations

import importlib.util
import shutil
import tempfile
import time
from pathlib import Path

from ...errors import DeviceError, ModelError
from ...folders import user_folder
from ...network.card import check_name
from ...network.checkpoint import save_model
from ..models import require_new_name
from ..progress import Progress
from .course import Course
from .curve import Curve
from .plan import make_plan, training_key
from .request import TrainedModel, TrainRequest
from .shapes import make_shapes
from .training_set import checked

# Age at which checkpoints of trainings that were not resumed are removed.
ABANDONED_SECONDS = 14 * 24 * 3600.0


def trained(request: TrainRequest, progress: Progress[Curve]) -> TrainedModel:
    """Train a network and save it in the library, see `job.run`."""
    started = time.monotonic()
    require_torch()
    training_set = checked(request.training_set)
    library = Path(request.model_folder or user_folder("models"))
    checkpoints = Path(request.checkpoint_folder or user_folder("checkpoints"))
    require_place(request.model_name, library, request.replace)
    plan = make_plan(training_set, request, library)
    folder = checkpoints / training_key(training_set, plan)
    _tidy(checkpoints, folder)
    _require_room(folder, "folder of checkpoints")

    learned, validated, plan = make_shapes(training_set, plan, progress)
    course = Course(plan, learned, validated, folder, request.device)
    try:
        model = course.run(progress)
    except OSError as error:
        raise _unwritable("folder of checkpoints", folder, error) from error
    try:
        path = save_model(model, library, half=True)
    except OSError as error:
        raise _unwritable("model library", library, error) from error
    shutil.rmtree(folder, ignore_errors=True)
    return TrainedModel(
        path=path,
        card=model.card,
        curve=course.curve,
        steps=course.trainer.step,
        resumed_at=course.resumed_at,
        mirrored=course.trainer.mirrored_class is not None,
        seconds=time.monotonic() - started,
    )


def require_place(name: str, library: Path, replace: bool) -> None:
    """Raise ModelError unless a model of this name can be saved in the library.

    Parameters
    ----------
    name : str
    library : Path
    replace : bool
        Whether a model of this name may be there.
    """
    check_name(name)
    if not replace or not (library / f"{name}.json").exists():
        require_new_name(name, library)
    _require_room(library, "model library")


def require_torch() -> None:
    """Raise DeviceError where torch is not installed."""
    if importlib.util.find_spec("torch") is None:
        raise DeviceError(
            "Training needs PyTorch, which is not installed here",
            "The guide's page PyTorch has the ways to it; without Blender: pip install torch.",
        )


def _require_room(folder: Path, kind: str) -> None:
    """Make a folder, and raise ModelError if it cannot be written to, before hours are spent."""
    try:
        Path(folder).mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=folder) as probe:
            probe.write(b"\0" * 4096)
    except OSError as error:
        raise _unwritable(kind, folder, error) from error


def _unwritable(kind: str, folder: Path, error: OSError) -> ModelError:
    return ModelError(
        f"The {kind} {folder} cannot be written ({error.strerror or error})",
        "Make room on that disk or choose another folder; started again, training goes on from "
        "its last checkpoint.",
    )


def _tidy(root: Path, kept: Path) -> None:
    """Remove the checkpoints of trainings that were not resumed for long."""
    for folder in root.glob("*"):
        if folder != kept and time.time() - folder.stat().st_mtime > ABANDONED_SECONDS:
            shutil.rmtree(folder, ignore_errors=True)
