"""Conform: the source's meshes take the target's shape and pose, as new objects or shape keys."""

import bpy

from ..properties.conform import BendingProperties
from ..scene.edit_mode import whole_undo
from ..scene.options import Conforming
from ..scene.pair import outside_edit_modes
from ..scene.pins import pins_of_pair
from ..scene.report_text import counted, listed
from ..session.bending import WatchedConformJobs
from ..tasks.conform.request import Bending
from .background import JobOperator
from .match import MatchProperties
from .pair import PairOperator


class DIFFUSIONNET_OT_conform(
    MatchProperties, BendingProperties, JobOperator, PairOperator, bpy.types.Operator
):
    """Bend the source onto the target: its topology, the target's shape and pose"""

    bl_idname = "diffusionnet.conform"
    bl_label = "Conform"
    bl_options = {"UNDO"}

    def jobs(self, context) -> WatchedConformJobs:
        """One job on the pair."""
        source, target = self.pair(context)
        panel = context.scene.diffusionnet
        # Where it lies decides nothing: a mesh that lies on the target has its shape already.
        options = self.match_options(context) | {"method": "MATCH"}
        pins = pins_of_pair(panel.transfer, source, target)
        bending = self.chosen_options(Bending, panel.conform)
        region = self.chosen_options(Conforming, panel.conform)["region"]
        return WatchedConformJobs(source, target, pins, bending, region, **options)

    def finish(self, context, run):
        """Make the new objects or keys, and report how close they lie."""
        if run.failed:
            raise run.failed[0]
        source, _ = run.jobs.items[0].find()
        as_key = self.chosen_options(Conforming, context.scene.diffusionnet.conform)["as_key"]
        if as_key:
            with whole_undo(source.members), outside_edit_modes(*source.members):
                keys = run.jobs.write_keys()
            text = f"{source.name}: shape key {listed(sorted(set(keys)))}"
        else:
            made = run.jobs.write()
            text = f"{made[0].name}: {counted(len(made), 'object')}"
        found = run.jobs.result
        self.report_errors(run.jobs.errors, failed=False)
        share = f"{found.on_surface.mean():.0%} of vertices on the target"
        seconds = sum(found.seconds.values())
        self.report(
            {"WARNING" if found.correspondence.uncertain else "INFO"},
            f"{found.correspondence.doubt}{text}, {share}, {found.distance:.3%} of its size away, "
            f"in {seconds:.1f} s",
        )
        return {"FINISHED"}


CLASSES = (DIFFUSIONNET_OT_conform,)
