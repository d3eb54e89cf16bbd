"""A figure taken into the pose and the proportions of another, link by link."""

from __future__ import annotations

import numpy as np

from .links import LINKS, TRUNK, Link, links_of
from .parted import PartedMesh

# Limits of the scale of one link against the other.
SCALES = (0.1, 10.0)
# A link's affine map and its shift.
Move = tuple[np.ndarray, np.ndarray]


def in_limbs_of(source: PartedMesh, target: PartedMesh) -> PartedMesh:
    """The target with each link laid on that of the source: same joints, length and girth.

    Between links the maps are blended by the parts (linear blend skinning). A link that one of the
    two lacks moves with the next one towards the trunk.

    Parameters
    ----------
    source, target : PartedMesh
    """
    moves = _moves(source, target)
    image, total = np.zeros_like(target.vertices), np.zeros(len(target.vertices))
    for name, (parts, _) in LINKS.items():
        linear, shift = moves[name]
        weight = target.part(parts, soft=True)
        image += weight[:, None] * (target.vertices @ linear.T + shift)
        total += weight
    return target.moved_to(image / np.maximum(total, np.finfo(float).tiny)[:, None])


def _moves(source: PartedMesh, target: PartedMesh) -> dict[str, Move]:
    """The map of each link of the target to that of the source."""
    on_source, on_target = links_of(source), links_of(target)
    whole = source.height / target.height * np.eye(3)
    moves = {"": (whole, source.mass @ source.vertices - whole @ (target.mass @ target.vertices))}
    for name, parent in ((TRUNK, ""), *((name, parent) for name, (_, parent) in LINKS.items())):
        if name in on_source and name in on_target:
            moves[name] = _move(on_source[name], on_target[name])
        else:
            moves[name] = moves[parent]
    return moves


def _move(source: Link, target: Link) -> Move:
    flat = np.maximum(target.spread[:2], np.finfo(float).tiny)
    scale = np.append(source.spread[:2] / flat, source.length / target.length)
    scale = np.clip(scale, *SCALES)
    linear = source.axes.T @ (scale[:, None] * target.axes)
    # Across, the middle of the surface goes to the middle; along, the joint to the joint.
    offset = np.append(source.middle[:2] - scale[:2] * target.middle[:2], 0.0)
    return linear, source.start + source.axes.T @ offset - linear @ target.start
