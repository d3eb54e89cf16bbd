"""Models that come into the library, get another name, and go."""

import json
import os
import shutil
import subprocess
import sys

import bpy
import pytest

from diffusionnet_blender.properties.model_lists import known_models, model_card, models_left_out
from diffusionnet_blender.session import computing
from diffusionnet_blender.settings import settings
from diffusionnet_blender.tasks.import_model import job as import_job
from diffusionnet_blender.tasks.models import find_model
from tests.conftest import MODEL
from tests.scenes import add_body

pytestmark = pytest.mark.usefixtures("blender")


@pytest.fixture(autouse=True)
def library():
    """The library, which is as before afterwards."""
    folder = settings().model_folder
    before = {path: path.read_bytes() for path in folder.iterdir()}
    yield folder
    computing.end_worker()
    for path in folder.iterdir():
        if path not in before:
            path.unlink()
    for path, content in before.items():
        path.write_bytes(content)
    bpy.ops.diffusionnet.reload_models()


@pytest.fixture
def brought(tiny_model, tmp_path):
    """A model from elsewhere: its weights, the card beside them."""
    weights = tmp_path / "anything.safetensors"
    shutil.copy(tiny_model, weights)
    card = json.loads(tiny_model.with_suffix(".json").read_text())
    weights.with_suffix(".json").write_text(json.dumps({**card, "name": "brought"}))
    return weights


def names():
    return [card.name for card, _ in known_models()]


def test_a_model_is_imported_with_its_card_and_chosen(brought, library):
    assert bpy.ops.diffusionnet.import_model(filepath=str(brought)) == {"FINISHED"}
    assert "brought" in names()
    assert bpy.context.scene.diffusionnet.model == "brought"
    assert (library / "brought.safetensors").read_bytes() == brought.read_bytes()
    body = add_body()
    assert bpy.ops.diffusionnet.segment(object_name=body.name) == {"FINISHED"}
    assert body.data.diffusionnet.model == "brought"


def test_it_is_not_imported_over_another(brought):
    bpy.ops.diffusionnet.import_model(filepath=str(brought))
    with pytest.raises(RuntimeError, match="already has"):
        bpy.ops.diffusionnet.import_model(filepath=str(brought))


@pytest.mark.parametrize(
    ("name", "says"), [("body_parts", "already has"), ("../up", "no name"), ("", "no name")]
)
def test_a_card_cannot_name_what_it_likes(brought, library, name, says):
    card = brought.with_suffix(".json")
    card.write_text(json.dumps({**json.loads(card.read_text()), "name": name}))
    before = sorted(library.parent.rglob("*"))
    with pytest.raises(RuntimeError, match=says):
        bpy.ops.diffusionnet.import_model(filepath=str(brought))
    assert sorted(library.parent.rglob("*")) == before


def test_weights_without_a_card_are_refused(brought, library):
    brought.with_suffix(".json").unlink()
    before = sorted(library.iterdir())
    with pytest.raises(RuntimeError, match="card"):
        bpy.ops.diffusionnet.import_model(filepath=str(brought))
    assert sorted(library.iterdir()) == before


def test_published_weights_are_imported_by_the_worker_without_a_card(tmp_path, library):
    torch = pytest.importorskip("torch", reason="torch reads .pth files")
    from diffusionnet_blender.network.architecture import Architecture

    shapes = Architecture(inputs=16, outputs=3, width=8, blocks=1, gradient="none")
    published = {"block_0.time": "block_0.diffusion.diffusion_time"}
    state = {}
    for name, shape in shapes.weight_shapes().items():
        room, _, rest = name.partition(".")
        if room in ("first", "last"):
            name = f"{room}_lin.{rest}"
        elif rest.startswith("mlp_"):
            number, _, kind = rest.removeprefix("mlp_").partition(".")
            name = f"{room}.mlp.miniMLP_mlp_layer_{int(number):03}.{kind}"
        state[published.get(name, name)] = torch.ones(shape)
    torch.save(state, tmp_path / "published.pth")

    request = import_job.ImportRequest(tmp_path / "published.pth", library, output_at="faces")
    worker = computing.the_worker()
    worker.submit(import_job, request)
    while worker.busy:
        worker.poll()
    bpy.ops.diffusionnet.reload_models()
    card = model_card("published")
    assert card.features == ("hks",)
    assert card.architecture.output_at == "faces"
    assert card.class_names == ("part 1", "part 2", "part 3")
    assert len(set(card.class_colours)) == 3


