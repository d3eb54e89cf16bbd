"""Where on the template each vertex of a figure is, by what it lies on in the rest pose."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from scipy.spatial import cKDTree

from .bodies import Rigged
from .landmarks import landmarks
from .meshes import ACCESSORY, CLOTHING, NOWHERE
from .parts import FINE_NAMES, SIDES
from .template import load_template

# Farther from the skin than this share of the stature, nothing is a place of it: horns, long hair.
FAR = 0.06
# Of what is carried, and of cloth around the trunk: a cape hangs far behind it.
FAR_GEAR, FAR_CLOTH = 0.03, 0.12


def places_on(body: Rigged, figure: Rigged) -> np.ndarray:
    """The vertex of the skin that each vertex of a figure corresponds to, (V,) int64.

    That is the nearest of the same fine part, in the rest pose; `NOWHERE` where it is too far.
    Cloth on limbs, however wide, is a place of the limb that moves it.

    Parameters
    ----------
    body : Rigged
        Bare, with all vertices of the template in their order.
    figure : Rigged
        Made on it, in the rest pose, its parts fine ones.
    """
    skin = landmarks().skin
    place = np.full(len(figure.vertices), NOWHERE)
    away = np.zeros(len(place))
    for part in np.unique(figure.fine):
        own = np.flatnonzero(figure.fine == part)
        on = np.flatnonzero(skin & (body.fine == part))
        away[own], nearest = cKDTree(body.vertices[on]).query(figure.vertices[own])
        place[own] = on[nearest]
    far = np.full(len(place), FAR)
    far[figure.component == ACCESSORY] = FAR_GEAR
    cloth = figure.component == CLOTHING
    far[cloth] = np.where(_ON_LIMBS[figure.fine[cloth]], np.inf, FAR_CLOTH)
    place[away > far * np.ptp(body.vertices[skin, 2])] = NOWHERE
    return place


def mirrored_places(place: np.ndarray) -> np.ndarray:
    """The same places on the other side; what is nowhere stays nowhere."""
    return np.where(place == NOWHERE, NOWHERE, mirror()[place])


@lru_cache(maxsize=1)
def mirror() -> np.ndarray:
    """For each vertex of the template that of the skin which is nearest to its mirror image."""
    points, skin = load_template().vertices.astype(float), np.flatnonzero(landmarks().skin)
    return skin[cKDTree(points[skin]).query(points * [-1, 1, 1])[1]]


_ON_LIMBS = np.array([name.endswith(tuple(f".{side}" for side in SIDES)) for name in FINE_NAMES])
