"""Animals of nearly one shape: distances along the surface find places that features come near."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ...matching.points import Maps
from ...matching.spectral import SpectralMesh
from ...matching.stretching import stretching
from ..clock import Clock
from .maps import FIRST_MAP_SIZE, refined_from
from .request import Way
from .side import Side, signatures
from .ways import first_maps

# A map that stretches less than this is as near to an isometry as triangles let it be.
EVEN = 0.05
# What refinement makes of a map is right where it stretches so much less, and no more than this:
# of one species it stretches .02 to .18, .2 to .75 of the map by features; of two species .19 and
# more, .64 to .88 of it; of two people .95 and more of it.
LESS, MOST = 0.75, 0.185
# Mean difference of the logarithms of the first eigenvalues at unit area: one animal in two poses
# has .01 to .04, two of one species .05 to .12.
ONE_ANIMAL = 0.045


@dataclass(frozen=True, eq=False)
class Refined:
    """Source and target, with the features that their maps go by, and the maps.

    Attributes
    ----------
    sides : (Side, Side)
    maps : (SurfacePoints, SurfacePoints)
        In both directions.
    way : {"features", "distances"}
        Whether the model's features are those of the sides, or signatures are.
    """

    sides: tuple[Side, Side]
    maps: Maps
    way: Way


def refined_where_alike(source: Side, target: Side, maps: Maps, clock: Clock) -> Refined:
    """The maps by features, refined as those of an isometry where that stretches much less.

    Poses keep distances along the surface, so that a functional map finds places to a fraction of
    what features do. Between unlike figures it does not, and there the maps stay as they are. Of
    one animal in two poses also a map that features have turned around is recognised, and made
    anew by distances alone.

    Parameters
    ----------
    source, target : Side
    maps : (SurfacePoints, SurfacePoints)
        By features, in both directions.
    clock : Clock
    """
    sides = source, target
    kept = Refined(sides, maps, "features")
    before = stretching(source.mesh, target.mesh, maps[0])
    if before < EVEN:
        return kept

    def is_nearer(others: Maps) -> bool:
        return stretching(source.mesh, target.mesh, others[0]) < min(LESS * before, MOST)

    others = refined_from(source, target, maps, None, clock)
    if is_nearer(others):
        return Refined(sides, others, "features")
    if _difference(source.mesh, target.mesh) < ONE_ANIMAL:
        one, other = (replace(side, features=signatures(side.mesh)) for side in sides)
        others, way, _ = first_maps(one, other, None, None, clock)
        if is_nearer(others):
            return Refined((one, other), others, way)
    return kept


def _difference(source: SpectralMesh, target: SpectralMesh) -> float:
    """Mean absolute difference of the logarithms of the first eigenvalues of two meshes."""
    count = min(FIRST_MAP_SIZE, len(source.eigenvalues), len(target.eigenvalues))
    ratio = source.eigenvalues[1:count] / target.eigenvalues[1:count]
    return float(np.abs(np.log(ratio)).mean())
