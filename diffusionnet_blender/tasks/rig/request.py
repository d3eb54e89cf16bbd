"""Request and result of fitting a skeleton to a figure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...network.checkpoint import Model
from ...options import option
from ...surface.cache import OperatorCache
from ...surface.surface import Surface
from ..compute import Compute
from ..models import FINE_PARTS_MODEL
from ..segment.request import Carried


@dataclass(frozen=True, kw_only=True)
class Bones:
    """Which skeleton a figure gets.

    Attributes
    ----------
    kind : str
    fingers, toes, face : bool
        See the help texts.
    """

    kind: str = option(
        "rigify",
        "Kind",
        "Skeleton that the character gets",
        choices=(
            (
                "rigify",
                "Rigify",
                "Metarig of Rigify, from which the full rig is generated: Human, or Basic "
                "Quadruped for an animal",
            ),
            ("rigify_horse", "Rigify Horse", "Horse of Rigify, for animals on four legs"),
            ("rigify_wolf", "Rigify Wolf", "Wolf of Rigify, with face and toes, for animals"),
            ("rigify_cat", "Rigify Cat", "Cat of Rigify, with face and toes, for animals"),
            ("mixamo", "Mixamo", "Bones as Mixamo names them, for its animations"),
            ("unreal", "Unreal Mannequin", "Bones as Unreal's mannequin has them"),
            ("vrm", "VRM Humanoid", "Bones as avatars in VRM 1.0 name them"),
            ("plain", "Plain", "Few bones with plain names, without controls"),
        ),
    )
    fingers: bool = option(True, "Fingers", "Bones for the fingers")
    toes: bool = option(True, "Toes", "A bone for the toes of each foot")
    face: bool = option(
        False, "Face", "Bones for eyes that are balls of their own; Rigify gets none"
    )


@dataclass(frozen=True, eq=False)
class RigRequest(Compute):
    """A figure that gets a skeleton.

    Attributes
    ----------
    surface : Surface
        A mesh; of a character of several objects, all of them.
    model : str or Model
        With the fine parts of people, or with those of animals on four legs.
    member : (V,) int32, optional
        Number of the object of each vertex.
    carried : tuple of Carried
        What the figure carries, such as swords: no part of its shape.
    cache : OperatorCache, optional
        Of the matrices of the segmentation.
    """

    surface: Surface
    model: str | Model = option(
        FINE_PARTS_MODEL,
        "Model",
        "Model of the parts that joints are found by: body_parts_fine for people, animal_parts "
        "for animals on four legs",
    )
    member: np.ndarray | None = None
    carried: tuple[Carried, ...] = ()
    cache: OperatorCache | None = None


@dataclass(frozen=True, eq=False)
class Fitted:
    """Joints of a figure, and what its bones will move.

    Attributes
    ----------
    places : dict of str to (3,) float64
        Landmarks and other places that bones lie between, in the space of the surface.
    frame : (3, 3) float64
        Rows: the directions to the left of the figure, to its back, and up.
    part_names : tuple of C str
        Parts of the body, and the eyes that are there.
    parts : (V, C) float32
        How much each vertex belongs to each part, smooth along the outside of the figure.
    stiff : (V,) int32
        Number of the stiff piece of each vertex, -1 for none.
    confidence : float
        Mean probability of the parts, over the area.
    four_legs : bool
        Whether it is an animal on four legs; else a person.
    doubts : tuple of str
        What may be wrong, in words of `judgement`; empty if nothing is.
    seconds : dict of str to float
        Of the stages.
    """

    places: dict[str, np.ndarray]
    frame: np.ndarray
    part_names: tuple[str, ...]
    parts: np.ndarray
    stiff: np.ndarray
    confidence: float
    doubts: tuple[str, ...]
    seconds: dict[str, float]
    four_legs: bool = False
