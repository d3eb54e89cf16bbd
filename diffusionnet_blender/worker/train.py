"""Training on the wire: `request` and `curve_of` in Blender, `run` in the worker."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import numpy as np

from ..surface.surface import Surface
from ..tasks.train.curve import Curve
from ..tasks.train.sizes import Size
from ..tasks.train.training_set import LabelledSurface, TrainingSet


def request(given: TrainingSet, **options) -> dict:
    """What the worker needs to know.

    Parameters
    ----------
    given : TrainingSet
    **options
        Of `tasks.train.train`, less the callables; paths may be paths.
    """
    return {
        "members": [
            {
                "name": member.name,
                "vertices": member.surface.vertices,
                "faces": member.surface.faces.astype(np.int32),
                "labels": member.labels,
            }
            for member in given.members
        ],
        "class_names": given.class_names,
        "class_colours": given.class_colours,
        "options": {name: _option(value) for name, value in options.items()},
    }


def _option(value):
    if isinstance(value, Size):
        return asdict(value)
    return str(value) if isinstance(value, Path) else value


def run(request: dict, progress) -> dict:
    """Train; see `jobs.find_job` and `tasks.train.train`.

    Returns
    -------
    dict
        name and summary : str, curve as `curve_of` reads it.
    """
    from ..tasks.train.pipeline import train

    options = request["options"]
    folders = {name: Path(options[name]) for name in ("model_folder", "checkpoint_folder")}
    size = options["size"]
    members = tuple(
        LabelledSurface(m["name"], Surface(m["vertices"], m["faces"]), m["labels"])
        for m in request["members"]
    )
    found = train(
        TrainingSet(members, tuple(request["class_names"]), tuple(request["class_colours"])),
        **{**options, **folders, "size": Size(**size) if isinstance(size, dict) else size},
        progress=progress,
        report=lambda curve: progress.tell(_plain(curve)),
        enough=lambda: progress.enough,
    )
    return {"name": found.card.name, "summary": found.summary, "curve": _plain(found.curve)}


def _plain(curve: Curve) -> dict:
    return {"steps": curve.steps, "rows": curve.rows.tolist()}


def curve_of(content: dict) -> Curve:
    """A curve as it came over the wire."""
    return Curve(content["steps"], np.array(content["rows"]).reshape(-1, 4))
