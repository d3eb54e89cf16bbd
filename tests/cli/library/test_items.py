"""Items from folders, patterns and manifests, and what is refused before any work."""

import json

import pytest

from diffusionnet_blender.cli.library import inputs
from diffusionnet_blender.cli.library.items import (
    Item,
    chunk_of,
    find_items,
    read_manifest,
    write_manifest,
)
from diffusionnet_blender.cli.library.sizes import needed_bytes, vertices_in
from diffusionnet_blender.cli.library.tasks import Job
from diffusionnet_blender.errors import DiffusionNetError
from tests.cli.test_segment import body, write_glb, write_obj, write_ply, write_stl


@pytest.fixture
def tree(tmp_path):
    for name in ("b.glb", "heroes/a.obj", "heroes/deep/c.ply", "notes.txt", ".hidden/d.glb"):
        path = tmp_path / "in" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    return tmp_path / "in"


def names(items):
    return [item.name for item in items]


def test_a_folder_is_walked_and_names_keep_its_folders(tree, tmp_path):
    found = find_items([str(tree)], str(tmp_path / "out"))
    assert sorted(names(found)) == ["b", "heroes/a", "heroes/deep/c"]


def test_the_folder_of_results_is_not_walked(tree):
    found = find_items([str(tree)], str(tree / "heroes"))
    assert names(found) == ["b"]


def test_a_pattern_gives_names_below_its_fixed_part(tree, tmp_path):
    found = find_items([str(tree / "heroes" / "**" / "*.*")], str(tmp_path))
    assert sorted(names(found)) == ["a", "deep/c"]


def test_two_files_of_one_name_are_refused(tree, tmp_path):
    (tree / "b.obj").write_text("")
    with pytest.raises(DiffusionNetError, match=r"b\.glb and .*b\.obj .*one name"):
        find_items([str(tree)], str(tmp_path / "out"))


def test_a_manifest_names_objects_sources_and_options(tree, tmp_path):
    manifest = tree / "list.csv"
    manifest.write_text(
        "file,armature,name,source,model,each\n"
        "b.glb,Rig,heroes/bee,heroes/a.obj,body_parts_fine,yes\n"
        "heroes/a.obj,,,,,\n"
    )
    first, second = find_items([str(manifest)], str(tmp_path / "out"))
    assert first == Item(
        "heroes/bee",
        str(tree / "b.glb"),
        "Rig",
        str(tree / "heroes/a.obj"),
        "",
        ("--model=body_parts_fine", "--each"),
    )
    assert second == Item("a", str(tree / "heroes/a.obj"))


def test_a_manifest_that_was_written_is_read_again(tree, tmp_path):
    items = [
        Item("x/y", str(tree / "b.glb"), "Body", str(tree / "b.glb"), "Rig", ("--no-clean",)),
        Item("z", str(tree / "heroes/a.obj")),
    ]
    path = tmp_path / "again.jsonl"
    path.write_text(write_manifest(items))
    assert read_manifest(str(path)) == items


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ({"file": "none.glb"}, "none.glb is missing"),
        ({"name": "x"}, "line 1 names no file"),
        ({"file": "b.glb", "name": "../x"}, "leads out"),
        ({"file": "b.glb", "name": "/x"}, "leads out"),
        ({"file": "b.glb", "name": "a\0b"}, "characters that no file can have"),
        ({"file": 3}, "line 1: file is no text"),
        ({"file": "b.glb", "name": ["x"]}, "line 1: name is no text"),
        ({"file": "b.glb", "source": 3}, "line 1: source is no text"),
        ({"file": "b.glb", "object": ["x"]}, "line 1: object is no text"),
        ({"file": "b.glb", "arguments": "--model"}, "line 1: arguments is no list"),
        ({"file": "b.glb", "arguments": [1]}, "line 1: arguments is no list"),
        ({"file": "b.glb", "model": {"x": 1}}, "line 1: model is an object"),
        (["b.glb"], "line 1 is no object"),
    ],
)
def test_a_wrong_line_of_a_manifest_is_told(tree, tmp_path, line, message):
    path = tree / "list.jsonl"
    path.write_text(json.dumps(line) + "\n")
    with pytest.raises(DiffusionNetError, match=message) as caught:
        find_items([str(path)], str(tmp_path / "out"))
    assert caught.value.fix


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("mesh\nb.glb\n", "line 2 names no file"),
        ("file,file\nb.glb,c.glb\n", "two columns 'file'"),
        ("file,name, name\nb.glb,x,y\n", "two columns 'name'"),
        ("file,model\nb.glb,one,two\n", "line 2 has a field without a column"),
        ("file,\nb.glb,3\n", "line 2 has a field without a column"),
        ('file\n"' + "x" * 200_000 + '"\n', "is no CSV"),
    ],
)
def test_a_damaged_table_is_told(tree, tmp_path, text, message):
    path = tree / "list.csv"
    path.write_text(text)
    with pytest.raises(DiffusionNetError, match=message) as caught:
        find_items([str(path)], str(tmp_path / "out"))
    assert caught.value.fix


