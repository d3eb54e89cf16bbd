"""Texts of the interface in other languages, and the pages that F1 opens."""

import re
import string
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

bpy = pytest.importorskip("bpy")

from diffusionnet_blender import manual, operators, properties, translations  # noqa: E402
from tools.gather_strings import gather  # noqa: E402

DOCS = Path(__file__).resolve().parents[2] / "docs"
LANGUAGES = sorted(translations.LOCALES)

pytestmark = pytest.mark.usefixtures("addon")


def fields_of(text):
    """What is filled into a text, and how it is formatted."""
    return sorted((name, form) for _, name, form, _ in string.Formatter().parse(text) if name)


def test_the_gathered_texts_are_those_of_the_interface():
    texts = gather()
    for known in (
        "Segment",  # label of an operator
        "Rings of faces",  # tooltip of an operator's property
        "Name the parts of the mesh, and write them as chosen under Outputs",  # an operator's
        "Face Sets",  # label of a setting
        "Soft",  # item of a choice
        "Parts",  # title of a panel
        "Show Alone",  # text that a menu draws
        "No mesh has parts yet; segment one",  # why a button is disabled
        "Segment {object}",  # text with a value
        "eigenbasis",  # stage in the progress bar
    ):
        assert known in texts


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_is_translated_and_none_is_left_over(language):
    known = translations.read_language(language)
    assert set(known) == set(gather())
    assert all(text.strip() for text in known.values())
    for english, other in known.items():
        assert fields_of(english) == fields_of(other), english
        assert english.endswith(".") == other.endswith("."), english
    alike = [english for english, other in known.items() if english == other]
    assert len(alike) < 0.05 * len(known), alike


def test_every_language_that_lies_there_is_known_to_blender():
    assert {path.stem for path in translations.FOLDER.glob("*.json")} == set(LANGUAGES)
    for texts in translations.dictionaries().values():
        assert ("*", "Outputs") in texts
        assert ("Operator", "Segment") in texts


def test_the_interface_speaks_the_language_of_the_preferences():
    view = bpy.context.preferences.view
    german = next((name for name in bpy.app.translations.locales if name.startswith("de")), None)
    if german is None:
        pytest.skip("this build of Blender has no languages")
    before = view.language
    try:
        view.language, view.use_translate_interface = german, True
        assert bpy.app.translations.pgettext_iface("Segment", "Operator") == "Zerlegen"
        assert translations.worded("{count} parts", count=14) == "14 Teile"
    finally:
        view.language = before


def test_worded_fills_in_values():
    assert "1,234" in translations.worded(
        "{faces:,} faces, {vertices:,} vertices", faces=1234, vertices=5
    )


def names_for_help():
    """As Blender makes them from what is under the mouse."""
    for cls in operators.CLASSES:
        yield f"bpy.ops.{cls.bl_idname}"
    for cls in properties.CLASSES:
        if cls.__name__ == "DIFFUSIONNET_PG_settings":
            for prop in cls.bl_rna.properties:
                yield f"bpy.types.{cls.__name__}.{prop.identifier}".lower()


def page_of(name):
    return next((page for pattern, page in manual.PAGES if fnmatchcase(name, pattern)), None)


def test_everything_has_a_page_and_the_page_is_there():
    pages = {page_of(name) for name in names_for_help()}
    assert None not in pages
    assert {page for _, page in manual.PAGES} >= pages
    for page in {page for _, page in manual.PAGES}:
        name, _, anchor = page.partition("#")
        headings = re.findall(r"^#+ (.+)$", (DOCS / name).read_text(), re.MULTILINE)
        anchors = {re.sub(r"[^\w\- ]", "", h.lower()).replace(" ", "-") for h in headings}
        assert not anchor or anchor in anchors, page


def test_every_pattern_is_of_something():
    for pattern, _ in manual.PAGES:
        if pattern.startswith("bpy.ops.diffusionnet.") and pattern != "bpy.ops.diffusionnet.*":
            room, name = "diffusionnet", pattern.rpartition(".")[2].rstrip("*")
            assert getattr(getattr(bpy.ops, room), name).get_rna_type()


def test_f1_opens_the_pages_of_the_website():
    prefix, pages = manual.manual_map("https://example.org/guide")
    name = "bpy.ops.diffusionnet.grow_part"
    page = next(page for pattern, page in pages if fnmatchcase(name, pattern))
    assert prefix + page == "https://example.org/guide/segment.md#correct-the-parts"
    # Blender asks for the one of the manifest.
    assert manual.manual_map() in list(bpy.utils.manual_map())


def test_without_a_website_blenders_own_manual_is_all_there_is():
    assert manual.manual_map("") == ("", ())
