"""F1 over a button or a setting opens the page of the guide that tells of it."""

from __future__ import annotations

import tomllib
from pathlib import Path

import bpy

# Patterns of Blender's names (in lower case) and the pages, relative to the website; of several
# that fit the first counts.
PAGES = (
    ("bpy.ops.diffusionnet.write_labels*", "segment.md#what-is-written"),
    ("bpy.ops.diffusionnet.add_preset*", "segment.md#what-is-written"),
    ("bpy.ops.diffusionnet.reload_models*", "models.md#the-library"),
    ("bpy.ops.diffusionnet.import_model*", "models.md#the-library"),
    ("bpy.ops.diffusionnet.rename_model*", "models.md#the-library"),
    ("bpy.ops.diffusionnet.remove_model*", "models.md#the-library"),
    ("bpy.ops.diffusionnet.find_torch*", "pytorch.md"),
    ("bpy.ops.diffusionnet.install_torch*", "pytorch.md"),
    ("bpy.ops.diffusionnet.remove_torch*", "pytorch.md"),
    ("bpy.ops.diffusionnet.clear_cache*", "segment.md#in-the-preferences"),
    ("bpy.ops.diffusionnet.check*", "segment.md#in-the-preferences"),
    ("bpy.ops.diffusionnet.copy_report*", "segment.md#when-it-does-not-work"),
    ("bpy.ops.diffusionnet.dismiss_error*", "segment.md#when-it-does-not-work"),
    *(
        (f"bpy.ops.diffusionnet.{name}*", "segment.md#correct-the-parts")
        for name in (
            "assign_part",
            "grow_part",
            "shrink_part",
            "smooth_parts",
            "merge_parts",
            "add_part",
            "rename_part",
            "recolour_part",
            "swap_sides",
            "mask_part",
            "separate_parts",
            "select_part",
        )
    ),
    *(
        (f"bpy.ops.diffusionnet.{name}*", f"transfer.md{anchor}")
        for name, anchor in (
            ("match", "#match"),
            ("preview_match", "#look-at-the-match"),
            ("select_uncertain", "#look-at-the-match"),
            ("add_pin", "#pins"),
            ("remove_pin", "#pins"),
            ("swap_pair", "#match"),
            ("transfer", "#what-is-moved"),
        )
    ),
    ("bpy.types.diffusionnet_pg_transfer*", "transfer.md#what-is-moved"),
    ("bpy.types.diffusionnet_pg_settings.transfer*", "transfer.md#what-is-moved"),
    ("bpy.ops.diffusionnet.*", "segment.md#in-the-sidebar"),
    ("bpy.types.diffusionnet_pg_settings.model*", "models.md"),
    *(
        (f"bpy.types.diffusionnet_pg_settings.{name}*", "segment.md#what-is-written")
        for name in (
            "attributes",
            "colours",
            "vertex_groups",
            "weights",
            "face_sets",
            "materials",
            "confidence",
        )
    ),
    ("bpy.types.diffusionnet_pg_settings*", "segment.md#in-the-sidebar"),
    ("bpy.types.diffusionnet_pg_part*", "segment.md#correct-the-parts"),
    ("bpy.types.diffusionnet_pg_legend*", "segment.md#correct-the-parts"),
    ("bpy.types.diffusionnetpreferences.torch_*", "pytorch.md"),
    ("bpy.types.diffusionnetpreferences.environment*", "pytorch.md#a-python-environment-of-yours"),
    ("bpy.types.diffusionnetpreferences.model_folder*", "models.md#the-library"),
    ("bpy.types.diffusionnetpreferences*", "segment.md#in-the-preferences"),
)


def website() -> str:
    """Where the pages are, as the manifest has it; "" where it names no website."""
    manifest = tomllib.loads(Path(__file__).with_name("blender_manifest.toml").read_text("utf-8"))
    return manifest.get("website", "")


def manual_map(site: str | None = None) -> tuple[str, tuple[tuple[str, str], ...]]:
    """Start of all addresses, and the end of each by pattern, as Blender asks for them.

    Parameters
    ----------
    site : str, optional
        Where the pages are; Blender does not say, and the manifest does.
    """
    site = website() if site is None else site
    return (f"{site.rstrip('/')}/", PAGES) if site else ("", ())


def register() -> None:
    """Tell Blender."""
    bpy.utils.register_manual_map(manual_map)


def unregister() -> None:
    """Take it back."""
    bpy.utils.unregister_manual_map(manual_map)
