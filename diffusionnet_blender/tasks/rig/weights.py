"""Skin weights of a figure's bones from the parts of its body.

Each vertex belongs to bones as it belongs to parts. Bones that share a part take turns along their
chain: the weight passes from one to the next around the joint between them.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

# Most bones of one vertex.
LIMIT = 4
LEAST = 0.02
# Reach of the blend at a joint inside of a part, in lengths of the shorter bone.
REACH = 0.35


def bone_weights(
    vertices: np.ndarray,
    parts: np.ndarray,
    names: Sequence[str],
    bones: Sequence[tuple[str, ...]],
    heads: np.ndarray,
    tails: np.ndarray,
    stiff: np.ndarray | None = None,
    limit: int = LIMIT,
) -> np.ndarray:
    """Skin weights (V, B), rows of sums of one.

    Parameters
    ----------
    vertices : (V, 3) float
    parts : (V, C) float
        How much each vertex belongs to each part.
    names : sequence of C str
    bones : sequence of B tuples of str
        Parts that each bone moves; a part that none moves goes with the nearest bone above, so
        that it must be named there.
    heads, tails : (B, 3) float
    stiff : (V,) int, optional
        Number of the stiff piece of each vertex, -1 for none: such a piece is on one bone alone.
    limit : int
        Most bones of one vertex.
    """
    count = len(vertices)
    weights = np.zeros((count, len(bones)))
    for number, part in enumerate(names):
        movers = [bone for bone, own in enumerate(bones) if part in own]
        if not movers:
            continue
        chosen = np.flatnonzero(parts[:, number] > 1e-4)
        shares = _shares(vertices[chosen], heads[movers], tails[movers])
        weights[chosen[:, None], movers] += parts[chosen, number][:, None] * shares
    lost = ~(weights.sum(axis=1) > 0)
    if lost.any():
        weights[lost, nearest_bone(vertices[lost], heads, tails)] = 1.0
    if stiff is not None:
        _stiffen(weights, stiff)
    return _limited(weights, limit)


def _shares(points: np.ndarray, heads: np.ndarray, tails: np.ndarray) -> np.ndarray:
    """Shares (N, K) of K bones at points, smooth around their joints; rows of sums of one."""
    if len(heads) == 1:
        return np.ones((len(points), 1))
    distance = np.stack(
        [_distance(points, head, tail) for head, tail in zip(heads, tails, strict=True)], axis=1
    )
    reach = REACH * np.linalg.norm(tails - heads, axis=1).min()
    behind = distance - distance.min(axis=1, keepdims=True)
    share = np.square(np.maximum(1.0 - behind / max(reach, 1e-12), 0.0))
    return share / share.sum(axis=1, keepdims=True)


def nearest_bone(points: np.ndarray, heads: np.ndarray, tails: np.ndarray) -> np.ndarray:
    """Number (N,) of the bone that is nearest to each point."""
    pairs = zip(heads, tails, strict=True)
    return np.stack([_distance(points, *ends) for ends in pairs], axis=1).argmin(axis=1)


def _distance(points: np.ndarray, head: np.ndarray, tail: np.ndarray) -> np.ndarray:
    way = tail - head
    at = np.clip((points - head) @ way / max(float(way @ way), 1e-24), 0.0, 1.0)
    return np.linalg.norm(points - head - at[:, None] * way, axis=1)


def _stiffen(weights: np.ndarray, stiff: np.ndarray) -> None:
    """Put each stiff piece on the bone that holds most of it, in place."""
    pieces = stiff.max(initial=-1) + 1
    held = np.zeros((pieces, weights.shape[1]))
    is_stiff = stiff >= 0
    np.add.at(held, stiff[is_stiff], weights[is_stiff])
    weights[is_stiff] = np.eye(weights.shape[1])[held.argmax(axis=1)[stiff[is_stiff]]]


def _limited(weights: np.ndarray, limit: int) -> np.ndarray:
    """The largest of each row, without traces of others, with sums of one."""
    order = np.argsort(-weights, axis=1, kind="stable")
    kept = np.zeros(weights.shape, bool)
    np.put_along_axis(kept, order[:, :limit], True, axis=1)
    most = weights.max(axis=1, keepdims=True)
    found = np.where(kept & (weights >= LEAST * most), weights, 0.0)
    return found / found.sum(axis=1, keepdims=True)
