"""The command line, on files of every format."""

import json
import os
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from diffusionnet_blender.network.checkpoint import save_model
from diffusionnet_blender.network.frameless import frameless
from tests.conftest import CLASSES, MODEL
from tests.framed import body as framed_body
from tests.framed import framed_model
from tests.shapes import icosphere, lumpy_body

ROOT = Path(__file__).resolve().parents[2]


def run(*arguments):
    """Run a command in this process; its exit status."""
    from diffusionnet_blender.cli import main

    return main([str(argument) for argument in arguments], program="diffusionnet")


def body():
    """A small closed mesh in an order that no importer would come to by itself."""
    vertices, faces = icosphere(2)
    x, y, z = vertices.T
    vertices = vertices * (1 + 0.3 * x * y + 0.2 * z**2 + 0.1 * z)[:, None] * [1.0, 0.6, 1.7]
    shuffled = np.random.default_rng(5).permutation(len(vertices))
    place = np.argsort(shuffled)
    return vertices[shuffled].astype(np.float32), place[faces].astype(np.int32)


def write_obj(path, vertices, faces, name="Body"):
    lines = [f"o {name}", *(f"v {x:.9g} {y:.9g} {z:.9g}" for x, y, z in vertices)]
    lines += ["f " + " ".join(str(index + 1) for index in face) for face in faces]
    path.write_text("\n".join(lines) + "\n")


def write_ply(path, vertices, faces):
    header = (
        f"ply\nformat ascii 1.0\nelement vertex {len(vertices)}\nproperty float x\n"
        f"property float y\nproperty float z\nelement face {len(faces)}\n"
        "property list uchar int vertex_indices\nend_header\n"
    )
    rows = [f"{x:.9g} {y:.9g} {z:.9g}" for x, y, z in vertices]
    rows += [f"{len(face)} " + " ".join(map(str, face)) for face in faces]
    path.write_text(header + "\n".join(rows) + "\n")


def write_stl(path, vertices, faces):
    corners = vertices[faces]
    rows = b"".join(struct.pack("<12fH", 0, 0, 0, *triangle.ravel(), 0) for triangle in corners)
    path.write_bytes(b"\0" * 80 + struct.pack("<I", len(faces)) + rows)


def write_glb(path, vertices, faces):
    positions, indices = vertices.tobytes(), faces.astype("<u4").tobytes()
    content = {
        "asset": {"version": "2.0"},
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": [{"mesh": 0, "name": "Body"}],
        "meshes": [{"name": "Body", "primitives": [{"attributes": {"POSITION": 0}, "indices": 1}]}],
        "buffers": [{"byteLength": len(positions) + len(indices)}],
        "bufferViews": [
            {"buffer": 0, "byteOffset": 0, "byteLength": len(positions)},
            {"buffer": 0, "byteOffset": len(positions), "byteLength": len(indices)},
        ],
        "accessors": [
            {
                "bufferView": 0,
                "componentType": 5126,
                "count": len(vertices),
                "type": "VEC3",
                "min": vertices.min(axis=0).tolist(),
                "max": vertices.max(axis=0).tolist(),
            },
            {"bufferView": 1, "componentType": 5125, "count": faces.size, "type": "SCALAR"},
        ],
    }
    text = json.dumps(content).encode()
    text += b" " * (-len(text) % 4)
    data = positions + indices
    chunks = struct.pack("<I4s", len(text), b"JSON") + text
    chunks += struct.pack("<I4s", len(data), b"BIN\0") + data
    path.write_bytes(struct.pack("<4sII", b"glTF", 2, 12 + len(chunks)) + chunks)


def write_usd(path, vertices, faces):
    points = ", ".join(f"({x:.9g}, {y:.9g}, {z:.9g})" for x, y, z in vertices)
    path.write_text(
        f"""#usda 1.0
( defaultPrim = "Body"
  upAxis = "Z" )
def Mesh "Body" {{
    int[] faceVertexCounts = {[len(face) for face in faces]}
    int[] faceVertexIndices = {[int(index) for face in faces for index in face]}
    point3f[] points = [{points}]
}}
"""
    )


