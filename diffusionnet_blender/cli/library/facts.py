"""What a record says of the result of a task."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...tasks.classify.request import Classification
from ...tasks.doubts import LEAST_SHARE
from ...tasks.match.request import Correspondence
from ...tasks.rig.request import Fitted
from ...tasks.segment.request import Segmentation


def facts_of(result: Any) -> dict[str, Any]:
    """Facts on a result, as plain values.

    Returns
    -------
    dict
        vertices; confidence, the mean; lowest_confidence, and `lowest`, of what; doubts; mended;
        seconds of each stage; for parts their shares of the area, for a class its name.
    """
    if isinstance(result, Segmentation):
        return _of_parts(result)
    if isinstance(result, Classification):
        return _of_class(result)
    if isinstance(result, Correspondence):
        return _of_match(result)
    if isinstance(result, Fitted):
        return _of_skeleton(result)
    raise TypeError(f"no facts of {type(result).__name__}")


def _of_parts(result: Segmentation) -> dict[str, Any]:
    names, areas = result.class_names, result.polygon_areas
    if len(result.polygon_labels):
        sizes = np.bincount(result.polygon_labels, areas, len(names))
    else:
        sizes = np.bincount(result.vertex_labels, minlength=len(names)).astype(float)
    shares = sizes / max(sizes.sum(), np.finfo(float).tiny)
    counts = np.bincount(result.vertex_labels, minlength=len(names))
    sure = np.bincount(result.vertex_labels, result.confidence, len(names)) / np.maximum(counts, 1)
    told = np.flatnonzero((shares >= LEAST_SHARE) & (counts > 0))
    lowest = int(told[sure[told].argmin()]) if len(told) else None
    return {
        "vertices": len(result.vertex_labels),
        "parts": {
            names[n]: round(float(shares[n]), 4) for n in np.argsort(-shares) if shares[n] > 0
        },
        "confidence": _rounded(result.confidence.mean()),
        "lowest_confidence": _rounded(sure[lowest]) if lowest is not None else None,
        "lowest": names[lowest] if lowest is not None else "",
        "side_confidence": _rounded(result.side_confidence),
        "doubts": list(result.doubts),
        "mended": result.repairs.summary(),
        "seconds": _seconds(result.seconds),
    }


def _of_class(result: Classification) -> dict[str, Any]:
    return {
        "class": result.class_name,
        "confidence": _rounded(result.probability),
        "lowest_confidence": _rounded(result.probability),
        "lowest": result.class_name,
        "doubts": [],
        "seconds": _seconds(result.seconds),
    }


def _of_match(result: Correspondence) -> dict[str, Any]:
    mended = [
        f"{side}: {repairs.summary()}"
        for side, repairs in zip(("source", "target"), result.repairs, strict=True)
        if repairs.summary()
    ]
    return {
        "vertices": len(result.confidence),
        "way": result.way,
        "confidence": _rounded(result.confidence.mean()),
        "lowest_confidence": _rounded(result.confident_share),
        "lowest": "share of confident vertices",
        "doubts": ["match"] if result.uncertain else [],
        "mended": "; ".join(mended),
        "seconds": _seconds(result.seconds),
    }


def _of_skeleton(result: Fitted) -> dict[str, Any]:
    return {
        "vertices": len(result.parts),
        "confidence": _rounded(result.confidence),
        "lowest_confidence": _rounded(result.confidence),
        "lowest": "parts of the body",
        "doubts": list(result.doubts),
        "seconds": _seconds(result.seconds),
    }


def _seconds(stages: dict[str, float]) -> dict[str, float]:
    return {name: round(value, 4) for name, value in stages.items()}


def _rounded(value: Any) -> float | None:
    return None if value is None or not np.isfinite(value) else round(float(value), 4)
