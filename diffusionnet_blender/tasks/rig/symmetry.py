"""Joints and parts that are mirror images where the mesh is its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from ...surface.mirror import Mirror
from ..sides import other_side


def even_places(mirror: Mirror, places: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Places (3,) with those of both sides as mirror images, and others in the plane."""
    found = dict(places)
    for name, place in places.items():
        other = places.get(other_side(name) or name)
        if other is not None:
            found[name] = (place + mirror.image(other)) / 2
    return found


def even_parts(mirror: Mirror, parts: np.ndarray, names: Sequence[str]) -> np.ndarray:
    """Parts (V, C) averaged with those of the mirror images, left and right exchanged."""
    there = mirror.twin >= 0
    swapped = [names.index(other_side(name) or name) for name in names]
    found = parts.copy()
    found[there] = (parts[there] + parts[mirror.twin[there]][:, swapped]) / 2
    return found
