"""The bending of one character's meshes onto another's shape."""

from __future__ import annotations

from typing import Any

import bpy
import numpy as np

from ..errors import DiffusionNetError
from ..tasks.conform import job as conform_job
from ..tasks.conform.request import ConformedMesh, ConformRequest
from .character import as_character
from .conformed import pooled_keys, pooled_weights, write_as_keys, write_conformed
from .jobs import Jobs
from .match_jobs import TrackedPair, read_to_match, request_of
from .matches import Shape


class ConformJobs(Jobs):
    """The source's meshes bent onto the target.

    Parameters
    ----------
    source, target : bpy.types.Object or Character
    pins : (P, 2) int64
        Vertices of source and target.
    bending : dict
        Fields of `Bending`.
    region : str
        Vertex group of the source; all of it by default.
    **options
        Fields of `MatchRequest`.

    Attributes
    ----------
    errors : list of DiffusionNetError
        Of members that are left out.
    result : ConformedMesh
        Of the last run.
    target_origin : (3,) float
        Of the target's space in the world.
    """

    result: ConformedMesh
    target_origin: np.ndarray

    def __init__(
        self,
        source: Shape,
        target: Shape,
        pins: np.ndarray,
        bending: dict[str, Any],
        region: str = "",
        **options: Any,
    ):
        super().__init__(conform_job, [TrackedPair.of(source, target)])
        self._pins, self._bending, self._options = pins, bending, options
        self._region = region
        self.errors: list[DiffusionNetError] = []

    def request(self, item: TrackedPair) -> ConformRequest:
        """Read both.

        Raises
        ------
        EmptyRegion
            If the source has no such group, or nothing in it.
        """
        mesh, shape = (read_to_match(as_character(each)) for each in item.find())
        self.errors = [*mesh.errors, *shape.errors]
        self._geometry, self.target_origin = mesh.geometry, shape.geometry.origin
        names, keys = pooled_keys(mesh.geometry)
        return ConformRequest(
            request_of(shape, mesh, pins=self._pins[:, ::-1], **self._options),
            names,
            keys,
            pooled_weights(mesh.geometry, self._region) if self._region else None,
            **self._bending,
        )

    def keep(self, item: TrackedPair, result: ConformedMesh) -> None:
        """Keep it for `write`."""
        item.find_unchanged("it was being bent", "Press Conform again.")
        self.result = result

    def write(self) -> list[bpy.types.Object]:
        """Make the new objects, all or none."""
        source, target = self.items[0].find()
        return write_conformed(source, target, self._geometry, self.target_origin, self.result)

    def write_keys(self) -> list[str]:
        """Make shape keys of the source, all or none; their names."""
        _, target = self.items[0].find()
        return write_as_keys(target, self._geometry, self.result)
