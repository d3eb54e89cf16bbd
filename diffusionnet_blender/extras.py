"""What a part of the extension that may be missing adds to the rest; `torch_installer` is one.

Such a part puts it here when it is registered. The rest looks here, and never imports the part.
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
    """Settings as the preferences have them; None where the extension is not enabled as such."""
    addon = bpy.context.preferences.addons.get(__package__)
    return addon.preferences.extras if addon else None


def library_folder() -> Path | None:
    """The folder of libraries that goes before Blender's own in the worker, if there is one."""
    return next((folder for give in library_folders if (folder := give())), None)


CLASSES = (DIFFUSIONNET_PG_extras,)
