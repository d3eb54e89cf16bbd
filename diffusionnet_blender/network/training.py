"""Training of networks that label vertices or shapes (paper 5).

Each step is on one shape. Mirrored copies cost nothing: under a reflection, mass, eigenpairs and
HKS stay, the imaginary half of the gradient changes sign, and left and right labels swap. Only that
sign separates the sides (paper 3.4, Figure 5), so every shape is trained on in both forms.
"""

from __future__ import annotations

import io
import math
import os
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from scipy.spatial.transform import Rotation

from ..surface.discretization import Discretization
from .features import input_features
from .forward import forward
from .module import DiffusionNet
from .shape import Shape, shape_of

IGNORED = -1


@dataclass(frozen=True, eq=False)
class LabelledShape:
    """A training shape with its labels.

    Attributes
    ----------
    discretization : Discretization
    labels : (V,) int, (n,) int, or int
        Class of each vertex, `IGNORED` without a label; of each edge or face; or that of the
        shape, for a network whose outputs are there.
    corners : (n, 2) or (n, 3) int, optional
        Vertices of each edge or face, where these are labelled.
    """

    discretization: Discretization
    labels: np.ndarray | int
    corners: np.ndarray | None = None


@dataclass(frozen=True)
class TrainingSettings:
    """Optimiser, schedule and augmentation of a training.

    Attributes
    ----------
    steps : int
        Each on one shape.
    learning_rate : float
        At its highest.
    schedule : {"cosine", "quarters"}
        The rate rises over the first 2 % of the steps and falls along a cosine, or is halved after
        every quarter of the steps, as in the paper (5, Setup).
    label_smoothing : float
        Share of each target that is spread over all classes.
    scale_jitter : float
        Shapes are scaled by up to this share: posed bodies differ in size after normalisation.
    random_rotation : bool
        Shapes are rotated at random in every step: for positions as features, where the result
        must not depend on orientation in space (paper 5, Setup).
    rotation_axis : tuple of float, optional
        What these rotations are about, such as the vertical of bodies that stand; by default
        they are any.
    half_precision : bool
        Products of the forward pass in bfloat16, weights and sums in single precision.
    averaging : float
        Decay of the running mean of the weights, which is the result.
    weight_decay : float
    checkpoint_every : int
        Steps between checkpoints on disk.
    report_every : int
        Steps between reports.
    seed : int
    """

    steps: int = 10_000
    learning_rate: float = 2e-3
    schedule: Literal["cosine", "quarters"] = "cosine"
    label_smoothing: float = 0.05
    scale_jitter: float = 0.1
    random_rotation: bool = False
    rotation_axis: tuple[float, float, float] | None = None
    half_precision: bool = False
    averaging: float = 0.998
    weight_decay: float = 1e-4
    checkpoint_every: int = 500
    report_every: int = 100
    seed: int = 0


