"""Request and result of a match."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from ...matching.joint_rings import JointPair
from ...matching.judgement import Judgement, confident_share, is_uncertain
from ...matching.points import SurfacePoints
from ...network.checkpoint import Model
from ...options import option
from ...surface.repair_report import RepairReport
from ...surface.surface import Surface
from ..compute import Compute
from ..models import DEFAULT_MATCH_MODEL, FINE_PARTS_MODEL
from ..segment.request import Carried

Fit = Literal["", "kept", "no better", "no torch"]
Way = Literal["in place", "features", "limbs", "distances"]


def no_pins() -> np.ndarray:
    """An empty array of pins, (0, 2) int64."""
    return np.zeros((0, 2), dtype=np.int64)


def no_offset() -> np.ndarray:
    """The offset of two surfaces in one space, (3,) float64."""
    return np.zeros(3)


# Models of the parts of source and target, where no others are chosen.
PEOPLE = FINE_PARTS_MODEL, FINE_PARTS_MODEL


@dataclass(frozen=True, eq=False)
class Members:
    """Objects that a surface of several is made of.

    Attributes
    ----------
    of_vertex : (V,) int32
        Number of the member of each vertex.
    kinds : tuple of str
        Of each member, see `kinds.kind_of`: what is of the same kind on both sides goes to it. "":
        a member of the figure.
    carried : tuple of Carried
        Things that are no part of the figure.
    """

    of_vertex: np.ndarray
    kinds: tuple[str, ...]
    carried: tuple[Carried, ...] = ()


@dataclass(frozen=True, eq=False)
class MatchRequest(Compute):
    """Two surfaces to match, and the model and options for it.

    Attributes
    ----------
    source, target : Surface
        Meshes, in any position, size, pose and topology.
    model : str, Model or None
        Of the features by which vertices are matched. None: wave kernel signatures, which suit two
        shapes of one kind.
    pins : (P, 2) int
        Landmarks: pairs of a vertex of the source and one of the target, which the map
        interpolates.
    offset : (3,) float
        Origin of the target less that of the source, in the unit and axes of both: where they
        stand when they are compared in place.
    source_members, target_members : Members, optional
        Of a character of several objects.
    source_known, target_known : (V, C) float, optional
        Probabilities of the classes of `DEFAULT_MODEL`, the parts of a body, where they are known
        beforehand, as from the bones of an armature. Rows of zeros: unknown.
    parts_models : (str or Model, str or Model) or None
        Of the fine parts of a body, for source and target, by which they are matched limb by limb
        where they have bodies; with features of four-legged animals, by default the parts of those.
        None, or without a model of features: not at all.
    fit : bool
    method : {"AUTO", "MATCH", "IN_PLACE"}
        See the help texts.
    """

    source: Surface
    target: Surface
    model: str | Model | None = option(
        DEFAULT_MATCH_MODEL,
        "Model",
        "Name of a model, or path of a .safetensors file. NONE: match by distances along the "
        "surfaces alone",
    )
    pins: np.ndarray = field(default_factory=no_pins)
    offset: np.ndarray = field(default_factory=no_offset)
    source_members: Members | None = None
    target_members: Members | None = None
    source_known: np.ndarray | None = None
    target_known: np.ndarray | None = None
    parts_models: tuple[str | Model, str | Model] | None = PEOPLE
    fit: bool = option(
        False,
        "Fit to Pair",
        "Also fit a network to this pair, without any labels, and keep its match if it scores "
        "better. Needs PyTorch and doubles the time",
    )
    method: str = option(
        "AUTO",
        "Method",
        "How the point of the source for each vertex of the target is found",
        choices=(
            (
                "AUTO",
                "Automatic",
                "In place where the target already lies on the source, as clothes on a body or a "
                "retopology on its scan; else by matching shapes",
            ),
            ("MATCH", "Match Shapes", "By their shapes, wherever the two stand"),
            (
                "IN_PLACE",
                "In Place",
                "The nearest point of the source that faces alike, as the two stand now",
            ),
        ),
    )


@dataclass(frozen=True, eq=False)
class Correspondence:
    """A map from the vertices of a target to points of a source.

    Attributes
    ----------
    target_to_source : SurfacePoints
        On the source's triangles, one for each vertex of the target, in the order of the input.
    confidence : (V_t,) float64
        0 to 1.
    unmatched : (V_t,) bool
        Where the source has no counterpart, as of the target's own hat: the map leads to what is
        near.
    judgement : Judgement
        Of the map as a whole.
    model_name : str
        Of the model of the features; empty for wave kernel signatures.
    way : {"in place", "features", "limbs", "distances"}
        By place; by the nearest features; limb by limb, by the parts of both bodies; by functional
        maps.
    fit : {"", "kept", "no better", "no torch"}
        Outcome of fitting a network to this pair: the map is that by the network, or the better
        one without it, or torch is missing. Empty without the option.
    repairs : (RepairReport, RepairReport)
        Repairs of copies of source and target; the inputs are unchanged.
    seconds : dict of str to float
        Duration of each stage.
    joints : dict of str to JointPair
        Of arms and legs, of figures that were matched limb by limb: "elbow.L" ...
    offset : (3,) float64 or None
        The request's, of a map found in place; None for one found by matching shapes.
    """

    target_to_source: SurfacePoints
    confidence: np.ndarray
    unmatched: np.ndarray
    judgement: Judgement
    model_name: str
    way: Way
    fit: Fit
    repairs: tuple[RepairReport, RepairReport]
    seconds: dict[str, float]
    joints: dict[str, JointPair] = field(default_factory=dict)
    offset: np.ndarray | None = None

    @property
    def in_place(self) -> bool:
        """Whether the map was found by place: it holds while the two stand as they did."""
        return self.offset is not None

    @property
    def confident_share(self) -> float:
        """Share that is confident of the vertices that have a counterpart, see `judgement`."""
        return confident_share(self.confidence[~self.unmatched])

    @property
    def uncertain(self) -> bool:
        """Whether the map is not to be trusted, see `judgement.is_uncertain`."""
        return is_uncertain(self.confidence[~self.unmatched])

    @property
    def doubt(self) -> str:
        """First words of a report on an uncertain match; empty for one that can be trusted."""
        if not self.uncertain:
            return ""
        return f"Uncertain match, confident on {self.confident_share:.0%} of vertices only: "
