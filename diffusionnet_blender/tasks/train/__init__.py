"""Training of a new model on a few labelled meshes."""

from .job import train
from .request import TrainedModel, TrainRequest
from .training_set import LabelledSurface, TrainingSet

__all__ = ["LabelledSurface", "TrainRequest", "TrainedModel", "TrainingSet", "train"]
