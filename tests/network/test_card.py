"""Whatever a card says, it is a model or a message."""

import json

import pytest

from diffusionnet_blender.errors import ModelError
from diffusionnet_blender.network.card import ModelCard
from diffusionnet_blender.tasks.models import BUNDLED

CARD = json.loads((BUNDLED / "body_parts.json").read_text(encoding="utf-8"))
ARCHITECTURE = ("inputs", "outputs", "width", "blocks", "mlp_widths", "dropout")
CHOICES = ("diffusion", "gradient", "output_at")
# None of them is right for any field.
WRONG = {
    "null": None,
    "object": {"a": 1},
    "list of lists": [[[]]],
    "minus": -1,
    "huge": 10**400,
    "infinite": float("inf"),
    "nan": float("nan"),
    "half a character": "\ud83d",
    "control": "a\0b",
    "long": "x" * 10**6,
    "list of null": [None] * 14,
}
# What each field may be, of those above.
RIGHT = {
    ("limbs", "list of null"): False,
    ("accuracy", "object"): True,
    ("mlp_widths", "null"): True,
}


def refused(content, tmp_path):
    path = tmp_path / "body_parts.json"
    text = content if isinstance(content, str) else json.dumps(content)
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    with pytest.raises(ModelError) as caught:
        ModelCard.load(path)
    assert caught.value.message
    assert caught.value.fix
    assert len(str(caught.value)) < 1000
    str(caught.value).encode("utf-8", "backslashreplace")


@pytest.mark.parametrize("wrong", WRONG)
@pytest.mark.parametrize("field", [name for name in CARD if name != "format"])
def test_no_field_of_a_wrong_type_or_range_is_let_through(field, wrong, tmp_path):
    if not RIGHT.get((field, wrong)):
        refused({**CARD, field: WRONG[wrong]}, tmp_path)


@pytest.mark.parametrize("wrong", [*WRONG, "text", "true", "float"])
@pytest.mark.parametrize(
    ("part", "field"),
    [
        *(("architecture", name) for name in (*ARCHITECTURE, *CHOICES)),
        *(("discretization", name) for name in ("k", "centre", "gradient_regulariser")),
    ],
)
def test_nor_one_of_the_network_or_the_matrices(part, field, wrong, tmp_path):
    value = {**WRONG, "text": "5", "true": True, "float": 1.5}[wrong]
    if not RIGHT.get((field, wrong)):
        refused({**CARD, part: {**CARD[part], field: value}}, tmp_path)


@pytest.mark.parametrize(
    "change",
    [
        {"class_names": ["same"] * 14, "limbs": []},
        {"class_names": [*CARD["class_names"][:-1], ""], "limbs": []},
        {"class_names": list(range(14)), "limbs": []},
        {"class_names": "abcdefghijklmn", "limbs": []},
        {"class_colours": [[0, 0]] + CARD["class_colours"][1:]},
        {"class_colours": [[0, 0, "1"]] + CARD["class_colours"][1:]},
        {"class_colours": [[0, 0, 1.5]] + CARD["class_colours"][1:]},
        {"class_colours": [[0, 0, True]] + CARD["class_colours"][1:]},
        {"features": ["hks", "hks"]},
        {"features": []},
        {"temperature": 1e-300},
        {"temperature": 0},
        {"temperature": True},
        {"temperature": 1e300},
        {"outer_skin": 1},
        {"four_legs": "yes"},
        {"accuracy": {"here": 2}},
        {"accuracy": {"here": "0.5"}},
        {"title": ""},
        {"title": " "},
        {"title": "two\nlines"},
        {"format": True},
        {"format": 2},
        {"unknown": 1},
        {"half \ud83d a character": 1},
        {"architecture": [["inputs", 40], ["outputs", 14]]},
        {"architecture": {**CARD["architecture"], "blocks": 10**9}},
        {"architecture": {**CARD["architecture"], "mlp_widths": [1] * 10**5}},
        {"architecture": {**CARD["architecture"], "mlp_widths": "ab"}},
        {"architecture": {**CARD["architecture"], "dropout": 1}},
        {"discretization": {"k": 0}},
        {"discretization": {"k": 10**9}},
        {"discretization": []},
    ],
    ids=lambda change: f"{change!r:.60}".encode("ascii", "replace").decode(),
)
def test_values_of_the_right_type_that_make_no_sense(change, tmp_path):
    refused({**CARD, **change}, tmp_path)


@pytest.mark.parametrize(
    "name",
    ["../x", "a/b", "a\\b", "..", ".", "", " ", "a\n", "a\0", "x" * 300, "\U0001d400" * 90, "nul"]
    + ["CON.old", "end.", "end ", "-x", 5, None, ["a"], "\ud83d"],
    ids=ascii,
)
def test_names_that_no_file_should_have(name, tmp_path):
    refused({**CARD, "name": name}, tmp_path)


@pytest.mark.parametrize("field", [name for name in CARD if name != "format"])
def test_a_field_that_is_missing_has_a_default_or_is_told(field, tmp_path):
    content = {key: value for key, value in CARD.items() if key != field}
    (tmp_path / "x.json").write_text(json.dumps(content))
    needed = ("name", "title", "class_names", "class_colours", "features", "architecture")
    if field in needed:
        with pytest.raises(ModelError, match=field):
            ModelCard.load(tmp_path / "x.json")
    elif field != "limbs":
        assert ModelCard.load(tmp_path / "x.json").name == CARD["name"]


@pytest.mark.parametrize(
    "text",
    ["", "[" * 100_000, '{"a":' * 100_000, "{", "5", "null", "[]", '"text"', "9" * 10_000, "\0"]
    + ["\udcff", " " * 5 * 2**20, "NaN"],
    ids=lambda text: f"{text!r:.10}",
)
def test_files_that_are_no_card(text, tmp_path):
    refused(text, tmp_path)


def test_a_folder_is_no_card(tmp_path):
    (tmp_path / "x.json").mkdir()
    with pytest.raises(ModelError):
        ModelCard.load(tmp_path / "x.json")


def test_a_byte_order_mark_does_no_harm(tmp_path):
    (tmp_path / "x.json").write_text(json.dumps(CARD), encoding="utf-8-sig")
    assert ModelCard.load(tmp_path / "x.json").name == "body_parts"
