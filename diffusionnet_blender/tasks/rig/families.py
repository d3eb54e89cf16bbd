"""Families of figures that Rig has skeletons for: people, and animals on four legs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from ...errors import ModelError
from ...matching.limbs.parted import PartedMesh
from ...network.card import ModelCard
from ..models import ANIMAL_PARTS_MODEL, FINE_PARTS_MODEL
from . import animal_landmarks, landmarks
from .layout import Layout
from .places import placed_points

Places = dict[str, np.ndarray]


@dataclass(frozen=True)
class Family:
    """How the places of a family of figures are found.

    Attributes
    ----------
    four_legs : bool
    layout : Layout
    landmarks : callable
        Joints and ends of limbs on a mesh with its parts, in its frame.
    points : callable
        What parts do not tell, between these.
    """

    four_legs: bool
    layout: Layout
    landmarks: Callable[[PartedMesh], Places]
    points: Callable[[PartedMesh, Mapping[str, np.ndarray]], Places]


def _no_points(mesh: PartedMesh, found: Mapping[str, np.ndarray]) -> Places:
    return {}


PEOPLE = Family(False, landmarks.LAYOUT, landmarks.landmarks_of, placed_points)
ANIMALS = Family(True, animal_landmarks.LAYOUT, animal_landmarks.animal_landmarks, _no_points)


def family_with(card: ModelCard) -> Family:
    """The family whose parts a model finds.

    Raises
    ------
    ModelError
        If it finds others.
    """
    family = ANIMALS if card.four_legs else PEOPLE
    missing = sorted(family.layout.parts - set(card.class_names))
    if missing:
        raise ModelError(
            f"The model {card.name!r} has no part {missing[0]!r}, which Rig needs",
            f"Choose {FINE_PARTS_MODEL} for people, {ANIMAL_PARTS_MODEL} for animals on four legs.",
        )
    return family
