"""Pages of the guide that F1 opens for operators and properties."""

from __future__ import annotations

from pathlib import Path

import bpy

# Part of the zip (tools/guide.py), so that F1 works offline, for this version.
GUIDE = Path(__file__).resolve().with_name("guide")
# Patterns of Blender's names (in lower case) and their pages; the first that matches counts.
PAGES = (
    ("bpy.ops.diffusionnet.write_labels*", "segment.html#outputs"),
    ("bpy.ops.diffusionnet.add_preset*", "segment.html#outputs"),
    ("bpy.ops.diffusionnet.find_model*", "segment.html#which-model"),
    ("bpy.ops.diffusionnet.reload_models*", "models.html#the-library"),
    ("bpy.ops.diffusionnet.import_model*", "models.html#the-library"),
    ("bpy.ops.diffusionnet.rename_model*", "models.html#the-library"),
    ("bpy.ops.diffusionnet.remove_model*", "models.html#the-library"),
    ("bpy.ops.diffusionnet.find_torch*", "pytorch.html"),
    ("bpy.ops.diffusionnet.install_torch*", "pytorch.html"),
    ("bpy.ops.diffusionnet.remove_torch*", "pytorch.html"),
    ("bpy.ops.diffusionnet.clear_cache*", "segment.html#in-the-preferences"),
    ("bpy.ops.diffusionnet.check*", "segment.html#in-the-preferences"),
    ("bpy.ops.diffusionnet.copy_report*", "segment.html#messages"),
    ("bpy.ops.diffusionnet.dismiss_error*", "segment.html#messages"),
    *(
        (f"bpy.ops.diffusionnet.{name}*", "segment.html#correct-the-parts")
        for name in (
            "assign_part",
            "grow_part",
            "shrink_part",
            "smooth_parts",
            "merge_parts",
            "add_part",
            "rename_part",
            "recolor_part",
            "swap_sides",
            "mask_part",
            "separate_parts",
            "select_part",
        )
    ),
    ("bpy.ops.diffusionnet.train*", "train.html"),
    ("bpy.ops.diffusionnet.stop_training*", "train.html#during-training"),
    ("bpy.ops.diffusionnet.classify*", "train.html#whole-shapes"),
    *(
        (f"bpy.ops.diffusionnet.{name}*", f"transfer{anchor}")
        for name, anchor in (
            ("match", ".html#match"),
            ("preview_match", ".html#look-at-the-match"),
            ("select_uncertain", ".html#look-at-the-match"),
            ("add_pin", ".html#pins"),
            ("remove_pin", ".html#pins"),
            ("swap_pair", ".html#match"),
            ("live_match", "-control.html#live-match"),
            ("choose_names", "-control.html#groups-and-keys-by-name"),
            ("add_transfer_preset", "-control.html#presets"),
            ("transfer_to_selected", "-control.html#one-to-many"),
            ("transfer_again", "-control.html#one-to-many"),
            ("transfer", ".html#what-to-move"),
        )
    ),
    *(
        (f"bpy.ops.diffusionnet.{name}*", "rig.html#in-the-sidebar")
        for name in ("rig", "write_skeleton", "bind_skeleton", "check_rig")
    ),
    ("bpy.ops.diffusionnet.conform*", "conform.html"),
    ("bpy.types.diffusionnet_pg_conform*", "conform.html"),
    ("bpy.ops.diffusionnet.refit*", "refit.html"),
    ("bpy.types.diffusionnet_pg_refit*", "refit.html"),
    ("bpy.types.diffusionnet_pg_rig*", "rig.html#in-the-sidebar"),
    ("bpy.types.diffusionnet_pg_settings.rig*", "rig.html#in-the-sidebar"),
    ("bpy.types.diffusionnet_pg_transfer*.shape_keys*", "faces.html"),
    ("bpy.types.diffusionnet_pg_transfer*", "transfer.html#what-to-move"),
    ("bpy.types.diffusionnet_pg_settings.transfer*", "transfer.html#what-to-move"),
    ("bpy.ops.diffusionnet.*", "segment.html#in-the-sidebar"),
    ("bpy.types.diffusionnet_pg_settings.model*", "models.html"),
    ("bpy.types.diffusionnet_pg_settings.classifier*", "train.html#whole-shapes"),
    ("bpy.types.diffusionnet_pg_settings.sort_into_collections*", "train.html#whole-shapes"),
    ("bpy.types.diffusionnet_pg_training*", "train.html#in-the-sidebar"),
    *(
        (f"bpy.types.diffusionnet_pg_settings.{name}*", "segment.html#outputs")
        for name in (
            "attributes",
            "colors",
            "vertex_groups",
            "group_weights",
            "face_sets",
            "materials",
            "confidence",
        )
    ),
    ("bpy.types.diffusionnet_pg_settings*", "segment.html#in-the-sidebar"),
    ("bpy.types.diffusionnet_pg_part*", "segment.html#correct-the-parts"),
    ("bpy.types.diffusionnet_pg_legend*", "segment.html#correct-the-parts"),
    ("bpy.types.diffusionnet_pg_torch*", "pytorch.html"),
    (
        "bpy.types.diffusionnetpreferences.environment*",
        "pytorch.html#a-python-environment-of-yours",
    ),
    ("bpy.types.diffusionnetpreferences.model_folder*", "models.html#the-library"),
    ("bpy.types.diffusionnetpreferences*", "segment.html#in-the-preferences"),
)


def manual_map(guide: Path = GUIDE) -> tuple[str, tuple[tuple[str, str], ...]]:
    """Start of all addresses, and the end of each by pattern, as Blender asks for them.

    Parameters
    ----------
    guide : Path
        Folder of the pages; where it is missing, as in a clone, Blender's own manual is left.
    """
    return (f"{guide.as_uri()}/", PAGES) if guide.is_dir() else ("", ())


def register() -> None:
    """Register the map."""
    bpy.utils.register_manual_map(manual_map)


def unregister() -> None:
    """Unregister the map."""
    bpy.utils.unregister_manual_map(manual_map)
