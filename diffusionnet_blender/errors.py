"""Errors that a user can mend: each says what is wrong and what to do about it."""


class DiffusionNetError(Exception):
    """Something the user can put right.

    Parameters
    ----------
    message : str
        What is wrong, without a full stop at the end.
    fix : str
        What to do about it, one sentence.
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


class DeviceError(DiffusionNetError):
    """The engine or device asked for is not there, or has not enough memory."""


class WorkerError(DiffusionNetError):
    """The worker process could not start or has ended before its job had."""


class Cancelled(DiffusionNetError):
    """The user stopped the task; nothing was written."""

    def __init__(self):
        super().__init__("Cancelled")
