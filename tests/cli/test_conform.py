"""The command `conform`, on files."""

import numpy as np
import pytest

from diffusionnet_blender.matching.closest import ClosestPoints
from tests.cli.test_segment import run, write_obj, write_ply
from tests.matching.pairs import lumpy_surface

bpy = pytest.importorskip("bpy")


@pytest.fixture
def files(tmp_path):
    source, _ = lumpy_surface(2)
    target, _ = lumpy_surface(3, seed=3)
    write_obj(tmp_path / "mesh.obj", source.vertices, source.faces)
    write_ply(tmp_path / "shape.ply", 2 * target.vertices + [3, 0, 0], target.faces)
    return tmp_path


def conform(folder, *options):
    output = folder / "bent.blend"
    pair = folder / "mesh.obj", folder / "shape.ply"
    chosen = "--model", "none", "--accept-uncertain", *options
    assert run("conform", *pair, "--output", output, *chosen) == 0
    bpy.ops.wm.open_mainfile(filepath=str(output))
    return {obj.name: obj for obj in bpy.data.objects}


def shape_of(obj, points):
    found = np.empty(3 * len(points))
    points.foreach_get("co", found)
    matrix = np.array(obj.matrix_world)
    return found.reshape(-1, 3) @ matrix[:3, :3].T + matrix[:3, 3]


def distance(shape, at):
    faces = np.array([list(polygon.vertices) for polygon in shape.data.polygons])
    surface = ClosestPoints(shape_of(shape, shape.data.vertices), faces)
    return np.linalg.norm(surface.positions(surface(at)[0]) - at, axis=1)


def test_the_target_s_file_gets_a_copy_of_the_source_that_lies_on_it(files, capfd):
    found = conform(files)
    assert set(found) == {"shape", "Body on shape"}
    bent = found["Body on shape"]
    assert distance(found["shape"], shape_of(bent, bent.data.vertices)).mean() < 0.01
    assert "Body on shape" in capfd.readouterr().err


def test_as_a_key_the_source_s_file_gets_the_shape(files):
    before = lumpy_surface(2)[0].vertices
    found = conform(files, "--as-key")
    assert set(found) == {"Body"}
    keys = found["Body"].data.shape_keys.key_blocks
    assert list(keys.keys()) == ["Basis", "On shape"]
    sizes = [np.ptp(shape_of(found["Body"], key.data), axis=0).max() for key in keys]
    assert sizes[0] == pytest.approx(np.ptp(before, axis=0).max(), rel=1e-3)
    assert sizes[1] > 1.5 * sizes[0]


@pytest.mark.parametrize(
    ("options", "words"),
    [(["--stiffness", "0"], "is below 0.01"), (["--source-object", "Hat"], "no mesh called 'Hat'")],
)
def test_wrong_options_are_told(files, capfd, options, words):
    pair = files / "mesh.obj", files / "shape.ply"
    output = files / "bent.blend"
    try:
        status = run("conform", *pair, "--output", output, "--model", "none", *options)
    except SystemExit as stopped:
        status = stopped.code
    assert status
    assert words in capfd.readouterr().err
    assert not output.exists()
