"""What a command runs in: Blender, the user's folders, and how it ends."""

from __future__ import annotations

import contextlib
import importlib.util
import sys
from pathlib import Path

from ..errors import DiffusionNetError
from ..folders import user_folder


@contextlib.contextmanager
def blender():
    """Files are read and written by Blender, with the extension registered.

    Raises
    ------
    DiffusionNetError
        If this Python has no Blender.
    """
    if importlib.util.find_spec("bpy") is None:
        raise DiffusionNetError(
            "Reading and writing files needs Blender, and this Python has no module bpy",
            "Run `blender --command diffusionnet ...`, or install bpy "
            "(pip install bpy==4.5.15, Python 3.11).",
        )
    import bpy

    # Labels are saved with a legend, so Blender must know what a legend is.
    from ..registration import register, unregister

    registered = hasattr(bpy.types.Mesh, "diffusionnet")
    if not registered:
        register()
    try:
        yield
    finally:
        # bpy as a Python module crashes at exit while classes are registered.
        if not registered:
            unregister()


@contextlib.contextmanager
def about(path: Path):
    """What goes wrong in here is told with the file that it is about, of several."""
    try:
        yield
    except DiffusionNetError as error:
        raise type(error)(f"{path}: {error.message}", error.fix) from error


def library() -> Path:
    """Folder of the user's own models."""
    return folder_of("models", "model_folder")


def folder_of(name: str, preference: str) -> Path:
    """A folder of the user's: as the preferences say, where there are any."""
    if __package__.startswith("bl_ext."):
        from ..settings import settings

        return getattr(settings(), preference)
    return user_folder(name)


def cache_of(chosen):
    """The cache of matrices, or None where it is switched off."""
    from ..surface.cache import OperatorCache

    if chosen.cache == "off":
        return None
    if chosen.cache is not None:
        return OperatorCache(Path(chosen.cache))
    return OperatorCache(folder_of("cache", "cache_folder"))


def fail(line: str) -> int:
    """Say in one line on stderr what went wrong; the exit status."""
    print(" ".join(line.split()), file=sys.stderr)
    return 1
