"""Joints of two bodies that were matched limb by limb, told by the skin around them."""

from __future__ import annotations

import numpy as np

from ...matching.closest import ClosestPoints
from ...matching.joint_rings import JointPair, JointRing
from ...matching.limbs.joints import SIDES, Ring, rings_of
from ...matching.limbs.parted import PartedMesh
from ...surface.surface import Surface
from ..rig.landmarks import LAYOUT, landmarks_of
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
        for name, (vertices, weights) in rings_of_landmarks(side.body).items()
    }


def rings_of_landmarks(mesh: PartedMesh) -> dict[str, Ring]:
    """The skin around joints as `rings_of`, its weights such that its centre is where Rig turns it.

    The borders between parts are a little off the joints. Weights may be negative: a joint may lie
    off the middle of its skin.

    Parameters
    ----------
    mesh : PartedMesh
    """
    rings, landmarks = rings_of(mesh), landmarks_of(mesh)
    found = dict(rings)
    for joints in (limb.joints for limb in LAYOUT.limbs):
        for side in SIDES:
            limb = [rings[f"{name}.{side}"] for name in joints if f"{name}.{side}" in rings]
            for name in joints:
                key = f"{name}.{side}"
                if key in rings and key in landmarks:
                    found[key] = _ring_through(mesh.vertices, rings[key], limb, landmarks[key])
    return found


def _ring_through(vertices: np.ndarray, ring: Ring, limb: list[Ring], place: np.ndarray) -> Ring:
    """A ring whose centre is a place, by the least change of weights on the rings of its limb."""
    chosen = np.unique(np.concatenate([points for points, _ in limb]))
    weights = np.zeros(len(chosen))
    weights[np.searchsorted(chosen, ring[0])] = ring[1]
    points = vertices[chosen] - place
    # In units of their spread, or the sum of the weights counts more than their centre.
    points = points / max(float(np.abs(points).max()), 1e-12)
    system = np.concatenate([points.T, np.ones((1, len(chosen)))])
    wanted = np.array([0.0, 0.0, 0.0, 1.0])
    weights += np.linalg.lstsq(system, wanted - system @ weights, rcond=None)[0]
    return chosen, weights


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
