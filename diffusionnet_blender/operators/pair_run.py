"""What runs of two objects in the worker have in common; none of them ever waits."""

from __future__ import annotations

from ..errors import DiffusionNetError
from ..scene.matches import fingerprint
from ..worker.client import Answer, Worker
from .progress import ProgressOfObjects
from .segment_run import Target


class PairRun:
    """A job of a source and a target; see `background.BackgroundOperator` for what a run is.

    Parameters
    ----------
    worker : Worker
    source, target : bpy.types.Object
    prints : (str, str)
        Their fingerprints, from which they must not differ in the end.
    shares : dict of str to float
        Shares of the time, by the names of the stages.
    """

    touches_data = False

    def __init__(self, worker: Worker, source, target, prints, shares: dict[str, float]):
        self._worker, self._prints = worker, prints
        self._pair = Target.of(source), Target.of(target)
        name = f"{source.name} > {target.name}"
        self._meter = ProgressOfObjects([name], shares)
        self._meter.object(name)
        self._content = None
        self.cancelled = False

    @property
    def finished(self) -> bool:
        """Whether nothing is left to wait for."""
        return self.cancelled or self._content is not None

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
            self._content = found.content
        else:
            self._meter.at(found.stage, found.fraction)

    def pair(self):
        """Source and target, wherever undo has put them.

        Raises
        ------
        DiffusionNetError
            If one is gone, or has another mesh.
        """
        return tuple(item.find() for item in self._pair)

    def require_unchanged(self, pair, meanwhile: str, fix: str) -> None:
        """Raise DiffusionNetError if one of the two is not what it was at the start."""
        for obj, then in zip(pair, self._prints, strict=True):
            if fingerprint(obj) != then:
                raise DiffusionNetError(f"{obj.name!r} was changed while {meanwhile}", fix)
