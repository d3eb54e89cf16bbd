"""The fitting of a character's garments to another's body."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import bpy
import numpy as np

from ..errors import DiffusionNetError
from ..surface import character as arrays
from ..tasks.refit import job as refit_job
from ..tasks.refit.kinds import is_stiff
from ..tasks.refit.request import RefitRequest, RefittedGarments
from ..tasks.transfer.layers import Weights
from .attachments import carried_members
from .bone_weights import read_bone_weights
from .character import Character, alone, as_character
from .character_read import CharacterGeometry, read_character
from .conformed import pooled_keys
from .jobs import Jobs
from .match_jobs import TrackedPair, read_to_match, request_of
from .matches import Shape
from .modifiers import GENERATING
from .pair import usable
from .refitted import write_refitted
from .wardrobe import body_of, wardrobe_of

# Of these that make geometry, a garment lies on what is left of the mesh without them.
_SMALL_CHANGES = frozenset(
    "BEVEL EDGE_SPLIT MASK MULTIRES SOLIDIFY SUBSURF TRIANGULATE WELD".split()
)


class RefitJobs(Jobs):
    """The source's garments fitted to the target's body.

    Parameters
    ----------
    source, target : bpy.types.Object or Character
    body : bpy.types.Object or None
        The source's body; None: it is found.
    pins : (P, 2) int64
        Vertices of source and target, of the members that are `pair.usable`; on their bodies.
    fitting : dict
        Fields of `Fitting`.
    **options
        Fields of `MatchRequest`.

    Attributes
    ----------
    wardrobe : Wardrobe
        Of the source.
    target : bpy.types.Object
        The body that is fitted to.
    errors : list of DiffusionNetError
        Of members that are left out.
    result : RefittedGarments
        Of the last run.

    Raises
    ------
    DiffusionNetError
        If there is no body on either side or nothing to fit, a pin is elsewhere, or the target's
        modifiers make another shape of it.
    """

    result: RefittedGarments

    def __init__(
        self,
        source: Shape,
        target: Shape,
        body: bpy.types.Object | None,
        pins: np.ndarray,
        fitting: dict[str, Any],
        **options: Any,
    ):
        wardrobe = wardrobe_of(as_character(source), body)
        on = body_of(as_character(target))
        if on == wardrobe.body or on in wardrobe.garments:
            raise DiffusionNetError(
                f"{on.name!r} is on both sides", "Pick a target with a body of its own."
            )
        _require_its_shape(on)
        dressed = Character(as_character(source).name, "", (wardrobe.body, *wardrobe.garments))
        super().__init__(refit_job, [TrackedPair.of(dressed, on)])
        sides = (as_character(source), wardrobe.body), (as_character(target), on)
        own = [_on_body(pins[:, side], *each) for side, each in enumerate(sides)]
        self._pins, self._fitting, self._options = np.stack(own, axis=1), fitting, options
        self.wardrobe, self.target = wardrobe, on
        self.errors: list[DiffusionNetError] = list(wardrobe.errors)

    def request(self, item: TrackedPair) -> RefitRequest:
        """Read both bodies, the garments, and the skin weights of the target."""
        dressed, on = item.find()
        self._geometry = geometry = read_character(dressed, own=True)
        bodies = [read_to_match(alone(obj)) for obj in (dressed.members[0], on.members[0])]
        self._origin = bodies[1].geometry.origin
        match = request_of(*bodies, pins=self._pins, **self._options)
        placed = geometry.placed
        # In the space of the garments.
        match = replace(match, source=placed.members[0])
        names, keys = pooled_keys(geometry)
        count = len(placed.members[0].vertices)
        garments = arrays.Character(placed.members[1:])
        self._request = RefitRequest(
            match,
            garments.surface,
            garments.member,
            tuple(member.name for member in geometry.members[1:]),
            _stiff(geometry),
            names,
            None if keys is None else keys[:, count:],
            _skin_weights(on.members[0]),
            **self._fitting,
        )
        return self._request

    def keep(self, item: TrackedPair, result: RefittedGarments) -> None:
        """Keep it for `write`."""
        item.find_unchanged("it was being refitted", "Press Refit again.")
        self.result = result

    def write(self) -> list[bpy.types.Object]:
        """Make the new objects, all or none."""
        dressed, on = self.items[0].find()
        return write_refitted(
            dressed.members[0],
            on.members[0],
            self._geometry,
            self._origin,
            self._request,
            self.result,
        )


def _on_body(pins: np.ndarray, character: Character, body: bpy.types.Object) -> np.ndarray:
    """Pinned vertices (P,) of a character as those of its body."""
    start = 0
    for obj in usable(character)[0].members:
        if obj == body:
            break
        start += len(obj.data.vertices)
    own = pins - start
    if ((own < 0) | (own >= len(body.data.vertices))).any():
        raise DiffusionNetError(
            f"A pin is not on the body {body.name!r}", "Set the pins on both bodies."
        )
    return own


def _stiff(geometry: CharacterGeometry) -> tuple[int, ...]:
    """Numbers of the garments that keep their form: by their names, or held by one bone alone."""
    objects = [member.find() for member in geometry.members]
    held = [read_bone_weights(obj) for obj in objects]
    carried = carried_members(held, geometry.seen, geometry.placed)
    things = {int(geometry.placed.member[thing.vertices[0]]) for thing in carried}
    return tuple(
        number
        for number, obj in enumerate(objects[1:])
        if is_stiff(obj.name) or number + 1 in things
    )


def _skin_weights(body: bpy.types.Object) -> Weights | None:
    """Skin weights of a body that an armature deforms; None for another."""
    held = read_bone_weights(body)
    if held.hold is None or not held.hold.deforms or not held.weights.any():
        return None
    return Weights(held.bones, held.weights.astype(np.float64), np.ones(len(held.bones), bool))


def _require_its_shape(body: bpy.types.Object) -> None:
    """Raise DiffusionNetError if modifiers make another shape of a mesh than it has itself."""
    making = next(
        (
            modifier
            for modifier in body.modifiers
            if modifier.show_viewport and modifier.type in GENERATING - _SMALL_CHANGES
        ),
        None,
    )
    if making is not None:
        raise DiffusionNetError(
            f"{body.name!r} has another shape without its modifier {making.name!r}",
            "Apply the modifier, or switch it off in the viewport.",
        )
