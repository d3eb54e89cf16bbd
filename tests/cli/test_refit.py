"""The command `refit`, on files."""

import numpy as np
import pytest

from tests.cli.test_segment import run, write_obj
from tests.matching.pairs import lumpy_surface

bpy = pytest.importorskip("bpy")

SHAPE, _ = lumpy_surface(2)


@pytest.fixture
def folder(tmp_path):
    """A body with a shirt and an eye under one parent, and a larger body of the same mesh."""
    bpy.ops.wm.read_homefile(app_template="", use_empty=True)
    top = bpy.data.objects.new("Hero", None)
    bpy.context.collection.objects.link(top)
    for name, size in (("Body", 1.0), ("Shirt", 1.05), ("Eye.L", 0.5)):
        mesh = bpy.data.meshes.new(name)
        mesh.from_pydata((size * SHAPE.vertices).tolist(), [], SHAPE.faces.tolist())
        obj = bpy.data.objects.new(name, mesh)
        bpy.context.collection.objects.link(obj)
        obj.parent = top
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "hero.blend"))
    write_obj(tmp_path / "troll.obj", 2.0 * SHAPE.vertices, SHAPE.faces)
    return tmp_path


def test_the_clothes_are_in_the_file_of_the_target_and_the_source_is_not(folder, capfd):
    files = folder / "hero.blend", folder / "troll.obj"
    assert run("refit", *files, "--output", folder / "out.blend", "--gap", 0.1) == 0
    told = capfd.readouterr().err
    assert "Shirt on" in told
    assert "left out: Eye.L" in told
    bpy.ops.wm.open_mainfile(filepath=str(folder / "out.blend"))
    names = [obj.name for obj in bpy.data.objects]
    assert len(names) == 2
    (made,) = (obj for obj in bpy.data.objects if obj.name.startswith("Shirt on"))
    size = np.ptp([made.matrix_world @ v.co for v in made.data.vertices], axis=0).max()
    assert size == pytest.approx(2.1 * np.ptp(SHAPE.vertices, axis=0).max(), rel=0.02)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--body", "Nobody"], "no object 'Nobody'"),
        (["--source-object", "Body", "--each"], "single mesh"),
    ],
)
def test_what_cannot_be_is_told_and_nothing_is_written(folder, capfd, options, message):
    files = folder / "hero.blend", folder / "troll.obj"
    output = folder / "out.blend"
    assert run("refit", *files, "--output", output, *options) == 1
    assert message in capfd.readouterr().err
    assert not output.exists()
