"""What experiments have found, kept in git, and the tables of docs/paper.md."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from training.documents import put_between

FOLDER = Path(__file__).parent / "results"
DOCUMENT = Path(__file__).parents[1] / "docs" / "paper.md"


def kept(experiment: str) -> dict[str, Any]:
    """Results of an experiment by the names of its rows; empty where there are none."""
    path = FOLDER / f"{experiment}.json"
    return json.loads(path.read_text()) if path.exists() else {}


def keep(experiment: str, row: str, result: dict[str, Any]) -> None:
    """Put the result of one row in place of an earlier one, and leave the others."""
    FOLDER.mkdir(exist_ok=True)
    path = FOLDER / f"{experiment}.json"
    temporary = path.with_suffix(".part")
    temporary.write_text(json.dumps(kept(experiment) | {row: result}, indent=1) + "\n")
    os.replace(temporary, path)


def write(experiment: str, text: str) -> None:
    """Put the tables of an experiment into their place on the page."""
    put_between(DOCUMENT, experiment, text)
