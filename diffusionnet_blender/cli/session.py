"""Environment of a command: Blender, the user's folders, the exit status."""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import DiffusionNetError
from ..folders import user_folder
from ..leftovers import mark_temporary, sweep_temporary
from .library.storage import is_url
from .streams import held, worded

if TYPE_CHECKING:
    from ..surface.cache import OperatorCache


@contextlib.contextmanager
def blender(chosen: argparse.Namespace) -> Iterator[None]:
    """Context in which Blender can read and write files, with the extension registered.

    The libraries of the chosen engine are imported, too.

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
    with held():
        import bpy

        if bpy.app.tempdir:
            mark_temporary(Path(bpy.app.tempdir))
        sweep_temporary()
        # Registered since the legend of the parts is a property of Blender's meshes.
        from ..registration import register, unregister

        registered = hasattr(bpy.types.Mesh, "diffusionnet")
        if not registered:
            register()
    try:
        _import_engine(chosen)
        yield
    finally:
        # bpy as a Python module crashes at exit while classes are registered.
        if not registered:
            with held():
                unregister()


def _import_engine(chosen: argparse.Namespace) -> None:
    """Import the libraries that run the network, while signals wait: torch aborts half imported.

    An engine that is missing is told later, with the file.
    """
    from ..tasks.engines import choose_engine

    with held(), contextlib.suppress(DiffusionNetError):
        choose_engine(getattr(chosen, "engine", "torch"), chosen.device)


@contextlib.contextmanager
def about(subject: object) -> Iterator[None]:
    """Context that puts the path of a file into the message of an error, an unforeseen one too."""
    try:
        yield
    except DiffusionNetError as error:
        raise type(error)(f"{subject}: {error.message}", error.fix) from error
    except Exception as error:
        raise DiffusionNetError(f"{subject}: {worded(error)}") from error


def library() -> Path:
    """Folder of the user's own models."""
    return folder_of("models", "model_folder")


def folder_of(name: str, preference: str) -> Path:
    """One of the user's folders: by the preferences in Blender, else by `user_folder`."""
    if __package__.startswith("bl_ext."):
        from ..settings import settings

        return getattr(settings(), preference)
    return user_folder(name)


def cache_of(chosen: argparse.Namespace) -> OperatorCache | None:
    """The cache of matrices; None if it is off."""
    from ..surface.cache import OperatorCache

    if chosen.cache == "off":
        return None
    own = folder_of("cache", "cache_folder")
    if chosen.cache is None:
        return OperatorCache(own)
    if is_url(chosen.cache):
        from .shared_cache import SharedCache

        return SharedCache(own, url=chosen.cache)
    folder = Path(chosen.cache)
    if not chosen.cache.strip() or (os.path.lexists(folder) and not os.path.isdir(folder)):
        raise DiffusionNetError(
            f"--cache {chosen.cache!r} is no folder", "Give a folder, a URL or off."
        )
    return OperatorCache(folder)
