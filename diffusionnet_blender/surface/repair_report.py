"""Counts of repairs; free of SciPy, so that results of tasks can hold them."""

from __future__ import annotations

from dataclasses import dataclass, fields


@dataclass(frozen=True)
class RepairReport:
    """Number of repairs of each kind. The user's own mesh is never changed.

    Attributes
    ----------
    welded_vertices : int
        Vertices that coincide with another one.
    degenerate_faces : int
        Triangles without an area.
    duplicate_faces : int
        Triangles with the same three corners as another one.
    unreferenced_vertices : int
        Vertices of no triangle; they take the value of the nearest vertex of one.
    flipped_faces : int
        Triangles turned so that all face outward.
    bridged_parts : int
        Loose parts that weak virtual edges tie to the rest.
    """

    welded_vertices: int = 0
    degenerate_faces: int = 0
    duplicate_faces: int = 0
    unreferenced_vertices: int = 0
    flipped_faces: int = 0
    bridged_parts: int = 0

    def summary(self) -> str:
        """One line for the user; empty where nothing had to be mended."""
        done = [(getattr(self, field.name), field.name.replace("_", " ")) for field in fields(self)]
        return ", ".join(f"{count:,} {what}" for count, what in done if count)