def write_blend(path, vertices, faces):
    import bpy

    from tests.scenes import add_mesh

    bpy.ops.wm.read_homefile(app_template="", use_empty=True)
    add_mesh("Body", vertices, faces)
    bpy.ops.wm.save_as_mainfile(filepath=str(path))


def write_fbx(path, vertices, faces):
    import bpy

    from tests.scenes import add_mesh

    bpy.ops.wm.read_homefile(app_template="", use_empty=True)
    add_mesh("Body", vertices, faces)
    bpy.ops.export_scene.fbx(filepath=str(path))


WRITERS = {
    "blend": write_blend,
    "fbx": write_fbx,
    "glb": write_glb,
    "obj": write_obj,
    "ply": write_ply,
    "stl": write_stl,
    "usda": write_usd,
}
USD = pytest.mark.usd


def marked(name, *values):
    """A case of a format; those of USD are marked, see the Makefile."""
    return pytest.param(name, *values, marks=USD if "usd" in name else ())


def in_blenders_axes(vertices, suffix):
    """A glTF's y is up, and its importer turns the vertices themselves; others turn the object."""
    if suffix == "glb":
        return vertices[:, [0, 2, 1]] * [1, -1, 1]
    return vertices


@pytest.mark.parametrize("suffix", [*map(marked, WRITERS)])
@pytest.mark.usefixtures("blender")
def test_labels_are_in_the_files_own_order(suffix, tmp_path):
    vertices, faces = body()
    path, out = tmp_path / f"body.{suffix}", tmp_path / "labels.npz"
    WRITERS[suffix](path, vertices, faces)
    assert run("segment", path, "--model", MODEL, "--labels", out, "--quiet") == 0
    with np.load(out) as labels:
        assert set(labels) == {
            "vertices", "faces", "vertex_labels", "vertex_probabilities", "class_names", "seconds",
            "side_confidence", "doubts",
        }  # fmt: skip
        expected = in_blenders_axes(vertices, suffix)
        if suffix == "stl":
            # A soup of triangles: welded, in the order in which the vertices first appear.
            used, first = np.unique(faces, return_index=True)
            expected = expected[used[np.argsort(first)]]
        scale = np.abs(labels["vertices"]).max() / np.abs(expected).max()
        np.testing.assert_allclose(labels["vertices"], expected * scale, atol=2e-5 * scale)
        assert scale == pytest.approx(1, rel=1e-4)
        assert len(labels["faces"]) == len(faces)
        assert labels["vertex_labels"].shape == (len(vertices),)
        assert labels["vertex_probabilities"].shape == (len(vertices), len(CLASSES))
        highest = labels["vertex_probabilities"].argmax(axis=1)
        assert np.array_equal(highest, labels["vertex_labels"])
        assert len(set(labels["vertex_labels"])) > 1
        assert labels["class_names"].tolist() == list(CLASSES)
        assert labels["seconds"] > 0
        if suffix != "stl":
            assert np.array_equal(np.sort(labels["faces"]), np.sort(faces))


@pytest.mark.parametrize("other", [*map(marked, ("ply", "obj", "glb", "usda"))])
@pytest.mark.usefixtures("blender")
def test_every_format_gives_the_same_labels(other, tmp_path):
    """Axes, units and orders differ, the character does not."""
    vertices, faces = body()
    found = {}
    for suffix in ("blend", other):
        y_up = vertices[:, [0, 2, 1]] * np.float32([1, 1, -1])
        path, out = tmp_path / f"body.{suffix}", tmp_path / f"{suffix}.npz"
        WRITERS[suffix](path, y_up if suffix in ("obj", "glb") else vertices, faces)
        assert run("segment", path, "--model", MODEL, "--labels", out, "--quiet") == 0
        with np.load(out) as labels:
            found[suffix] = labels["vertex_labels"]
    assert (found[other] == found["blend"]).mean() > 0.97


