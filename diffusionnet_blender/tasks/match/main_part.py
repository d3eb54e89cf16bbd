"""The main part of a surface, decimated where it is dense: what parts and features are found on."""

from __future__ import annotations

from dataclasses import dataclass

from ...matching.parts import Parts, split_parts
from ...matching.proxy import decimate
from ...surface.surface import Surface

# Vertices to which dense meshes are decimated before maps are computed between them. A mesh of not
# more than so many times as many is taken as it is.
PROXY_VERTICES, NOT_DENSE = 4500, 4 / 3


@dataclass(frozen=True, eq=False)
class MainPart:
    """A surface without its small loose parts.

    Attributes
    ----------
    parts : Parts
    proxy : Surface
        The main one, decimated; the same object where it is not dense.
    """

    parts: Parts
    proxy: Surface


def main_part(surface: Surface) -> MainPart:
    """The main part of a surface as `repair.repair` leaves it."""
    parts = split_parts(surface)
    is_dense = len(parts.main.vertices) > NOT_DENSE * PROXY_VERTICES
    return MainPart(parts, decimate(parts.main, PROXY_VERTICES) if is_dense else parts.main)
