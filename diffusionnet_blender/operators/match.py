"""Match two objects, and look at what came out."""

from time import perf_counter

import bpy
import numpy as np
from bpy.props import BoolProperty, EnumProperty, FloatProperty, StringProperty

from ..errors import DiffusionNetError
from ..preferences import settings
from ..scene.edit_mode import whole_undo
from ..scene.matches import current_match, fingerprint, keep_match
from ..scene.pair import outside_edit_modes, require_pair
from ..scene.pins import pinned_vertices
from ..scene.preview import select_uncertain, write_preview
from ..scene.read import read_object
from ..translations import worded
from ..worker import match as match_job
from .background import BackgroundOperator, the_worker
from .base import ReportingOperator, counted
from .match_run import MatchRun, match_of, match_options
from .segment import show_colours_in
from .trouble import forget_trouble


class PairOperator(ReportingOperator):
    """Works on a source and a target: those that are named, or those of the panel."""

    source: StringProperty(
        name="Source",
        description="Name of the mesh object that gives. Empty: the panel's",
        options={"HIDDEN", "SKIP_SAVE"},
    )
    target: StringProperty(
        name="Target",
        description="Name of the mesh object that is given. Empty: the panel's",
        options={"HIDDEN", "SKIP_SAVE"},
    )

    @classmethod
    def poll(cls, context) -> bool:
        """There must be two meshes; which ones, only `run` knows."""
        meshes = [obj for obj in context.view_layer.objects if obj and obj.type == "MESH"]
        if len(meshes) < 2:
            cls.poll_message_set(worded("There are not two meshes in the view layer"))
            return False
        return super().poll(context)

    def pair(self, context):
        """The two objects.

        Raises
        ------
        DiffusionNetError
            If one is missing, or the two cannot be a pair.
        """
        chosen = context.scene.diffusionnet.transfer
        found = []
        for name, picked in ((self.source, chosen.source), (self.target, chosen.target)):
            if name and name not in context.scene.objects:
                raise DiffusionNetError(
                    f"There is no object {name!r} in the scene", "Give the name of a mesh object."
                )
            found.append(context.scene.objects[name] if name else picked)
        require_pair(*found)
        return found


def pins_of(context, source, target) -> np.ndarray:
    """The panel's pins, where they are of this pair, (P, 2) int64."""
    chosen = context.scene.diffusionnet.transfer
    if (chosen.source, chosen.target) != (source, target):
        return np.zeros((0, 2), dtype=np.int64)
    return pinned_vertices(chosen)


class DIFFUSIONNET_OT_match(BackgroundOperator, PairOperator, bpy.types.Operator):
    """Find each vertex of the target on the source; what is moved goes along this match"""

    bl_idname = "diffusionnet.match"
    bl_label = "Match"
    # Nothing in the file changes.
    bl_options = set()

    model: StringProperty(
        name="Model",
        description="Name of a model, or NONE for shapes that no model knows. Empty: the panel's",
        options={"SKIP_SAVE"},
    )

    fit: BoolProperty(
        name="Fit to Pair",
        description="Also fit a network to these two shapes, without any labels, and take its map "
        "where it is judged better. Needs PyTorch, and takes as long again",
        options={"SKIP_SAVE"},
    )

    def run(self, context):
        """Match here and now."""
        forget_trouble()
        clock = perf_counter()
        context.view_layer.update()
        source, target = self.pair(context)
        pins = pins_of(context, source, target)
        options = self._options(context)
        surfaces = [read_object(obj).surface for obj in (source, target)]
        manager = context.window_manager
        manager.progress_begin(0.0, 1.0)
        try:
            content = match_job.run(match_job.request(*surfaces, pins, **options), _nothing)
        finally:
            manager.progress_end()
        prints = fingerprint(source), fingerprint(target)
        found = match_of(match_job.answer_of(content), prints, pins, perf_counter() - clock)
        return self._keep(source, target, found)

    def begin(self, context) -> MatchRun:
        """Start to do the same in the worker."""
        forget_trouble()
        context.view_layer.update()
        source, target = self.pair(context)
        pins = pins_of(context, source, target)
        options = self._options(context)
        return MatchRun(the_worker(), source, target, pins, options)

    def finish(self, context, run: MatchRun):
        """Keep what the worker found."""
        return self._keep(*run.outcome())

    def _options(self, context) -> dict:
        chosen = context.scene.diffusionnet.transfer
        asked = self.properties.is_property_set("fit")
        return match_options(
            self.model or chosen.model, self.fit if asked else chosen.fit, settings()
        )

    def _keep(self, source, target, found):
        keep_match(source, target, found)
        text = f"{target.name} found on {source.name}: {found.sure:.0%} of the vertices sure"
        self.report({"INFO"}, f"{text}, {way_of(found)}, in {found.seconds:.1f} s")
        if found.fit == "no torch":
            self.report({"INFO"}, without_torch())
        if found.mirrored:
            self.report(
                {"WARNING"},
                "Left and right seem swapped; set three pins or more and match again",
            )
        return {"FINISHED"}


def _nothing(stage: str, fraction: float) -> None:
    pass


def way_of(match) -> str:
    """How a match was found, in the language of the interface."""
    if match.fit == "kept":
        return worded("by a network that was fitted to this pair")
    if match.way:
        return worded("with model {model}", model=match.way)
    return worded("without a model: by distances alone")


def without_torch() -> str:
    """Why no network was fitted to a match, in the language of the interface."""
    return worded("Without PyTorch no network was fitted: the guide says how to get it")


class DIFFUSIONNET_OT_preview_match(PairOperator, bpy.types.Operator):
    """Paint both meshes so that what belongs together has one color, or how sure the match is"""

    bl_idname = "diffusionnet.preview_match"
    bl_label = "Preview Match"
    bl_options = {"REGISTER", "UNDO"}

    show: EnumProperty(
        name="Show",
        items=(
            ("POSITION", "Position", "The source's position as colors, on both"),
            (
                "CONFIDENCE",
                "Confidence",
                "The target, green where it is sure and red where not",
            ),
        ),
        default="POSITION",
    )

    def run(self, context):
        """Write both layers, and show one."""
        source, target = self.pair(context)
        match = current_match(source, target)
        with whole_undo([source, target]), outside_edit_modes(source, target):
            written = write_preview(source, target, match, self.show)
        show_colours_in(context.space_data)
        self.report({"INFO"}, f"Written: {', '.join(written)}")
        return {"FINISHED"}


class DIFFUSIONNET_OT_select_uncertain(PairOperator, bpy.types.Operator):
    """Select the vertices of the target that the match is not sure of"""

    bl_idname = "diffusionnet.select_uncertain"
    bl_label = "Select Uncertain"
    bl_options = {"REGISTER", "UNDO"}

    below: FloatProperty(
        name="Below",
        description="Confidence below which a vertex is selected",
        min=0.0,
        max=1.0,
        default=0.5,
        subtype="FACTOR",
    )

    def run(self, context):
        """Select."""
        source, target = self.pair(context)
        match = current_match(source, target)
        count = select_uncertain(target, match.confidence < self.below)
        self.report({"INFO"}, f"{target.name}: {counted(count, 'vertex')} selected")
        return {"FINISHED"}


CLASSES = (
    DIFFUSIONNET_OT_match,
    DIFFUSIONNET_OT_preview_match,
    DIFFUSIONNET_OT_select_uncertain,
)