@pytest.mark.parametrize(
    "name",
    [*map(marked, ("o.blend", "o.obj", "o.ply", "o.stl", "o.glb", "o.gltf", "o.fbx", "o.usdc"))],
)
@pytest.mark.usefixtures("blender")
def test_output_of_every_format_opens_again(name, tmp_path):
    from diffusionnet_blender.scene.files import open_file

    path, out = tmp_path / "body.ply", tmp_path / "made" / name
    write_ply(path, *body())
    assert run("segment", path, "--model", MODEL, "--output", out, "--quiet") == 0
    (obj,) = open_file(out)
    assert len(obj.data.polygons) == 320
    if name not in ("o.stl",):
        assert len(obj.data.color_attributes) == 1
    left = {file.name for file in out.parent.iterdir()}
    assert left <= {name, "o.mtl", "o.bin"}


@pytest.mark.usefixtures("blender")
def test_the_blend_file_carries_all_that_was_written(tmp_path):
    import bpy

    from tests.scenes import group_weights, values_of

    path, out, labels = tmp_path / "body.obj", tmp_path / "out.blend", tmp_path / "l.npz"
    write_obj(path, *body())
    status = run("segment", path, "--model", MODEL, "--output", out, "--labels", labels, "--quiet")
    assert status == 0
    bpy.ops.wm.open_mainfile(filepath=str(out))
    obj = bpy.data.objects["Body"]
    found = np.load(labels)["vertex_labels"]
    assert np.array_equal(values_of(obj, "part_vertex"), found)
    assert np.array_equal(group_weights(obj, "torso") > 0, found == CLASSES.index("torso"))
    assert obj.data.diffusionnet.model == MODEL
    assert obj.data.color_attributes.active_color.name == "part_color"


@pytest.mark.usefixtures("blender")
def test_ngons_and_several_objects_in_one_file(tmp_path):
    vertices, faces = body()
    quads = [[0, 1, 2, 3], [7, 6, 5, 4], [0, 4, 5, 1], [1, 5, 6, 2], [2, 6, 7, 3], [3, 7, 4, 0]]
    box = np.array([[x, y, z] for z in (0, 1) for x, y in ((0, 0), (0, 1), (1, 1), (1, 0))])
    path, out = tmp_path / "two.obj", tmp_path / "two.npz"
    write_obj(path, vertices, faces, "A/b")
    lines = ["o Box", *("v {} {} {}".format(*v) for v in box)]
    lines += ["f " + " ".join(str(i + 1 + len(vertices)) for i in quad) for quad in quads]
    path.write_text(path.read_text() + "\n".join(lines) + "\n")
    assert run("segment", path, "--model", MODEL, "--labels", out, "--quiet") == 0
    with np.load(out) as labels:
        assert labels["objects"].tolist() == ["A/b", "Box"]
        np.testing.assert_allclose(labels["A/b/vertices"], vertices, atol=1e-6)
        np.testing.assert_allclose(labels["Box/vertices"], box, atol=1e-6)
        assert labels["Box/faces"].shape == (12, 3)
        assert labels["Box/vertex_labels"].shape == (8,)


@pytest.mark.usefixtures("blender")
def test_several_files_into_folders_and_failures_on_one_line_each(tmp_path, capfd):
    good, broken, empty = (tmp_path / name for name in ("good.ply", "broken.glb", "empty.obj"))
    missing, unknown = tmp_path / "missing.obj", tmp_path / "text.txt"
    write_ply(good, *body())
    broken.write_bytes(b"glTF" + b"\0" * 50)
    empty.write_text("# nothing\n")
    unknown.write_text("hello")
    status = run(
        "segment", missing, broken, good, empty, unknown,
        "--model", MODEL, "--output", tmp_path / "out", "--labels", tmp_path / "npz", "--quiet",
    )  # fmt: skip
    assert status == 1
    assert [file.name for file in (tmp_path / "out").iterdir()] == ["good.blend"]
    assert [file.name for file in (tmp_path / "npz").iterdir()] == ["good.npz"]
    lines = [line for line in capfd.readouterr().err.splitlines() if str(tmp_path) in line]
    for path, message in (
        (missing, "The file does not exist. Check the path."),
        (broken, "Blender could not read the file"),
        (empty, "There is no mesh in the file"),
        (unknown, "Files of type '.txt' are not supported. Supported types are .blend"),
    ):
        (line,) = [line for line in lines if line.startswith(f"{path}: ")]
        assert message in line
    assert not [line for line in lines if line.startswith(str(good))]


