"""Places of a figure that its parts do not tell: fingers, collar bones and eyes.

Each is put where it lies in its limb on a template body (`rigs/template.json`, made by
`training.rig_template`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np

from ...matching.limbs.directions import SIDES
from ...matching.limbs.links import Link, links_of
from ...matching.limbs.parted import PartedMesh
from .data import FOLDER
from .hands import fingers_of, hand_frame


@cache
def template() -> dict[str, Any]:
    """Points by link, and a hand with its surface, see `training.rig_template`."""
    found: dict[str, Any] = json.loads((FOLDER / "template.json").read_text(encoding="utf-8"))
    return found


def placed_points(mesh: PartedMesh, landmarks: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Points of the template (3,) on a figure: ``index1.L``, ``eye.R`` ...

    Parameters
    ----------
    mesh : PartedMesh
    landmarks : mapping of str to (3,) float

    Returns
    -------
    dict of str to (3,) float64
        Without fingers on hands that have no such ones.
    """
    links = links_of(mesh, dict(landmarks))
    found = {}
    for link, points in template()["points"].items():
        stem, _, sided = link.partition(".")
        for side in SIDES:
            own = links.get(f"{stem}.{side}" if sided else stem)
            if own is None:
                continue
            for name, place in points.items():
                found[f"{name}.{side}"] = _on(own, place, -1.0 if side == "R" else 1.0)
    for side in SIDES:
        hand = hand_frame(mesh, landmarks, side)
        fingers = None if hand is None else fingers_of(mesh, hand, side, template()["hand"])
        if fingers is None:
            continue
        for finger, chain in fingers.items():
            found |= {f"{finger}{number}.{side}": place for number, place in enumerate(chain, 1)}
    return found


def _on(link: Link, place: Sequence[float], mirror: float) -> np.ndarray:
    across = np.array([mirror * place[0], place[1]]) * link.spread[:2] + link.middle[:2]
    return link.start + link.axes.T @ np.array([*across, place[2] * link.length])
