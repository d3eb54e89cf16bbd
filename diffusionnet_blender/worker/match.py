"""Matching on the wire: `request` and `answer_of` in Blender, `run` in the worker."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..matching.points import SurfacePoints
from ..surface.surface import Surface


@dataclass(frozen=True, eq=False)
class MatchAnswer:
    """What comes back.

    Attributes
    ----------
    target_to_source : SurfacePoints
        On the source, one for each vertex of the target.
    confidence : (V_t,) float64
    way : str
        Name of the model that found it; "" where none did.
    fit : str
        See `tasks.match.Correspondence`.
    mirrored : bool
    seconds : dict of str to float
        Of each stage.
    """

    target_to_source: SurfacePoints
    confidence: np.ndarray
    way: str
    fit: str
    mirrored: bool
    seconds: dict[str, float]


def request(
    source: Surface,
    target: Surface,
    pins: np.ndarray,
    *,
    model: str | None,
    model_folders: Sequence[Path],
    fit: bool,
    engine: str,
    device: str,
) -> dict:
    """What the worker needs to know.

    Parameters
    ----------
    source, target : Surface
    pins : (P, 2) int
        Vertices of source and target.
    model : str, optional
        Name, or path of the weights; without it shapes are matched by their distances.
    model_folders : sequence of Path
        Libraries of the user's.
    fit : bool
        Fit a network to the pair as well.
    engine, device : str
    """
    return {
        "source": _arrays(source),
        "target": _arrays(target),
        "pins": np.asarray(pins, dtype=np.int64).reshape(-1, 2),
        "model": model,
        "model_folders": [str(folder) for folder in model_folders],
        "fit": fit,
        "engine": engine,
        "device": device,
    }


def _arrays(surface: Surface) -> dict:
    return {"vertices": surface.vertices, "faces": surface.faces.astype(np.int32)}


def run(request: dict, progress) -> dict:
    """Match; see `jobs.find_job`."""
    from ..tasks.match.pipeline import match
    from ..tasks.models import find_model

    folders = [Path(folder) for folder in request["model_folders"]]
    name = request["model"]
    found = match(
        Surface(**request["source"]),
        Surface(**request["target"]),
        None if name is None else find_model(name, folders),
        pins=tuple(request["pins"].T),
        fit=request["fit"],
        engine=request["engine"],
        device=request["device"],
        progress=progress,
    )
    return {
        "face": found.target_to_source.face,
        "barycentric": found.target_to_source.barycentric,
        "confidence": found.confidence,
        "way": "" if name is None else found.features,
        "fit": found.fit,
        "mirrored": bool(found.judgement.mirrored),
        "seconds": found.seconds,
    }


def answer_of(content: dict) -> MatchAnswer:
    """The answer as it came over the wire, in its own types."""
    points = SurfacePoints(content["face"], content["barycentric"])
    rest = {k: v for k, v in content.items() if k not in ("face", "barycentric")}
    return MatchAnswer(target_to_source=points, **rest)