def test_columns_of_a_spreadsheet_that_are_empty_do_not_matter(tree, tmp_path):
    path = tree / "list.csv"
    path.write_text("file, name,,\nb.glb,x,,\n")
    (item,) = find_items([str(path)], str(tmp_path / "out"))
    assert (item.file, item.name) == (str(tree / "b.glb"), "x")


def test_a_file_that_is_listed_twice_is_told(tree, tmp_path):
    path = tree / "list.csv"
    path.write_text("file\nb.glb\nb.glb\n")
    with pytest.raises(DiffusionNetError, match="listed twice"):
        find_items([str(path)], str(tmp_path / "out"))


def test_damaged_json_and_folders_without_files_are_told(tree, tmp_path):
    path = tree / "list.jsonl"
    for line in ('{"file":', 100_000 * "["):
        path.write_text(f'{{"file": "b.glb"}}\n{line}\n')
        with pytest.raises(DiffusionNetError, match="line 2 is no JSON") as caught:
            find_items([str(path)], str(tmp_path / "out"))
        assert caught.value.fix
    (tmp_path / "empty").mkdir()
    with pytest.raises(DiffusionNetError, match="no file that can be read"):
        find_items([str(tmp_path / "empty")], str(tmp_path / "out"))


@pytest.mark.parametrize("count", [1, 3, 7, 12])
def test_chunks_have_each_item_once(count):
    items = [Item(str(n), f"{n}.glb") for n in range(10)]
    chunks = [chunk_of(items, number, count) for number in range(1, count + 1)]
    assert sorted(names(sum(chunks, []))) == sorted(names(items))
    assert max(map(len, chunks)) - min(map(len, chunks)) <= 1


def test_the_content_decides_over_the_fingerprint_also_that_of_companions(tmp_path):
    path = tmp_path / "a.gltf"
    path.write_text(json.dumps({"buffers": [{"uri": "a.bin"}, {"uri": "../x.bin"}]}))
    (tmp_path / "a.bin").write_bytes(b"1")
    first = inputs.fingerprint(str(path))
    path.touch()
    assert inputs.fingerprint(str(path)) == first
    (tmp_path / "a.bin").write_bytes(b"2")
    assert inputs.fingerprint(str(path)) != first


def test_the_key_depends_on_content_model_options_and_results(tree, tiny_model):
    def key(arguments=(), results=(".blend",), item=None):
        job = Job("segment", "out", ("--model=tiny", *arguments), results)
        return job.key(item or Item("b", str(tree / "b.glb")))

    first = key()
    assert key(("--clean",)) == first, "the default, written out"
    assert key(("--device=cpu",)) == first, "the same numbers elsewhere"
    others = [
        key(("--no-clean",)),
        key(("--model=body_parts",)),
        key(results=(".glb",)),
        key(item=Item("b", str(tree / "heroes/a.obj"))),
        key(item=Item("b", str(tree / "b.glb"), "Rig")),
    ]
    assert len({first, *others}) == len(others) + 1
    assert key(item=Item("other", str(tree / "b.glb"))) == first


@pytest.mark.parametrize(
    ("suffix", "write", "within"),
    [
        ("ply", write_ply, 1.0),
        ("glb", write_glb, 1.0),
        ("stl", write_stl, 1.1),
        ("obj", write_obj, 2),
    ],
)
def test_vertices_are_counted_before_blender_opens_a_file(tmp_path, suffix, write, within):
    path = tmp_path / f"body.{suffix}"
    vertices, faces = body()
    write(path, vertices, faces)
    assert 1 / within <= vertices_in(str(path)) / len(vertices) <= within


def test_the_memory_that_is_asked_for_grows_with_the_file(tmp_path, tiny_model):
    job = Job("segment", "out", ("--model=tiny",))
    needed = []
    for count in (1_000, 1_000_000):
        path = tmp_path / f"{count}.ply"
        path.write_text(f"ply\nformat ascii 1.0\nelement vertex {count}\nend_header\n")
        needed.append(needed_bytes(job, Item("x", str(path))))
    assert needed[1] > needed[0] + 9e8
