"""Folders of the user's files: models, cached matrices, checkpoints, reports, libraries."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def user_folder(name: str) -> Path:
    """Folder of one kind of files; it may not exist yet.

    In a Blender extension it is inside the folder that Blender assigns to the extension, the only
    one it may write to; in a plain Python package, inside the system's folder of user data.

    Parameters
    ----------
    name : str
        "models", "cache", "checkpoints", "reports" or "torch".
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
