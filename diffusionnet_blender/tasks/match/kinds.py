"""Kinds of members that two characters have in common: eyes, teeth, hair, hats, by their names.

English words, as MakeHuman, VRoid, Mixamo, Character Creator, Daz and Blender's artists use them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

# Words of each kind, whole ones and ends of words that are written together. The first kind of a
# name counts: an "eye lash" is no eye.
_KINDS = {
    "eyelashes": ("lash lashes eyelash", "eyelash eyelashes"),
    "eyebrows": ("brow brows eyebrow", "eyebrow eyebrows"),
    "teeth": ("tooth denture dentures gum gums", "teeth"),
    "tongue": ("", "tongue tongues"),
    "beard": ("beard mustache moustache goatee sideburns", "beard"),
    "hair": ("hairs hairstyle wig ponytail pigtail pigtails braid braids afro bangs", "hair"),
    "hat": (
        "hat hats cap caps helmet helmets helm beanie beret bonnet turban tiara headgear headwear",
        "",
    ),
    "eyes": (
        "eye iris irises cornea corneas sclera scleras pupil pupils tearline",
        "eyes eyeball eyeballs",
    ),
}
# Beside these, hair and eyes are what something is worn on, or are no shape of their own.
_WORN_THERE = frozenset(
    "band bands pin pins clip clips tie ties net ribbon ornament accessory accessories patch wear "
    "glass glasses liner shadow cover mask ring socket sockets lid lids".split()
)
# What ends in the name of a kind by chance.
_OTHERS = frozenset({"chair", "armchair", "wheelchair"})


def kind_of(name: str, materials: Iterable[str] = ()) -> str:
    """Kind of a member: that of its name, or else the one of all its materials; "" for none."""
    found = _kind_of_name(name)
    if found:
        return found
    kinds = {_kind_of_name(material) for material in materials}
    return kinds.pop() if len(kinds) == 1 else ""


def _kind_of_name(name: str) -> str:
    words = [w.lower() for w in re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", name)]
    if _WORN_THERE.intersection(words):
        return ""
    for kind, (whole, ends) in _KINDS.items():
        for word in words:
            if word in _OTHERS:
                continue
            if word in whole.split() or word.endswith(tuple(ends.split())):
                return kind
    return ""
