"""Classification on the wire: `request` in Blender, `run` in the worker."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ..surface.surface import Surface


def request(
    surfaces: Sequence[Surface],
    *,
    model: str,
    model_folders: Sequence[Path],
    engine: str,
    device: str,
    cache_folder: Path | None,
) -> dict:
    """What the worker needs to know.

    Parameters
    ----------
    surfaces : sequence of Surface
    model : str
        Name, or path of the weights.
    model_folders : sequence of Path
        Libraries of the user's.
    engine, device
        As `tasks.classify.classify` takes them.
    cache_folder : Path, optional
        Without: nothing is kept.
    """
    return {
        "surfaces": [{"vertices": s.vertices, "faces": s.faces.astype(np.int32)} for s in surfaces],
        "model": model,
        "model_folders": [str(folder) for folder in model_folders],
        "engine": engine,
        "device": device,
        "cache_folder": None if cache_folder is None else str(cache_folder),
    }


def run(request: dict, progress) -> dict:
    """Classify; see `jobs.find_job`.

    Returns
    -------
    dict
        classes : list of str, one a surface; probabilities : list of float.
    """
    from ..surface.cache import OperatorCache
    from ..tasks.classify.pipeline import classify
    from ..tasks.models import find_model

    model = find_model(request["model"], [Path(folder) for folder in request["model_folders"]])
    cache = request["cache_folder"]
    count = len(request["surfaces"])
    found = []
    for number, arrays in enumerate(request["surfaces"]):
        found.append(
            classify(
                Surface(**arrays),
                model,
                engine=request["engine"],
                device=request["device"],
                cache=None if cache is None else OperatorCache(Path(cache)),
                progress=lambda stage, fraction, n=number: progress("classifying", n / count),
            )
        )
    return {
        "classes": [each.class_name for each in found],
        "probabilities": [each.probability for each in found],
    }
