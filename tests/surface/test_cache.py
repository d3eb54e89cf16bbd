"""The cache finds what was stored, and nothing else, whatever happens to its files."""

import contextlib
import errno
import os
import threading
import zipfile
from dataclasses import fields

import numpy as np
import pytest
from scipy import sparse

from diffusionnet_blender.surface.cache import OperatorCache, cache_key
from diffusionnet_blender.surface.prepare import prepare
from diffusionnet_blender.surface.settings import DiscretizationSettings
from diffusionnet_blender.surface.surface import Surface
from tests.shapes import grid, icosphere, lumpy_body

SETTINGS = DiscretizationSettings(k=16)


@pytest.fixture(scope="module")
def body():
    vertices, faces = lumpy_body(2)
    # A copy, a stray vertex and a mixed winding give repair something to report.
    vertices = np.concatenate([vertices, vertices[:3], [[0.0, 0.0, 9.0]]])
    return prepare(Surface(vertices, np.concatenate([faces[:, ::-1], faces[:1]])), SETTINGS)


def same(one, other):
    np.testing.assert_array_equal(one.clean_vertex, other.clean_vertex)
    np.testing.assert_array_equal(one.user_vertex, other.user_vertex)
    assert one.repairs == other.repairs
    for field in fields(one.discretization):
        a, b = (getattr(x.discretization, field.name) for x in (one, other))
        if sparse.issparse(a):
            assert (a != b).nnz == 0
        else:
            np.testing.assert_array_equal(a, b)
    return True


def test_what_is_stored_is_found_unchanged(tmp_path, body):
    cache = OperatorCache(tmp_path / "new" / "folder")
    assert cache.load("key") is None
    cache.store("key", body)
    assert same(cache.load("key"), body)
    assert cache.load("other") is None
    assert "3 welded vertices" in cache.load("key").repairs.summary()
    assert [path.suffix for path in cache.folder.iterdir()] == [".npz"]


def test_the_way_back_from_a_proxy_is_kept(tmp_path):
    dense = prepare(Surface(*grid(250, 250)), DiscretizationSettings(k=4))
    assert dense.proxy_size
    cache = OperatorCache(tmp_path)
    cache.store("key", dense)
    found = cache.load("key")
    assert same(found, dense)
    values = np.arange(dense.proxy_size, dtype=float)
    np.testing.assert_array_equal(found.to_user_vertices(values), dense.to_user_vertices(values))


def test_the_key_depends_on_geometry_and_settings():
    vertices, faces = lumpy_body(2)
    moved = vertices.copy()
    moved[5, 1] += 1e-9
    keys = {
        cache_key(Surface(vertices, faces), SETTINGS),
        cache_key(Surface(moved, faces), SETTINGS),
        cache_key(Surface(vertices, faces[::-1]), SETTINGS),
        cache_key(Surface(vertices), SETTINGS),
        cache_key(Surface(vertices, normals=vertices), SETTINGS),
        cache_key(Surface(vertices, faces), SETTINGS, exact=True),
        cache_key(Surface(vertices, faces), DiscretizationSettings(k=17)),
        cache_key(Surface(vertices, faces), DiscretizationSettings(k=16, centre="vertices")),
    }
    assert len(keys) == 8
    assert cache_key(Surface(vertices.copy(), faces.copy()), SETTINGS) in keys


