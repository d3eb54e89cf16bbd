"""Open and save files in Blender's formats."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Collection
from functools import partial
from pathlib import Path
from typing import Any

import bpy

from ..errors import DiffusionNetError
from ..leftovers import remove_staged, staged, staged_prefix, sweep_beside
from . import gltf
from .compat import enable_addon, fbx_importer
from .portable import portable

# Asked where reading failed, and only there.
WHOLE = "Is the file whole?"
WRITTEN = (
    ".blend", ".obj", ".ply", ".stl", *gltf.WRITTEN, ".fbx", ".usd", ".usda", ".usdc", ".usdz",
)  # fmt: skip
READ = (*WRITTEN, *(suffix for suffix in gltf.READ if suffix not in WRITTEN))


def require_readable(path: Path) -> None:
    """Raise DiffusionNetError for a format that is not read."""
    _require_among(READ, path)


def require_writable_suffix(path: Path) -> None:
    """Raise DiffusionNetError for a format that is not written."""
    if path.suffix.lower() == ".vrm":
        raise DiffusionNetError(
            f"{path.name} cannot be written: what a VRM holds beyond its glTF (humanoid, "
            "expressions, licence) would be lost",
            "Write a .glb. A bare character becomes a VRM by the command rig.",
        )
    _require_among(WRITTEN, path)


def _require_among(suffixes: Collection[str], path: Path) -> None:
    if path.suffix.lower() not in suffixes:
        raise DiffusionNetError(
            f"Files of type {path.suffix or 'without suffix'!r} are not supported",
            f"Supported types are {', '.join(suffixes)}.",
        )


def open_file(path: Path) -> list[bpy.types.Object]:
    """Open a file in place of the one at hand.

    Scripts in .blend files are not run. Vertices come in the order of the file, as Blender's
    importers keep it: those that a seam splits stay split. Three things they do change: an STL's
    triangles come welded (vertices in the order in which they first appear), vertices that no
    face uses are left out of a glTF and an OBJ, and glTF vertices are turned to Blender's axes.

    Parameters
    ----------
    path : Path

    Returns
    -------
    list of bpy.types.Object
        The meshes in it, in the order of their names.

    Raises
    ------
    DiffusionNetError
        If the file is missing, of a format that is not known, damaged, or without a mesh.
    """
    require_readable(path)
    if not os.path.isfile(path):
        raise DiffusionNetError("The file does not exist", "Check the path.")
    if path.suffix.lower() == ".blend":
        _read(
            bpy.ops.wm.open_mainfile,
            filepath=str(path.absolute()),
            load_ui=False,
            use_scripts=False,
        )
    else:
        bpy.ops.wm.read_homefile(app_template="", use_empty=True)
        _import(path)
    return _meshes_since(())


def add_file(path: Path) -> list[bpy.types.Object]:
    """Bring the objects of a file into the one at hand; otherwise as `open_file`."""
    require_readable(path)
    if not os.path.isfile(path):
        raise DiffusionNetError("The file does not exist", "Check the path.")
    before = set(bpy.data.objects)
    if path.suffix.lower() == ".blend":
        try:
            with bpy.data.libraries.load(str(path.absolute()), link=False) as (library, local):
                local.objects = library.objects
        except (OSError, ValueError) as error:
            raise DiffusionNetError(f"Blender could not read the file ({error})", WHOLE) from error
        for obj in set(bpy.data.objects) - before:
            bpy.context.scene.collection.objects.link(obj)
    else:
        _import(path)
    return _meshes_since(before)


def _meshes_since(before: Collection[bpy.types.Object]) -> list[bpy.types.Object]:
    found = [
        obj
        for obj in bpy.data.objects
        if obj.type == "MESH" and obj.users_scene and obj not in before
    ]
    if not found:
        raise DiffusionNetError("There is no mesh in the file", "Check what was exported.")
    # Transforms and modifiers are evaluated with the first update only.
    bpy.context.view_layer.update()
    return found


def save_file(path: Path, exporter: Callable[..., set[str]] | None = None) -> list[str]:
    """Save the file at hand in the format of the suffix; a reader sees the old file or the new.

    Parameters
    ----------
    path : Path
        Its folder is made if missing. Files that belong to it (.mtl, .bin, textures) go beside it.
    exporter : callable, optional
        What writes the file at hand to its `filepath`; by default an exporter for the suffix.

    Returns
    -------
    list of str
        Names that the format has in place of ours, and data that it cannot hold.

    Raises
    ------
    DiffusionNetError
        If the format is not known, or Blender cannot write it.
    """
    if exporter is None:
        require_writable_suffix(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        sweep_beside(path)
        if path.suffix.lower() == ".blend":
            # Beside its place, not in a folder further down: paths in it are relative.
            unfinished = staged(path)
            try:
                _write(path, bpy.ops.wm.save_as_mainfile, unfinished, copy=True)
                os.replace(unfinished, path)
            finally:
                remove_staged(unfinished)
        else:
            prefix = f"{staged_prefix(path)}."
            with tempfile.TemporaryDirectory(dir=path.parent, prefix=prefix) as folder:
                # Files refer to each other by name, so they have their final names already.
                with portable(path.suffix.lower()) as remarks:
                    _write(path, exporter or _exporter(path), Path(folder) / path.name)
                _move_all(Path(folder), path)
                return remarks
        return []
    except OSError as error:
        raise DiffusionNetError(
            f"{path} cannot be written ({error.strerror or error})", "Choose another place."
        ) from error


def _move_all(folder: Path, path: Path) -> None:
    """Move the files of an export to their places, the main file last."""
    files = [file for file in folder.rglob("*") if file.is_file()]
    if folder / path.name not in files:
        raise DiffusionNetError(f"Blender wrote no {path.name}", "See its messages above.")
    for file in sorted(files, key=lambda file: file == folder / path.name):
        place = path.parent / file.relative_to(folder)
        place.parent.mkdir(parents=True, exist_ok=True)
        os.replace(file, place)


def _importer(path: Path) -> Callable[..., set[str]]:
    match path.suffix.lower():
        case ".obj":
            return bpy.ops.wm.obj_import
        case ".ply":
            return bpy.ops.wm.ply_import
        case ".stl":
            return bpy.ops.wm.stl_import
        case ".fbx":
            return fbx_importer()
        case suffix if suffix in gltf.READ:
            return gltf.import_gltf
    return bpy.ops.wm.usd_import


def _exporter(path: Path) -> Callable[..., set[str]]:
    match path.suffix.lower():
        case ".obj":
            return partial(bpy.ops.wm.obj_export, export_colors=True, path_mode="ABSOLUTE")
        case ".ply":
            return partial(
                bpy.ops.wm.ply_export,
                export_colors="SRGB",
                export_attributes=True,
                # The copies that `portable` makes.
                export_selected_objects=True,
            )
        case ".stl":
            return bpy.ops.wm.stl_export
        case ".fbx":
            enable_addon("io_scene_fbx")
            return partial(bpy.ops.export_scene.fbx, colors_type="SRGB", path_mode="ABSOLUTE")
        case suffix if suffix in gltf.WRITTEN:
            return gltf.export_gltf
    return bpy.ops.wm.usd_export


def _import(path: Path) -> None:
    """Import a file that is no .blend."""
    try:
        _read(_importer(path), filepath=str(path.absolute()))
    except DiffusionNetError as error:
        reason = gltf.reason_not_imported(path) if path.suffix.lower() in gltf.READ else None
        if reason is None:
            raise
        raise reason from error


def _read(operator: Callable[..., set[str]], **options: Any) -> None:
    """Call an importer of Blender's; its errors become ours."""
    fault = _fault_of(operator, **options)
    if fault is not None:
        raise DiffusionNetError(f"Blender could not read the file{fault}", WHOLE)


def _write(path: Path, operator: Callable[..., set[str]], unfinished: Path, **options: Any) -> None:
    """Call an exporter of Blender's; its errors become ours, and name the file asked for."""
    fault = _fault_of(operator, filepath=str(unfinished.absolute()), **options)
    if fault is not None:
        for name in (f"{unfinished.absolute()}@", f"{unfinished.absolute()}", str(unfinished)):
            fault = fault.replace(name, str(path))
        raise DiffusionNetError(
            f"{path} cannot be written{fault}", "Choose another place or another format."
        )


def _fault_of(operator: Callable[..., set[str]], **options: Any) -> str | None:
    """Reason in brackets, possibly empty, for which an operator of Blender's failed."""
    try:
        return None if "FINISHED" in operator(**options) else ""
    except RuntimeError as error:
        lines = [line.removeprefix("Error: ").strip() for line in str(error).splitlines()]
        lines = [line for line in lines if line and not line.startswith("Location: ")]
        if any(line.startswith("Python: Traceback") for line in lines):
            # The exception itself, of an importer that is written in Python.
            lines = lines[-1:]
        return f" ({' '.join(lines).rstrip('.')})"
