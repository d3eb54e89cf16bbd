"""Transfer of the data of a source mesh to a target mesh, along a correspondence."""

from .job import transfer
from .kinds import KINDS, Kinds
from .layers import Layers, MeshShape, Moved
from .request import TransferRequest

__all__ = ["KINDS", "Kinds", "Layers", "MeshShape", "Moved", "TransferRequest", "transfer"]
