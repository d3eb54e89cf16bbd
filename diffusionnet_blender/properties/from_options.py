"""Blender's properties made from the options of dataclasses."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import Field
from typing import Any, get_type_hints

from bpy.props import BoolProperty, EnumProperty, FloatProperty, IntProperty, StringProperty

from ..options import Option, default_of, names_in, options_of

# A value set by a script holds for one call; the next one uses that of the panel.
ONE_CALL = {"options": {"SKIP_SAVE"}}


def properties_of(kind: type, leave_out: Collection[str] = (), **keywords: Any) -> dict[str, Any]:
    """Annotations of a class of Blender's, one for each option that a dataclass adds to its bases.

    Parameters
    ----------
    kind : type
    leave_out : collection of str
        Names of options that get no property.
    **keywords
        Of each property, such as `ONE_CALL`.
    """
    hints = get_type_hints(kind)
    return {
        field.name: _property_of(field, option, hints[field.name], keywords)
        for field, option in options_of(kind)
        if field.name in kind.__annotations__ and field.name not in leave_out
    }


def values_of(kind: type, properties: Any) -> dict[str, Any]:
    """Values of the options of a dataclass, from properties that `properties_of` made.

    Parameters
    ----------
    kind : type
    properties : bpy_struct
        Options that it lacks are left out.
    """
    hints = get_type_hints(kind)
    found = {}
    for field, _ in options_of(kind):
        if hasattr(properties, field.name):
            value = getattr(properties, field.name)
            is_list = hints[field.name] == tuple[str, ...]
            found[field.name] = names_in(value) if is_list else value
    return found


def _property_of(field: Field, option: Option, kind: Any, keywords: dict[str, Any]) -> Any:
    details = {"name": option.name, "description": option.help, **keywords}
    default = default_of(field)
    if option.choices:
        return EnumProperty(items=[tuple(c) for c in option.choices], default=default, **details)
    if kind is bool:
        return BoolProperty(default=default, **details)
    if kind in (int, float):
        limits = {"min": option.minimum, "max": option.maximum, "soft_max": option.soft_maximum}
        details |= {name: limit for name, limit in limits.items() if limit is not None}
        make = IntProperty if kind is int else FloatProperty
        return make(default=default, subtype=option.subtype, **details)
    # Names of models, and lists of names with commas between them.
    return StringProperty(default=default if isinstance(default, str) else "", **details)
