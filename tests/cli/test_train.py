"""Training and classifying from the command line."""

import io
import json
import signal
import sys

import numpy as np
import pytest

pytest.importorskip("bpy")
pytest.importorskip("torch", reason="training needs torch")

from diffusionnet_blender.tasks.models import find_model  # noqa: E402
from diffusionnet_blender.tasks.train import plan  # noqa: E402
from diffusionnet_blender.tasks.train.sizes import SIZES, Size  # noqa: E402
from tests.cli.test_segment import body, run, write_obj  # noqa: E402
from tests.conftest import MODEL  # noqa: E402
from tests.shapes import icosphere  # noqa: E402
from tests.tasks.test_train import rod, torus  # noqa: E402


@pytest.fixture
def tiny(monkeypatch):
    """A size that is learned in a second, beside those that there are."""
    tiny = Size("Tiny", width=16, k=16, steps=20, copies=6, learning_rate=1e-2)
    monkeypatch.setitem(SIZES, "fast", tiny)
    assert plan.SIZES is SIZES


@pytest.fixture
def library(tiny_model, tiny):
    yield tiny_model.parent
    for path in tiny_model.parent.glob("cli_*"):
        path.unlink()


def test_labels_beside_a_mesh_are_learned(library, tmp_path, capsys):
    vertices, faces = body()
    upper = (vertices[:, 2] > 0).astype(int)
    write_obj(tmp_path / "a.obj", vertices, faces)
    np.save(tmp_path / "a.npy", np.where(np.abs(vertices[:, 2]) < 0.1, -1, upper))
    write_obj(tmp_path / "b.obj", vertices, faces)
    of_faces = vertices[faces].mean(axis=1)[:, 2] > 0
    lines = ["top" if up else "bottom" for up in of_faces]
    (tmp_path / "b.txt").write_text("\n".join(lines) + "\n")
    files = [tmp_path / "a.obj", tmp_path / "b.obj"]
    options = ("--size", "fast", "--start", "none", "--classes", "bottom,top")
    assert run("train", *files, "--name", "cli_halves", *options) == 0
    said = capsys.readouterr()
    assert said.out.splitlines()[-1] == str(library / "cli_halves.safetensors")
    assert "step 20 of 20" in said.err
    card = find_model("cli_halves", [library]).card
    assert card.class_names == ("bottom", "top")
    assert "2 meshes" in card.training_data
    # The name is taken now; with --replace it is not, and --quiet says nothing.
    assert run("train", *files, "--name", "cli_halves", *options) == 1
    assert "already has a model" in capsys.readouterr().err
    assert run("train", *files, "--name", "cli_halves", *options, "--replace", "--quiet") == 0
    assert capsys.readouterr().err == ""


def test_labels_in_a_blend_file_are_learned(addon, library, tmp_path, capsys):
    import bpy

    from diffusionnet_blender.scene.attributes import VERTEX_LABELS, write_attribute
    from tests.scenes import add_mesh

    bpy.ops.wm.read_homefile(app_template="", use_empty=True)
    vertices, faces = body()
    obj = add_mesh("Body", vertices, faces)
    write_attribute(obj.data, "zone", VERTEX_LABELS, (vertices[:, 2] > 0).astype(int))
    path = tmp_path / "body.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(path))
    assert run("train", path, "--name", "cli_zones", "--start", "none") == 1
    assert "has no parts" in capsys.readouterr().err
    options = ("--labels", "attribute", "--attribute", "zone", "--size", "fast", "--start", "none")
    assert run("train", path, "--name", "cli_zones", *options) == 0
    assert find_model("cli_zones", [library]).card.class_names == ("zone 0", "zone 1")


