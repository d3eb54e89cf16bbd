"""PyTorch in a folder of the extension's own, installed by a button of the preferences.

`install` (looks up, downloads, tries and puts in place) · `run_pip` and `wheel_sizes` (scripts that
it runs in a process of their own) · `choice` (variant and index, as the preferences store them) ·
`operators` · `section` (of the preferences).

The zip for Blender's official platform comes without this folder, and so does the wheel: nothing
else in the package imports it. What it adds it puts into `extras`.
"""


def classes() -> tuple[type, ...]:
    """Blender's classes, in the order in which they are registered."""
    from . import choice, operators

    return (*choice.CLASSES, *operators.CLASSES)


def register() -> None:
    """Add it to the preferences and to the worker; its classes are registered."""
    from .. import extras
    from . import choice, section

    choice.register()
    extras.sections.append(section.draw)
    extras.library_folders.append(choice.installed_folder)


def unregister() -> None:
    """Remove it."""
    from .. import extras
    from . import choice, section

    extras.library_folders.remove(choice.installed_folder)
    extras.sections.remove(section.draw)
    choice.unregister()
