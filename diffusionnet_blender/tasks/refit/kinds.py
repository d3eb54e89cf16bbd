"""Kinds of a character's meshes by their names: bodies, stiff things, hair, parts of a face."""

from __future__ import annotations

import re
from collections.abc import Iterable

from ..match.kinds import kind_of

_STIFF = frozenset(
    "glasses sunglasses eyeglasses spectacles goggles monocle visor helmet helmets helm crown "
    "tiara headset headphones earring earrings ring rings brooch badge watch buckle buckles "
    "button buttons armor armour".split()
)
_BODIES = frozenset("body skin basemesh human nude naked".split())
_OF_FACE = frozenset(("eyes", "teeth", "tongue", "eyelashes", "eyebrows"))


def is_stiff(name: str) -> bool:
    """Whether a thing of this name keeps its form, but for its size."""
    return bool(_STIFF & _words(name))


def is_body(name: str) -> bool:
    """Whether a mesh of this name is a body."""
    return bool(_BODIES & _words(name))


def is_hair(name: str) -> bool:
    """Whether a thing of this name is hair, which has roots beneath the skin."""
    return kind_of(name) in ("hair", "beard")


def is_of_face(name: str, materials: Iterable[str] = ()) -> bool:
    """Whether a mesh is a part of a face, of which every body has its own."""
    return kind_of(name, materials) in _OF_FACE


def _words(name: str) -> set[str]:
    return {word.lower() for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+", name)}
