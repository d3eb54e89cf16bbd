"""Segmentation on the wire: `request` and `answer_of` in Blender, `run` in the worker."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..surface.surface import Surface, triangle_areas
from ..tasks.labels import polygon_labels


@dataclass(frozen=True, eq=False)
class SegmentAnswer:
    """What comes back.

    Attributes
    ----------
    vertex_probabilities : (V, C) float32
    polygon_labels : (P,) int32
    polygon_areas : (P,) float64
        In the square of the surface's unit.
    class_names : tuple of str
    class_colours : (C, 3) float
        sRGB, 0 to 1.
    remark : str
        As `tasks.segment.Segmentation` has it.
    seconds : dict of str to float
        Of each stage.
    engine, device, model_name : str
    """

    vertex_probabilities: np.ndarray
    polygon_labels: np.ndarray
    polygon_areas: np.ndarray
    class_names: tuple[str, ...]
    class_colours: np.ndarray
    remark: str
    seconds: dict[str, float]
    engine: str
    device: str
    model_name: str


def request(
    surface: Surface,
    polygon_of_triangle: np.ndarray,
    polygon_count: int,
    *,
    model: str,
    model_folders: Sequence[Path],
    engine: str,
    device: str,
    template: Surface | None,
    exact: bool,
    clean: bool,
    cache_folder: Path | None,
) -> dict:
    """What the worker needs to know.

    Parameters
    ----------
    surface : Surface
    polygon_of_triangle : (F,) int32
    polygon_count : int
    model : str
        Name, or path of the weights.
    model_folders : sequence of Path
        Libraries of the user's.
    engine, device, template, exact, clean
        As `tasks.segment.segment` takes them.
    cache_folder : Path, optional
        Without: nothing is kept.
    """
    return {
        "surface": _arrays(surface),
        "template": None if template is None else _arrays(template),
        "polygon_of_triangle": polygon_of_triangle,
        "polygon_count": polygon_count,
        "model": model,
        "model_folders": [str(folder) for folder in model_folders],
        "engine": engine,
        "device": device,
        "exact": exact,
        "clean": clean,
        "cache_folder": None if cache_folder is None else str(cache_folder),
    }


def _arrays(surface: Surface) -> dict:
    return {"vertices": surface.vertices, "faces": surface.faces.astype(np.int32)}


def run(request: dict, progress) -> dict:
    """Segment; see `jobs.find_job`."""
    from ..surface.cache import OperatorCache
    from ..tasks.models import find_model
    from ..tasks.segment.pipeline import segment

    surface, template = Surface(**request["surface"]), request["template"]
    areas = triangle_areas(surface.vertices, surface.faces)
    cache = request["cache_folder"]
    found = segment(
        surface,
        find_model(request["model"], [Path(folder) for folder in request["model_folders"]]),
        engine=request["engine"],
        device=request["device"],
        template=None if template is None else Surface(**template),
        exact=request["exact"],
        clean=request["clean"],
        cache=None if cache is None else OperatorCache(Path(cache)),
        progress=progress,
    )
    return {
        "vertex_probabilities": found.vertex_probabilities,
        "polygon_labels": polygon_labels(
            found.vertex_probabilities,
            surface.faces,
            areas,
            request["polygon_of_triangle"],
            request["polygon_count"],
        ),
        "polygon_areas": np.bincount(
            request["polygon_of_triangle"], weights=areas, minlength=request["polygon_count"]
        ),
        "class_names": found.class_names,
        "class_colours": np.asarray(found.class_colours),
        "remark": found.remark,
        "seconds": found.seconds,
        "engine": found.engine,
        "device": found.device,
        "model_name": found.model_name,
    }


def answer_of(content: dict) -> SegmentAnswer:
    """The answer as it came over the wire, in its own types."""
    return SegmentAnswer(**{**content, "class_names": tuple(content["class_names"])})
