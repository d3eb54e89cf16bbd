"""The ways to a map of two shapes, in the order in which they are tried, and their confidence."""

from __future__ import annotations

import numpy as np

from ...matching.confidence import confidence, cycle_distance, feature_margin
from ...matching.points import Maps
from ...matching.registration import SETTLING, SLIDING
from ...matching.sampling import farthest_points
from ...network.checkpoint import Model
from ...network.features import FRAME
from ..clock import Clock
from .limbs import Posed, by_limbs, contradicts, keeps_parts, limb_confidence, posed
from .maps import (
    ACCEPTED_AGREEMENT,
    Pins,
    by_features,
    by_functional_maps,
    refined_again,
    registered,
)
from .request import Way
from .side import Side

# Samples of the source among which the features of a vertex must be closest to those of its image.
SAMPLES = 600
# Agreement of features from which on limbs are not asked, in the better direction: people have .978
# and more, .952 where one of them is damaged; a person with another character .93 to .98.
PEOPLE = 0.95


def first_maps(
    source: Side,
    target: Side,
    model: Model | None,
    pins: Pins,
    clock: Clock,
) -> tuple[Maps, Way, Posed | None]:
    """Maps in both directions by the first way that passes its checks, and which one that is.

    Features serve people; limbs serve all that has a body; functional maps whatever is left. The
    last one returned is what limbs were matched in.
    """
    both = posed(source, target)
    # Limbs serve two bodies that are not surely alike.
    agreement = ACCEPTED_AGREEMENT if both is None else PEOPLE
    initial = by_features(source, target, model, clock, agreement)
    if initial is not None and (both is None or keeps_parts(both, initial)):
        points = registered(source, target, initial, pins, SETTLING, clock)
        return (points, initial[1]), "features", None
    clock.start("map")
    both = posed(source, target, layers=True)
    clock.stop("map")
    if both is not None:
        framed = model is not None and FRAME in model.card.features
        initial = by_limbs(source, target, both, framed, clock)
        if not contradicts(source.mesh, initial[0], pins):
            points = registered(
                source, target, initial, pins, SETTLING, clock, both.meshes, both.settled
            )
            return (points, initial[1]), "limbs", both
    initial = by_functional_maps(source, target, model, pins, clock)
    maps = registered(source, target, initial, pins, SLIDING, clock), initial[1]
    return refined_again(source, target, maps, pins, clock), "distances", None


def confidence_of(
    source: Side, target: Side, both: Posed | None, maps: Maps, model: Model | None
) -> np.ndarray:
    """Confidence (V_t,) of maps; of those limb by limb with `both`."""
    if both is not None:
        return limb_confidence(both, maps)
    margin = None
    if model is not None:
        samples = farthest_points(source.mesh.vertices, SAMPLES)
        margin = feature_margin(source.mesh, maps[0], source.features, target.features, samples)
    return confidence(cycle_distance(source.mesh, target.mesh, *maps), margin)
