"""DiffusionNet for Blender: characters cut into body parts, by learned diffusion on surfaces.

The extension and the Python package of the same name. `register` and `unregister` are Blender's
way in. Scripts call the functions named in `__all__`, which need no Blender:

>>> import diffusionnet_blender as dn
>>> dn.segment(dn.Surface(vertices, faces)).vertex_labels
"""

from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .surface.surface import Surface
    from .tasks.classify.pipeline import classify
    from .tasks.match.pipeline import match
    from .tasks.models import find_model
    from .tasks.segment import segment
    from .tasks.train.pipeline import train
    from .tasks.transfer.pipeline import transfer
else:
    # They bring SciPy: enabling the extension must not wait for it, so that a module is imported
    # when something of it is first asked for (PEP 562).
    def __getattr__(name: str):
        if name not in _MODULES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(import_module(_MODULES[name], __name__), name)


__all__ = ["Surface", "classify", "find_model", "match", "segment", "train", "transfer"]

# Where each is.
_MODULES = {
    "Surface": ".surface.surface",
    "classify": ".tasks.classify.pipeline",
    "find_model": ".tasks.models",
    "match": ".tasks.match.pipeline",
    "segment": ".tasks.segment",
    "train": ".tasks.train.pipeline",
    "transfer": ".tasks.transfer.pipeline",
}

# What `register_cli_command` gave, to take it back with.
_commands = []


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


def register() -> None:
    """Enable the extension."""
    import bpy

    from . import manual, properties, translations
    from .operators.background import drop_run
    from .panels.menus import add_entries
    from .scene.matches import forget_all_matches
    from .scene.results import forget_all_results

    for cls in _classes():
        bpy.utils.register_class(cls)
    if installer := _torch_installer():
        installer.register()
    properties.register()
    add_entries()
    manual.register()
    translations.register()
    bpy.app.handlers.load_pre.append(forget_all_results)
    bpy.app.handlers.load_pre.append(forget_all_matches)
    bpy.app.handlers.load_pre.append(drop_run)
    _commands.append(bpy.utils.register_cli_command("diffusionnet", _run_command))


def unregister() -> None:
    """Disable it and leave nothing behind."""
    import bpy

    from . import manual, properties, translations
    from .operators.background import drop_run, end_worker
    from .operators.curve_icon import forget_curve
    from .panels.menus import remove_entries
    from .scene.matches import forget_all_matches
    from .scene.results import forget_all_results

    bpy.utils.unregister_cli_command(_commands.pop())
    bpy.app.handlers.load_pre.remove(drop_run)
    drop_run()
    end_worker()
    bpy.app.handlers.load_pre.remove(forget_all_matches)
    forget_all_matches()
    bpy.app.handlers.load_pre.remove(forget_all_results)
    forget_all_results()
    forget_curve()
    translations.unregister()
    manual.unregister()
    remove_entries()
    properties.unregister()
    if installer := _torch_installer():
        installer.unregister()
    for cls in reversed(_classes()):
        bpy.utils.unregister_class(cls)


def _classes() -> tuple[type, ...]:
    from . import extras, operators, panels, preferences, properties

    rooms = (properties, extras, preferences, operators, panels)
    installer = _torch_installer()
    return (
        *(cls for room in rooms for cls in room.CLASSES),
        *(installer.classes() if installer else ()),
    )


def _torch_installer():
    """The part that some zips come without; None there."""
    if find_spec(".torch_installer", __package__) is None:
        return None
    from . import torch_installer

    return torch_installer


def _run_command(arguments: list[str]) -> int:
    """`blender --command diffusionnet ...`."""
    from .cli import main

    try:
        return main(arguments, program="blender --command diffusionnet")
    except SystemExit as stop:
        # argparse exits after a wrong option and after --help.
        return int(stop.code or 0)
