"""Requests and results of every task, written and read."""

import json
from dataclasses import dataclass, fields, is_dataclass
from importlib import import_module
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import numpy as np
import pytest

from diffusionnet_blender.matching.points import SurfacePoints
from diffusionnet_blender.options import options_of
from diffusionnet_blender.surface.cache import OperatorCache
from diffusionnet_blender.surface.surface import Surface
from diffusionnet_blender.tasks import classify, match, segment, transfer
from diffusionnet_blender.tasks.import_model.job import ImportRequest
from diffusionnet_blender.tasks.labels import Polygons
from diffusionnet_blender.tasks.models import find_model
from diffusionnet_blender.tasks.status.job import Status, StatusRequest
from diffusionnet_blender.tasks.train.curve import Curve
from diffusionnet_blender.tasks.train.request import TrainRequest
from diffusionnet_blender.tasks.train.sizes import SIZES
from diffusionnet_blender.tasks.train.training_set import LabelledSurface, TrainingSet
from diffusionnet_blender.tasks.transfer import layers
from diffusionnet_blender.worker.codec import (
    from_message,
    read_value,
    to_message,
    write_value,
)
from diffusionnet_blender.worker.protocol import PACKAGE, find_job, name_of, types_of
from tests.shapes import lumpy_body

JOBS = [
    import_module(f"diffusionnet_blender.tasks.{path.parent.name}.job")
    for path in sorted((PACKAGE / "tasks").glob("*/job.py"))
]


def assert_same(one, other):
    assert type(one) is type(other)
    if is_dataclass(one):
        for field in fields(one):
            assert_same(getattr(one, field.name), getattr(other, field.name))
    elif isinstance(one, np.ndarray):
        np.testing.assert_array_equal(one, other)
        assert one.dtype == other.dtype
    elif isinstance(one, dict):
        assert one.keys() == other.keys()
        for key in one:
            assert_same(one[key], other[key])
    elif isinstance(one, tuple | list):
        assert len(one) == len(other)
        for a, b in zip(one, other, strict=True):
            assert_same(a, b)
    else:
        assert one == other


def surface(subdivisions=1):
    return Surface(*lumpy_body(subdivisions))


def mesh_shape():
    return layers.MeshShape.of(surface())


def full_layers():
    count = len(surface().vertices)
    return layers.Layers(
        slots=np.arange(4),
        uv=np.random.default_rng(0).random((6, 2)),
        copy_uv=True,
        textures=(
            layers.Texture(
                "Base Color",
                {0: np.ones((2, 2, 4), np.float32)},
                {3: np.ones(4)},
                layouts={0: np.ones((6, 2))},
                extensions={0: "CLIP"},
                closest=(0,),
                size=(4, 8),
            ),
        ),
        weights=layers.Weights(("a", "b"), np.ones((count, 2)), np.array([True, False])),
        keys=layers.ShapeKeys(("smile",), np.ones((1, count, 3))),
        attributes=(layers.Attribute("mass", "FLOAT", "POINT", np.ones(count, np.float32)),),
        labels=np.eye(3),
        bones=layers.Bones(("hip",), np.zeros((1, 3)), np.ones((1, 3)), np.ones((1, 3))),
    )


def training_set():
    labels = np.zeros(len(surface().vertices), dtype=int)
    return TrainingSet(
        (LabelledSurface("one", surface(), labels), LabelledSurface("two", surface(), 1)),
        ("a", "b"),
        ((1.0, 0.0, 0.5), (0.0, 1.0, 0.0)),
    )


