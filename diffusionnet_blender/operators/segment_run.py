"""A run over objects in the worker, one after the other; never waits for it."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import bpy

from ..errors import Cancelled, DiffusionNetError
from ..scene.read import read_object, read_rest_shape, require_same_topology, topology_of
from ..scene.results import LabelResult, forget_result, keep_result
from ..scene.write import require_writable
from ..worker import segment as segment_job
from ..worker.client import Answer, Worker
from .progress import Progress, ProgressOfObjects

# Shares of the time of a run (docs/speed.md), by the names of the stages. A proxy is made of
# dense meshes alone, and takes a fifth of their time; an outer skin of meshes of many parts, and
# takes half of theirs.
SHARES = {
    "": 0.02,
    "repair": 0.05,
    "proxy": 0.05,
    "laplacian": 0.05,
    "eigenbasis": 0.5,
    "gradient": 0.03,
    "outer skin": 0.1,
    "network": 0.2,
}


@dataclass(frozen=True)
class Target:
    """An object to segment, remembered by what undo does not change."""

    name: str
    object_uid: int
    mesh_uid: int

    @classmethod
    def of(cls, obj: bpy.types.Object) -> Target:
        """Remember an object."""
        return cls(obj.name, obj.session_uid, obj.data.session_uid if obj.data else 0)

    def find(self) -> bpy.types.Object:
        """The object, under whatever name.

        Raises
        ------
        DiffusionNetError
            If it is gone, or has another mesh now.
        """
        obj = next((o for o in bpy.data.objects if o.session_uid == self.object_uid), None)
        if obj is None:
            raise DiffusionNetError(
                f"{self.name!r} was deleted meanwhile", "Nothing was written for it."
            )
        if obj.data and obj.data.session_uid != self.mesh_uid:
            raise DiffusionNetError(
                f"{obj.name!r} was given another mesh meanwhile", "Segment it again."
            )
        return obj

    def find_unchanged(self, topology: str) -> bpy.types.Object:
        """The object, if its mesh still has the vertices and faces that were segmented.

        Raises
        ------
        DiffusionNetError
            If it is gone or was edited.
        """
        obj = self.find()
        if obj.data.is_editmode:
            obj.update_from_editmode()
        if topology_of(obj.data) != topology:
            raise DiffusionNetError(
                f"{obj.name!r} was edited while it was being segmented, so nothing was written",
                "Segment it again.",
            )
        return obj


class SegmentRun:
    """Segments objects in the worker.

    Parameters
    ----------
    worker : Worker
    objects : sequence of bpy.types.Object
    options : dict
        Of `worker.segment.request`.
    use_modifiers : bool
        Look at the evaluated mesh.
    use_rest_shape : bool
        Take the matrices of the mesh as modelled.
    exact : bool
        Compute on every vertex of a dense mesh.
    clean : bool
        Take frays and islands out of the parts.

    Attributes
    ----------
    progress : Progress
    cancelled : bool
    remarks : list of str
        How each object that succeeded was done, where there is something to say.
    """

    def __init__(
        self,
        worker: Worker,
        objects: Sequence[bpy.types.Object],
        *,
        options: dict,
        use_modifiers: bool,
        use_rest_shape: bool,
        exact: bool,
        clean: bool,
    ):
        self._worker = worker
        self._options = {**options, "exact": exact, "clean": clean}
        self._use_modifiers = use_modifiers
        self._use_rest_shape = use_rest_shape
        self._waiting = deque(Target.of(obj) for obj in objects)
        self._working: tuple[Target, str] | None = None
        self._results: list[tuple[Target, LabelResult]] = []
        self._failed: list[DiffusionNetError] = []
        self._meter = ProgressOfObjects([t.name for t in self._waiting], SHARES)
        self.cancelled = False
        self.remarks: list[str] = []

    @property
    def finished(self) -> bool:
        """Whether nothing is left to do but to write."""
        return self._working is None and not self._waiting

    @property
    def touches_data(self) -> bool:
        """Whether the next step reads or writes Blender's data."""
        return self._working is None and not self.cancelled

    @property
    def progress(self) -> Progress:
        """How far it is."""
        return self._meter.progress

    @property
    def farewell(self) -> str:
        """What to say after it was cancelled."""
        if not self._results:
            return "Cancelled; nothing was written"
        names = ", ".join(target.name for target, _ in self._results)
        return f"Cancelled; nothing was written. {names}: done before, Write Labels writes it"

    def cancel(self) -> None:
        """Stop; `advance` sees that it has."""
        self.cancelled = True
        self._waiting.clear()
        if self._working is not None:
            self._worker.cancel()

    def advance(self, context) -> None:
        """Take a step: look at the worker, or give it the next object.

        Raises
        ------
        WorkerFault
            If the task failed in a way that nobody foresaw.
        """
        if self._working is None:
            self._begin(context, self._waiting.popleft())
            return
        target, topology = self._working
        try:
            found = self._worker.poll()
        except Cancelled:
            # Also where something else has ended the worker.
            self._working = None
            self.cancel()
        except DiffusionNetError as error:
            self._fail(target, error)
        else:
            if isinstance(found, Answer):
                self._keep(target, topology, segment_job.answer_of(found.content))
            else:
                self._meter.at(found.stage, found.fraction)

    def outcome(self) -> tuple[list[tuple[bpy.types.Object, LabelResult]], list[DiffusionNetError]]:
        """What to write and what went wrong, judged by the objects as they are now."""
        done, failed = [], list(self._failed)
        for target, result in self._results:
            try:
                done.append((target.find_unchanged(result.topology), result))
            except DiffusionNetError as error:
                failed.append(error)
        return done, failed

    def _begin(self, context, target: Target) -> None:
        self._meter.object(target.name)
        try:
            obj = target.find()
            context.view_layer.update()
            depsgraph = context.evaluated_depsgraph_get() if self._use_modifiers else None
            geometry = read_object(obj, depsgraph)
            require_writable(obj)
            if self._use_modifiers:
                require_same_topology(obj, geometry.topology)
            self._worker.submit(
                "segment",
                segment_job.request(
                    geometry.surface,
                    geometry.polygon_of_triangle,
                    geometry.polygon_count,
                    template=read_rest_shape(obj) if self._use_rest_shape else None,
                    **self._options,
                ),
            )
        except DiffusionNetError as error:
            self._fail(target, error)
        else:
            self._working = target, geometry.topology

    def _fail(self, target: Target, error: DiffusionNetError) -> None:
        self._working = None
        self._failed.append(error)
        # Labels of an earlier run must not pass for those of this one.
        for mesh in bpy.data.meshes:
            if mesh.session_uid == target.mesh_uid:
                forget_result(mesh)

    def _keep(self, target: Target, topology: str, answer) -> None:
        result = LabelResult(
            class_names=answer.class_names,
            class_colours=answer.class_colours,
            vertex_probabilities=answer.vertex_probabilities,
            polygon_labels=answer.polygon_labels,
            polygon_areas=answer.polygon_areas,
            topology=topology,
            model_name=answer.model_name,
            seconds=answer.seconds,
        )
        self._working = None
        try:
            keep_result(target.find().data, result)
        except DiffusionNetError as error:
            self._failed.append(error)
            return
        self._results.append((target, result))
        self.remarks.append(answer.remark)


def run_options(model: str, preferences) -> dict:
    """Options of `worker.segment.request`, from the preferences.

    Parameters
    ----------
    model : str
        Name or path.
    preferences : preferences.Settings
    """
    folders: list[Path] = [preferences.model_folder]
    return {
        "model": model,
        "model_folders": folders,
        "engine": preferences.engine,
        "device": preferences.device,
        "cache_folder": preferences.cache_folder,
    }
