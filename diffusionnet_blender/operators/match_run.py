"""A match in the worker; never waits for it."""

from __future__ import annotations

from time import monotonic

import numpy as np

from ..properties.model_lists import NO_MODEL
from ..scene.matches import Match, fingerprint
from ..scene.read import read_object
from ..tasks.models import matching_model_path
from ..worker import match as match_job
from ..worker.client import Worker
from .pair_run import PairRun

# Shares of the time of a match of two characters of 9,000 vertices, by the names of the stages.
SHARES = {
    "": 0.01,
    "repair": 0.01,
    "proxy": 0.1,
    "eigenbasis": 0.1,
    "features": 0.04,
    "candidates": 0.1,
    "map": 0.2,
    "registration": 0.06,
    # Only where it is asked for: otherwise the bar leaps.
    "fit": 0.33,
    "confidence": 0.02,
    "lift": 0.03,
}


def match_options(model: str, fit: bool, preferences) -> dict:
    """Options of `worker.match.request`, from the panel's choices and the preferences.

    Raises
    ------
    ModelError
        If there is no such model, or if it does not match shapes.
    """
    known = model != NO_MODEL
    if known:
        matching_model_path(model, [preferences.model_folder])
    return {
        "model": model if known else None,
        "model_folders": [preferences.model_folder],
        "fit": fit,
        "engine": preferences.engine,
        "device": preferences.device,
    }


class MatchRun(PairRun):
    """Matches two objects in the worker.

    Parameters
    ----------
    worker : Worker
    source, target : bpy.types.Object
    pins : (P, 2) int
    options : dict
        Of `match_options`.
    """

    farewell = "Cancelled; the match before, if there was one, is kept"

    def __init__(self, worker: Worker, source, target, pins: np.ndarray, options: dict):
        super().__init__(worker, source, target, (fingerprint(source), fingerprint(target)), SHARES)
        self._pins = pins
        self._started = monotonic()
        surfaces = [read_object(obj).surface for obj in (source, target)]
        worker.submit("match", match_job.request(*surfaces, pins, **options))

    def outcome(self):
        """Source, target and their match.

        Raises
        ------
        DiffusionNetError
            If one of the objects is gone or has changed.
        """
        source, target = self.pair()
        self.require_unchanged((source, target), "it was being matched", "Press Match again.")
        answer = match_job.answer_of(self._content)
        took = monotonic() - self._started
        return source, target, match_of(answer, self._prints, self._pins, took)


def match_of(answer: match_job.MatchAnswer, prints, pins: np.ndarray, seconds: float) -> Match:
    """What is kept of an answer."""
    return Match(
        target_to_source=answer.target_to_source,
        confidence=answer.confidence,
        way=answer.way,
        fit=answer.fit,
        mirrored=answer.mirrored,
        source_fingerprint=prints[0],
        target_fingerprint=prints[1],
        pins=pins,
        seconds=seconds,
    )
