"""Files of labels, and files that are none."""

from contextlib import suppress

import numpy as np
import pytest

from diffusionnet_blender.errors import DiffusionNetError
from diffusionnet_blender.tasks.label_files import read_label_file


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
@pytest.mark.parametrize(
    ("text", "labels", "names"),
    [
        ("0\n-1\n1\n", [0, -1, 1], ("0", "1")),
        ("arm\n\nleg\narm\n", [0, -1, 1, 0], ("arm", "leg")),
        ("-5\r\n7\r\n", [-1, 0], ("7",)),
    ],
)
def test_texts_are_read(tmp_path, encoding, text, labels, names):
    path = tmp_path / "a.txt"
    path.write_bytes(text.encode(encoding))
    found = read_label_file(path)
    assert found.labels.tolist() == labels
    assert found.class_names == names


@pytest.mark.parametrize(
    "content",
    [b"", b"\xef\xbb\xbf", b"\xff\xfe\x00", b"0\n99999999999999999999\n", b"9" * 10_000],
    ids=["empty", "only a mark", "no UTF-8", "huge", "huger"],
)
@pytest.mark.parametrize("suffix", [".txt", ".npy"])
def test_contents_that_are_no_labels(tmp_path, content, suffix):
    path = tmp_path / f"a{suffix}"
    path.write_bytes(content)
    with pytest.raises(DiffusionNetError) as caught:
        read_label_file(path)
    assert caught.value.fix


@pytest.mark.parametrize(
    "array",
    [
        np.array([1, "a", None], dtype=object),
        np.array(["a", "b"]),
        np.array([0.5, 1.0]),
        np.array([[1, 2]]),
        np.array(3),
        np.array([], dtype=int),
        np.array([True, False]),
        np.array([2**64 - 1], dtype=np.uint64),
        np.zeros(2, dtype=[("a", int)]),
    ],
    ids=lambda array: f"{array.dtype} {array.shape}",
)
def test_arrays_that_are_no_labels(tmp_path, array):
    np.save(tmp_path / "a.npy", array)
    with pytest.raises(DiffusionNetError):
        read_label_file(tmp_path / "a.npy")


def test_an_archive_under_another_name(tmp_path):
    np.savez(tmp_path / "a.npz", a=np.arange(3))
    (tmp_path / "a.npz").rename(tmp_path / "a.npy")
    with pytest.raises(DiffusionNetError, match="archive"):
        read_label_file(tmp_path / "a.npy")
    for kept in (10, 100, 200):
        (tmp_path / "b.npy").write_bytes((tmp_path / "a.npy").read_bytes()[:kept])
        with pytest.raises(DiffusionNetError):
            read_label_file(tmp_path / "b.npy")
    np.save(tmp_path / "c.npy", np.arange(100))
    whole = (tmp_path / "c.npy").read_bytes()
    for kept in (3, 8, 40, 130, len(whole) - 1):
        (tmp_path / "c.npy").write_bytes(whole[:kept])
        with pytest.raises(DiffusionNetError):
            read_label_file(tmp_path / "c.npy")


@pytest.mark.filterwarnings("ignore")
def test_damaged_headers_are_told(tmp_path):
    np.save(tmp_path / "a.npy", np.arange(20))
    whole = (tmp_path / "a.npy").read_bytes()
    random = np.random.default_rng(5)
    for _ in range(500):
        damaged = bytearray(whole)
        for place in random.integers(128, size=2):
            damaged[place] = random.integers(256)
        (tmp_path / "a.npy").write_bytes(damaged)
        # Some bytes change nothing that matters.
        with suppress(DiffusionNetError):
            read_label_file(tmp_path / "a.npy")
