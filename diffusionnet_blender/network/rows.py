"""Working through a shape some vertices at a time.

All of a block but the projection and the reach of the gradient is pointwise. Done for a few hundred
vertices at once, its intermediate arrays stay in the processor's cache and take no memory to speak
of; done for all of them, they are read from and written to memory a dozen times.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from typing import Any

# Timed operation by operation from 128 to 1024, in both engines.
ROWS_IN_CACHE = 512


class RowWise:
    """What both engines share; a subclass says how memory is made and threads are limited."""

    rows_at_once = ROWS_IN_CACHE
    # Arrays of one portion of rows are taken again for the next. Memory fresh from the system
    # costs more than the arithmetic on it.
    reuses_memory = True

    def __init__(self):
        self._room = threading.local()

    def over_rows(self, count: int, width: int, apply: Callable[[slice], Any], into: Any = None):
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
            What may be overwritten with the result; `apply` may read its own rows of it.

        Returns
        -------
        (count, width) array
        """
        portions = self._portions(count)
        if len(portions) == 1 and not self.reuses_memory:
            return apply(portions[0])
        result = self._empty((count, width)) if into is None else into

        def fill(rows):
            result[rows] = apply(rows)

        for _ in self._each(fill, portions):
            pass
        return result

    def sum_over_rows(self, count: int, apply: Callable[[slice], Any]):
        """Sum of what a function, which may not keep room, gives for each portion of rows."""
        # In order, so that the sum is the same on any number of threads.
        return sum(self._each(apply, self._portions(count)), 0.0)

    def _portions(self, count):
        step = self.rows_at_once
        return [slice(start, min(start + step, count)) for start in range(0, count, step)]

    def _each(self, work, portions):
        threads = min(self._threads(), len(portions))
        if threads == 1:
            for rows in portions:
                yield self._with_room(work, rows)
            return

        def in_a_thread(rows):
            with self.inference():
                return self._with_room(work, rows)

        # Portions side by side need no waiting for each other, as threads within a product do.
        with self._one_thread_each():
            yield from self._pool.map(in_a_thread, portions)

    def _with_room(self, work, rows):
        self._room.next = 0
        try:
            return work(rows)
        finally:
            self._room.next = None

    @cached_property
    def _pool(self):
        return ThreadPoolExecutor(self._threads(), initializer=self._start_thread)

    def _take(self, shape: tuple[int, ...]):
        """Memory for an intermediate array, until the next portion; None: as the library likes.

        Every portion takes the same arrays in the same order.
        """
        room = self._room
        if not self.reuses_memory or getattr(room, "next", None) is None:
            return None
        if not hasattr(room, "arrays"):
            room.arrays = []
        place, room.next = room.next, room.next + 1
        if place == len(room.arrays):
            room.arrays.append(self._empty(shape))
        elif tuple(room.arrays[place].shape) != shape:
            room.arrays[place] = self._empty(shape)
        return room.arrays[place]