class Trainer:
    """Optimisation of one network, which can stop at any step and go on later.

    Parameters
    ----------
    module : DiffusionNet
    features : tuple of str
        Inputs; none of them may depend on orientation in space where mirrored copies are used.
    mirrored_class : (C,) int, optional
        For each class its name on the other side; None where shapes have no sides to swap.
    settings : TrainingSettings
    """

    def __init__(
        self,
        module: DiffusionNet,
        features: tuple[str, ...],
        mirrored_class: Sequence[int] | None = None,
        settings: TrainingSettings = TrainingSettings(),
    ):
        self.module, self.features, self.settings = module, features, settings
        self.mirrored_class = None if mirrored_class is None else np.asarray(mirrored_class)
        self.rng = np.random.default_rng(settings.seed)
        self.step = 0
        self.order: list[int] = []
        self.optimiser = torch.optim.AdamW(
            module.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay
        )
        self.mean_weights = {n: w.detach().clone() for n, w in module.named_weights().items()}

    def run(
        self,
        shapes: Sequence[LabelledShape],
        checkpoint: Path | None = None,
        report: Callable[[int, float, float], None] = lambda step, loss, accuracy: None,
    ) -> None:
        """Train until `settings.steps`.

        Parameters
        ----------
        shapes : sequence of LabelledShape
        checkpoint : Path, optional
            Written now and then; `resume` reads it.
        report : callable
            Called every `settings.report_every` steps with the step and the mean loss and
            area-weighted accuracy since; may raise to stop.
        """
        losses, accuracies = [], []
        self.module.train()
        while self.step < self.settings.steps:
            if not self.order:
                self.order = self.rng.permutation(len(shapes)).tolist()
            loss, accuracy = self._learn_from(shapes[self.order.pop()])
            losses.append(loss)
            accuracies.append(accuracy)
            if self.step % self.settings.report_every == 0:
                report(self.step, float(np.mean(losses)), float(np.mean(accuracies)))
                losses, accuracies = [], []
            if checkpoint is not None and self.step % self.settings.checkpoint_every == 0:
                self.save(checkpoint)
        if checkpoint is not None:
            self.save(checkpoint)

    def _learn_from(self, example: LabelledShape) -> tuple[float, float]:
        classes = self.mirrored_class
        # In every other step the mirror image, with its classes.
        if classes is not None and self.rng.random() >= 0.5:
            classes = None
        scale = np.exp(self.rng.uniform(-1, 1) * self.settings.scale_jitter)
        discretization = scaled(example.discretization, scale)
        labels = example.labels
        if classes is not None:
            discretization = mirrored(discretization)
            labels = np.where(labels >= 0, classes[labels], labels)
        if self.settings.random_rotation:
            discretization = rotated(discretization, self._rotation().as_matrix())
        shape, features, target, share = self._on_device(discretization, labels, example.corners)

        with self._precision():
            outputs = self.module(shape, features).reshape(len(target), -1)
        loss, right = self.judge(outputs.float(), target)
        loss = (loss * share).sum()
        self._descend(loss)
        return float(loss.detach()), float((right * share).sum())

    def _rotation(self) -> Rotation:
        axis = self.settings.rotation_axis
        if axis is None:
            return Rotation.random(rng=self.rng)
        return Rotation.from_rotvec(self.rng.uniform(0, 2 * np.pi) * np.array(axis))

    def judge(
        self, outputs: torch.Tensor, target: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Cross entropy of each row (n, C) of the outputs, and whether its largest is right.

        Parameters
        ----------
        outputs : (n, C) float
        target : (n,) int64, `IGNORED` without a label.

        Returns
        -------
        loss : (n,) float
        right : (n,) bool
        """
        loss = torch.nn.functional.cross_entropy(
            outputs,
            target,
            ignore_index=IGNORED,
            label_smoothing=self.settings.label_smoothing,
            reduction="none",
        )
        return loss, outputs.detach().argmax(dim=1) == target

    def _precision(self) -> AbstractContextManager[Any]:
        device = self.module.engine.torch_device.type
        return torch.autocast(device, torch.bfloat16, enabled=self.settings.half_precision)

    def _descend(self, loss: torch.Tensor) -> None:
        for group in self.optimiser.param_groups:
            group["lr"] = self.settings.learning_rate * self._schedule()
        self.optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.module.parameters(), 1.0)
        self.optimiser.step()
        self.module.keep_times_positive()
        self.step += 1
        self._average()

    def _on_device(
        self,
        discretization: Discretization,
        labels: np.ndarray | int,
        corners: np.ndarray | None,
    ) -> tuple[Shape, torch.Tensor, torch.Tensor, torch.Tensor]:
        """Shape, features, classes (n,), and the share that each of them has in the loss: that of
        its area at vertices, alike at edges and faces, as the paper counts them.
        """
        engine = self.module.engine
        shape = shape_of(discretization, engine, corners)
        features = engine.array(input_features(discretization, self.features))
        target = torch.as_tensor(labels, dtype=torch.int64, device=engine.torch_device).reshape(-1)
        if self.module.architecture.output_at == "shape":
            share = torch.ones_like(target, dtype=features.dtype)
        elif corners is not None:
            share = (target != IGNORED).to(features.dtype)
        else:
            share = shape.mass * (target != IGNORED)
        return shape, features, target, share / share.sum()

    def accuracy(self, shapes: Sequence[LabelledShape]) -> float:
        """Accuracy of the running mean of the weights, by area where outputs are at vertices.

        Parameters
        ----------
        shapes : sequence of LabelledShape

        Returns
        -------
        float
            Mean over the shapes, 0 to 1.
        """
        engine, found = self.module.engine, []
        for example in shapes:
            shape, features, target, share = self._on_device(
                example.discretization, example.labels, example.corners
            )
            with torch.no_grad():
                outputs = forward(
                    self.module.architecture, self.mean_weights, shape, features, engine
                ).reshape(len(target), -1)
            found.append(float(((outputs.argmax(dim=1) == target) * share).sum()))
        return float(np.mean(found))

    def _schedule(self) -> float:
        done = self.step / self.settings.steps
        if self.settings.schedule == "quarters":
            return 0.5 ** int(4 * done)
        return min(done / 0.02 + 1e-3, 1.0) * 0.5 * (1.0 + math.cos(math.pi * done))

    def _average(self) -> None:
        # A young mean forgets faster, so that the random start does not linger in it.
        decay = min(self.settings.averaging, self.step / (self.step + 10.0))
        for name, weight in self.module.named_weights().items():
            self.mean_weights[name].lerp_(weight.detach(), 1.0 - decay)

    def averaged_weights(self) -> dict[str, np.ndarray]:
        """The running mean of the weights as float32 arrays: the result of a training."""
        return {n: self.module.engine.to_numpy(w).copy() for n, w in self.mean_weights.items()}

    def save(self, path: Path) -> None:
        """Write a checkpoint for `resume`, whole or not at all; OSError on a full disk, say."""
        state = {
            "step": self.step,
            "order": self.order,
            "module": self.module.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "mean_weights": self.mean_weights,
            "rng": self.rng.bit_generator.state,
            "torch_rng": torch.get_rng_state(),
        }
        # Torch's own writer reports a full disk like any other error.
        buffer = io.BytesIO()
        torch.save(state, buffer)
        temporary = path.with_suffix(".part")
        try:
            temporary.write_bytes(buffer.getbuffer())
            os.replace(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)

    def resume(self, path: Path) -> None:
        """Go on from a checkpoint of the same network and settings."""
        state = torch.load(path, map_location=self.module.engine.torch_device, weights_only=True)
        self.step, self.order = state["step"], state["order"]
        self.module.load_state_dict(state["module"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.mean_weights = state["mean_weights"]
        self.rng.bit_generator.state = state["rng"]
        torch.set_rng_state(state["torch_rng"].cpu())


def mirrored(discretization: Discretization) -> Discretization:
    """The mirror image of a shape, its triangles reversed so that they still face outward.

    The tangent frames of the copy are the reflections of the shape's own with the second axis
    reversed, which only changes the sign of the imaginary half of the gradient.
    """
    return replace(
        discretization,
        vertices=discretization.vertices * np.array([-1, 1, 1], np.float32),
        faces=discretization.faces[:, ::-1],
        gradient_y=-discretization.gradient_y,
    )


def rotated(discretization: Discretization, rotation: np.ndarray) -> Discretization:
    """The same shape rotated by a matrix (3, 3); of all matrices only the positions change."""
    vertices = discretization.vertices @ rotation.T.astype(np.float32)
    return replace(discretization, vertices=vertices)


def scaled(discretization: Discretization, scale: float) -> Discretization:
    """The same shape in another unit: lengths times `scale`."""
    return replace(
        discretization,
        vertices=discretization.vertices * np.float32(scale),
        mass=discretization.mass * np.float32(scale**2),
        eigenvalues=discretization.eigenvalues / np.float32(scale**2),
        eigenvectors=discretization.eigenvectors / np.float32(scale),
        gradient_x=discretization.gradient_x / np.float32(scale),
        gradient_y=discretization.gradient_y / np.float32(scale),
    )
