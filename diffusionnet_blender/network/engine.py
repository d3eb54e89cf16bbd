"""The operations that an engine offers to the forward pass.

Arrays are of the engine's library, NumPy or torch, hence of no type that both share.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any

from .rows import RowWise

if TYPE_CHECKING:
    from .implicit import ImplicitDiffusion

Array = Any


class Engine(RowWise):
    """Operations on the arrays of one library.

    Attributes
    ----------
    name : {"numpy", "torch"}
    device : str
    """

    name: str
    device: str

    @abstractmethod
    def array(self, values: Any) -> Array:
        """Values in this engine's precision on its device."""

    @abstractmethod
    def to_numpy(self, values: Array) -> Any:
        """Values as a NumPy array."""

    @abstractmethod
    def sparse(self, matrix: Any) -> Any:
        """A sparse matrix in this engine's precision on its device."""

    @abstractmethod
    def indices(self, values: Any) -> Array:
        """Integers to index with."""

    @abstractmethod
    def stack(self, arrays: list[Any]) -> Array:
        """Arrays along a new first axis."""

    @abstractmethod
    def exp(self, x: Array) -> Array:
        """Exponential function."""

    @abstractmethod
    def at_least(self, x: Array, floor: float) -> Array:
        """Entrywise maximum with a number."""

    @abstractmethod
    def linear(self, x: Array, weight: Array, bias: Array | None = None) -> Array:
        """Linear layer on the channels (n, C)."""

    @abstractmethod
    def relu(self, x: Array) -> Array:
        """The positive part."""

    @abstractmethod
    def tanh(self, x: Array) -> Array:
        """Hyperbolic tangent."""

    @abstractmethod
    def add(self, x: Array, y: Array) -> Array:
        """Sum, of the shape of `x`."""

    @abstractmethod
    def multiply(self, x: Array, y: Array) -> Array:
        """Entrywise product, of the shape of `x`."""

    @abstractmethod
    def concatenate(self, pieces: list[Any]) -> Array:
        """Channels side by side."""

    @abstractmethod
    def softmax(self, x: Array) -> Array:
        """Probabilities along the last axis."""

    @abstractmethod
    def sparse_product(self, matrix: Any, u: Array, vertices: slice) -> Array:
        """Rows of sparse (2V, V) times dense (V, C), two for each of some vertices."""

    @abstractmethod
    def implicit_step(self, implicit: ImplicitDiffusion, u: Array, times: Array) -> Array:
        """Diffuse (V, C) for times (C,) by eq. 2."""
