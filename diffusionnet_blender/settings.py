"""Preferences as plain values, with defaults where the package is not enabled as an extension."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bpy

from .folders import user_folder
from .surface.cache import OperatorCache


@dataclass(frozen=True)
class Settings:
    """The preferences.

    Attributes
    ----------
    engine, device : str
        As `tasks.compute.Compute` has them.
    palette : {"MODEL", "SAFE"}
    cache_folder, model_folder, report_folder, checkpoint_folder : Path
    environment : Path or None
        Python environment of the user's that computes.
    """

    engine: str
    device: str
    palette: str
    cache_folder: Path
    model_folder: Path
    report_folder: Path
    checkpoint_folder: Path
    environment: Path | None

    @property
    def cache(self) -> OperatorCache:
        """The cache of matrices."""
        return OperatorCache(self.cache_folder)

    @property
    def compute(self) -> dict[str, Any]:
        """Fields of `tasks.compute.Compute`."""
        return {
            "engine": self.engine,
            "device": self.device,
            "model_folders": (self.model_folder,),
        }


def settings() -> Settings:
    """Current preferences."""
    stored = stored_preferences()
    return Settings(
        engine=stored.engine if stored else "auto",
        device=stored.device if stored else "auto",
        palette=stored.palette if stored else "MODEL",
        cache_folder=_folder(stored and stored.cache_folder, "cache"),
        model_folder=_folder(stored and stored.model_folder, "models"),
        report_folder=user_folder("reports"),
        checkpoint_folder=user_folder("checkpoints"),
        environment=(
            Path(bpy.path.abspath(stored.environment)) if stored and stored.environment else None
        ),
    )


def stored_preferences() -> bpy.types.AddonPreferences | None:
    """Stored preferences; None where the package is not enabled as an extension."""
    addon = bpy.context.preferences.addons.get(__package__)
    return addon.preferences if addon else None


def _folder(chosen: str | None, name: str) -> Path:
    return Path(bpy.path.abspath(chosen)) if chosen else user_folder(name)
