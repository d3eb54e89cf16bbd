"""Buttons that look up, install and remove PyTorch."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from time import sleep

import bpy

from ..operators.background import TICK, BackgroundOperator
from ..operators.base import ReportingOperator
from ..session.computing import end_worker
from ..session.progress import Bar
from ..translations import worded
from .choice import TorchChoice, torch_choice
from .install import Step, TorchBuild, find_build, install_build, remove_torch

# Share of the bar; unpacking and testing take the rest.
DOWNLOAD_SHARE = 0.8
SHARES = {"looking up": 0.0, "unpacking": DOWNLOAD_SHARE, "trying": 0.95}

# The last build that was found, with its choice.
_found: list[tuple[TorchChoice, TorchBuild]] = []


def found_build(choice: TorchChoice) -> TorchBuild | None:
    """The build of a choice, if it has been looked up."""
    return _found[0][1] if _found and _found[0][0] == choice else None


class StepsRun:
    """Takes the steps of a generator; a run of `BackgroundOperator`."""

    touches_data = False
    farewell = "Cancelled; nothing was installed"

    def __init__(self, steps: Iterator[Step]):
        self._steps = steps
        self.finished = self.cancelled = False
        self.value = None
        self.progress = _progress_of(Step("looking up"))

    def advance(self) -> None:
        """Take the next step."""
        try:
            self.progress = _progress_of(next(self._steps))
        except StopIteration as end:
            self.finished, self.value = True, end.value

    def cancel(self) -> None:
        """Close the generator, which removes its files."""
        self._steps.close()
        self.finished = self.cancelled = True


class NetworkOperator(BackgroundOperator):
    """Needs pip and an index of builds."""

    @classmethod
    def poll(cls, context) -> bool:
        """Blender must be allowed to go online, unless the wheels lie in a folder."""
        choice = torch_choice()
        if not bpy.app.online_access and not Path(choice.index or "?").is_dir():
            cls.poll_message_set(
                worded("Blender was started offline; start it without --offline-mode")
                if bpy.app.online_access_override
                else worded(
                    "Enable Allow Online Access in the System preferences, or set Index to a "
                    "folder of wheels. Without PyTorch, NumPy runs the network"
                )
            )
            return False
        return super().poll(context)

    def run(self, context):
        """Wait for the end; without a window."""
        run = self.begin(context, at_once=True)
        try:
            while not run.finished:
                run.advance()
                sleep(TICK)
        finally:
            if not run.finished:
                run.cancel()
        return self.finish(context, run)


class DIFFUSIONNET_OT_find_torch(NetworkOperator, bpy.types.Operator):
    """Look up the PyTorch version for this Blender and its download size"""

    bl_idname = "diffusionnet.find_torch"
    bl_label = "Look Up PyTorch"

    def begin(self, context, at_once: bool) -> StepsRun:
        """Look up the build in the index."""
        choice = torch_choice()
        return StepsRun(_find(choice))

    def finish(self, context, run: StepsRun):
        """Report version and size."""
        self.report({"INFO"}, f"PyTorch {run.value.version}: {download_text(run.value)}")
        return {"FINISHED"}


class DIFFUSIONNET_OT_install_torch(NetworkOperator, bpy.types.Operator):
    """Download PyTorch into the extension's own folder, and test it"""

    bl_idname = "diffusionnet.install_torch"
    bl_label = "Install PyTorch"

    def begin(self, context, at_once: bool) -> StepsRun:
        """Start the download."""
        # It may have loaded an earlier build.
        end_worker()
        return StepsRun(_install(torch_choice()))

    def finish(self, context, run: StepsRun):
        """Report version and devices."""
        found = run.value
        self.report(
            {"INFO"},
            f"PyTorch {found.version} is installed. Devices: {', '.join(found.devices)}",
        )
        return {"FINISHED"}


class DIFFUSIONNET_OT_remove_torch(ReportingOperator, bpy.types.Operator):
    """Delete this variant of PyTorch from the extension's own folder. NumPy takes over"""

    bl_idname = "diffusionnet.remove_torch"
    bl_label = "Remove PyTorch"

    @classmethod
    def poll(cls, context) -> bool:
        """The variant must be installed."""
        if context.window_manager.diffusionnet.running:
            cls.poll_message_set(worded("A DiffusionNet job is running; cancel it first"))
            return False
        if not torch_choice().installed:
            cls.poll_message_set(worded("This variant is not installed"))
            return False
        return True

    def invoke(self, context, event):
        """Ask for confirmation."""
        return context.window_manager.invoke_confirm(self, event)

    def run(self, context):
        """Delete the variant."""
        choice = torch_choice()
        end_worker()
        remove_torch(choice.root, choice.variant)
        self.report({"INFO"}, f"{choice.folder.name} removed")
        return {"FINISHED"}


def download_text(build: TorchBuild) -> str:
    """Number of packages and size of a build."""
    if not build.size:
        return worded("{count} packages of unknown size", count=len(build.packages))
    return worded(
        "{count} packages, {size:,} MB to download",
        count=len(build.packages),
        size=round(build.size / 1e6),
    )


def _find(choice: TorchChoice) -> Iterator[Step]:
    build = yield from find_build(choice.root, choice.variant, choice.index)
    _found[:] = [(choice, build)]
    return build


def _install(choice: TorchChoice) -> Iterator[Step]:
    build = found_build(choice) or (yield from _find(choice))
    return (yield from install_build(choice.root, choice.variant, choice.index, build))


def _progress_of(step: Step) -> Bar:
    if step.stage != "downloading":
        texts = {
            "looking up": worded("PyTorch: looking up"),
            "unpacking": worded("PyTorch: unpacking"),
            "trying": worded("PyTorch: testing"),
        }
        return Bar(SHARES[step.stage], texts[step.stage])
    done = round(step.done / 1e6)
    if not step.total:
        return Bar(0.0, worded("PyTorch: {done:,} MB", done=done))
    return Bar(
        DOWNLOAD_SHARE * min(1.0, step.done / step.total),
        worded("PyTorch: {done:,} of {total:,} MB", done=done, total=round(step.total / 1e6)),
    )


CLASSES = (
    DIFFUSIONNET_OT_find_torch,
    DIFFUSIONNET_OT_install_torch,
    DIFFUSIONNET_OT_remove_torch,
)
