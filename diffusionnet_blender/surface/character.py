"""Several surfaces in one space as one: body, clothes, hair and shoes of a character."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ..errors import SurfaceError
from .surface import Surface


@dataclass(frozen=True, eq=False)
class Character:
    """Surfaces that together are one shape.

    Attributes
    ----------
    members : sequence of Surface
        All in the same space and unit.
    names : sequence of str
        Of the members; empty where they have none.

    Raises
    ------
    SurfaceError
        If there is no member, or not a name for each.
    """

    members: Sequence[Surface]
    names: Sequence[str] = ()

    def __post_init__(self) -> None:
        if not len(self.members):
            raise SurfaceError("The character has no surfaces", "Give at least one.")
        if len(self.names) not in (0, len(self.members)):
            raise SurfaceError(
                f"The character has {len(self.members)} surfaces and {len(self.names)} names",
                "Give a name for each, or none.",
            )
        object.__setattr__(self, "members", tuple(self.members))
        object.__setattr__(self, "names", tuple(self.names))

    @cached_property
    def surface(self) -> Surface:
        """The members pooled: their vertices and faces one after the other."""
        if len(self.members) == 1:
            return self.members[0]
        normals = [member.normals for member in self.members if member.normals is not None]
        starts = self._vertex_ends - [len(member.vertices) for member in self.members]
        return Surface(
            np.concatenate([member.vertices for member in self.members]),
            np.concatenate(
                [member.faces + start for member, start in zip(self.members, starts, strict=True)]
            ),
            np.concatenate(normals) if len(normals) == len(self.members) else None,
        )

    @cached_property
    def member(self) -> np.ndarray:
        """Number of the member of each vertex, (V,) int32."""
        sizes = [len(member.vertices) for member in self.members]
        return np.repeat(np.arange(len(sizes), dtype=np.int32), sizes)

    def split(self, values: np.ndarray) -> list[np.ndarray]:
        """Values at the vertices of the pooled surface, (V, ...), for each member by itself."""
        return np.split(values, self._vertex_ends[:-1])

    @cached_property
    def _vertex_ends(self) -> np.ndarray:
        return np.cumsum([len(member.vertices) for member in self.members])


def pooled(shape: Surface | Character) -> Surface:
    """One surface of a shape that may have several.

    Raises
    ------
    SurfaceError
        If it is no shape.
    """
    if not isinstance(shape, Surface | Character):
        raise SurfaceError(
            f"A {type(shape).__name__} is no shape",
            "Give a Surface(vertices, faces), or a Character.",
        )
    return shape.surface if isinstance(shape, Character) else shape


def require_members(member: np.ndarray | None, vertices: int) -> None:
    """Check the number of the member of each vertex.

    Parameters
    ----------
    member : (V,) int, optional
    vertices : int
        V of the pooled surface.

    Raises
    ------
    SurfaceError
        If they do not fit the surface.
    """
    if member is None:
        return
    fits = isinstance(member, np.ndarray) and member.shape == (vertices,)
    if not fits or member.dtype.kind not in "iu" or member.min(initial=0) < 0:
        raise SurfaceError(
            "The members are no whole numbers from 0, one for each vertex",
            f"Give an array of {vertices:,} integers, or a Character.",
        )
