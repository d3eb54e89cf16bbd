"""Hooks for optional parts of the extension, such as `torch_installer`.

An optional part adds its hooks when it is registered. The rest reads them, and never imports it.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import bpy


class DIFFUSIONNET_PG_extras(bpy.types.PropertyGroup):
    """Settings in the preferences: each part adds a property of its own."""


# Functions that draw a section of the preferences: (preferences, layout).
sections: list[Callable] = []
# Functions that give a folder of libraries for the worker, or None.
library_folders: list[Callable[[], Path | None]] = []


def stored() -> DIFFUSIONNET_PG_extras | None:
    """Stored settings; None where the package is not enabled as an extension."""
    addon = bpy.context.preferences.addons.get(__package__)
    return addon.preferences.extras if addon else None


def library_folder() -> Path | None:
    """Folder of libraries for the worker, ahead of Blender's own; None without any."""
    return next((folder for folder_of in library_folders if (folder := folder_of())), None)


CLASSES = (DIFFUSIONNET_PG_extras,)
