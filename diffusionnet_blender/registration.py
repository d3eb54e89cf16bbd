"""Registration of classes, properties, menus, translations and handlers."""

from __future__ import annotations

from importlib.util import find_spec

import bpy

from . import extras, manual, operators, panels, properties, translations
from .operators.background import drop_run
from .panels.menus import add_entries, remove_entries
from .scene import shown
from .scene.fits import forget_all_fits
from .scene.matches import forget_all_matches
from .scene.results import forget_all_results
from .session.computing import end_worker
from .session.curve_icon import forget_curve
from .session.families import forget_proposals
from .session.transferred import forget_transfer

# Called before another file is opened.
HANDLERS = (
    forget_all_results,
    forget_all_matches,
    forget_all_fits,
    forget_proposals,
    forget_transfer,
    drop_run,
)


def register() -> None:
    """Register everything; errors are raised."""
    for cls in _classes():
        bpy.utils.register_class(cls)
    if installer := _torch_installer():
        installer.register()
    properties.register()
    add_entries()
    manual.register()
    translations.register()
    shown.register()
    for handler in HANDLERS:
        bpy.app.handlers.load_pre.append(handler)


def unregister() -> None:
    """Unregister everything in reverse, and end the worker."""
    for handler in reversed(HANDLERS):
        bpy.app.handlers.load_pre.remove(handler)
        handler()
    end_worker()
    forget_curve()
    shown.unregister()
    translations.unregister()
    manual.unregister()
    remove_entries()
    properties.unregister()
    if installer := _torch_installer():
        installer.unregister()
    for cls in reversed(_classes()):
        bpy.utils.unregister_class(cls)


def _classes() -> tuple[type, ...]:
    installer = _torch_installer()
    # In the order of their dependencies.
    rooms = (properties, extras, operators, panels)
    return (
        *(cls for room in rooms for cls in room.CLASSES),
        *(installer.classes() if installer else ()),
    )


def _torch_installer():
    """The module, which some zips lack: None there."""
    if find_spec(".torch_installer", __package__) is None:
        return None
    from . import torch_installer

    return torch_installer
