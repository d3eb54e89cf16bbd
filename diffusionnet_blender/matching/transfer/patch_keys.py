"""Shape keys of parts that look alike on both, as of faces: offsets along a sharpened map."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import product

import numpy as np

from ...surface.surface import vertex_areas
from ..contacts import ContactFinder
from ..hanging import hanging_parts
from ..patches import Mesh, Patch, moved_parts, patch_of
from ..points import SurfacePoints
from ..slits import on_their_sides
from .closing import Correction, closing

# Share of its largest offset from which on a key moves a vertex.
MOVED = 0.02
# A key that moves vertices farther than this, in units of the size of what it moves, bends limbs;
# one that moves more than this share of the area changes the whole figure.
LARGEST, WHOLE = 1.5, 0.75
# Gaps of which nine of ten are off by less than this share of the patch's extent stay as they are.
CLOSE_ENOUGH = 5e-3
# Fewer places that touch at rest are no mouth; it opens where they come so many times as far apart
# as what touches.
FEWEST, OPENED = 10, 2.0


@dataclass(frozen=True, eq=False)
class PatchKeys:
    """Keys that were moved as offsets on patches.

    Attributes
    ----------
    chosen : (K,) bool
        Which of the keys these are.
    positions : (K, V_t, 3) float64
        Of all keys; those that are not chosen are at rest.
    contact : (K,) float64
        How far gaps differ from what they are to be, on average, as a share of the extent of the
        patch; nan where nothing comes together.
    sealed : (K,) bool
        Keys that open what is closed on the source and one surface on the target.
    """

    chosen: np.ndarray
    positions: np.ndarray
    contact: np.ndarray
    sealed: np.ndarray


def keys_on_patches(
    target_to_source: SurfacePoints,
    source: Mesh,
    target: Mesh,
    source_keys: np.ndarray,
    progress: Callable[[float], None] = lambda fraction: None,
) -> PatchKeys:
    """Keys of small parts, moved as offsets that are turned and scaled as the whole part is.

    Parameters
    ----------
    target_to_source : SurfacePoints
    source, target : (vertices, faces)
        At rest.
    source_keys : (K, V_s, 3) float
    progress : callable
        Called with a fraction from 0 to 1; may raise to stop.
    """
    offsets = source_keys - source[0]
    length = np.linalg.norm(offsets, axis=2)
    moved = length > MOVED * length.max(axis=1, keepdims=True)
    area = vertex_areas(*source)
    small = np.array([_is_small(source[0], *one) for one in zip(moved, length, strict=True)], bool)
    small &= moved @ area <= WHOLE * area.sum()
    count = len(source_keys)
    found = PatchKeys(
        small & moved.any(axis=1),
        np.tile(np.asarray(target[0], float), (count, 1, 1)),
        np.full(count, np.nan),
        np.zeros(count, bool),
    )
    parts = moved_parts(source, moved[found.chosen], source_keys[found.chosen])
    for number, part in enumerate(parts):
        reached = found.chosen & moved[:, part].any(axis=1)
        if not reached.any():
            continue

        def waiting(number: int = number) -> None:
            progress(number / len(parts))

        shown = moved[reached].any(axis=0)
        patch = patch_of(part, shown, source, target, target_to_source, waiting)
        if patch is None:
            found.chosen[reached] = False
            continue
        _move(found, np.flatnonzero(reached), patch, source, target, source_keys, moved, waiting)
    found.positions[~found.chosen] = target[0]
    return found


def _is_small(vertices: np.ndarray, moved: np.ndarray, length: np.ndarray) -> bool:
    """Whether a key moves vertices (V,) bool by less than the size of what it moves."""
    if not moved.any():
        return False
    away = vertices[moved] - vertices[moved].mean(axis=0)
    return bool(length.max() <= LARGEST * np.sqrt(np.square(away).sum(axis=1).mean()))


def _move(
    found: PatchKeys,
    numbers: np.ndarray,
    patch: Patch,
    source: Mesh,
    target: Mesh,
    keys: np.ndarray,
    moves: np.ndarray,
    waiting: Callable[[], None],
) -> None:
    """Move some of the keys (K, V_s, 3), each of which `moves` some vertices (K, V_s), in place."""
    hanging = hanging_parts(patch, source, target)
    patch = patch.without(np.concatenate([np.zeros(0, np.int64), *(p.vertices for p in hanging)]))
    extent = float(np.ptp(target[0][patch.target], axis=0).max())
    finder = ContactFinder(source, target, patch)
    at_rest, *contacts = finder(np.concatenate([source[0][None], keys[numbers]]), waiting)
    points = on_their_sides(patch, source, target, at_rest.pairs, finder.reach)
    correction = Correction(target, patch)
    sealed = at_rest[at_rest.sealed]
    closed = len(sealed) >= max(FEWEST, 0.5 * len(at_rest))
    for number, touching in zip(numbers, contacts, strict=True):
        waiting()
        key, moved = keys[number], found.positions[number]
        offset = points.interpolate(key - source[0], source[1])
        turned = offset @ patch.to_source.rotation / patch.to_source.scale
        moved[patch.target] += turned
        if closed:
            gap = key[sealed.pairs[:, 0]] - key[sealed.pairs[:, 1]]
            opened = np.linalg.norm(gap, axis=1) > OPENED * finder.reach
            found.sealed[number] |= bool(np.count_nonzero(opened) >= FEWEST)
        touching = touching[~touching.sealed & moves[number][touching.pairs].any(axis=1)]
        if not len(touching):
            continue
        wanted = closing(touching, patch, finder.reach, source[0], key, target)
        lacking = np.abs(wanted.lacking(moved, target[1]))
        if np.quantile(lacking, 0.9) > CLOSE_ENOUGH * extent:
            found.positions[number] = moved = correction(moved, wanted)
        off = np.abs(wanted.lacking(moved, target[1])).mean() / extent
        found.contact[number] = np.fmax(found.contact[number], off)
    for part, number in product(hanging, numbers):
        moved = found.positions[number]
        moved[part.vertices] = part.carried(target[0], moved)
