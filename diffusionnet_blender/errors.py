"""Errors that a user can resolve: each has a message and a remedy."""


class DiffusionNetError(Exception):
    """An error that the user can resolve.

    Parameters
    ----------
    message : str
        The problem, without a full stop at the end.
    fix : str
        The remedy, in sentences; may be empty.
    """

    def __init__(self, message: str, fix: str = ""):
        super().__init__(message, fix)
        self.message = message
        self.fix = fix

    def __str__(self) -> str:
        return f"{self.message}. {self.fix}".strip() if self.fix else self.message


class SurfaceError(DiffusionNetError):
    """The geometry cannot be used."""


class ModelError(DiffusionNetError):
    """A model (weights or card) is missing, damaged, or of another kind."""


class LayoutError(DiffusionNetError):
    """A UV map cannot hold the images that are baked into it."""


class DeviceError(DiffusionNetError):
    """The chosen engine or device is missing, or has not enough memory."""


class WorkerError(DiffusionNetError):
    """The worker process could not start, or ended before its job did."""


class NoLabels(DiffusionNetError):
    """A mesh has no labels of the kind that is asked for."""


class EmptyRegion(DiffusionNetError):
    """A mesh has nothing in the region that was chosen."""


class NothingToWrite(DiffusionNetError):
    """All that was asked for is locked; not a failure, but nothing was written."""


class Cancelled(DiffusionNetError):
    """The user stopped the task; nothing was written."""

    def __init__(self) -> None:
        super().__init__("Cancelled")
