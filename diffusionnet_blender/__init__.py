"""DiffusionNet for Blender: characters cut into body parts, by learned diffusion on surfaces.

The extension and the Python package of the same name. `register` and `unregister` are Blender's
way in. Scripts call the functions named in `__all__`, which need no Blender:

>>> import diffusionnet_blender as dn
>>> dn.segment(dn.Surface(vertices, faces)).vertex_labels
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .cli.library.library import Library
    from .surface.character import Character
    from .surface.surface import Surface
    from .tasks.classify import classify
    from .tasks.conform import conform
    from .tasks.match import match
    from .tasks.models import find_model
    from .tasks.refit import refit
    from .tasks.rig import rig
    from .tasks.segment import segment
    from .tasks.train import train
    from .tasks.transfer import transfer
else:
    # They bring SciPy: enabling the extension must not wait for it, so that a module is imported
    # when something of it is first asked for (PEP 562).
    def __getattr__(name: str):
        if name in _HOOKS:
            return getattr(import_module(".scene.gltf_hooks", __name__), _HOOKS[name])
        if name not in _MODULES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(import_module(_MODULES[name], __name__), name)


__all__ = [
    "Character",
    "Library",
    "Surface",
    "classify",
    "conform",
    "find_model",
    "match",
    "refit",
    "rig",
    "segment",
    "train",
    "transfer",
]

# Where each is.
_MODULES = {
    "Character": ".surface.character",
    "Library": ".cli.library.library",
    "Surface": ".surface.surface",
    "classify": ".tasks.classify",
    "conform": ".tasks.conform",
    "find_model": ".tasks.models",
    "match": ".tasks.match",
    "refit": ".tasks.refit",
    "rig": ".tasks.rig",
    "segment": ".tasks.segment",
    "train": ".tasks.train",
    "transfer": ".tasks.transfer",
}

# By these names Blender's exporter and importer of glTF look for hooks in an add-on.
_HOOKS = {
    "glTF2ExportUserExtension": "PartsInExport",
    "glTF2ImportUserExtension": "PartsInImport",
}

# What `register_cli_command` gave, to take it back with.
_commands = []


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


def register() -> None:
    """Enable the extension."""
    import bpy

    from . import registration

    registration.register()
    _commands.append(bpy.utils.register_cli_command("diffusionnet", _run_command))


def unregister() -> None:
    """Disable it and leave nothing behind."""
    import bpy

    from . import registration

    bpy.utils.unregister_cli_command(_commands.pop())
    registration.unregister()


def _run_command(arguments: list[str]) -> int:
    """`blender --command diffusionnet ...`."""
    from .cli import main

    try:
        return main(arguments, program="blender --command diffusionnet")
    except SystemExit as stop:
        # argparse exits after a wrong option and after --help.
        return int(stop.code or 0)
