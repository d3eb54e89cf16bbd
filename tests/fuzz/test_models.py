"""Cards, weights, entries of the cache and label files of any content: read rightly, or refused."""

import io
import json
import pickle
import shutil
import zipfile

import numpy as np
import pytest
import safetensors.numpy
from hypothesis import example, given
from hypothesis import strategies as st

from diffusionnet_blender.errors import ModelError
from diffusionnet_blender.network.card import ModelCard
from diffusionnet_blender.network.checkpoint import load_model, save_model
from diffusionnet_blender.surface.cache import OperatorCache
from diffusionnet_blender.surface.surface import Surface
from diffusionnet_blender.tasks.label_files import read_label_file
from diffusionnet_blender.tasks.models import import_model, read_library
from diffusionnet_blender.tasks.segment import segment
from tests.fuzz.fuzzing import damaged, examples, model, quick_and_full, result_or_error, tree
from tests.fuzz.test_meshes import require_right
from tests.shapes import lumpy_body

SURFACE = Surface(*lumpy_body(1))
NUMBERS = st.one_of(
    st.integers(),
    st.floats(),
    st.sampled_from((0, 1, -1, 2**31, 2**63, 10**400, 0.01, 100.0, 1e308, 5e-324, True, False)),
)
TEXTS = st.one_of(
    st.text(max_size=20),
    st.sampled_from(
        (
            "",
            " ",
            "../x",
            "CON",
            "a\0b",
            "\ud83d",
            "\u202e",
            "x" * 300,
            "spectral",
            "hks",
            "body_parts",
        )
    ),
)
JSON = st.recursive(
    st.none() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=8,
)


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    """Path of the weights of a whole model."""
    return save_model(model(), tmp_path_factory.mktemp("original"))


@st.composite
def changed(draw, content):
    """JSON with some values exchanged for any others, left out or added."""
    content = json.loads(json.dumps(content))
    for _ in range(draw(st.integers(1, 3))):
        place = content
        while True:
            keys = list(place) if isinstance(place, dict) else range(len(place))
            if not keys:
                break
            key = draw(st.sampled_from(keys))
            if not isinstance(place[key], dict | list) or draw(st.booleans()):
                match draw(st.sampled_from(("set", "drop", "add"))):
                    case "set":
                        place[key] = draw(JSON)
                    case "drop":
                        del place[key]
                    case "add" if isinstance(place, dict):
                        place[draw(TEXTS)] = draw(JSON)
                    case "add":
                        place.insert(key, draw(JSON))
                break
            place = place[key]
    return content


def written(path, content):
    path.write_bytes(
        content
        if isinstance(content, bytes)
        else json.dumps(content).encode("utf-8", "surrogatepass")
    )


@quick_and_full(100, 3000)
def test_a_card_is_read_or_left_out(count, tmp_path, original):
    whole = original.with_suffix(".json").read_bytes()
    weights = shutil.copy(original, tmp_path / "fuzzed.safetensors")
    path = tmp_path / "fuzzed.json"
    bundled = len(read_library([]).cards)

    @examples(count)
    @given(st.one_of(changed(json.loads(whole)), changed(json.loads(whole)), JSON, damaged(whole)))
    @example("[" * 100_000)
    @example(b"[" * 100_000)
    def holds(content):
        written(path, content)
        before = tree(tmp_path)
        card = result_or_error(lambda: ModelCard.load(path))
        found = read_library([tmp_path])
        assert len(found.cards) + len(found.left_out) == bundled + 1
        assert all(error.message and error.fix for _, error in found.left_out)
        if card is None:
            assert [place for place, _ in found.left_out] == [path]
        else:
            assert (
                ModelCard.from_json(json.loads(json.dumps(_as_saved(card, tmp_path))), "it") == card
            )
            loaded = result_or_error(lambda: load_model(weights))
            if loaded is not None and card.discretization.k < 64 and card.purpose == "segment":
                run = result_or_error(lambda: segment(SURFACE, loaded, engine="numpy"))
                if run is not None:
                    assert np.isfinite(run.vertex_probabilities).all()
        assert tree(tmp_path) == before

    holds()


def _as_saved(card, folder):
    card.save(folder / "again")
    text = (folder / "again").read_text()
    (folder / "again").unlink()
    return json.loads(text)


