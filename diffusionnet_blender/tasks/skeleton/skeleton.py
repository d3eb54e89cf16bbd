"""The bones of an armature at rest, as arrays."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np


@dataclass(frozen=True, eq=False)
class Skeleton:
    """Bones of an armature at rest; z is up.

    Attributes
    ----------
    names : tuple of B str
    parents : (B,) int
        Bone above each; -1 for one without.
    heads, tails : (B, 3) float64
        In one space, of any unit.
    deforms : (B,) bool
        Whether a bone deforms meshes.
    """

    names: tuple[str, ...]
    parents: np.ndarray
    heads: np.ndarray
    tails: np.ndarray
    deforms: np.ndarray

    @cached_property
    def children(self) -> tuple[tuple[int, ...], ...]:
        """Bones below each, in their order."""
        found: list[list[int]] = [[] for _ in self.names]
        for bone, parent in enumerate(self.parents):
            if parent >= 0:
                found[parent].append(bone)
        return tuple(map(tuple, found))

    @cached_property
    def order(self) -> tuple[int, ...]:
        """All bones, each after the one above it."""
        found = [bone for bone, parent in enumerate(self.parents) if parent < 0]
        for bone in found:
            found.extend(self.children[bone])
        return tuple(found)

    def above(self, bone: int) -> list[int]:
        """Bones above one, from the nearest up."""
        found = []
        while (bone := int(self.parents[bone])) >= 0:
            found.append(bone)
        return found

    def below(self, bone: int) -> list[int]:
        """A bone and all those below it."""
        found = [bone]
        for each in found:
            found.extend(self.children[each])
        return found
