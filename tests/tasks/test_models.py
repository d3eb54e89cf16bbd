"""The library of models: what it lists, takes in, renames and removes, and what it refuses."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
import safetensors.numpy

from diffusionnet_blender.errors import ModelError
from diffusionnet_blender.network.checkpoint import Model, load_model, save_model
from diffusionnet_blender.surface.surface import Surface
from diffusionnet_blender.tasks.models import (
    BUNDLED,
    import_model,
    list_models,
    read_library,
    remove_model,
    rename_model,
)
from diffusionnet_blender.tasks.segment import segment
from tests.network.test_checkpoint import tiny_model
from tests.shapes import icosphere

NAMES = [
    "../up", "a/b", "a\\b", "..", ".", "", "x" * 300, "a\0b", None, 5,
    "/tmp/up", "~", "C:up", "up.", "up ", " up", ".up", "a\nb", "a\u202eb",
    "CON", "nul", "Aux.x", "com1", "LPT9.b", "COM\u00b9", "lpt\u00b2.x",
]  # fmt: skip
BUNDLED_NAMES = [card.name for card in list_models()]


def content_of(folder):
    return {path: path.is_file() and path.read_bytes() for path in folder.rglob("*")}


@pytest.fixture
def library(tmp_path):
    """A library of one model, `tiny`, in a folder of its own."""
    save_model(tiny_model(), tmp_path / "library")
    return tmp_path / "library"


def put(folder, stem, **change):
    """A model whose files have a name, and whose card may have another."""
    path = save_model(tiny_model(), folder / "made")
    card = json.loads(path.with_suffix(".json").read_text())
    (folder / f"{stem}.json").write_text(json.dumps({**card, "name": stem, **change}))
    shutil.copy(path, folder / f"{stem}.safetensors")
    shutil.rmtree(folder / "made")
    return folder / f"{stem}.safetensors"


@pytest.mark.parametrize(
    ("stem", "change"),
    [
        ("bad", {"title": 5}),
        ("bad", {"title": "\ud83d"}),
        ("bad", {"name": 5}),
        ("bad", {"name": ["a"]}),
        ("bad", {"name": "other"}),
        ("bad", {"name": "body_parts"}),
        ("body_parts", {"title": "Impostor"}),
        ("bad", {"class_colours": [[10**400] * 3] * 2}),
        ("bad", {"architecture": 5}),
    ],
)
def test_a_bad_card_is_left_out_and_told(library, stem, change):
    put(library, stem, **change)
    found = read_library([library])
    assert [card.name for card in found.cards] == [*BUNDLED_NAMES, "tiny"]
    assert [card for card in found.cards if card.name != "tiny"] == list_models()
    assert [path.name for path, _ in found.left_out] == [f"{stem}.json"]
    assert all(error.message and error.fix for _, error in found.left_out)


@pytest.mark.parametrize("text", ["[" * 100_000, "", "{}", "\0"])
def test_so_is_a_file_that_is_no_card(library, text):
    put(library, "bad").with_suffix(".json").write_text(text)
    found = read_library([library])
    assert [path.name for path, _ in found.left_out] == ["bad.json"]
    assert "tiny" in [card.name for card in found.cards]


@pytest.mark.parametrize("folder", ["missing", "file", "x" * 5000, "a\0b"])
def test_a_library_that_is_no_folder_hides_nothing(tmp_path, folder):
    (tmp_path / "file").write_text("")
    assert [card.name for card in list_models([tmp_path / folder])] == BUNDLED_NAMES


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_names_that_lead_elsewhere_are_refused(library, name):
    save_model(tiny_model("up"), library.parent)
    before = content_of(library.parent)
    for change in (
        lambda: rename_model("tiny", library, name, "Title"),
        lambda: rename_model(name, library, "new", "Title"),
        lambda: remove_model(name, library),
    ):
        with pytest.raises(ModelError, match="no name"):
            change()
    assert content_of(library.parent) == before


@pytest.mark.parametrize("title", ["", 5, None, "\ud83d", "two\nlines"], ids=ascii)
def test_titles_that_are_no_text_are_refused(library, title):
    before = content_of(library)
    with pytest.raises(ModelError, match="title"):
        rename_model("tiny", library, "new", title)
    assert content_of(library) == before


@pytest.mark.parametrize("suffix", [".safetensors", ".json", ".SAFETENSORS"])
@pytest.mark.parametrize("name", ["mine", "MINE"])
def test_nothing_that_lies_there_is_overwritten(tmp_path, library, suffix, name):
    (library / f"{name}{suffix}").write_bytes(b"of the user")
    before = content_of(library)
    brought = put(tmp_path, "mine")
    with pytest.raises(ModelError, match="already has"):
        import_model(brought, library)
    with pytest.raises(ModelError, match="already has"):
        rename_model("tiny", library, "mine", "Mine")
    assert content_of(library) == before


def with_weights(folder, change, dtype=np.float32):
    """A model whose weights are changed."""
    path = put(folder, "mine")
    weights = safetensors.numpy.load_file(path)
    changed = {name: np.ascontiguousarray(change(w), dtype) for name, w in weights.items()}
    safetensors.numpy.save_file(changed, path)
    return path


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_weights_that_are_not_finite_are_refused_and_leave_nothing(tmp_path, library, value):
    before = content_of(library)
    path = with_weights(tmp_path, lambda w: np.where(w == w.max(), value, w))
    with pytest.raises(ModelError, match="not finite"):
        import_model(path, library)
    assert content_of(library) == before
    model = tiny_model("mine")
    model.weights["last.bias"][0] = value
    with pytest.raises(ModelError, match="not finite"):
        save_model(model, library)
    assert content_of(library) == before


def test_what_a_float_cannot_hold_is_not_finite(tmp_path):
    path = with_weights(tmp_path, lambda w: w.astype(float) + 1e300, np.float64)
    with pytest.raises(ModelError, match="not finite"):
        load_model(path)
    with pytest.raises(ModelError, match="not finite"):
        save_model(
            Model(tiny_model().card, {n: w + 1e30 for n, w in tiny_model().weights.items()}),
            tmp_path,
            half=True,
        )


@pytest.mark.parametrize(
    ("dtype", "tolerance"), [("float64", 1e-6), ("float16", 1e-2), ("bfloat16", 1e-2)]
)
def test_floats_of_other_lengths_are_read(tmp_path, library, dtype, tolerance):
    torch = pytest.importorskip("torch")
    import safetensors.torch

    path = put(tmp_path, "mine")
    weights = safetensors.torch.load_file(path)
    kind = getattr(torch, dtype)
    safetensors.torch.save_file({name: w.to(kind) for name, w in weights.items()}, path)
    loaded = load_model(import_model(path, library))
    for name, weight in tiny_model().weights.items():
        assert loaded.weights[name].dtype == np.float32
        np.testing.assert_allclose(loaded.weights[name], weight, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("dtype", ["float8_e4m3fn", "float8_e5m2", "int32", "uint8", "bool"])
def test_other_types_are_refused_by_name(tmp_path, library, dtype):
    torch = pytest.importorskip("torch")
    import safetensors.torch

    path = put(tmp_path, "mine")
    weights = safetensors.torch.load_file(path)
    kind = getattr(torch, dtype)
    safetensors.torch.save_file({name: w.to(kind) for name, w in weights.items()}, path)
    before = content_of(library)
    with pytest.raises(ModelError, match="of type"):
        import_model(path, library)
    assert content_of(library) == before


@pytest.fixture
def state():
    """Weights of a published file, by the names that this project and that one share."""
    torch = pytest.importorskip("torch")
    return {name: torch.tensor(w) for name, w in tiny_model().weights.items()}


def saved(folder, state):
    import torch

    torch.save(state, folder / "p.pth")
    return folder / "p.pth"


CARD = {"features": ["xyz", "hks"]}


def test_parameters_are_tensors(tmp_path, library, state):
    import torch

    (tmp_path / "c.json").write_text(json.dumps(CARD))
    path = saved(tmp_path, {name: torch.nn.Parameter(w) for name, w in state.items()})
    loaded = load_model(import_model(path, library, tmp_path / "c.json"))
    for name, weight in tiny_model().weights.items():
        np.testing.assert_array_equal(loaded.weights[name], weight)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda w: w.to_sparse(), "sparse"),
        (lambda w: w.to("meta"), "without values"),
        (lambda w: w * float("nan"), "not finite"),
        (lambda w: w.double() + 1e300, "not finite"),
        (lambda w: w.int(), "of type"),
        (lambda w: w.to(dtype=__import__("torch").complex64), "of type"),
        (lambda w: [w], "more than plain tensors"),
        (lambda w: 5, "more than plain tensors"),
    ],
)
def test_tensors_that_are_no_weights_are_refused(tmp_path, library, state, change, says):
    (tmp_path / "c.json").write_text(json.dumps(CARD))
    before = content_of(library)
    path = saved(tmp_path, {**state, "last.bias": change(state["last.bias"])})
    with pytest.raises(ModelError, match=says):
        import_model(path, library, tmp_path / "c.json")
    assert content_of(library) == before


@pytest.mark.parametrize(
    "card",
    [
        {"architecture": ["x"]},
        {"architecture": None},
        {"architecture": {"output_at": 5}},
        {"architecture": {"diffusion": ["x"]}},
        {"discretization": 5},
        {"discretization": {"k": "5"}},
        {"name": "../x"},
        {"name": "x" * 300},
        {"name": 5},
        {"name": "tiny"},
        {"format": 9},
        [],
        5,
    ],
    ids=lambda card: f"{card!r:.40}",
)
def test_cards_of_published_weights_are_checked(tmp_path, library, state, card):
    content = {**CARD, **card} if isinstance(card, dict) else card
    (tmp_path / "c.json").write_text(json.dumps(content))
    before = content_of(library)
    with pytest.raises(ModelError):
        import_model(saved(tmp_path, state), library, tmp_path / "c.json")
    assert content_of(library) == before


@pytest.mark.parametrize("text", ["", "[" * 100_000, "{"])
def test_cards_of_published_weights_that_are_no_json(tmp_path, library, state, text):
    (tmp_path / "c.json").write_text(text)
    with pytest.raises(ModelError):
        import_model(saved(tmp_path, state), library, tmp_path / "c.json")


@pytest.mark.parametrize("factor", [1e12, 1e30])
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_results_that_are_not_finite_are_no_labels(factor):
    model = tiny_model()
    large = {name: (w * factor).astype(np.float32) for name, w in model.weights.items()}
    with pytest.raises(ModelError, match="'tiny'.*no finite values"):
        segment(Surface(*icosphere(2)), replace(model, weights=large), engine="numpy")


def test_the_bundled_models_are_whole():
    assert not read_library().left_out
    assert {path.stem for path in BUNDLED.glob("*.json")} == set(BUNDLED_NAMES)
