"""Where files of the user's are kept: models of their own, cached matrices, error reports."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def user_folder(name: str) -> Path:
    """A folder of the extension's own, not made yet.

    As a Blender extension that is the one that Blender gives each extension (and the only place
    where one may write); as a plain Python package, the user's data folder of the system.

    Parameters
    ----------
    name : str
        "models", "cache", "reports" or "torch".
    """
    if __package__.startswith("bl_ext."):
        import bpy

        return Path(bpy.utils.extension_path_user(__package__, path=name))
    return _data_home() / "diffusionnet_blender" / name


def _data_home() -> Path:
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local"))
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support"
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share")
