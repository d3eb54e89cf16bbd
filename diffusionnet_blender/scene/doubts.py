"""What a model was unsure of, in the legend of a mesh, until the artist has settled it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import bpy

from .results import keep_edit


def read_doubts(mesh: bpy.types.Mesh) -> tuple[str, ...]:
    """All that the model was unsure of and nobody has settled, see `tasks.doubts.doubts_of`."""
    return tuple(name for name in mesh.diffusionnet.unsure_of.split("\n") if name)


def write_doubts(mesh: bpy.types.Mesh, unsure_of: Sequence[str]) -> None:
    """Keep doubts with a mesh, saved with the file."""
    mesh.diffusionnet.unsure_of = "\n".join(unsure_of)


@contextmanager
def settled_together(characters: Sequence[Sequence[bpy.types.Object]]) -> Iterator[None]:
    """Have what is settled inside on a member of a character settled on all of its members."""
    before = [[read_doubts(obj.data) for obj in members] for members in characters]
    yield
    for members, had in zip(characters, before, strict=True):
        now = [read_doubts(obj.data) for obj in members]
        settled = set().union(*(set(a) - set(b) for a, b in zip(had, now, strict=True)))
        for obj, left in zip(members, now, strict=True):
            if obj.data.library is None and not settled.isdisjoint(left):
                write_doubts(obj.data, [name for name in left if name not in settled])
                keep_edit(obj.data)