VALUES = {
    "segment": lambda: segment.SegmentRequest(
        surface(),
        template=surface(),
        polygons=Polygons.triangles(surface()),
        cache=OperatorCache(Path("folder")),
        exact=True,
        model_folders=(Path("a"), Path("b")),
    ),
    "segment with a model at hand": lambda: segment.SegmentRequest(
        surface(), find_model("body_parts")
    ),
    "match without a model": lambda: match.MatchRequest(
        surface(), surface(2), None, pins=np.array([[1, 2]]), offset=np.ones(3), fit=True
    ),
    "found in place": lambda: match.match(surface(2), surface(2), None),
    "classify": lambda: classify.ClassifyRequest(surface(), "kinds"),
    "transfer": lambda: transfer.TransferRequest(
        mesh_shape(),
        mesh_shape(),
        SurfacePoints(np.arange(3), np.full((3, 3), 1 / 3)),
        np.ones(3),
        full_layers(),
        target_uv=np.ones((3, 2)),
        kept=layers.Weights(("a",), np.ones((3, 1)), np.ones(1, dtype=bool)),
        offset=np.ones(3),
        least_confidence=1,
    ),
    "train": lambda: TrainRequest(training_set(), "own", model_folder=Path("here")),
    "train at a size of one's own": lambda: TrainRequest(training_set(), "own", size=SIZES["fast"]),
    "import": lambda: ImportRequest(Path("a.pth"), Path("library"), card=Path("a.json")),
    "status": lambda: StatusRequest(),
    "status of a process": lambda: Status(
        "3.11", "python", "Linux", {"numpy": "1.26"}, "numpy", ("cpu",), None
    ),
    "moved": lambda: layers.Moved(
        layout=layers.CopiedLayout(np.ones((3, 2)), np.ones((1, 2), int), 1, 2),
        textures={"Normal": np.ones((2, 2, 4), np.float32)},
        trusted=np.array([True, False]),
        contacts=(layers.KeyContact("smile", 0.01, False), layers.KeyContact("open", None, True)),
    ),
}


@pytest.mark.parametrize("name", VALUES)
def test_a_value_comes_back_as_it_went(name, tmp_path):
    value = VALUES[name]()
    write_value(tmp_path / "value", value)
    found = read_value(tmp_path / "value", type(value))
    if name == "transfer":
        assert type(found.least_confidence) is float
    else:
        assert_same(value, found)


@pytest.mark.parametrize("job", JOBS, ids=name_of)
def test_every_job_has_types_that_both_processes_know(job):
    request, result, partial = types_of(job)
    assert is_dataclass(request)
    assert is_dataclass(result)
    assert request.__dataclass_params__.frozen
    assert result.__dataclass_params__.frozen
    assert find_job(name_of(job)) is job
    assert (partial is Curve) == (name_of(job) == "tasks.train.job")


def annotations_within(kind):
    """Every annotation that is read for a type, members of members included."""
    yield kind
    if is_dataclass(kind):
        hints = get_type_hints(kind)
        for field in fields(kind):
            if field.init:
                yield from annotations_within(hints[field.name])
    for member in get_args(kind) if get_origin(kind) is not Literal else ():
        if member is not Ellipsis:
            yield from annotations_within(member)


@pytest.mark.parametrize("job", JOBS, ids=name_of)
def test_every_annotation_of_requests_and_results_can_be_read(job):
    plain = {str, int, float, bool, NoneType, Path, np.ndarray, Any}
    composed = {tuple, list, dict, Union, UnionType, Literal}
    for kind in types_of(job):
        for each in annotations_within(kind):
            assert each in plain or get_origin(each) in composed or is_dataclass(each), each
            if get_origin(each) in (Union, UnionType):
                # By its JSON alone a member must be known.
                members = [get_origin(member) or member for member in get_args(each)]
                assert sum(map(is_dataclass, members)) <= 1
                lists = {tuple, list, dict}
                assert len([m for m in members if m in lists]) <= 1
                assert not {str, Path} <= set(members)


@pytest.mark.parametrize("job", JOBS, ids=name_of)
def test_the_shares_of_the_stages_of_a_job_add_up(job):
    assert not job.STAGES or sum(job.STAGES.values()) == pytest.approx(1.0, abs=0.011)