def test_a_model_gets_another_name_and_title(brought, library):
    bpy.ops.diffusionnet.import_model(filepath=str(brought))
    before = find_model("brought", [library])
    bpy.ops.diffusionnet.rename_model(model="brought", new_name="dragon v1.2", title="Dragon")
    assert "brought" not in names()
    assert model_card("dragon v1.2").title == "Dragon"
    assert bpy.context.scene.diffusionnet.model == "dragon v1.2"
    after = find_model("dragon v1.2", [library])
    assert after.weights.keys() == before.weights.keys()
    assert after.card.class_names == before.card.class_names
    assert not list(library.glob("brought*"))


def test_a_title_alone_can_be_changed(library):
    before = (library / f"{MODEL}.safetensors").read_bytes()
    bpy.ops.diffusionnet.rename_model(model=MODEL, title="Very tiny")
    assert model_card(MODEL).title == "Very tiny"
    assert (library / f"{MODEL}.safetensors").read_bytes() == before


def test_a_name_that_is_taken_is_refused(brought, library):
    bpy.ops.diffusionnet.import_model(filepath=str(brought))
    before = sorted(library.iterdir())
    with pytest.raises(RuntimeError, match="already has"):
        bpy.ops.diffusionnet.rename_model(model="brought", new_name=MODEL)
    assert sorted(library.iterdir()) == before


def test_a_model_is_removed(brought, library):
    bpy.ops.diffusionnet.import_model(filepath=str(brought))
    bpy.ops.diffusionnet.remove_model(model="brought")
    assert "brought" not in names()
    assert not list(library.glob("brought*"))


def test_what_ships_stays():
    assert dict((card.name, bundled) for card, bundled in known_models())["body_parts"]
    for change in (
        lambda: bpy.ops.diffusionnet.remove_model(model="body_parts"),
        lambda: bpy.ops.diffusionnet.rename_model(model="body_parts", new_name="mine"),
    ):
        with pytest.raises(RuntimeError, match="ships with the extension"):
            change()
    assert "body_parts" in names()


def test_what_is_not_there_is_said():
    with pytest.raises(RuntimeError, match="no model 'nobody'"):
        bpy.ops.diffusionnet.remove_model(model="nobody")


BAD_CARDS = {
    "title 5": {"title": 5},
    "no title": {"title": None},
    "list as description": {"description": [1]},
    "name 5": {"name": 5},
    "name of another": {"name": "other"},
    "name of a bundled one": {"name": "body_parts", "title": "Impostor"},
    "huge colours": {"class_colours": [[10**400] * 3] * 4},
    "half a character": {"title": "\ud83d"},
    "unknown field with half a character": {"\ud83d": 1},
    "nested": "[" * 100_000,
    "empty": "",
}


@pytest.mark.parametrize("kind", BAD_CARDS)
def test_a_bad_card_hides_no_model_and_is_told(brought, library, kind):
    before = names()
    bad = BAD_CARDS[kind]
    if isinstance(bad, dict):
        card = json.loads(brought.with_suffix(".json").read_text())
        bad = json.dumps({**card, "name": "bad", **bad})
    # The name of a file need not be UTF-8 where Blender's texts must be.
    stem = os.fsdecode(b"bad \xff") if os.name == "posix" and sys.platform == "linux" else "bad"
    (library / f"{stem}.json").write_bytes(bad.encode())
    shutil.copy(brought, library / f"{stem}.safetensors")
    assert bpy.ops.diffusionnet.reload_models() == {"FINISHED"}
    assert names() == before
    [(file, reason)] = models_left_out()
    assert file.startswith("bad")
    assert reason.encode()
    bpy.context.scene.diffusionnet.model = "body_parts_fine"
    assert bpy.context.scene.diffusionnet.model == "body_parts_fine"


def test_the_extension_registers_beside_bad_cards(brought, tmp_path):
    folder = tmp_path / "data" / "diffusionnet_blender" / "models"
    folder.mkdir(parents=True)
    for number, bad in enumerate(BAD_CARDS.values()):
        text = bad if isinstance(bad, str) else json.dumps({"format": 1, **bad})
        (folder / f"bad{number}.json").write_text(text)
        shutil.copy(brought, folder / f"bad{number}.safetensors")
    script = (
        "import os, sys, bpy, diffusionnet_blender\n"
        "from diffusionnet_blender.properties import model_lists\n"
        "diffusionnet_blender.register()\n"
        f"assert len(model_lists.models_left_out()) == {len(BAD_CARDS)}\n"
        "bpy.context.scene.diffusionnet.model = 'body_parts_fine'\n"
        "diffusionnet_blender.unregister()\n"
        "print('registered', flush=True)\n"
        "os._exit(0)\n"
    )
    places = dict.fromkeys(("XDG_DATA_HOME", "LOCALAPPDATA"), str(tmp_path / "data"))
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, **places},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.splitlines()[-1:] == ["registered"], done.stderr
