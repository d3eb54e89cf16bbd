"""Characters that panels show: found again only after a change, where finding them takes long.

A panel is drawn at every move of the mouse over it.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from time import perf_counter, thread_time

import bpy
from bpy.app.handlers import persistent

from .character import Character

# Seconds of the processor that finding may take at every drawing.
QUICK = 0.005
# What took longer is kept for so many times as long, since not every change is told (a name).
KEPT_TIMES = 20.0

_kept: dict[Hashable, tuple[float, list[Character]]] = {}


def remembered(key: Hashable, find: Callable[[], list[Character]]) -> list[Character]:
    """Characters, found now or at an earlier drawing.

    Parameters
    ----------
    key : hashable
        What they depend on besides the scene: the selected objects, options.
    find : callable
    """
    ends, found = _kept.get(key, (0.0, []))
    if perf_counter() < ends and all(map(_exists, found)):
        return found
    # What else the machine does meanwhile does not count.
    started = thread_time()
    found = find()
    spent = thread_time() - started
    _kept.pop(key, None)
    if spent > QUICK:
        _kept[key] = perf_counter() + KEPT_TIMES * spent, found
    return found


@persistent
def forget_shown(*_) -> None:
    """Find them anew at the next drawing; a handler for when anything has changed."""
    _kept.clear()


def register() -> None:
    """Add the handlers, where there are panels."""
    if bpy.app.background:
        # Blender swallows what a signal raises in a handler.
        return
    for handlers in _handlers():
        handlers.append(forget_shown)


def unregister() -> None:
    """Remove the handlers."""
    for handlers in _handlers():
        if forget_shown in handlers:
            handlers.remove(forget_shown)
    forget_shown()


def _handlers() -> tuple[list, ...]:
    found = bpy.app.handlers
    return found.depsgraph_update_post, found.undo_post, found.redo_post, found.load_pre


def _exists(character: Character) -> bool:
    try:
        return all(obj.name for obj in character.members)
    except ReferenceError:
        return False