@pytest.mark.usefixtures("blender")
def test_the_bones_of_a_rigged_gltf_are_no_mesh(tmp_path):
    import bpy

    from tests.scenes import add_body, select

    body = add_body()
    rig = bpy.data.objects.new("Rig", bpy.data.armatures.new("Rig"))
    bpy.context.collection.objects.link(rig)
    select(rig)
    bpy.ops.object.mode_set(mode="EDIT")
    rig.data.edit_bones.new("head").tail = (0, 0, 1)
    bpy.ops.object.mode_set(mode="OBJECT")
    body.vertex_groups.new(name="head").add(range(162), 1.0, "REPLACE")
    body.modifiers.new("Armature", "ARMATURE").object = body.parent = rig
    path, out = tmp_path / "rigged.glb", tmp_path / "labels.npz"
    bpy.ops.export_scene.gltf(filepath=str(path))
    assert run("segment", path, "--model", MODEL, "--labels", out, "--quiet") == 0
    assert "objects" not in np.load(out)


@pytest.mark.usefixtures("blender")
def test_one_bad_object_and_the_others_are_written(tmp_path, capfd):
    import bpy

    from tests.scenes import add_body, add_mesh

    add_body("Good")
    add_mesh("Point", [[0, 0, 0]] * 3, [[0, 1, 2]])
    path, out = tmp_path / "mixed.blend", tmp_path / "out.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(path))
    assert run("segment", path, "--model", MODEL, "--output", out, "--quiet") == 1
    assert f"{path}: 'Point': All vertices are at the same place" in capfd.readouterr().err
    bpy.ops.wm.open_mainfile(filepath=str(out))
    assert "part" in bpy.data.objects["Good"].data.attributes
    assert "part" not in bpy.data.objects["Point"].data.attributes


@pytest.mark.usefixtures("blender")
def test_progress_on_stderr_unless_quiet(tmp_path, capfd):
    path = tmp_path / "body.ply"
    write_ply(path, *body())
    run("segment", path, "--model", MODEL, "--labels", tmp_path / "a.npz")
    told = capfd.readouterr().err
    assert f"{path}: body: network" in told
    assert f"{path}: body: 4 parts on 162 vertices in" in told
    run("segment", path, "--model", MODEL, "--labels", tmp_path / "b.npz", "--quiet")
    assert str(path) not in capfd.readouterr().err