def test_of_a_blend_file_one_collection_is_enough(addon, library, tmp_path, capsys):
    """What stands about in the file and has no labels, such as a floor, is in another."""
    import bpy

    from tests.scenes import add_mesh

    bpy.ops.wm.read_homefile(app_template="", use_empty=True)
    vertices, faces = body()
    characters = bpy.data.collections.new("Characters")
    bpy.context.scene.collection.children.link(characters)
    for kind in ("thin", "wide"):
        inside = bpy.data.collections.new(kind)
        characters.children.link(inside)
        obj = add_mesh(kind, vertices * [1 + (kind == "wide"), 1, 1], faces)
        inside.objects.link(obj)
        for name, up in (("top", True), ("bottom", False)):
            chosen = np.flatnonzero((vertices[:, 2] > 0) == up)
            obj.vertex_groups.new(name=name).add(chosen.tolist(), 1.0, "REPLACE")
    add_mesh("Floor", vertices, faces)
    path = tmp_path / "scene.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(path))
    options = ("--name", "cli_one", "--size", "fast", "--start", "none", "--replace")
    groups = ("--labels", "vertex-groups", *options)
    assert run("train", path, *groups) == 1
    assert "'Floor' has no vertex groups" in capsys.readouterr().err
    assert run("train", path, *groups, "--collection", "Characters") == 0
    assert find_model("cli_one", [library]).card.class_names == ("top", "bottom")
    shapes = ("--shapes", "collection", *options)
    assert run("train", path, *shapes, "--collection", "Characters") == 0
    assert find_model("cli_one", [library]).card.class_names == ("thin", "wide")
    assert run("train", path, *groups, "--collection", "Figures") == 1
    assert "Use one of its collections: Characters" in capsys.readouterr().err


@pytest.mark.slow
def test_whole_shapes_are_learned_by_folder_and_classified(library, tmp_path, capsys):
    SIZES["fast"] = Size("Tiny", width=32, k=24, steps=120, copies=12, learning_rate=3e-3)
    made = {"ball": icosphere(2), "ring": torus(), "rod": rod()}
    files = []
    for name, (vertices, faces) in made.items():
        (tmp_path / name).mkdir()
        for number in (1, 2):
            files.append(tmp_path / name / f"{name}{number}.obj")
            write_obj(files[-1], vertices * [1, 1, 1 + 0.1 * number], faces, f"{name}{number}")
    assert run("train", *files, "--name", "cli_kinds", "--shapes", "folder", "--size", "fast") == 0
    capsys.readouterr()
    output, table = tmp_path / "out", tmp_path / "kinds.tsv"
    options = ("--output", output, "--table", table, "--cache", "off")
    assert run("classify", *files, "--model", "cli_kinds", *options) == 0
    lines = table.read_text().splitlines()
    assert set(lines) <= set(capsys.readouterr().out.splitlines())
    rows = [line.split("\t") for line in lines]
    assert [row[1] for row in rows] == [path.stem for path in files]
    right = [row[2] == row[1][:-1] for row in rows]
    assert np.mean(right) > 0.6
    assert all(1 / 3 < float(row[3]) <= 1 for row in rows)

    import bpy

    bpy.ops.wm.open_mainfile(filepath=str(output / "ring1.blend"))
    assert bpy.data.objects["ring1"]["diffusionnet_class"] == rows[2][2]
    assert run("classify", files[0], "--model", "body_parts") == 1
    assert "does not classify" in capsys.readouterr().err


class Impatient(io.StringIO):
    """A terminal at which somebody presses Ctrl C once the tenth step has been told."""

    def write(self, text):
        if text.startswith("step 10 "):
            signal.raise_signal(signal.SIGINT)
        return super().write(text)


def test_ctrl_c_keeps_the_best_so_far(library, tmp_path, monkeypatch):
    vertices, _ = body()
    write_pair(tmp_path, (vertices[:, 2] > 0).astype(int))
    monkeypatch.setattr(sys, "stderr", Impatient())
    before = signal.getsignal(signal.SIGINT)
    options = ("--size", "fast", "--start", "none")
    assert run("train", tmp_path / "a.obj", "--name", "cli_kept", *options) == 0
    assert "Ending with the best so far" in sys.stderr.getvalue()
    assert "; 11 steps" in find_model("cli_kept", [library]).card.training_data
    assert signal.getsignal(signal.SIGINT) is before