@pytest.mark.parametrize("damage", ["cut", "flipped", "empty", "foreign", "mixed", "astray"])
def test_a_damaged_file_is_a_miss_and_goes(tmp_path, body, damage):
    cache = OperatorCache(tmp_path)
    cache.store("key", body)
    path = tmp_path / "key.npz"
    content = bytearray(path.read_bytes())
    if damage == "cut":
        path.write_bytes(content[: len(content) // 2])
    elif damage == "flipped":
        content[len(content) // 2] ^= 0xFF
        path.write_bytes(content)
    elif damage == "empty":
        path.write_bytes(b"")
    elif damage == "foreign":
        np.savez(path, something=np.ones(3))
    else:
        stored = dict(np.load(path))
        if damage == "mixed":
            stored["eigenvectors"] = stored["eigenvectors"][:-1]
        else:
            stored["clean_vertex"] = stored["clean_vertex"] + 1
        np.savez(path, **stored)
    assert cache.load("key") is None
    assert not path.exists()
    cache.store("key", body)
    assert same(cache.load("key"), body)


@pytest.mark.parametrize("field", [(10, 99), (8, 1), (8, 32), (6, 200)])
def test_a_wrong_byte_of_the_directory_is_a_miss_and_goes(tmp_path, body, field):
    """Of the archive's directory: compression method, flags and version of the first array."""
    cache = OperatorCache(tmp_path)
    cache.store("key", body)
    path = tmp_path / "key.npz"
    with zipfile.ZipFile(path) as archive:
        start = archive.start_dir
    content = bytearray(path.read_bytes())
    content[start + field[0]] = field[1]
    path.write_bytes(content)
    found = cache.load("key")
    assert found is None or same(found, body)
    assert path.exists() == (found is not None)


def test_an_entry_that_is_a_plain_array_is_a_miss_and_goes(tmp_path, body):
    with open(tmp_path / "key.npz", "wb") as file:
        np.save(file, np.zeros(3))
    assert OperatorCache(tmp_path).load("key") is None
    assert not (tmp_path / "key.npz").exists()


def test_an_entry_under_another_name_is_a_miss_and_goes(tmp_path, body):
    cache = OperatorCache(tmp_path)
    cache.store("key", body)
    (tmp_path / "key.npz").rename(tmp_path / "other.npz")
    assert cache.load("other") is None
    assert not list(tmp_path.iterdir())


def test_an_entry_that_may_not_be_read_stays(tmp_path, body, monkeypatch):
    cache = OperatorCache(tmp_path)
    cache.store("key", body)
    content = (tmp_path / "key.npz").read_bytes()
    for number in (errno.EACCES, errno.EMFILE, errno.EIO):

        def refused(*_, number=number, **__):
            raise OSError(number, os.strerror(number))

        monkeypatch.setattr(np, "load", refused)
        assert cache.load("key") is None
        monkeypatch.undo()
        assert (tmp_path / "key.npz").read_bytes() == content
    (tmp_path / "folder.npz").mkdir()
    assert cache.load("folder") is None
    cache.store("folder", body)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["folder.npz", "key.npz"]


@pytest.mark.skipif(os.name != "posix", reason="rights of groups")
@pytest.mark.parametrize("mask", [0o022, 0o002, 0o077])
def test_others_may_read_what_the_umask_allows(tmp_path, body, mask):
    before = os.umask(mask)
    try:
        OperatorCache(tmp_path / "cache").store("key", body)
    finally:
        os.umask(before)
    entry = tmp_path / "cache" / "key.npz"
    assert entry.stat().st_mode & 0o777 == 0o666 & ~mask
    assert entry.parent.stat().st_mode & 0o777 == 0o777 & ~mask


@pytest.mark.parametrize("error", [KeyboardInterrupt, MemoryError, OSError])
def test_a_writer_that_is_stopped_leaves_nothing(tmp_path, body, monkeypatch, error):
    def stopped(file, **_):
        file.write(b"half")
        raise error

    monkeypatch.setattr(np, "savez", stopped)
    with pytest.raises(error) if error is not OSError else contextlib.nullcontext():
        OperatorCache(tmp_path).store("key", body)
    assert not list(tmp_path.iterdir())


def test_the_least_recently_used_goes_first(tmp_path, body):
    cache = OperatorCache(tmp_path)
    cache.store("one", body)
    size = cache.size()
    cache = OperatorCache(tmp_path, max_bytes=int(3.5 * size))
    for age, key in enumerate(["two", "three"]):
        cache.store(key, body)
        os.utime(tmp_path / f"{key}.npz", (1000 + age, 1000 + age))
    os.utime(tmp_path / "one.npz", (500, 500))
    assert cache.load("one") is not None
    cache.store("four", body)
    assert {path.stem for path in tmp_path.iterdir()} == {"one", "three", "four"}
    assert cache.size() <= cache.max_bytes
    cache.clear()
    assert cache.size() == 0


def test_writers_and_readers_at_the_same_time_never_see_half_a_file(tmp_path, body):
    other = prepare(Surface(*icosphere(2)), SETTINGS)
    cache = OperatorCache(tmp_path)
    seen, wrong = [], []

    def write(what):
        for _ in range(15):
            OperatorCache(tmp_path).store("key", what)

    def read():
        writing = True
        while writing:
            # Once more after the last file was written.
            writing = any(writer.is_alive() for writer in writers)
            found = cache.load("key")
            if found is not None:
                seen.append(found)
                if not any(np.array_equal(found.user_vertex, p.user_vertex) for p in (body, other)):
                    wrong.append(found)

    writers = [threading.Thread(target=write, args=(d,)) for d in (body, other)]
    readers = [threading.Thread(target=read) for _ in range(2)]
    for thread in (*writers, *readers):
        thread.start()
    for thread in (*writers, *readers):
        thread.join()
    assert seen
    assert not wrong
    assert [path.name for path in tmp_path.iterdir()] == ["key.npz"]


def test_a_folder_that_cannot_be_written_is_no_error(tmp_path, body):
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    cache = OperatorCache(blocked / "cache")
    cache.store("key", body)
    assert cache.load("key") is None
    assert cache.size() == 0


def test_what_a_killed_writer_left_goes_and_what_one_is_writing_stays(tmp_path, body):
    cache = OperatorCache(tmp_path)
    left, new = tmp_path / "left.part", tmp_path / "new.part"
    for path in (left, new):
        path.write_bytes(b"half")
    os.utime(left, (0, 0))
    cache.store("key", body)
    assert not left.exists()
    assert new.exists()
