"""Joints of two bodies that were matched limb by limb, told by the skin around them."""

from __future__ import annotations

import numpy as np

from ...matching.closest import ClosestPoints
from ...matching.joint_rings import JointPair, JointRing
from ...matching.limbs.joints import rings_of
from ...surface.surface import Surface
from .in_place import on_input
from .side import Side

# Places (n, 3) around each joint, by its name, and their weights (n,).
_Rings = dict[str, tuple[np.ndarray, np.ndarray]]


def joint_pairs(source: Side, target: Side) -> dict[str, JointPair]:
    """The joints of arms and legs that both have, by name, on the inputs of both."""
    own, other = (
        _onto(_rings(side), side.surface, side.original, side.clean_vertex)
        for side in (source, target)
    )
    return {name: (own[name], other[name]) for name in own if name in other}


def joints_of_skin(
    rings: dict[str, JointRing],
    skin: Surface,
    repaired: Surface,
    original: Surface,
    clean_vertex: np.ndarray,
) -> dict[str, JointRing]:
    """Joints on the skin of a figure as joints on the figure.

    Parameters
    ----------
    rings : dict of str to JointRing
    skin, repaired, original : Surface
    clean_vertex : (V,) int
        Vertex of the repaired surface for each of the original.
    """
    places = {
        name: (ring.points.interpolate(skin.vertices, skin.faces), ring.weights)
        for name, ring in rings.items()
    }
    return _onto(places, repaired, original, clean_vertex)


def _rings(side: Side) -> _Rings:
    if side.body is None:
        return {}
    return {
        name: (side.proxy.vertices[vertices], weights)
        for name, (vertices, weights) in rings_of(side.body).items()
    }


def _onto(
    rings: _Rings, surface: Surface, original: Surface, clean_vertex: np.ndarray
) -> dict[str, JointRing]:
    """Rings at the points of an original that are nearest."""
    if not rings:
        return {}
    closest = ClosestPoints(surface.vertices, surface.faces)
    return {
        name: JointRing(on_input(closest(places)[0], surface, original, clean_vertex), weights)
        for name, (places, weights) in rings.items()
    }
