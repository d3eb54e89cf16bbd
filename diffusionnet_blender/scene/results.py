"""Results of the last run on each mesh, and of the corrections since.

Kept in memory for the session, by the mesh's `session_uid`, which undo does not change.
"""

from __future__ import annotations

from collections import deque

import bpy
from bpy.app.handlers import persistent

from ..tasks.labels import Labels

# Number of corrections kept after a run: a usual number of undo steps.
KEPT_EDITS = 8

_results: dict[int, Labels] = {}
_edits: dict[int, deque[Labels]] = {}
_remarks: dict[int, list[str]] = {}


def keep_result(mesh: bpy.types.Mesh, result: Labels) -> None:
    """Keep the result of a run, in place of the one before and its corrections."""
    _results[mesh.session_uid] = result
    _edits.pop(mesh.session_uid, None)


def keep_edit(mesh: bpy.types.Mesh, result: Labels | None = None) -> None:
    """Note that the labels on a mesh were corrected, and keep the outcome if there is one."""
    edits = _edits.setdefault(mesh.session_uid, deque(maxlen=KEPT_EDITS))
    if result:
        edits.append(result)


def was_edited(mesh: bpy.types.Mesh) -> bool:
    """Whether the labels were corrected since the last run in this session."""
    return mesh.session_uid in _edits


def candidates(mesh: bpy.types.Mesh) -> list[Labels]:
    """Possible labels of a mesh, after corrections and undo; the newest first."""
    run = _results.get(mesh.session_uid)
    return [*reversed(_edits.get(mesh.session_uid, ())), *([run] if run else [])]


def find_result(mesh: bpy.types.Mesh) -> Labels | None:
    """Result of the last run on a mesh in this session."""
    return _results.get(mesh.session_uid)


def keep_remarks(mesh: bpy.types.Mesh, remarks: list[str]) -> None:
    """Keep the remarks of the last write to a mesh."""
    _remarks[mesh.session_uid] = remarks


def remarks_of(mesh: bpy.types.Mesh) -> list[str]:
    """Remarks of the last write to a mesh in this session."""
    return _remarks.get(mesh.session_uid, [])


def move_results(before: int, after: int) -> None:
    """Let a mesh that takes the place of another, by `session_uid`, have its results."""
    for kept in (_results, _edits, _remarks):
        if before in kept:
            kept[after] = kept.pop(before)


def any_results() -> bool:
    """Whether anything was segmented in this session, in the file at hand."""
    return bool(_results)


def forget_result(mesh: bpy.types.Mesh) -> None:
    """Drop the result of a mesh, if there is one."""
    _results.pop(mesh.session_uid, None)
    _edits.pop(mesh.session_uid, None)


@persistent
def forget_all_results(*_) -> None:
    """Drop all results; a handler for when another file is about to be opened."""
    for kept in (_results, _edits, _remarks):
        kept.clear()
