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
    stray_vertices : int
        Vertices far from everything else, which are left out as those of no triangle.
    first_stray_vertex : int
        Number of the first of these.
    """

    welded_vertices: int = 0
    degenerate_faces: int = 0
    duplicate_faces: int = 0
    unreferenced_vertices: int = 0
    flipped_faces: int = 0
    bridged_parts: int = 0
    stray_vertices: int = 0
    first_stray_vertex: int = 0

    def summary(self) -> str:
        """One line for the user; empty where nothing had to be mended."""
        names = [field.name for field in fields(self) if field.name != "first_stray_vertex"]
        done = [(getattr(self, name), name.replace("_", " ")) for name in names]
        text = ", ".join(f"{count:,} {what}" for count, what in done if count)
        return f"{text} (first: {self.first_stray_vertex})" if self.stray_vertices else text

    def stray(self) -> str:
        """One line on stray vertices; empty where there are none."""
        if not self.stray_vertices:
            return ""
        return (
            f"{self.stray_vertices:,} stray vertices far from everything else were left out "
            f"(first: {self.first_stray_vertex})"
        )
