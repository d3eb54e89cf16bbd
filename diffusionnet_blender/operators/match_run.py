"""A match in the worker; never waits for it."""

from __future__ import annotations

from time import monotonic

import numpy as np

from ..errors import DiffusionNetError
from ..properties.model_lists import NO_MODEL
from ..scene.matches import Match, fingerprint
from ..scene.read import read_object
from ..tasks.models import matching_model_path
from ..worker import match as match_job
from ..worker.client import Answer, Worker
from .progress import ProgressOfObjects
from .segment_run import Target

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


class MatchRun:
    """Matches two objects in the worker.

    Parameters
    ----------
    worker : Worker
    source, target : bpy.types.Object
    pins : (P, 2) int
    options : dict
        Of `match_options`.
    """

    touches_data = False
    farewell = "Cancelled; the match before, if there was one, is kept"

    def __init__(self, worker: Worker, source, target, pins: np.ndarray, options: dict):
        self._worker = worker
        self._pair = Target.of(source), Target.of(target)
        self._prints = fingerprint(source), fingerprint(target)
        self._pins = pins
        self._started = monotonic()
        self._meter = ProgressOfObjects([f"{source.name} > {target.name}"], SHARES)
        self._meter.object(f"{source.name} > {target.name}")
        self._answer = None
        self.cancelled = False
        surfaces = [read_object(obj).surface for obj in (source, target)]
        worker.submit("match", match_job.request(*surfaces, pins, **options))

    @property
    def finished(self) -> bool:
        """Whether nothing is left to wait for."""
        return self.cancelled or self._answer is not None

    @property
    def progress(self):
        """How far it is."""
        return self._meter.progress

    def cancel(self) -> None:
        """Stop."""
        if not self.finished:
            self._worker.stop()
        self.cancelled = True

    def advance(self, context) -> None:
        """Look at the worker.

        Raises
        ------
        DiffusionNetError
            What the task raised.
        """
        found = self._worker.poll()
        if isinstance(found, Answer):
            self._answer = match_job.answer_of(found.content)
        else:
            self._meter.at(found.stage, found.fraction)

    def outcome(self):
        """Source, target and their match.

        Raises
        ------
        DiffusionNetError
            If one of the objects is gone or has changed.
        """
        source, target = (item.find() for item in self._pair)
        for obj, then in zip((source, target), self._prints, strict=True):
            if fingerprint(obj) != then:
                raise DiffusionNetError(
                    f"{obj.name!r} was changed while it was being matched", "Press Match again."
                )
        return (
            source,
            target,
            match_of(self._answer, self._prints, self._pins, monotonic() - self._started),
        )


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