@pytest.mark.parametrize("job", JOBS, ids=name_of)
def test_every_option_has_a_name_and_a_help_text_that_ends_without_a_full_stop(job):
    for field, option in options_of(types_of(job)[0]):
        assert option.name.strip() == option.name != ""
        assert len(option.help) > 10, field.name
        assert not option.help.endswith("."), field.name


def test_an_intermediate_result_is_a_message():
    curve = Curve(20, np.array([[1, 0.5, 0.1, 0.2]]))
    line = json.dumps(to_message(curve))
    assert_same(from_message(json.loads(line), Curve), curve)


def test_an_array_without_elements_keeps_its_shape_in_a_message():
    curve = Curve(20, np.zeros((0, 4)))
    assert_same(from_message(json.loads(json.dumps(to_message(curve))), Curve), curve)


@dataclass(frozen=True)
class Kinds:
    """A value of each kind that is easily mistaken for another."""

    count: int = 1
    share: float = 0.5
    flag: bool = False
    names: tuple[str, ...] = ()
    direction: Literal["one", "other"] = "one"
    path: Path | None = None
    size: int | float | str = 1


@pytest.mark.parametrize(
    "content",
    [
        {"count": True},
        {"count": 1.0},
        {"share": "0.5"},
        {"share": True},
        {"share": 10**400},
        {"flag": 0},
        {"names": "abc"},
        {"names": [1]},
        {"direction": "none"},
        {"direction": ["one"]},
        {"path": 5},
        {"size": []},
    ],
    ids=str,
)
def test_a_value_of_a_kind_that_is_similar_is_refused(content):
    with pytest.raises(ValueError, match="no value of"):
        from_message(content, Kinds)


def test_a_whole_number_is_a_float():
    assert_same(from_message({"share": 1, "size": 2}, Kinds), Kinds(share=1.0, size=2))


@pytest.mark.parametrize("seed", range(5))
def test_a_damaged_array_is_refused(seed, tmp_path):
    write_value(tmp_path / "value", Curve(20, np.ones((3, 4))))
    path = tmp_path / "value" / "0.npy"
    whole, random = path.read_bytes(), np.random.default_rng(seed)
    for _ in range(200):
        damaged = bytearray(whole)
        # Before the header ends.
        damaged[random.integers(0, 80)] = random.integers(256)
        path.write_bytes(damaged[: random.choice([0, 40, 130, len(whole)])])
        try:
            read_value(tmp_path / "value", Curve)
        except (ValueError, MemoryError):
            pass


def test_a_path_in_place_of_an_array_is_refused(tmp_path):
    content = {"steps": 1, "rows": {"__array__": "../value/0"}}
    write_value(tmp_path / "value", Curve(20, np.ones((3, 4))))
    (tmp_path / "value" / "value.json").write_text(json.dumps(content))
    with pytest.raises(ValueError, match="no value of"):
        read_value(tmp_path / "value", Curve)


@dataclass(frozen=True)
class Foreign:
    """A value that no request holds."""

    what: object


def test_an_object_of_a_foreign_class_is_refused(tmp_path):
    with pytest.raises(TypeError, match="cannot be handed"):
        write_value(tmp_path / "value", Foreign(lambda: None))


@pytest.mark.parametrize(
    "content",
    [
        "{}",
        "[1]",
        '{"surface": 5}',
        '{"surface": {"vertices": {"__array__": 99}}}',
        '{"nobody": 1}',
        '{"python": 5, "executable": "", "system": "", "libraries": [], "engine": "",'
        ' "devices": [], "free_bytes": null}',
    ],
)
@pytest.mark.parametrize("kind", [segment.SegmentRequest, Status])
def test_what_is_no_value_of_the_type_is_refused(content, kind, tmp_path):
    (tmp_path / "value.json").write_text(content)
    with pytest.raises((ValueError, OSError)):
        read_value(tmp_path, kind)