def test_the_model_to_start_from_and_the_title_by_name(library, tmp_path, capsys):
    vertices, _ = body()
    write_pair(tmp_path, (vertices[:, 2] > 0).astype(int))
    options = ("--start", MODEL, "--size", "FAST", "--title", "Two Halves", "--labels", "File")
    assert run("train", tmp_path / "a.obj", "--name", "cli_started", *options) == 0
    told = capsys.readouterr().err
    assert "cli_started: copies" in told
    assert "cli_started: learning" in told
    card = find_model("cli_started", [library]).card
    assert f"started from the model {MODEL}" in card.training_data
    assert card.features == find_model(MODEL, [library]).card.features
    assert card.title == "Two Halves"


@pytest.mark.parametrize(
    ("options", "words"),
    [(["--size", "vast"], "'vast' is not one of fast, balanced, best"),
     (["--labels", "hair"], "'hair' is not one of file, parts, vertex-groups"),
     (["--held-out", "2"], "2 is above 0.5")],
)  # fmt: skip
def test_a_wrong_value_is_an_error_of_the_option(options, words, capsys):
    with pytest.raises(SystemExit):
        run("train", "a.obj", *options)
    assert words in capsys.readouterr().err.splitlines()[-1]


def write_pair(folder, labels, suffix=".npy"):
    vertices, faces = body()
    write_obj(folder / "a.obj", vertices, faces)
    if suffix == ".npy":
        np.save(folder / "a.npy", labels)
    else:
        (folder / f"a{suffix}").write_text(labels)


@pytest.mark.parametrize(
    ("labels", "suffix", "options", "message"),
    [
        (np.zeros(7, int), ".npy", (), "7 labels, and the mesh 162 vertices and 320 faces"),
        (np.zeros(162), ".npy", (), "type float64"),
        (np.arange(162) % 3, ".npy", ("--classes", "a,b"), "class 2, and 2 are named"),
        (np.zeros(162, int), ".npy", (), "Only one class"),
        ("1\n" * 162, ".faces.txt", (), "162 labels"),
        ("1\n" * 162, ".text", (), "no labels beside"),
        (np.zeros(162, int), ".npy", ("--labels", "parts"), "only .blend files have parts"),
        (np.arange(162) % 2, ".npy", ("--start", "nobody"), "no model 'nobody'"),
        (np.zeros(162, int), ".npy", ("--shapes", "colour"), "--shapes colour is not known"),
    ],
)
def test_what_cannot_be_learned_is_one_line(
    labels, suffix, options, message, library, tmp_path, capsys
):
    write_pair(tmp_path, labels, suffix)
    assert run("train", tmp_path / "a.obj", "--name", "cli_bad", *options) == 1
    lines = capsys.readouterr().err.splitlines()
    assert message in lines[-1]
    assert not (library / "cli_bad.json").exists()


def test_where_counts_are_alike_the_name_must_say_what_the_labels_are_of(library, tmp_path, capsys):
    vertices, triangles = torus()
    # Two triangles a quad: a ring of quads has as many of them as vertices.
    first, second = np.split(triangles, 2)
    write_obj(tmp_path / "a.obj", vertices, np.column_stack([first, second[:, 2]]))
    np.save(tmp_path / "a.npy", np.arange(len(vertices)) % 2)
    assert run("train", tmp_path / "a.obj", "--name", "cli_bad") == 1
    assert "Call it a.vertices.npy or a.faces.npy" in capsys.readouterr().err


