"""Places of a figure that its parts do not tell: fingers, collar bones, eyes, jaw and heels.

Each is put where it lies in its limb on a template body (`rigs/template.json`, made by
`training.rig_template`). The hand is turned about its length to where the template's fits best.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
from scipy.spatial import cKDTree

from ...matching.limbs.joints import SIDES
from ...matching.limbs.links import LINKS, Link, links_of
from ...matching.limbs.parted import PartedMesh
from .data import FOLDER

# Degrees between the turns of a hand that are tried, and by how much better than none the best
# must be: hands without fingers fit in any turn.
TURNS = tuple(range(0, 360, 15))
CLEARLY = 0.85
FAR = 0.15


@cache
def template() -> dict[str, Any]:
    """Points by link, and the surface of a hand, see `training.rig_template`."""
    found: dict[str, Any] = json.loads((FOLDER / "template.json").read_text(encoding="utf-8"))
    return found


def figure_links(mesh: PartedMesh, landmarks: Mapping[str, np.ndarray]) -> dict[str, Link]:
    """Links of a figure between its landmarks, its hands turned as they are held.

    Parameters
    ----------
    mesh : PartedMesh
    landmarks : mapping of str to (3,) float
    """
    links = links_of(mesh, dict(landmarks))
    for side in SIDES:
        name = f"hand.{side}"
        if name in links:
            links[name] = _turned_hand(mesh, links[name], side)
    return links


def placed_points(links: Mapping[str, Link]) -> dict[str, np.ndarray]:
    """Points of the template (3,) on the links of a figure: ``index1.L``, ``jaw``, ``eye.R`` ..."""
    found = {}
    for link, points in template()["points"].items():
        stem, _, sided = link.partition(".")
        for side in SIDES:
            own = links.get(f"{stem}.{side}" if sided else stem)
            if own is None:
                continue
            for name, place in points.items():
                middle = abs(place[0]) < 1e-3
                key = name if middle and not sided else f"{name}.{side}"
                found[key] = _on(own, place, -1.0 if side == "R" else 1.0)
    return found


def _on(link: Link, place: Sequence[float], mirror: float) -> np.ndarray:
    across = np.array([mirror * place[0], place[1]]) * link.spread[:2] + link.middle[:2]
    return link.start + link.axes.T @ np.array([*across, place[2] * link.length])


def _turned_hand(mesh: PartedMesh, hand: Link, side: str) -> Link:
    """The hand's link turned about its length so that the template's hand lies on it."""
    weight = mesh.part(LINKS[f"hand.{side}"][0])
    chosen = weight > 0.5
    if chosen.sum() < 12:
        return hand
    own = (mesh.vertices[chosen] - hand.start) @ hand.axes.T / hand.length
    shape = np.array(template()["hand"])
    if side == "R":
        shape = shape * [-1.0, 1.0, 1.0]
    own[:, :2] -= own[:, :2].mean(axis=0)
    shape = shape - [*shape[:, :2].mean(axis=0), 0.0]
    shape[:, :2] *= np.sqrt(np.square(own[:, :2]).sum() / len(own)) / np.sqrt(
        np.square(shape[:, :2]).sum() / len(shape)
    )
    there = cKDTree(own)

    def cost(degrees: float) -> float:
        turned = shape @ _about_length(degrees)
        near = np.minimum(there.query(turned)[0], FAR).mean()
        back = np.minimum(cKDTree(turned).query(own)[0], FAR).mean()
        return float(near + back)

    costs = [cost(degrees) for degrees in TURNS]
    best = int(np.argmin(costs))
    if costs[best] > CLEARLY * costs[0]:
        return hand
    # The template's axes are turned by the same angle.
    axes = _about_length(TURNS[best]) @ hand.axes
    places = (mesh.vertices - hand.start) @ axes.T
    share = mesh.mass * np.square(weight)
    share = share / share.sum()
    middle = share @ places
    return replace(
        hand, axes=axes, middle=middle, spread=np.sqrt(share @ np.square(places - middle))
    )


def _about_length(degrees: float) -> np.ndarray:
    """Rotation (3, 3), of rows, about the last axis."""
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return np.array([[c, s, 0.0], [-s, c, 0.0], [0.0, 0.0, 1.0]])
