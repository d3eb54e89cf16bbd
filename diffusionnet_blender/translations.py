"""Texts of the interface in other languages: languages/de.json and so on, English to the other.

`tools/gather_strings.py` finds the texts. What operators report is in English.
"""

from __future__ import annotations

import json
from pathlib import Path

import bpy

FOLDER = Path(__file__).with_name("languages")
# Blender looks labels of operators up apart from all else.
CONTEXTS = ("*", "Operator")
# Of a file's name, as versions of Blender call the language.
LOCALES = {"de": ("de_DE", "de")}


def register() -> None:
    """Tell Blender the texts."""
    bpy.app.translations.register(__package__, dictionaries())


def unregister() -> None:
    """Take them back."""
    bpy.app.translations.unregister(__package__)


def worded(english: str, **values) -> str:
    """A text in the language of the interface, with values filled in as `str.format` does."""
    return bpy.app.translations.pgettext_iface(english).format(**values)


def dictionaries() -> dict[str, dict[tuple[str, str], str]]:
    """Texts as Blender takes them: by locale, then by context and English text."""
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
