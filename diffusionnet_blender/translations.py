"""Translations of the interface: languages/de.json and so on, by the English texts.

`tools/gather_strings.py` gathers the texts. Reports of operators are in English.
"""

from __future__ import annotations

import json
from pathlib import Path

import bpy

FOLDER = Path(__file__).with_name("languages")
# Blender looks up labels of operators in a context of their own.
CONTEXTS = ("*", "Operator")
# Blender's names of the language of each file, which depend on the version.
LOCALES = {"de": ("de_DE", "de")}


def register() -> None:
    """Register the translations."""
    bpy.app.translations.register(__package__, dictionaries())


def unregister() -> None:
    """Unregister the translations."""
    bpy.app.translations.unregister(__package__)


def worded(english: str, **values) -> str:
    """A text in the language of the interface, with values filled in as `str.format` does."""
    return bpy.app.translations.pgettext_iface(english).format(**values)


def dictionaries() -> dict[str, dict[tuple[str, str], str]]:
    """Translations for Blender: by locale, then by context and English text."""
    return {
        locale: {
            (context, english): other
            for english, other in read_language(code).items()
            for context in CONTEXTS
        }
        for code, locales in LOCALES.items()
        for locale in locales
    }


def read_language(code: str) -> dict[str, str]:
    """Texts of a language, by the English ones."""
    return json.loads((FOLDER / f"{code}.json").read_text(encoding="utf-8"))