def test_without_torch_it_says_how_to_get_it(library, tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    write_pair(tmp_path, np.arange(162) % 2)
    assert run("train", tmp_path / "a.obj", "--name", "cli_bad") == 1
    assert "Training needs PyTorch" in capsys.readouterr().err


def test_cards_of_trained_models_are_listed(library, tmp_path, capsys):
    write_pair(tmp_path, np.arange(162) % 2)
    assert run("train", tmp_path / "a.obj", "--name", "cli_any", "--size", "fast", "--quiet",
               "--start", "none") == 0  # fmt: skip
    capsys.readouterr()
    assert run("models", "info", "cli_any") == 0
    assert json.loads(capsys.readouterr().out)["class_names"] == ["0", "1"]


@pytest.fixture
def knight(addon, tmp_path):
    """A file with a body and a helmet on one armature, and a stone beside them."""
    import bpy

    from tests.scenes import add_mesh, add_rig, chain

    bpy.ops.wm.read_homefile(app_template="", use_empty=True)
    vertices, faces = body()
    knight = add_mesh("Knight_Body", vertices, faces)
    helmet = add_mesh("Knight_Helmet", *icosphere(1))
    helmet.scale, helmet.location = (0.5, 0.5, 0.5), (0, 0, 1)
    rig = add_rig(knight, chain("root"))
    helmet.modifiers.new("Armature", "ARMATURE").object = rig
    stone = add_mesh("Stone", *icosphere(1))
    stone.location.x = 9
    for obj in (knight, helmet, stone):
        for name in ("low", "high"):
            obj.data.materials.append(bpy.data.materials.get(name) or bpy.data.materials.new(name))
        for face in obj.data.polygons:
            face.material_index = int(face.center.z > 0)
    path = tmp_path / "knight.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(path))
    return path


def trained_on(library, name):
    return find_model(name, [library]).card.training_data


def test_a_character_of_a_file_is_one_shape(knight, library, capsys):
    options = ("--labels", "materials", "--size", "fast", "--start", "none", "--replace")
    assert run("train", knight, "--name", "cli_knight", *options) == 0
    assert trained_on(library, "cli_knight").startswith("2 meshes")
    assert run("train", knight, "--name", "cli_knight", "--each", *options) == 0
    assert trained_on(library, "cli_knight").startswith("3 meshes")


def test_labels_beside_a_file_are_those_of_its_meshes_one_after_the_other(
    knight, library, tmp_path, capsys
):
    npz = tmp_path / "found.npz"
    assert run("segment", knight, "--labels", npz, "--model", MODEL) == 0
    with np.load(npz) as found:
        np.save(knight.with_suffix(".npy"), found["vertex_labels"])
        count = len(found["vertex_labels"])
        names = ", ".join(found["objects"])
    options = ("--labels", "file", "--size", "fast", "--start", "none", "--replace")
    assert run("train", knight, "--name", "cli_beside", *options) == 0
    assert trained_on(library, "cli_beside").startswith("2 meshes")
    np.save(knight.with_suffix(".npy"), np.zeros(count + 1, int))
    assert run("train", knight, "--name", "cli_beside", *options) == 1
    assert f"in the order of {names}" in capsys.readouterr().err


def test_a_line_of_a_character_or_of_each_object(knight, library, tmp_path, capsys):
    import bpy

    shapes = ("--shapes", "property:kind", "--size", "fast", "--name", "cli_whole", "--quiet")
    bpy.data.objects["Rig"]["kind"] = "knight"
    bpy.data.objects["Stone"]["kind"] = "stone"
    bpy.ops.wm.save_as_mainfile(filepath=str(knight))
    assert run("train", knight, *shapes) == 0
    capsys.readouterr()
    output = tmp_path / "out.blend"
    table = tmp_path / "kinds.tsv"
    options = ("--model", "cli_whole", "--table", table, "--cache", "off")
    assert run("classify", knight, *options, "--each") == 0
    rows = [line.split("\t") for line in table.read_text().splitlines()]
    assert [row[1] for row in rows] == ["Knight_Body", "Knight_Helmet", "Stone"]
    assert run("classify", knight, *options, "--output", output) == 0
    rows = [line.split("\t") for line in table.read_text().splitlines()]
    assert [row[1] for row in rows] == ["Knight", "Stone"]
    bpy.ops.wm.open_mainfile(filepath=str(output))
    for name, row in (("Knight_Body", 0), ("Knight_Helmet", 0), ("Stone", 1)):
        assert bpy.data.objects[name]["diffusionnet_class"] == rows[row][2]
    # A member that cannot be read is told, and the others are done.
    bpy.data.objects["Knight_Helmet"].data.vertices[0].co.x = np.nan
    bpy.data.objects["Stone"].diffusionnet.membership = "OUT"
    bpy.ops.wm.save_as_mainfile(filepath=str(knight))
    assert run("classify", knight, *options) == 1
    assert "'Knight_Helmet'" in capsys.readouterr().err
    assert len(table.read_text().splitlines()) == 2
