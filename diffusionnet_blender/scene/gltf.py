"""Blender's importer and exporter of glTF, with the hooks that bring the parts along."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import bpy

from ..errors import DiffusionNetError
from .compat import enable_addon, undecoded_gltf
from .gltf_header import reason_unread

ADDON = "io_scene_gltf2"
READ = (".glb", ".gltf", ".vrm")
WRITTEN = (".glb", ".gltf")
# The extension, in which the importer and the exporter look for hooks.
EXTENSION = __package__.rpartition(".")[0]


def import_gltf(filepath: str) -> set[str]:
    """Import a file; what `bpy.ops` returns and raises."""
    with _hooks_at_hand():
        # Else a rig brings a mesh that is no character: the shape that shows its bones.
        return bpy.ops.import_scene.gltf(filepath=filepath, disable_bone_shape=True)


def export_gltf(filepath: str, **options: Any) -> set[str]:
    """Export the file at hand, or what other options choose; what `bpy.ops` returns and raises."""
    with _hooks_at_hand():
        return bpy.ops.export_scene.gltf(
            filepath=filepath,
            export_format="GLB" if filepath.lower().endswith(".glb") else "GLTF_SEPARATE",
            export_vertex_color="ACTIVE",
            export_attributes=True,
            # Custom properties, which a glTF that was read has its own extras in.
            export_extras=True,
            **options,
        )


def reason_not_imported(path: Path) -> DiffusionNetError | None:
    """Why the importer could not read a file; None where it is rather damaged."""
    enable_addon(ADDON)
    from io_scene_gltf2.io.imp.gltf2_io_gltf import glTFImporter

    importer = glTFImporter(str(path), {"import_user_extensions": []})
    return reason_unread(
        path,
        importer.extensions_managed,
        undecoded_gltf(),
        f"Blender {'.'.join(map(str, bpy.app.version[:2]))}",
    )


@contextmanager
def _hooks_at_hand() -> Iterator[None]:
    """Context in which this package is among the add-ons, also where it is no extension."""
    enable_addon(ADDON)
    addons = bpy.context.preferences.addons
    if EXTENSION in addons:
        yield
        return
    addons.new().module = EXTENSION
    try:
        yield
    finally:
        addons.remove(addons[EXTENSION])
