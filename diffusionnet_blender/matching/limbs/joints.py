"""Joints of a figure: centres of the borders between the parts of its body."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .directions import SIDES
from .parted import PartedMesh

# Shoulders are no limbs of their own.
CHEST = ("chest", "shoulder.L", "shoulder.R")
# A border of a smaller share of the area is none.
LEAST_BORDER = 2e-4
# Points of a border that are farther from its median than so many median distances, such as the
# far rim of a skirt or a sleeve, have no say in its centre.
OUTLYING = 1.9
WEISZFELD_STEPS = 30
# Vertices (n,) around a joint, and their weights (n,), which add up to 1.
Ring = tuple[np.ndarray, np.ndarray]


def joints_of(mesh: PartedMesh) -> dict[str, np.ndarray]:
    """Where the parts of a body meet, (3,) each, by names: ``neck``, ``elbow.L`` ...

    Parameters
    ----------
    mesh : PartedMesh
        With the fine parts of a body.

    Returns
    -------
    dict of str to (3,) float64
        Without those of limbs that the figure lacks.
    """
    found: dict[str, np.ndarray | None] = {
        "neck": border_centre(mesh, ["neck"], CHEST),
        "head": border_centre(mesh, ["head"], ["neck"]),
        "chest": border_centre(mesh, ["chest"], ["abdomen"]),
        "waist": border_centre(mesh, ["abdomen"], ["pelvis"]),
    }
    # Stylised figures often have a head on their shoulders.
    below_head = found["neck"] if found["head"] is None else found["head"]
    if below_head is None:
        below_head = border_centre(mesh, ["head"], CHEST)
    found["head"] = below_head
    found["neck"] = below_head if found["neck"] is None else found["neck"]
    for side in SIDES:
        for joint, part, others in _limb_borders(side):
            found[f"{joint}.{side}"] = border_centre(mesh, [f"{part}.{side}"], others)
        for first, middle, last in (("shoulder", "elbow", "wrist"), ("hip", "knee", "ankle")):
            ends = found[f"{first}.{side}"], found[f"{last}.{side}"]
            if found[f"{middle}.{side}"] is None and ends[0] is not None and ends[1] is not None:
                found[f"{middle}.{side}"] = (ends[0] + ends[1]) / 2
    hips = [found["hip.L"], found["hip.R"]]
    if hips[0] is not None and hips[1] is not None:
        found["hips"] = (hips[0] + hips[1]) / 2
    else:
        found["hips"] = part_centre(mesh, ["pelvis"])
    return {name: place for name, place in found.items() if place is not None}


def border_centre(
    mesh: PartedMesh, ones: Sequence[str], others: Sequence[str]
) -> np.ndarray | None:
    """Robust centre (3,) of the border between two groups of parts; None where they do not touch.

    Parameters
    ----------
    mesh : PartedMesh
    ones, others : sequence of str
    """
    ring = _ring(mesh, ones, others)
    return None if ring is None else ring[1] @ mesh.vertices[ring[0]]


def rings_of(mesh: PartedMesh) -> dict[str, Ring]:
    """The skin around the joints of arms and legs: ``shoulder.L``, ``elbow.L`` ... ``ankle.R``.

    Parameters
    ----------
    mesh : PartedMesh
    """
    found = {
        f"{joint}.{side}": _ring(mesh, [f"{part}.{side}"], others)
        for side in SIDES
        for joint, part, others in _limb_borders(side)
    }
    return {name: ring for name, ring in found.items() if ring is not None}


def _limb_borders(side: str) -> tuple[tuple[str, str, list[str]], ...]:
    """Joints of a side, the part above or beyond, and those on the other hand."""
    return (
        ("shoulder", "upper_arm", [f"shoulder.{side}", "chest", "abdomen"]),
        ("elbow", "upper_arm", [f"forearm.{side}"]),
        ("wrist", "forearm", [f"palm.{side}", f"fingers.{side}"]),
        ("hip", "thigh", ["pelvis", "abdomen"]),
        ("knee", "thigh", [f"shin.{side}"]),
        ("ankle", "shin", [f"foot.{side}", f"toes.{side}"]),
    )


def _ring(mesh: PartedMesh, ones: Sequence[str], others: Sequence[str]) -> Ring | None:
    """Vertices on the border between two groups of parts, without those that stray from it.

    The centre of what is left is the joint.
    """
    weight = 4 * mesh.mass * mesh.part(ones) * mesh.part(others)
    if weight.sum() < LEAST_BORDER:
        return None
    kept = np.flatnonzero(weight > 1e-3 * weight.max())
    kept = kept[_central(mesh.vertices[kept], weight[kept])]
    return kept, weight[kept] / weight[kept].sum()


def part_centre(mesh: PartedMesh, names: Sequence[str]) -> np.ndarray | None:
    """Centre of the area (3,) of some parts; None where there is hardly any."""
    weight = mesh.mass * mesh.part(names)
    if weight.sum() < LEAST_BORDER:
        return None
    return weight @ mesh.vertices / weight.sum()


def tip(
    mesh: PartedMesh,
    names: Sequence[str],
    start: np.ndarray,
    direction: np.ndarray,
    counted: np.ndarray | float = 1.0,
) -> np.ndarray | None:
    """Where some parts end, seen from a point along a unit direction, (3,); None without area.

    `counted`, (V,), is 0 for vertices without a say.
    """
    weight = mesh.mass * (mesh.part(names) > 0.5) * counted
    if weight.sum() < LEAST_BORDER / 2:
        return None
    along = (mesh.vertices - start) @ direction
    order = np.argsort(along)
    # Single strands and spikes reach farther than the limb.
    share = np.cumsum(weight[order]) / weight.sum()
    return start + along[order][np.searchsorted(share, 0.97)] * direction


def _central(points: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Which weighted points (n, 3) lie around their geometric median (Weiszfeld 1937), (n,)."""
    centre = weight @ points / weight.sum()
    for _ in range(WEISZFELD_STEPS):
        away = np.maximum(np.linalg.norm(points - centre, axis=1), 1e-9)
        pull = weight / away
        centre = pull @ points / pull.sum()
    away = np.linalg.norm(points - centre, axis=1)
    order = np.argsort(away)
    half = np.searchsorted(np.cumsum(weight[order]), weight.sum() / 2)
    return away <= OUTLYING * away[order][half]
