"""Rigging of characters: the request read from each, and its joints kept."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import bpy

from ..errors import DiffusionNetError
from ..tasks.rig import job as rig_job
from ..tasks.rig.request import Fitted, RigRequest
from .attachments import carried_members
from .bone_weights import read_bone_weights
from .character import Character
from .character_read import CharacterGeometry, read_character
from .fits import Fit, keep_fit
from .jobs import Jobs
from .tracked import TrackedCharacter
from .write import require_writable


class RigJobs(Jobs):
    """Joints of characters, one after the other.

    Parameters
    ----------
    characters : sequence of Character
    **options
        Fields of `RigRequest`.

    Attributes
    ----------
    fits : dict of TrackedCharacter to Fit
        What is done so far.
    """

    def __init__(self, characters: Sequence[Character], **options: Any):
        super().__init__(rig_job, map(TrackedCharacter.of, characters))
        self._options = options
        self._geometry: dict[TrackedCharacter, CharacterGeometry] = {}
        self.fits: dict[TrackedCharacter, Fit] = {}

    def request(self, item: TrackedCharacter) -> RigRequest:
        """Read the members, and check that they can be bound."""
        geometry, request = rig_request(item.find(), **self._options)
        self._geometry[item] = geometry
        return request

    def keep(self, item: TrackedCharacter, result: Fitted) -> None:
        """Keep the joints for skeletons and weights."""
        fit = Fit.of(item.name, self._geometry.pop(item), result)
        keep_fit(fit)
        self.fits[item] = fit


def rig_request(character: Character, **options: Any) -> tuple[CharacterGeometry, RigRequest]:
    """Geometry of a character as it is modelled, and the request to find its joints.

    Raises
    ------
    DiffusionNetError
        If no member can be read, or one is linked from another file.
    """
    bpy.context.view_layer.update()
    geometry = read_character(character)
    objects = [member.find() for member in geometry.members]
    for obj in objects:
        require_writable(obj)
        if not obj.data.polygons:
            raise DiffusionNetError(
                f"{obj.name!r} has no faces, so it cannot be rigged", "Leave it out, or mesh it."
            )
    held = [read_bone_weights(obj) for obj in objects]
    request = RigRequest(
        geometry.placed.surface,
        member=geometry.placed.member if len(objects) > 1 else None,
        carried=tuple(carried_members(held, geometry.seen, geometry.placed)),
        **options,
    )
    return geometry, request
