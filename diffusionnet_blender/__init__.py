"""DiffusionNet for Blender: characters cut into body parts, by learned diffusion on surfaces.

The extension and the Python package of the same name. `register` and `unregister` are Blender's
way in; scripts import `tasks` and `surface`, which need no Blender.
"""

# What `register_cli_command` gave, to take it back with.
_commands = []


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
    from .operators.background import drop_run
    from .panels.menus import remove_entries
    from .scene.matches import forget_all_matches
    from .scene.results import forget_all_results
    from .session.computing import end_worker
    from .session.curve_icon import forget_curve

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
    for cls in reversed(_classes()):
        bpy.utils.unregister_class(cls)


def _classes() -> tuple[type, ...]:
    from . import operators, panels, properties

    return (*properties.CLASSES, *operators.CLASSES, *panels.CLASSES)


def _run_command(arguments: list[str]) -> int:
    """`blender --command diffusionnet ...`."""
    from .cli import main

    try:
        return main(arguments, program="blender --command diffusionnet")
    except SystemExit as stop:
        # argparse exits after a wrong option and after --help.
        return int(stop.code or 0)