@st.composite
def tensors(draw, weights):
    """Weights with some exchanged for others of any shape, type and value."""
    found = dict(weights)
    for _ in range(draw(st.integers(1, 3))):
        name = draw(st.sampled_from(sorted(weights)))
        array = found.get(name, weights[name]).copy()
        match draw(st.sampled_from(("value", "shape", "type", "drop", "add", "scale", "bfloat16"))):
            case "value" if array.size:
                array.flat[draw(st.integers(0, array.size - 1))] = draw(st.floats(width=32))
                found[name] = array
            case "shape":
                found[name] = array.reshape(-1)[: draw(st.integers(0, array.size))]
            case "type":
                kind = draw(st.sampled_from("f2 f8 i4 u1 i8 ?".split()))
                with np.errstate(over="ignore"):
                    found[name] = array.astype(kind)
            case "drop":
                found.pop(name, None)
            case "add":
                found[draw(st.text(min_size=1, max_size=9))] = array
            case "scale":
                with np.errstate(over="ignore"):
                    found[name] = array * np.float32(draw(st.sampled_from((0, 1e6, 1e30, 1e-40))))
            case "bfloat16" if array.dtype == np.float32:
                found[name] = (array.view(np.uint32) >> 16).astype(np.uint16)
    return found


@quick_and_full(40, 1500)
def test_weights_are_read_or_refused(count, tmp_path, original):
    whole = original.read_bytes()
    path = tmp_path / "fuzzed.safetensors"
    shutil.copy(original.with_suffix(".json"), tmp_path)
    library = tmp_path / "library"
    library.mkdir()

    @examples(count)
    @given(st.one_of(damaged(whole), tensors(model().weights)))
    @example(whole.replace(b'"F32"', b'"F8_'))
    @example(b"\xff" * 100)
    def holds(content):
        if isinstance(content, dict):
            content = {name: np.ascontiguousarray(array) for name, array in content.items()}
            content = result_or_none(lambda: safetensors.numpy.save(content))
        if content is None:
            return
        path.write_bytes(content)
        loaded = result_or_error(lambda: load_model(path))
        imported = result_or_error(lambda: import_model(path, library))
        assert (loaded is None) == (imported is None)
        if loaded is None:
            assert not list(library.iterdir())
            return
        assert imported.read_bytes() == content
        for file in library.iterdir():
            file.unlink()
        found = result_or_error(lambda: segment(SURFACE, loaded, engine="numpy"))
        if found is not None:
            require_right(found, SURFACE)

    holds()


def result_or_none(work):
    """Of a library whose errors are not ours."""
    try:
        return work()
    except Exception:
        return None


