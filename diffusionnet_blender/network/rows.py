"""Row-wise evaluation of pointwise operations, in cache and in scratch memory.

All of a block but the projection and the reach of the gradient is pointwise. Done for a few hundred
vertices at once, its intermediate arrays stay in the processor's cache and need next to no memory;
done for all of them, they are read from and written to memory a dozen times.
"""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from functools import cached_property
from typing import Any

# Timed operation by operation from 128 to 1024, in both engines.
ROWS_IN_CACHE = 512


class RowWise(ABC):
    """Row-wise evaluation; a subclass makes the memory and limits the threads of its library."""

    def __init__(self) -> None:
        self._scratch = threading.local()

    @property
    def rows_at_once(self) -> int:
        """Rows in one portion."""
        return ROWS_IN_CACHE

    @property
    def reuses_memory(self) -> bool:
        """Whether the arrays of one portion of rows are taken again for the next.

        Memory fresh from the system costs more than the arithmetic on it.
        """
        return True

    def over_rows(
        self, count: int, width: int, apply: Callable[[slice], Any], into: Any = None
    ) -> Any:
        """Apply a function to all rows, a portion at a time.

        Parameters
        ----------
        count : int
            Number of rows.
        width : int
            Channels of the result.
        apply : callable
            From a slice of rows to a (rows, width) array.
        into : (count, width) array, optional
            Array to overwrite with the result; `apply` may read its own rows of it.

        Returns
        -------
        (count, width) array
        """
        portions = self._portions(count)
        if len(portions) == 1 and not self.reuses_memory:
            return apply(portions[0])
        result = self._empty((count, width)) if into is None else into

        def fill(rows: slice) -> None:
            result[rows] = apply(rows)

        for _ in self._each(fill, portions):
            pass
        return result

    def sum_over_rows(self, count: int, apply: Callable[[slice], Any]) -> Any:
        """Sum of a function over the portions of rows; its results must not be scratch memory."""
        # In order, so that the sum is the same on any number of threads.
        return sum(self._each(apply, self._portions(count)), 0.0)

    def _portions(self, count: int) -> list[slice]:
        step = self.rows_at_once
        return [slice(start, min(start + step, count)) for start in range(0, count, step)]

    def _each(self, work: Callable[[slice], Any], portions: list[slice]) -> Iterator[Any]:
        """Results of a function for each portion, in order."""
        threads = min(self._threads(), len(portions))
        if threads == 1:
            for rows in portions:
                yield self._with_scratch(work, rows)
            return

        def in_a_thread(rows: slice) -> Any:
            with self.inference():
                return self._with_scratch(work, rows)

        # Portions side by side need no waiting for each other, as threads within a product do.
        with self._one_thread_each():
            yield from self._pool.map(in_a_thread, portions)

    def _with_scratch(self, work: Callable[[slice], Any], rows: slice) -> Any:
        self._scratch.next = 0
        try:
            return work(rows)
        finally:
            self._scratch.next = None

    @cached_property
    def _pool(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(self._threads(), initializer=self._start_thread)

    def _take(self, shape: tuple[int, ...]) -> Any:
        """Memory for an intermediate array, until the next portion; None: as the library likes.

        Every portion takes the same arrays in the same order.
        """
        scratch = self._scratch
        if not self.reuses_memory or getattr(scratch, "next", None) is None:
            return None
        if not hasattr(scratch, "arrays"):
            scratch.arrays = []
        place, scratch.next = scratch.next, scratch.next + 1
        if place == len(scratch.arrays):
            scratch.arrays.append(self._empty(shape))
        elif tuple(scratch.arrays[place].shape) != shape:
            scratch.arrays[place] = self._empty(shape)
        return scratch.arrays[place]

    @abstractmethod
    def inference(self) -> AbstractContextManager[Any]:
        """Context in which no derivatives are kept."""

    @abstractmethod
    def _empty(self, shape: tuple[int, ...]) -> Any:
        """An array without values."""

    @abstractmethod
    def _threads(self) -> int:
        """Threads that may work on portions side by side."""

    @abstractmethod
    def _start_thread(self) -> None:
        """Called once in each of these threads."""

    @abstractmethod
    def _one_thread_each(self) -> AbstractContextManager[Any]:
        """Context in which products run on one thread."""