@pytest.mark.usefixtures("blender")
@pytest.mark.parametrize("objects", [1, 2])
def test_what_the_model_is_unsure_of_is_told_in_a_line_and_written(objects, tmp_path, capfd):
    import bpy

    from tests.scenes import add_mesh

    path, out = tmp_path / "figure.blend", tmp_path / "out.blend"
    vertices, faces = framed_body()
    figure = add_mesh("Figure", vertices, faces)
    if objects == 2:
        add_mesh("Hat", 0.3 * vertices + [0, 0, 1], faces).parent = figure
    bpy.ops.wm.save_as_mainfile(filepath=str(path))
    model = save_model(framed_model(sure=1.0, sharpness=100.0), tmp_path)
    arrays = tmp_path / "a.npz"
    assert run("segment", path, "--model", model, "--labels", arrays, "--output", out) == 0
    told = capfd.readouterr().err.splitlines()
    assert [line for line in told if ": unsure: " in line] == [f"{path}: Figure: unsure: sides"]
    with np.load(arrays) as labels:
        for prefix in ("Figure/", "Hat/") if objects == 2 else ("",):
            assert 0.5 <= labels[f"{prefix}side_confidence"] < 0.9
            assert labels[f"{prefix}doubts"].tolist() == ["sides"]
    bpy.ops.wm.open_mainfile(filepath=str(out))
    assert bpy.data.objects["Figure"].data.diffusionnet.unsure_of == "sides"
    # The same network, of which none judges a frame.
    model = save_model(frameless(framed_model(sharpness=100.0)), tmp_path)
    assert run("segment", path, "--model", model, "--labels", arrays) == 0
    assert ": unsure: " not in capfd.readouterr().err
    with np.load(arrays) as labels:
        prefix = "Figure/" if objects == 2 else ""
        assert np.isnan(labels[f"{prefix}side_confidence"])
        assert labels[f"{prefix}doubts"].tolist() == []


@pytest.mark.usefixtures("blender")
def test_the_second_run_finds_the_matrices_of_the_first(tmp_path, capfd):
    path, cache = tmp_path / "body.ply", tmp_path / "cache"
    write_ply(path, *body())

    def stages(*options):
        run("segment", path, "--model", MODEL, "--labels", tmp_path / "a.npz", *options)
        return capfd.readouterr().err

    assert "eigenbasis" in stages("--cache", "off")
    assert not cache.exists()
    assert "eigenbasis" in stages("--cache", cache)
    assert list(cache.iterdir())
    told = stages("--cache", cache)
    assert "eigenbasis" not in told
    assert "network" in told
    # Without the option, the user's cache.
    stages()
    assert "eigenbasis" not in stages()
    assert "eigenbasis" in stages("--cache", "off")


@pytest.mark.usefixtures("blender")
def test_cleaned_labels_have_shorter_borders(tmp_path):
    path = tmp_path / "body.ply"
    write_ply(path, *lumpy_body(3))
    borders = []
    for number, options in enumerate([("--no-clean",), ()]):
        labels = tmp_path / f"{number}.npz"
        run("segment", path, "--model", MODEL, "--labels", labels, *options)
        with np.load(labels) as found:
            corners = found["vertex_labels"][found["faces"]]
        borders.append(np.sum(corners != np.roll(corners, -1, axis=1)))
    rough, clean = borders
    assert 0 < clean < rough


@pytest.mark.usefixtures("blender")
def test_a_pose_on_the_matrices_of_the_rest_shape(tmp_path, capfd):
    import bpy

    from tests.scenes import add_body

    obj = add_body()
    obj.shape_key_add(name="Basis")
    key = obj.shape_key_add(name="Wide")
    rest = np.array([vertex.co for vertex in obj.data.vertices])
    key.data.foreach_set("co", (rest * [2.5, 1, 1] + [0.3, 0, 0] * rest**2).ravel())
    found = {}
    for name, value in (("rest", 0.0), ("posed", 1.0)):
        key.value = value
        obj.rotation_euler[0] = value
        path = tmp_path / f"{name}.blend"
        bpy.ops.wm.save_as_mainfile(filepath=str(path), copy=True)
        options = ("--use-modifiers", "--use-rest-shape", "--cache", tmp_path / "cache")
        found[name] = tmp_path / f"{name}.npz", path, options
    for labels, path, options in found.values():
        assert run("segment", path, "--model", MODEL, "--labels", labels, *options) == 0
    assert "posed.blend: Body: eigenbasis" not in capfd.readouterr().err
    assert len(list((tmp_path / "cache").iterdir())) == 1
    rest, posed = (np.load(labels)["vertex_probabilities"] for labels, _, _ in found.values())
    assert np.abs(rest - posed).max() > 1e-3


