"""The command `transfer`, on files."""

import numpy as np
import pytest

from tests.cli.test_segment import run, write_obj
from tests.matching.pairs import lumpy_surface
from tests.shapes import random_rotation

bpy = pytest.importorskip("bpy")


@pytest.fixture
def files(tmp_path):
    source, source_directions = lumpy_surface(3)
    target, target_directions = lumpy_surface(3, seed=3)
    bpy.ops.wm.read_homefile(app_template="", use_empty=True)
    mesh = bpy.data.meshes.new("Body")
    mesh.from_pydata(source.vertices.tolist(), [], source.faces.tolist())
    obj = bpy.data.objects.new("Body", mesh)
    bpy.context.collection.objects.link(obj)
    high = obj.vertex_groups.new(name="high")
    for vertex, height in enumerate(((source_directions[:, 2] + 1) / 2).tolist()):
        high.add([vertex], height, "REPLACE")
    obj.shape_key_add(name="Basis")
    key = obj.shape_key_add(name="Grown")
    key.data.foreach_set("co", (1.1 * source.vertices).astype(np.float32).ravel())
    rig = bpy.data.objects.new("Rig", bpy.data.armatures.new("Rig"))
    bpy.context.collection.objects.link(rig)
    bpy.context.view_layer.objects.active = rig
    bpy.ops.object.mode_set(mode="EDIT")
    rig.data.edit_bones.new("high").tail = (0, 0, 1)
    bpy.ops.object.mode_set(mode="OBJECT")
    obj.modifiers.new("Armature", "ARMATURE").object = rig
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "source.blend"))
    write_obj(tmp_path / "target.obj", target.vertices @ random_rotation(1).T, target.faces)
    return tmp_path, target_directions


def test_what_is_asked_for_is_in_the_file_and_the_source_is_not(files, capfd):
    """Both are called Body."""
    folder, directions = files
    output = folder / "out.blend"
    what = "weights,shape_keys"
    pair = folder / "source.blend", folder / "target.obj", "--source-object", "Body"
    assert run("transfer", *pair, "--what", what, "--output", output, "--model", "none") == 0
    assert "1 vertex group" in capfd.readouterr().err
    bpy.ops.wm.open_mainfile(filepath=str(output))
    (target,) = bpy.data.objects
    assert target.name == "Body"
    assert len(target.data.vertices) == len(directions)
    weights = np.zeros(len(target.data.vertices))
    for vertex in target.data.vertices:
        weights[vertex.index] = sum(group.weight for group in vertex.groups)
    assert np.abs(weights - (directions[:, 2] + 1) / 2).mean() < 0.05
    assert target.data.shape_keys.key_blocks.keys() == ["Basis", "Grown"]


def transferred(folder, name, what, *options):
    """Weights of the group and positions of the key on the target, after a transfer."""
    output = folder / f"{name}.blend"
    pair = folder / "source.blend", folder / "target.obj"
    options = ("--what", what, "--model", "none", "--quiet", *options)
    assert run("transfer", *pair, "--output", output, *options) == 0
    bpy.ops.wm.open_mainfile(filepath=str(output))
    target = bpy.data.objects["Body"]
    count = len(target.data.vertices)
    weights, positions = np.zeros(count), np.zeros((count, 3), np.float32)
    for vertex in target.data.vertices:
        weights[vertex.index] = sum(group.weight for group in vertex.groups)
    if target.data.shape_keys:
        target.data.shape_keys.key_blocks["Grown"].data.foreach_get("co", positions.ravel())
    return weights, positions


@pytest.mark.slow
def test_weights_are_copied_above_the_least_confidence(files, capfd):
    """At 1 no vertex is, and there is nothing to fill in from."""
    folder, directions = files
    copied, _ = transferred(folder, "copied", "weights", "--least-confidence", "0")
    assert np.abs(copied - (directions[:, 2] + 1) / 2).mean() < 0.05
    pair = folder / "source.blend", folder / "target.obj", "--model", "none"
    options = ("--what", "weights", "--output", folder / "o.blend", "--least-confidence", "1")
    assert run("transfer", *pair, *options) == 1
    assert "lower the least confidence" in capfd.readouterr().err


@pytest.mark.slow
def test_small_keys_are_moved_by_another_method(files):
    """The key grows the body by a tenth, from its middle."""
    folder, _ = files
    _, large = transferred(folder, "large", "shape-keys")
    _, small = transferred(folder, "small", "SHAPE_KEYS", "--small-keys")
    assert np.abs(large - small).max() > 1e-4
    size = np.linalg.norm(large, axis=1).mean()
    assert np.linalg.norm(small - large, axis=1).mean() < 0.05 * size


