"""Shape keys of the target: those of faces on patches, others as a whole."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ...matching.transfer.patch_keys import keys_on_patches
from ...matching.transfer.shape_keys import deformation_transfer, rotated_offsets
from .layers import KeyContact, ShapeKeys
from .request import TransferRequest
from .welded import WeldedPair

# Share of the progress that the patches have.
ON_PATCHES = 0.7


def moved_keys(
    welded: WeldedPair,
    keys: ShapeKeys,
    request: TransferRequest,
    progress: Callable[[float], None],
) -> tuple[ShapeKeys, tuple[KeyContact, ...]]:
    """Shape keys of the target, and what comes together in them.

    What looks alike on both is moved as offsets on it; all else by deformation transfer, or by the
    method for small keys. In place the map is as sharp as can be.

    Parameters
    ----------
    welded : WeldedPair
    keys : ShapeKeys
        Of the source.
    request : TransferRequest
    progress : callable
        Called with a fraction from 0 to 1; may raise to stop.
    """
    points = welded.points[welded.kept]
    meshes = welded.source_mesh, welded.target_mesh
    positions = np.empty((len(keys.names), len(welded.kept), 3))
    left = np.arange(len(keys.names))
    contacts: tuple[KeyContact, ...] = ()
    if request.offset is None:
        found = keys_on_patches(
            points, *meshes, keys.positions, lambda done: progress(ON_PATCHES * done)
        )
        positions[found.chosen] = found.positions[found.chosen]
        left = np.flatnonzero(~found.chosen)
        contacts = tuple(
            KeyContact(name, float(gap) if np.isfinite(gap) else None, bool(sealed))
            for name, gap, sealed in zip(keys.names, found.contact, found.sealed, strict=True)
            if np.isfinite(gap) or sealed
        )
    if len(left):
        method = rotated_offsets if request.small_keys else deformation_transfer
        positions[left] = method(
            points,
            *meshes,
            keys.positions[left],
            lambda done: progress(ON_PATCHES + (1 - ON_PATCHES) * done),
        )
    at_vertices = welded.expanded(np.moveaxis(positions, 0, 1))
    return ShapeKeys(keys.names, np.moveaxis(at_vertices, 1, 0)), contacts