@pytest.mark.usefixtures("blender")
def test_the_numpy_engine_by_name(tmp_path, capfd):
    path = tmp_path / "body.ply"
    write_ply(path, *body())
    labels = tmp_path / "a.npz"
    assert run("segment", path, "--model", MODEL, "--labels", labels, "--engine", "numpy") == 0
    assert "(numpy, cpu)" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([], "nothing to write"),
        (["--labels", "x.txt"], "not a .npz"),
        (["--output", "x.xyz"], "'.xyz' are not supported"),
        (["--labels", "x.npz", "--model", "nobody"], "no model 'nobody'"),
        (["--labels", "x.npz", "--engine", "numpy", "--device", "cuda"], "NumPy engine runs on"),
        (["--labels", "x.npz", "--device", "toaster"], "'toaster'"),
        (["--labels", "body.ply/x.npz"], "body.ply/x.npz cannot be written"),
        (["--output", "body.ply/x.blend"], "body.ply/x.blend cannot be written"),
    ],
)
@pytest.mark.usefixtures("blender")
def test_wrong_options(options, message, tmp_path, capfd, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_ply(tmp_path / "body.ply", *body())
    model = [] if "--model" in options else ["--model", MODEL]
    assert run("segment", "body.ply", *model, *options, "--quiet") == 1
    assert message in capfd.readouterr().err
    assert [file.name for file in tmp_path.iterdir()] == ["body.ply"]


@pytest.mark.usefixtures("blender")
def test_several_files_need_folders_and_names_of_their_own(tmp_path, capfd):
    for name in ("a.ply", "b.ply", "a.obj"):
        (tmp_path / name).touch()
    a, b, twin = tmp_path / "a.ply", tmp_path / "b.ply", tmp_path / "a.obj"
    assert run("segment", a, b, "--output", tmp_path / "o.blend") == 1
    assert "Give a folder" in capfd.readouterr().err
    assert run("segment", a, twin, "--output", tmp_path / "out") == 1
    assert "Two files are called 'a'" in capfd.readouterr().err


def test_models_list_and_info(tiny_model, capsys):
    assert run("models", "list") == 0
    assert f"{MODEL}\t4 classes\tTiny" in capsys.readouterr().out
    assert run("models", "info", MODEL) == 0
    card = json.loads(capsys.readouterr().out)
    assert card["class_names"] == list(CLASSES)
    assert run("models", "info", "nobody") == 1
    assert "There is no model 'nobody'" in capsys.readouterr().err


def test_import_of_a_published_model(tiny_model, tmp_path, capsys):
    torch = pytest.importorskip("torch")
    shapes = {
        "first_lin.weight": (4, 16), "first_lin.bias": (4,),
        "last_lin.weight": (2, 4), "last_lin.bias": (2,),
        "block_0.diffusion.diffusion_time": (4,),
        "block_0.gradient_features.A_re.weight": (4, 4),
        "block_0.gradient_features.A_im.weight": (4, 4),
        "block_0.mlp.miniMLP_mlp_layer_000.weight": (4, 12),
        "block_0.mlp.miniMLP_mlp_layer_000.bias": (4,),
        "block_0.mlp.miniMLP_mlp_layer_001.weight": (4, 4),
        "block_0.mlp.miniMLP_mlp_layer_001.bias": (4,),
    }  # fmt: skip
    torch.save({name: torch.ones(shape) for name, shape in shapes.items()}, tmp_path / "p.pth")
    card = tmp_path / "card.json"
    colours = [[1, 0, 0], [0, 0, 1]]
    told = {"name": "two", "class_names": ["a", "b"], "class_colours": colours, "features": ["hks"]}
    card.write_text(json.dumps(told))
    assert run("models", "import", tmp_path / "p.pth", "--card", card) == 0
    saved = Path(capsys.readouterr().out.strip())
    try:
        assert saved == tiny_model.with_name("two.safetensors")
        assert run("models", "info", "two") == 0
        assert json.loads(capsys.readouterr().out)["class_names"] == ["a", "b"]
    finally:
        saved.unlink()
        saved.with_suffix(".json").unlink()
    assert run("models", "import", tmp_path / "p.pth", "--card", tmp_path / "no.json") == 1
    assert "no.json cannot be read" in capsys.readouterr().err
    assert run("models", "import", tmp_path / "p.pth", "--output-at", "faces") == 0
    saved = Path(capsys.readouterr().out.strip())
    try:
        assert run("models", "info", "p") == 0
        assert json.loads(capsys.readouterr().out)["architecture"]["output_at"] == "faces"
    finally:
        saved.unlink()
        saved.with_suffix(".json").unlink()


@pytest.mark.parametrize(
    ("suffix", "kept"), [("obj", 0), ("glb", 0), ("ply", 1), marked("usda", 1)]
)
@pytest.mark.usefixtures("blender")
def test_vertices_that_no_face_uses(suffix, kept, tmp_path):
    """Blender's importers of OBJ and glTF leave them out, as the help says."""
    vertices, faces = body()
    vertices = np.insert(vertices, 10, [5, 5, 5], axis=0).astype(np.float32)
    path, out = tmp_path / f"body.{suffix}", tmp_path / "labels.npz"
    WRITERS[suffix](path, vertices, np.where(faces >= 10, faces + 1, faces).astype(np.int32))
    assert run("segment", path, "--model", MODEL, "--labels", out, "--quiet") == 0
    assert len(np.load(out)["vertex_labels"]) == len(vertices) - 1 + kept


def test_a_damaged_model_says_so(tiny_model, tmp_path, capfd):
    pytest.importorskip("bpy")
    weights = tmp_path / "half.safetensors"
    weights.write_bytes(tiny_model.read_bytes()[:200])
    weights.with_suffix(".json").write_text(tiny_model.with_suffix(".json").read_text())
    write_ply(tmp_path / "a.ply", *body())
    out = tmp_path / "a.npz"
    assert run("segment", tmp_path / "a.ply", "--model", weights, "--labels", out) == 1
    assert "damaged" in capfd.readouterr().err
    assert not out.exists()


def module(*arguments, code="", **environment):
    """Run `python -m diffusionnet_blender`, or code, in a process of its own."""
    command = ["-c", code] if code else ["-m", "diffusionnet_blender"]
    return subprocess.run(
        [sys.executable, *command, *map(str, arguments)],
        cwd=ROOT, capture_output=True, text=True, timeout=300, env={**os.environ, **environment},
    )  # fmt: skip


@pytest.mark.slow
def test_as_a_module_of_its_own(tiny_model, tmp_path):
    pytest.importorskip("bpy")
    path, out = tmp_path / "body.ply", tmp_path / "out.blend"
    write_ply(path, *body())
    done = module("segment", path, "--model", MODEL, "--output", out)
    assert done.returncode == 0, done.stderr
    assert out.exists()
    assert module("segment", tmp_path / "no.ply", "--output", out).returncode == 1
    assert module("segment").returncode == 2


def test_models_work_without_blender_and_segment_says_it_needs_it(tiny_model, tmp_path):
    hide = (
        "import importlib.abc, sys\n"
        "class Hide(importlib.abc.MetaPathFinder):\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name == 'bpy': raise ModuleNotFoundError(name, name=name)\n"
        "import importlib.util\n"
        "found = importlib.util.find_spec\n"
        "importlib.util.find_spec = lambda name, *a: None if name == 'bpy' else found(name, *a)\n"
        "sys.meta_path.insert(0, Hide())\n"
        "from diffusionnet_blender.cli import main\n"
        "sys.exit(main(sys.argv[1:], 'diffusionnet'))\n"
    )
    listed = module("models", "list", code=hide)
    assert listed.returncode == 0, listed.stderr
    assert MODEL in listed.stdout
    done = module("segment", "x.ply", "--output", tmp_path / "o.blend", code=hide)
    assert done.returncode == 1
    assert "needs Blender" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
