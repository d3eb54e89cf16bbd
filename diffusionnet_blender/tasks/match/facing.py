"""Two animals that face the same way: a fox's brush looks much like a head."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ...matching.points import Maps
from ...matching.pointwise import nearest_rows
from ...matching.stretching import stretching
from ...network.checkpoint import Model
from ...network.engine import Engine
from ...surface.discretization import truncated
from ..clock import Clock
from ..segment.framing import HALF_TURN
from .request import Way
from .side import Side, vertex_features
from .ways import first_maps

# Mean cosines of features with those that are most alike: with less between the frame of an animal
# and the same turned by half, features do not tell which it is.
UNDECIDED = 0.01


def facing_alike(
    source: Side,
    target: Side,
    found: tuple[Maps, Way],
    model: Model,
    engine: Engine,
    clock: Clock,
) -> tuple[Side, Maps]:
    """The target and its maps, the way round that stretches less of those that features allow.

    Parameters
    ----------
    source, target : Side
    found : (Maps, Way)
        What `ways.first_maps` has found for the target as it is.
    model : Model
        Of the features.
    engine : Engine
    clock : Clock
    """
    maps, way = found
    turned = _facing_other_way(source, target, model, engine)
    if turned is None:
        return target, maps
    others, its_way, _ = first_maps(source, turned, model, None, clock)
    less = stretching(source.mesh, turned.mesh, others[0]) < stretching(
        source.mesh, target.mesh, maps[0]
    )
    return (turned, others) if its_way == way and less else (target, maps)


def _facing_other_way(source: Side, target: Side, model: Model, engine: Engine) -> Side | None:
    """The target with features of its frame turned by half about the vertical; None where the
    features tell the way that it faces, or there is no frame.
    """
    if target.of_body is None:
        return None
    frame = HALF_TURN @ target.of_body.frame
    matrices = truncated(target.matrices, model.card.discretization.k)
    turned = replace(
        target,
        features=vertex_features(model, matrices, engine, frame),
        of_body=replace(target.of_body, frame=frame),
    )
    if _alike(source, target) - _alike(source, turned) > UNDECIDED:
        return None
    return turned


def _alike(source: Side, target: Side) -> float:
    """Mean cosine of the features with the nearest ones of the other, over both surfaces."""
    found = []
    for one, other in ((source, target), (target, source)):
        nearest = nearest_rows(one.features, other.features)
        cosine = np.einsum("vc,vc->v", one.features[nearest], other.features)
        found.append(other.mesh.mass @ cosine / other.mesh.mass.sum())
    return float(np.mean(found))
