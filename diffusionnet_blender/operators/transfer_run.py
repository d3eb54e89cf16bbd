"""A transfer in the worker; never waits for it."""

from __future__ import annotations

from ..scene.layers import Wanted
from ..scene.matches import Match
from ..scene.pair import outside_edit_modes
from ..scene.transfer import Prepared, prepared_again, read_transfer
from ..scene.write import require_writable
from ..worker import transfer as transfer_job
from ..worker.client import Worker
from .pair_run import PairRun

# Shares of the time of a texture and skin weights, by the names of the stages.
SHARES = {
    "": 0.02,
    "uv": 0.03,
    "texture": 0.7,
    "weights": 0.15,
    "shape keys": 0.04,
    "armature": 0.01,
}


class TransferRun(PairRun):
    """Moves data in the worker.

    Parameters
    ----------
    worker : Worker
    source, target : bpy.types.Object
    match : Match
    wanted : Wanted
    settings : tasks.transfer.TransferSettings
    """

    farewell = "Cancelled; nothing was written"

    def __init__(self, worker: Worker, source, target, match: Match, wanted: Wanted, settings):
        prints = match.source_fingerprint, match.target_fingerprint
        super().__init__(worker, source, target, prints, SHARES)
        self._wanted = wanted
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

    def prepared(self, source, target) -> Prepared:
        """What is to be written; neither may be in Edit Mode.

        Raises
        ------
        DiffusionNetError
            If one of them was changed meanwhile.
        """
        self.require_unchanged(
            (source, target),
            "its data was being moved, so nothing was written",
            "Press Match and Transfer again.",
        )
        require_writable(target)
        moved = transfer_job.answer_of(self._content)
        return prepared_again(source, target, self._wanted, self._read, moved)
