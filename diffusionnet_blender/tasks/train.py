"""Teach a network from a few labelled meshes, and put it into the user's library."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import numpy as np

from ..errors import DeviceError, DiffusionNetError, ModelError
from ..network.architecture import Architecture
from ..network.card import FEATURE_WIDTHS, ModelCard
from ..network.checkpoint import Model, load_model, save_model
from ..surface.prepare import prepare
from ..surface.settings import DiscretizationSettings
from .copies import plain_copy, varied_copy
from .curve import Curve
from .models import find_model, require_new_name
from .sides import mirrored_classes
from .training_set import UNLABELLED, LabelledSurface, TrainingSet, checked
from .training_sizes import BLOCKS, SIZES, Size

# Heat kernel signatures: the same in every pose, place and scale (paper 5, Setup).
FEATURES = ("hks",)
DROPOUT = 0.1
# Of the labels of whole shapes (paper 5.1).
SHAPE_SMOOTHING = 0.2
# Looks at the validation shapes in the course of a training, steps between two at least, and
# shapes looked at.
LOOKS = 40
LEAST_STEPS = 10
MOST_VALIDATED = 12
# Name of the best so far among the files of a checkpoint.
BEST = "best"
# Raise it when another course of training follows from the same labels and settings.
FORMAT = 1
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


@dataclass(frozen=True)
class _Plan:
    """All that decides how a training goes, but for the labels themselves."""

    card: ModelCard
    steps: int
    copies: int
    learning_rate: float
    validation_share: float
    label_smoothing: float
    start: str
    start_weights: dict = field(hash=False, compare=False)


class _Enough(Exception):  # noqa: N818
    """The user is content with what there is."""


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
    plan = _plan(given, name, title, size, start, validation_share, model_folder)
    _require_room(model_folder, "model library")
    folder = Path(checkpoint_folder) / _key(given, plan)
    _tidy(Path(checkpoint_folder), folder)
    _require_room(folder, "folder of checkpoints")

    learned, validated, plan = _shapes(given, plan, progress)
    course = _Course(plan, learned, validated, folder, device)
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
            "Install it in the add-on's preferences under PyTorch, or with pip into this Python.",
        )


def _plan(given, name, title, size, start, validation_share, model_folder) -> _Plan:
    if not isinstance(size, Size) and size not in SIZES:
        raise DiffusionNetError(f"There is no size {size!r}", f"Choose one of {', '.join(SIZES)}.")
    if not 0.0 <= validation_share < 1.0:
        raise DiffusionNetError(
            f"The share held out for validation is {validation_share}",
            "Give a number from 0 to below 1.",
        )
    chosen = size if isinstance(size, Size) else SIZES[size]
    classes = len(given.class_names)
    output_at = "shape" if given.of_shapes else "vertices"
    weights: dict[str, np.ndarray] = {}
    if start:
        base = find_model(start, [model_folder])
        architecture = replace(base.card.architecture, outputs=classes, output_at=output_at)
        features, settings = base.card.features, base.card.discretization
        weights = _started(base, architecture, given.class_names)
    else:
        features = FEATURES
        settings = DiscretizationSettings(k=chosen.k)
        architecture = Architecture(
            inputs=sum(FEATURE_WIDTHS[feature] for feature in features),
            outputs=classes,
            width=chosen.width,
            blocks=BLOCKS,
            dropout=DROPOUT,
            output_at=output_at,
        )
    count = len(given.members)
    what = "whole shapes" if given.of_shapes else "meshes with labels"
    card = ModelCard(
        name=name,
        title=title or name,
        description=f"{classes} classes, learned from {count} {what}.",
        class_names=given.class_names,
        class_colours=given.class_colours,
        features=features,
        architecture=architecture,
        discretization=settings,
        training_data=f"{count} {what} of the user's"
        + (f", started from the model {start}" if start else ""),
    )
    return _Plan(
        card=card,
        steps=chosen.steps,
        copies=chosen.copies,
        learning_rate=chosen.learning_rate,
        validation_share=validation_share,
        label_smoothing=SHAPE_SMOOTHING if given.of_shapes else 0.0,
        start=start,
        start_weights=weights,
    )


def _started(base: Model, architecture: Architecture, class_names: Sequence[str]) -> dict:
    """Weights of another model, with outputs of their own; those of classes it knows it keeps."""
    weights = {n: w for n, w in base.weights.items() if not n.startswith("last.")}
    shape = architecture.weight_shapes()["last.weight"]
    # Fresh outputs are small and alike: what the network sees is not judged before it learns.
    rows = 0.01 * np.random.default_rng(0).standard_normal(shape)
    bias = np.zeros(len(class_names))
    for row, name in enumerate(class_names):
        if name in base.card.class_names:
            known = base.card.class_names.index(name)
            rows[row] = base.weights["last.weight"][known]
            bias[row] = base.weights["last.bias"][known]
    return {**weights, "last.weight": rows.astype(np.float32), "last.bias": bias.astype(np.float32)}


def _key(given: TrainingSet, plan: _Plan) -> str:
    """Name of a training: the same labels and settings have the same."""
    settings = {
        "format": FORMAT,
        "card": {k: v for k, v in asdict(plan.card).items() if k not in ("name", "title")},
        "steps": plan.steps,
        "copies": plan.copies,
        "learning_rate": plan.learning_rate,
        "validation_share": plan.validation_share,
    }
    digest = hashlib.sha256(json.dumps(settings, sort_keys=True).encode())
    for member in given.members:
        for array in (member.surface.vertices, member.surface.faces, np.asarray(member.labels)):
            digest.update(np.ascontiguousarray(array))
            digest.update(str(array.shape).encode())
    for weight in plan.start_weights.values():
        digest.update(np.ascontiguousarray(weight))
    return digest.hexdigest()[:24]


def _shapes(given: TrainingSet, plan: _Plan, progress):
    """Shapes to learn from and shapes to validate on, and a card that says which these are."""
    rng = np.random.default_rng(0)
    learned, held_out = _split(given, plan.validation_share, rng)
    # The meshes themselves, and copies by turns until there are as many as wanted.
    wanted = [(member, False) for member in learned]
    wanted += [(member, True) for member in learned] * -(-plan.copies // len(learned))
    wanted = wanted[: max(plan.copies, 2 * len(learned))]
    if held_out:
        on = "meshes held out" if len(held_out) > 1 else "a mesh held out"
        validation = [(member, False) for member in held_out]
    else:
        on = "other copies of its own meshes"
        validation = [(member, True) for member in learned]
        validation = validation * (2 if len(validation) <= MOST_VALIDATED // 2 else 1)
    validation = validation[:MOST_VALIDATED]

    shapes = []
    total = len(wanted) + len(validation)
    for done, (member, varied) in enumerate(wanted + validation):
        progress("copies", done / total)
        shapes.append(_shape(member, varied, plan.card.discretization, rng))
    progress("copies", 1.0)
    card = replace(plan.card, accuracy={on: 0.0})
    return shapes[: len(wanted)], shapes[len(wanted) :], replace(plan, card=card)


def _split(given: TrainingSet, share: float, rng) -> tuple[list, list]:
    """Members to learn from and members held out; each class stays on one to learn from."""
    counts = given.labelled_class_counts
    held_out = []
    for index in rng.permutation(len(given.members)):
        if len(held_out) >= int(share * len(given.members)):
            break
        found = np.unique(np.atleast_1d(given.members[index].labels))
        found = found[found != UNLABELLED]
        if (counts[found] > 1).all():
            counts[found] -= 1
            held_out.append(int(index))
    learned = [m for i, m in enumerate(given.members) if i not in held_out]
    return learned, [given.members[i] for i in held_out]


def _shape(member: LabelledSurface, varied: bool, settings: DiscretizationSettings, rng):
    from ..network.training import LabelledShape

    of_shape = np.ndim(member.labels) == 0
    labels = np.zeros(len(member.surface.vertices), int) if of_shape else member.labels
    if varied:
        surface, labels = varied_copy(member.surface, labels, rng)
    else:
        surface, labels = plain_copy(member.surface, labels)
    prepared = prepare(surface, settings)
    labels = member.labels if of_shape else labels[prepared.user_vertex]
    if not of_shape and (labels == UNLABELLED).all():
        # The few labels there are fell between the vertices of this copy.
        return _shape(member, False, settings, rng)
    return LabelledShape(prepared.discretization, labels)


class _Course:
    """One training: the network, where it is, and the best so far."""

    def __init__(self, plan: _Plan, learned, validated, folder: Path, device: str):
        self._plan, self._learned, self._validated = plan, learned, validated
        self._folder, self._device = folder, device
        self._look_every = max(plan.steps // LOOKS, LEAST_STEPS)
        self.curve = Curve(plan.steps, np.zeros((0, 4)))
        self.best: Model | None = None
        self.trainer = self._new_trainer()
        self._resume()
        self.resumed_at = self.trainer.step

    def _new_trainer(self):
        import torch

        from ..network.module import DiffusionNet
        from ..network.torch_engine import TorchEngine
        from ..network.training import Trainer, TrainingSettings

        torch.manual_seed(0)
        plan, card = self._plan, self._plan.card
        of_shapes = card.architecture.output_at == "shape"
        return Trainer(
            DiffusionNet(card.architecture, TorchEngine(self._device), plan.start_weights or None),
            card.features,
            None if of_shapes else mirrored_classes(card.class_names),
            TrainingSettings(
                steps=plan.steps,
                learning_rate=plan.learning_rate,
                schedule="quarters",
                label_smoothing=plan.label_smoothing,
                weight_decay=0.0,
                averaging=0.99,
                checkpoint_every=2 * self._look_every,
                report_every=1,
            ),
        )

    @property
    def _checkpoint(self) -> Path:
        return self._folder / "run.pt"

    def _resume(self) -> None:
        """Go on from the last checkpoint, if there is one that can be read."""
        if not self._checkpoint.exists():
            return
        try:
            rows = np.load(self._folder / "curve.npy")
            best = load_model(self._folder / f"{BEST}.safetensors")
            self.trainer.resume(self._checkpoint)
        except Exception:
            # Whatever is wrong with what was left behind, it can be done again.
            self.trainer = self._new_trainer()
            return
        card = replace(best.card, name=self._plan.card.name, title=self._plan.card.title)
        self.best = Model(card, best.weights)
        self.curve = Curve(self._plan.steps, rows[rows[:, 0] <= self.trainer.step])

    def run(self, progress, report, enough) -> None:
        """Learn until it is done or enough."""
        losses, accuracies = [], []

        def after_step(step: int, loss: float, accuracy: float) -> None:
            losses.append(loss)
            accuracies.append(accuracy)
            stop = enough()
            if stop or step % self._look_every == 0 or step == self._plan.steps:
                self._look(step, float(np.mean(losses)), float(np.mean(accuracies)))
                losses.clear()
                accuracies.clear()
                report(self.curve)
            if stop:
                raise _Enough
            progress("learning", step / self._plan.steps)

        report(self.curve)
        progress("learning", self.trainer.step / self._plan.steps)
        try:
            self.trainer.run(self._learned, self._checkpoint, after_step)
        except _Enough:
            pass

    def _look(self, step: int, loss: float, accuracy: float) -> None:
        """Validate, and keep the weights if they are as good as any before."""
        found = self.trainer.accuracy(self._validated)
        self.curve = Curve(
            self._plan.steps, np.vstack([self.curve.rows, (step, loss, accuracy, found)])
        )
        if self.best is None or found >= self._best_so_far():
            what = next(iter(self._plan.card.accuracy))
            card = replace(
                self._plan.card,
                accuracy={what: round(found, 4)},
                training_data=f"{self._plan.card.training_data}; {step} steps.",
            )
            self.best = Model(card, self.trainer.averaged_weights())
            save_model(Model(replace(card, name=BEST), self.best.weights), self._folder)
        with tempfile.TemporaryDirectory(dir=self._folder) as staged:
            np.save(Path(staged) / "curve.npy", self.curve.rows)
            os.replace(Path(staged) / "curve.npy", self._folder / "curve.npy")

    def _best_so_far(self) -> float:
        return next(iter(self.best.card.accuracy.values()))


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
