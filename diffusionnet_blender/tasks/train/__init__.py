"""Training: a model of the user's own from a few labelled meshes."""

from .job import train
from .request import TrainedModel, TrainRequest
from .training_set import LabelledSurface, TrainingSet

__all__ = ["LabelledSurface", "TrainRequest", "TrainedModel", "TrainingSet", "train"]
