"""Transfer: data of one mesh carried along a correspondence to another."""

from .job import transfer
from .kinds import KINDS, Kinds
from .layers import Layers, MeshShape, Moved
from .request import TransferRequest

__all__ = ["KINDS", "Kinds", "Layers", "MeshShape", "Moved", "TransferRequest", "transfer"]