class Runs:
    """Would write a file when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (open, (str(self.path), "w"))


@quick_and_full(20, 600)
def test_published_weights_are_read_or_refused_and_run_nothing(count, tmp_path):
    torch = pytest.importorskip("torch")
    state = {name: torch.tensor(w) for name, w in model().weights.items()}
    kept = io.BytesIO()
    torch.save(state, kept)
    proof, library, path = tmp_path / "ran", tmp_path / "library", tmp_path / "p.pth"
    library.mkdir()
    card = tmp_path / "card.json"
    card.write_text(json.dumps({"features": list(model().card.features)}))
    hostile = io.BytesIO()
    torch.save({**state, "last.bias": Runs(proof)}, hostile)

    @examples(count)
    @given(st.one_of(damaged(kept.getvalue()), damaged(hostile.getvalue())))
    @example(kept.getvalue())
    @example(hostile.getvalue())
    @example(pickle.dumps(Runs(proof)))
    @example(pickle.dumps({"last.bias": Runs(proof)}))
    @example(b"")
    def holds(content):
        path.write_bytes(content)
        found = result_or_error(lambda: import_model(path, library, card))
        assert not proof.exists()
        if found is None:
            assert not list(library.iterdir())
        else:
            load_model(found)
            for file in library.iterdir():
                file.unlink()

    holds()


@quick_and_full(40, 1000)
def test_an_entry_of_the_cache_is_right_or_computed_again(count, tmp_path):
    small = model(outer_skin=False)
    cache = OperatorCache(tmp_path)
    want = segment(SURFACE, small, engine="numpy", cache=cache)
    (entry,) = tmp_path.glob("*.npz")
    whole = entry.read_bytes()
    other = Surface(SURFACE.vertices * [1, 1, 2], SURFACE.faces)
    segment(other, small, engine="numpy", cache=cache)
    (foreign,) = set(tmp_path.glob("*.npz")) - {entry}
    with zipfile.ZipFile(entry) as archive:
        directory = archive.start_dir

    @examples(count)
    @given(
        st.one_of(
            damaged(whole),
            st.tuples(st.integers(directory, len(whole) - 1), st.integers(0, 255)).map(
                lambda at: whole[: at[0]] + bytes([at[1]]) + whole[at[0] + 1 :]
            ),
        )
    )
    @example(foreign.read_bytes())
    @example(b"")
    def holds(content):
        entry.write_bytes(content)
        for _ in range(2):
            found = result_or_error(lambda: segment(SURFACE, small, engine="numpy", cache=cache))
            np.testing.assert_array_equal(found.vertex_probabilities, want.vertex_probabilities)
        assert cache.load(entry.stem) is not None
        assert sorted(tmp_path.iterdir()) == sorted([entry, foreign])

    holds()


def npy(array, **options):
    file = io.BytesIO()
    np.save(file, array, **options)
    return file.getvalue()


@st.composite
def arrays(draw):
    """A .npy of any shape and type."""
    shape = draw(st.lists(st.integers(0, 5), max_size=3))
    kind = draw(st.sampled_from("i1 u1 i4 i8 u8 >i4 f4 f8 c8 ? U3 S3 M8[s] O".split()))
    values = draw(
        st.lists(st.integers(-3, 120), min_size=int(np.prod(shape)), max_size=int(np.prod(shape)))
    )
    array = np.array(values, dtype=np.int64).reshape(shape).astype("U3" if kind == "O" else kind)
    return npy(array.astype(object) if kind == "O" else array, allow_pickle=True)


@quick_and_full(150, 4000)
def test_label_files_are_read_or_refused(count, tmp_path):
    labels = npy(np.arange(50) % 4)
    names = "head\nbody\n\nhead\n"
    numbers = st.lists(
        st.one_of(st.integers(-5, 9), st.integers(-(10**30), 10**30)), max_size=30
    ).map(lambda rows: "\n".join(map(str, rows)).encode())

    @examples(count)
    @given(
        st.sampled_from((".npy", ".txt")),
        st.one_of(
            damaged(labels), damaged(names.encode()), arrays(), numbers, st.binary(max_size=200),
            st.text(max_size=200).map(lambda text: text.encode("utf-8", "surrogatepass")),
        ),
        st.sampled_from(((), ("a", "b", "c"))),
    )  # fmt: skip
    @example(".txt", "\ufeff0\n-1\n1\n".encode(), ())
    @example(".txt", names.encode("utf-16"), ())
    @example(".npy", npy(np.array([2**63], dtype=np.uint64)), ())
    @example(".npy", npy(np.array([{}], dtype=object), allow_pickle=True), ())
    @example(".txt", b"9" * 5000, ())
    def holds(suffix, content, given_names):
        path = tmp_path / f"labels{suffix}"
        path.write_bytes(content)
        found = result_or_error(lambda: read_label_file(path, given_names))
        if found is None:
            return
        assert found.labels.ndim == 1
        assert found.labels.dtype == np.int64
        assert len(found.labels)
        assert -1 <= found.labels.min() <= found.labels.max() < max(len(found.class_names), 1)
        assert all(isinstance(name, str) and name for name in found.class_names)

    holds()


def test_images_of_no_size_are_told():
    from diffusionnet_blender.errors import DiffusionNetError
    from diffusionnet_blender.tasks.transfer.layers import Texture

    for shape in ((0, 4, 4), (4, 0, 4), (4, 4, 0), (4, 4, 3), (4, 4), ()):
        with pytest.raises(DiffusionNetError, match="shape"):
            Texture("Base Color", {0: np.zeros(shape)})


def test_a_model_that_lacks_a_card_is_refused(tmp_path, original):
    shutil.copy(original, tmp_path / "lone.safetensors")
    with pytest.raises(ModelError):
        load_model(tmp_path / "lone.safetensors")
