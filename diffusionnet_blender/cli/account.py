"""What a command tells of the files that it works on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ..tasks.progress import Progress
from .options import stage_lines
from .streams import failed, note

if TYPE_CHECKING:
    import bpy


class Account:
    """Tells it on stderr, line by line; a library writes it into the records of its items.

    Parameters
    ----------
    quiet : bool
        Errors alone.

    Attributes
    ----------
    status : int
        Exit status: 0 if nothing has failed.
    """

    def __init__(self, quiet: bool = False):
        self.quiet = quiet
        self.status = 0

    def failed(self, subject: object, error: Exception) -> None:
        """Tell that something failed, see `streams.failed`."""
        self.status = failed(subject, error)

    def note(self, line: str) -> None:
        """Tell what is good to know."""
        if not self.quiet:
            note(line)

    def warned(self, subject: object, remarks: Sequence[str]) -> None:
        """Tell what the user should look at, if there is anything."""
        if remarks:
            self.note(f"{subject}: {'; '.join(remarks)}")

    def missed(self, subject: object, errors: Sequence[Exception]) -> None:
        """Tell what could not be done beside what was."""
        for error in errors:
            note(f"{subject}: {error}")

    def left_out(self, title: str, told: Sequence[str]) -> None:
        """Tell which objects of a character are left out, if there are any."""
        self.warned(title, [f"left out: {', '.join(told)}"] if told else [])

    def uncertain(self, lines: Sequence[str]) -> None:
        """Tell that a result was written and is not to be trusted."""
        for line in lines:
            note(line)
        self.status = 1

    def stages(self, title: str) -> Progress[Any]:
        """Progress of the work on a shape."""
        return stage_lines(title, self.quiet)

    def found(self, name: str, result: Any) -> None:
        """Take note of the result of a task on a shape of this name."""

    def pictured(self, objects: Sequence[bpy.types.Object], *looks: str) -> None:
        """Take pictures of objects of the open file; `looks` as of `scene.thumbnail`."""
