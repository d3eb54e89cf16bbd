"""Maps of two bodies limb by limb, for figures whose features are not alike."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ...matching.confidence import confidence, cycle_distance
from ...matching.limbs.digits import digit_coordinates
from ...matching.limbs.nearest import (
    facing_agreement,
    nearest_maps,
    part_agreement,
    settled_map,
)
from ...matching.limbs.parted import PartedMesh
from ...matching.limbs.posing import in_limbs_of
from ...matching.points import Maps, SurfacePoints
from ...matching.spectral import SpectralMesh
from ..clock import Clock
from .maps import Pins
from .side import Side

# Agreement of parts under a map by features: between people it is .988 and more, .975 where one of
# them is damaged.
LEAST_AGREEMENT = 0.97
# So many pins decide on left and front, where they are so far from a map, in units of the square
# root of the area: about the width of a trunk.
DECIDING, ELSEWHERE = 3, 0.2

# Agreement of parts, and the share of places with it that are right, on pairs of wild characters.
RIGHT_BY_AGREEMENT = (0.7, 0.9, 0.95, 0.98, 1.0), (0.1, 0.5, 0.7, 0.85, 1.0)
# A place whose way there and back ends so far from it, in units of the square root of the area, is
# lost; one that is so far from the source in its limbs, in heights, has no counterpart there.
LOST = 0.12
ALONE = (0.08, 0.2)
# And so is a place on the head of which it is so probable that it alone is hair or a hat.
WORN_ALONE = (0.25, 0.5)


@dataclass(frozen=True, eq=False)
class Posed:
    """Source and target in the limbs of the source.

    Attributes
    ----------
    source, target : PartedMesh
    sides_sure : float
        Probability that left and right of neither are exchanged, 0.5 to 1.
    meshes : (SpectralMesh, SpectralMesh)
        The same, for the functions that take those.
    """

    source: PartedMesh
    target: PartedMesh
    sides_sure: float
    meshes: tuple[SpectralMesh, SpectralMesh]

    def settled(self, vertices: np.ndarray) -> SurfacePoints:
        """The map of the target, once its vertices (V, 3) are on the source."""
        return settled_map(self.source, self.target.moved_to(vertices))


def posed(source: Side, target: Side, layers: bool = False) -> Posed | None:
    """The target in the limbs of the source; None where either is no body.

    With `layers`, hats do not count for the shape of a head.
    """
    if source.of_body is None or target.of_body is None:
        return None
    own, other = source.body, target.body
    if own is None or other is None or not source.of_body.is_person:
        return None
    if layers:
        own = source.of_body.with_layers(own, source.proxy)
        other = target.of_body.with_layers(other, target.proxy)
    moved = in_limbs_of(own, other)
    meshes = (
        replace(source.mesh, vertices=own.vertices),
        replace(target.mesh, vertices=moved.vertices),
    )
    return Posed(own, moved, min(source.of_body.sides_sure, target.of_body.sides_sure), meshes)


def by_limbs(source: Side, target: Side, both: Posed, framed: bool, clock: Clock) -> Maps:
    """Maps in both directions by the nearest points of the same limbs.

    Features count where they are those of a frame: others are not alike on unlike figures. They
    suffice to tell a thumb from a little finger.
    """
    clock.start("map")
    digits = digit_coordinates(both.source, both.target, source.features, target.features)
    features = (source.features, target.features) if framed else None
    maps = nearest_maps(both.source, both.target, features, digits)
    clock.stop("map")
    return maps


def keeps_parts(both: Posed, maps: Maps) -> bool:
    """Whether maps take the parts of the target to the same parts of the source.

    Counted where the way there and back closes: what one of the two lacks has no partner.
    """
    agree = part_agreement(both.source, both.target, maps[0])
    closed = both.target.mass * confidence(cycle_distance(*both.meshes, *maps))
    return float(closed @ agree) > LEAST_AGREEMENT * float(closed.sum())


def contradicts(source: SpectralMesh, points: SurfacePoints, pins: Pins) -> bool:
    """Whether pins are so far from a map that they decide left and right, front and back anew."""
    if pins is None or len(pins[0]) < DECIDING:
        return False
    image = points[pins[1]].interpolate(source.vertices, source.faces)
    away = np.linalg.norm(image - source.vertices[pins[0]], axis=1)
    return bool(np.median(away) > ELSEWHERE)


def limb_confidence(both: Posed, maps: Maps) -> np.ndarray:
    """Confidence (V_t,) of maps limb by limb.

    How often a place is right, by the parts that the map pairs there; less where the way there and
    back ends elsewhere, where the surfaces face apart, and where the source has nothing alike: near
    the target's skirt, or as its hair or hat.

    Parameters
    ----------
    both : Posed
    maps : (SurfacePoints, SurfacePoints)
    """
    points, source_to_target = maps
    cycle = cycle_distance(*both.meshes, points, source_to_target)
    image = points.interpolate(both.source.vertices, both.source.faces)
    away = np.linalg.norm(image - both.target.vertices, axis=1) / both.source.height
    return (
        np.interp(part_agreement(both.source, both.target, points), *RIGHT_BY_AGREEMENT)
        * np.exp(-np.square(cycle / LOST))
        * np.interp(facing_agreement(both.source, both.target, points), (-0.5, 0.5), (0.0, 1.0))
        * np.interp(away, ALONE, (1.0, 0.0))
        * np.interp(_worn_alone(both, points), WORN_ALONE, (1.0, 0.0))
        * (2 * both.sides_sure - 1)
    )


def _worn_alone(both: Posed, points: SurfacePoints) -> np.ndarray:
    """Probability (V_t,) that a place on the head is hair or a hat and its image is not."""
    on_source = both.source.hair + both.source.accessory
    image = points.interpolate(on_source[:, None], both.source.faces)[:, 0]
    worn = both.target.hair + both.target.accessory
    return both.target.part(["head", "neck"]) * np.maximum(worn - image, 0.0)
