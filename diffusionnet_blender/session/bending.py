"""The mesh that is being bent, in the viewports."""

from __future__ import annotations

from ..scene.conform_jobs import ConformJobs
from ..tasks.conform.request import MeshSoFar
from .computing import the_run
from .wires import hide_wires, show_wires


class WatchedConformJobs(ConformJobs):
    """Shows the mesh as it bends, as wires where the target stands."""

    def show_partial(self, partial: MeshSoFar) -> None:
        """Draw the wires, where Blender is not waiting for the end."""
        if the_run() is not None:
            show_wires(partial.vertices + self.target_origin, partial.edges)

    def end(self) -> None:
        """Draw them no more."""
        hide_wires()
