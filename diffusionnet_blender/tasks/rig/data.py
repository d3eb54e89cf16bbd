"""Where the data of skeletons lie that ship with the extension."""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).resolve().parents[2] / "rigs"