def test_what_a_format_calls_otherwise_or_does_not_hold_is_told(files, capfd):
    folder, _ = files
    bpy.ops.wm.open_mainfile(filepath=str(folder / "source.blend"))
    body = bpy.data.objects["Body"]
    body.vertex_groups["high"].name = "high, upper"
    body.modifiers.clear()
    body.vertex_groups.new(name="low")
    bpy.ops.wm.save_as_mainfile(filepath=str(folder / "source.blend"))
    output = folder / "out.ply"
    pair = folder / "source.blend", folder / "target.obj", "--model", "none"
    options = ("--what", "weights,shape_keys", "--group-names", '"high, upper"')
    assert run("transfer", *pair, *options, "--output", output) == 0
    text = capfd.readouterr().err
    assert f"{output}: .ply files do not hold shape keys; in the file 'high, upper' is" in text
    assert "property float high_upper" in output.read_bytes().split(b"end_header")[0].decode(
        "ascii"
    )
    bpy.ops.wm.read_homefile(app_template="", use_empty=True)
    bpy.ops.wm.ply_import(filepath=str(output))
    assert "high_upper" in bpy.context.object.data.attributes


@pytest.mark.slow
def test_the_local_one_of_two_objects_of_one_name_is_read(files):
    folder, _ = files
    bpy.ops.wm.open_mainfile(filepath=str(folder / "source.blend"))
    bpy.data.libraries.write(str(folder / "library.blend"), {bpy.data.objects["Body"]})
    bpy.data.objects["Body"].vertex_groups["high"].name = "local"
    bpy.data.objects["Body"].modifiers.clear()
    with bpy.data.libraries.load(str(folder / "library.blend"), link=True) as (_, here):
        here.objects = ["Body"]
    bpy.context.collection.objects.link(here.objects[0])
    bpy.ops.wm.save_as_mainfile(filepath=str(folder / "twins.blend"))
    output = folder / "out.blend"
    pair = folder / "twins.blend", folder / "target.obj", "--model", "none", "--what", "weights"
    assert run("transfer", *pair, "--source-object", "Body", "--output", output) == 0
    bpy.ops.wm.open_mainfile(filepath=str(output))
    assert bpy.data.objects["Body"].vertex_groups.keys() == ["local"]
    # The file of the target, in which both are.
    bpy.ops.wm.read_homefile(app_template="", use_empty=True)
    bpy.ops.wm.obj_import(filepath=str(folder / "target.obj"))
    bpy.context.object.data.color_attributes.new("Paint", "BYTE_COLOR", "POINT")
    bpy.ops.wm.save_as_mainfile(filepath=str(folder / "painted.blend"))
    pair = folder / "painted.blend", folder / "twins.blend", "--model", "none", "--what", "colors"
    assert run("transfer", *pair, "--target-object", "Body", "--output", output) == 0
    bpy.ops.wm.open_mainfile(filepath=str(output))
    painted = {obj.library: obj.data.color_attributes.keys() for obj in bpy.data.objects
               if obj.type == "MESH"}  # fmt: skip
    assert painted.pop(None) == ["Paint"]
    assert all(not names for names in painted.values())


def test_options_are_in_the_request():
    from diffusionnet_blender.cli import build_parser
    from diffusionnet_blender.cli.options import values_of
    from diffusionnet_blender.cli.pair import match_options
    from diffusionnet_blender.tasks.transfer import KINDS, Kinds, TransferRequest

    chosen = build_parser("diffusionnet").parse_args(
        "transfer a.obj b.obj --output c.blend --what weights --model none --pin 1:2 --pin 3:4 "
        "--groups deform --group-names hip,arm.L --texture-size 512 --margin 3 --limit 0 "
        "--least-confidence 0.75 --small-keys --fit".split()
    )
    assert values_of(TransferRequest, chosen) == {
        "texture_size": 512, "dilation": 3, "limit": 0, "least_confidence": 0.75,
        "small_keys": True, "accept_uncertain": False,
    }  # fmt: skip
    kinds = Kinds.only("weights", **values_of(Kinds, chosen))
    assert (kinds.groups, kinds.group_names, kinds.key_names) == ("DEFORM", ("hip", "arm.L"), ())
    assert [name for name in KINDS if getattr(kinds, name)] == ["weights"]
    options = match_options(chosen)
    assert options["model"] is None
    assert options["fit"]
    assert options["pins"].tolist() == [[1, 2], [3, 4]]


