"""Last status of the worker, as lines for the preferences and in the report."""

from __future__ import annotations

import platform
from pathlib import Path

import bpy

from ..extras import library_folder
from ..settings import settings
from ..tasks.status.job import Status
from ..translations import worded
from ..worker.protocol import VERSION
from .trouble import last_trouble

_status: list[Status] = []


def last_status() -> Status | None:
    """The last status, if any."""
    return _status[0] if _status else None


def keep_status(status: Status) -> None:
    """Keep a status until the next."""
    _status[:] = [status]


def status_lines(status: Status | None) -> list[str]:
    """Versions, and the status of the worker if there is one, as lines for the preferences."""
    lines = [f"DiffusionNet {VERSION}, Blender {bpy.app.version_string}"]
    if not status:
        return lines
    free = status.free_bytes
    return [
        *lines,
        worded("Python {version}, engine {engine}", version=status.python, engine=status.engine),
        worded("Devices: {devices}", devices=", ".join(status.devices)),
        *([worded("Free memory: {size:.1f} GB", size=free / 2**30)] if free else []),
        *(f"{name} {version}" for name, version in status.libraries.items()),
    ]


def report_text() -> str:
    """Versions, settings, status of the worker, and the last error; no path of the user's."""
    chosen, status, trouble = settings(), last_status(), last_trouble()
    folder = library_folder()
    lines = [
        f"DiffusionNet {VERSION}",
        f"Blender {bpy.app.version_string} ({bpy.app.build_hash.decode()})",
        f"Python {platform.python_version()}, {platform.platform()}",
        f"Engine {chosen.engine}, device {chosen.device}, environment {chosen.environment or '-'}",
        f"PyTorch of its own: {folder.name if folder else '-'}",
    ]
    if status:
        free = status.free_bytes
        lines += [
            f"Worker: Python {status.python}, engine {status.engine}",
            f"Devices: {', '.join(status.devices)}",
            "Libraries: " + ", ".join(f"{n} {v}" for n, v in status.libraries.items()),
            f"Free memory: {'unknown' if free is None else f'{free / 2**30:.1f} GB'}",
        ]
    if trouble:
        lines += ["", f"{trouble.kind}: {trouble.message}", trouble.fix, "", trouble.details]
    return "\n".join(lines).replace(str(Path.home()), "~")
