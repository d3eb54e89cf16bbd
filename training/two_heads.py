"""One network that learns the coarse and the fine parts at once."""

from __future__ import annotations

import torch

from diffusionnet_blender.network.module import DiffusionNet
from diffusionnet_blender.network.training import Trainer, TrainingSettings
from diffusionnet_blender.tasks.sides import mirrored_classes
from training.parts import FINE_NAMES, PART_NAMES, PART_OF_FINE


class TwoHeadTrainer(Trainer):
    """Trains on the fine parts; the first rows of the last layer tell the coarse ones apart.

    The loss is the sum of both, and what is reported as right is the coarse part.

    Parameters
    ----------
    module : DiffusionNet
        Its outputs: the coarse parts, then the fine ones.
    features : tuple of str
    settings : TrainingSettings
    """

    def __init__(self, module: DiffusionNet, features: tuple[str, ...], settings: TrainingSettings):
        super().__init__(module, features, mirrored_classes(FINE_NAMES), settings)
        self.part_of_fine = torch.as_tensor(
            PART_OF_FINE, dtype=torch.int64, device=module.engine.torch_device
        )

    def judge(self, outputs, target):  # noqa: D102 - as of the base class
        coarse, fine = outputs.split([len(PART_NAMES), len(FINE_NAMES)], dim=1)
        fine_loss, _ = super().judge(fine, target)
        coarse_loss, right = super().judge(coarse, self.part_of_fine[target])
        return coarse_loss + fine_loss, right