@pytest.mark.parametrize(
    ("options", "words"),
    [(["--least-confidence", "1.5"], "1.5 is above 1.0"),
     (["--least-confidence", "nan"], "nan is below 0.0"),
     (["--texture-size", "-1"], "-1 is below 0"),
     (["--margin", "wide"], "'wide' is not a whole number"),
     (["--groups", "some"], "'some' is not one of all, deform, active"),
     (["--engine", "abacus"], "'abacus' is not one of auto, torch, numpy")],
)  # fmt: skip
def test_a_value_out_of_range_is_an_error_of_the_option(options, words, capfd):
    with pytest.raises(SystemExit) as ended:
        run("transfer", "a.obj", "b.obj", "--what", "uv", "--output", "o.blend", *options)
    assert ended.value.code == 2
    assert words in capfd.readouterr().err.splitlines()[-1]


def test_an_armature_is_in_the_file_and_that_of_the_source_is_not(files):
    folder, _ = files
    output = folder / "out.blend"
    pair = folder / "source.blend", folder / "target.obj"
    what = "weights,armature"
    assert run("transfer", *pair, "--what", what, "--output", output, "--model", "none") == 0
    bpy.ops.wm.open_mainfile(filepath=str(output))
    target = bpy.data.objects["Body"]
    assert {obj.name for obj in bpy.data.objects} == {"Body", "Body Rig"}
    rig = target.modifiers["Armature"].object
    # The body was turned; its middle is where it was.
    assert (rig.matrix_world @ rig.data.bones["high"].head_local).length < 0.1
    assert rig.data.bones["high"].length == pytest.approx(1, abs=0.1)


@pytest.mark.parametrize(
    ("options", "words"),
    [(["--what", "hair", "--output", "o.blend"], "names 'hair'"),
     (["--what", ",", "--output", "o.blend"], "names nothing"),
     (["--what", "texture", "--output", "o.blend", "--model", "none"], "no UV map"),
     (["--what", "weights", "--output", "o.txt"], "not supported"),
     (["--what", "weights", "--output", "o.blend", "--model", "body_parts"], "labels parts")],
)  # fmt: skip
def test_what_cannot_end_well_is_told_on_one_line(files, options, words, capfd, monkeypatch):
    folder, _ = files
    monkeypatch.chdir(folder)
    assert run("transfer", "source.blend", "target.obj", *options) == 1
    assert words in capfd.readouterr().err.strip().splitlines()[-1]
    assert not list(folder.glob("o.*"))


@pytest.fixture
def worn(files):
    """A file of a target that lies on the source, and one of a target that hardly does."""
    folder, _ = files
    target, _ = lumpy_surface(3)
    write_obj(folder / "on.obj", target.vertices, target.faces)
    write_obj(folder / "off.obj", target.vertices + [0.0, 1.2, 0.0], target.faces)
    return folder


@pytest.mark.parametrize("what", ["weights", "shape_keys"])
def test_an_uncertain_match_fails_unless_it_is_accepted(what, worn, capfd):
    """Weights are filled in and written, and the exit status tells; keys would be ruined."""
    source, output = worn / "source.blend", worn / "out.blend"
    options = "--what", what, "--model", "none", "--method", "in-place", "--output", output
    assert run("transfer", source, worn / "off.obj", *options) == 1
    told = capfd.readouterr().err
    assert "confident on" in told
    assert "--accept-uncertain" in told
    assert output.exists() == (what == "weights")
    assert run("transfer", source, worn / "off.obj", *options, "--accept-uncertain") == 0
    assert output.exists()


def test_a_match_that_is_uncertain_fails_too(worn, capfd):
    pair = worn / "source.blend", worn / "off.obj", "--output", worn / "map.npz"
    options = "--model", "none", "--method", "in-place"
    assert run("match", *pair, *options) == 1
    assert "Uncertain match, confident on" in capfd.readouterr().err
    assert run("match", *pair, *options, "--accept-uncertain") == 0
    with np.load(worn / "map.npz") as found:
        assert found["in_place"]


@pytest.mark.parametrize(("method", "words"), [("auto", "matched in place"), ("match", "by dist")])
def test_the_report_tells_how_the_match_was_found(method, words, files, capfd):
    folder, _ = files
    source, output = folder / "source.blend", folder / "out.blend"
    copy = folder / "copy.blend"
    bpy.ops.wm.open_mainfile(filepath=str(source))
    bpy.data.objects["Body"].shape_key_clear()
    bpy.data.objects["Body"].vertex_groups.clear()
    bpy.ops.wm.save_as_mainfile(filepath=str(copy))
    options = "--what", "weights", "--model", "none", "--method", method, "--output", output
    assert run("transfer", source, copy, *options) == 0
    assert words in capfd.readouterr().err
