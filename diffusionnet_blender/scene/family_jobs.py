"""Families of characters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import bpy

from ..errors import DiffusionNetError
from ..tasks.family import FamilyRequest
from ..tasks.family import job as family_job
from .character import Character
from .character_read import read_character
from .jobs import Jobs
from .tracked import TrackedCharacter


class FamilyJobs(Jobs):
    """The families of characters, one after the other.

    Parameters
    ----------
    characters : sequence of Character
    use_modifiers : bool
    **options
        Fields of `FamilyRequest`.

    Attributes
    ----------
    errors : list of DiffusionNetError
        Of members that could not be read.
    """

    def __init__(self, characters: Sequence[Character], use_modifiers: bool, **options: Any):
        super().__init__(family_job, map(TrackedCharacter.of, characters))
        self._use_modifiers, self._options = use_modifiers, options
        self.errors: list[DiffusionNetError] = []

    def request(self, item: TrackedCharacter) -> FamilyRequest:
        """Read the members."""
        bpy.context.view_layer.update()
        geometry = read_character(item.find(), posed=self._use_modifiers)
        self.errors += geometry.errors
        return FamilyRequest(geometry.placed.surface, **self._options)
