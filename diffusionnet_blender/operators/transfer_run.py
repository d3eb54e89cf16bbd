"""A transfer in the worker; never waits for it."""

from __future__ import annotations

from ..errors import DiffusionNetError
from ..scene.layers import Wanted
from ..scene.matches import Match, fingerprint
from ..scene.transfer import Prepared, outside_edit_modes, prepared_again, read_transfer
from ..scene.write import require_writable
from ..worker import transfer as transfer_job
from ..worker.client import Answer, Worker
from .progress import ProgressOfObjects
from .segment_run import Target

# Shares of the time of a texture and skin weights, by the names of the stages.
SHARES = {
    "": 0.02,
    "uv": 0.03,
    "texture": 0.7,
    "weights": 0.15,
    "shape keys": 0.04,
    "armature": 0.01,
}


class TransferRun:
    """Moves data in the worker; see `background.BackgroundOperator` for what a run is.

    Parameters
    ----------
    worker : Worker
    source, target : bpy.types.Object
    match : Match
    wanted : Wanted
    settings : tasks.transfer.TransferSettings
    """

    touches_data = False
    farewell = "Cancelled; nothing was written"

    def __init__(self, worker: Worker, source, target, match: Match, wanted: Wanted, settings):
        self._worker, self._wanted = worker, wanted
        self._pair = Target.of(source), Target.of(target)
        self._prints = match.source_fingerprint, match.target_fingerprint
        name = f"{source.name} > {target.name}"
        self._meter = ProgressOfObjects([name], SHARES)
        self._meter.object(name)
        self._moved = None
        self.cancelled = False
        with outside_edit_modes(source, target):
            self._read = read_transfer(source, target, wanted)
        worker.submit(
            "transfer",
            transfer_job.request(
                self._read.source.shape,
                self._read.target,
                match.target_to_source,
                match.confidence,
                self._read.source.layers,
                target_uv=self._read.target_uv,
                locked=self._read.locked,
                settings=vars(settings),
            ),
        )

    def pair(self):
        """Source and target, wherever undo has put them.

        Raises
        ------
        DiffusionNetError
            If one is gone, or has another mesh.
        """
        return tuple(item.find() for item in self._pair)

    def prepared(self, source, target) -> Prepared:
        """What is to be written; neither may be in Edit Mode.

        Raises
        ------
        DiffusionNetError
            If one of them was changed meanwhile.
        """
        for obj, then in zip((source, target), self._prints, strict=True):
            if fingerprint(obj) != then:
                raise DiffusionNetError(
                    f"{obj.name!r} was changed while its data was being moved, so nothing was "
                    "written",
                    "Press Match and Transfer again.",
                )
        require_writable(target)
        return prepared_again(source, target, self._wanted, self._read, self._moved)

    @property
    def finished(self) -> bool:
        """Whether nothing is left to do but to write."""
        return self.cancelled or self._moved is not None

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
            self._moved = transfer_job.answer_of(found.content)
        else:
            self._meter.at(found.stage, found.fraction)
