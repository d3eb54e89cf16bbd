"""What tells a stand-in from the data set whose layout it has."""

from __future__ import annotations

from pathlib import Path

NOTE = "STAND-IN.txt"


def mark(folder: Path, made_of: str) -> None:
    """Note in a folder that its data are a stand-in, and what they were made of."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / NOTE).write_text(
        f"This is not the data set that has this layout, but a stand-in for it: {made_of}.\n"
    )


def is_stand_in(folder: Path) -> bool:
    """Whether a folder, or the one that it lies in, was marked."""
    return any((place / NOTE).exists() for place in (folder, folder.resolve().parent))
