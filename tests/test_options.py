"""Options of tasks: panel, operator, command line and Python have one definition of each."""

import argparse
from dataclasses import MISSING
from typing import get_type_hints

import pytest

from diffusionnet_blender.cli import build_parser
from diffusionnet_blender.cli.options import spelling
from diffusionnet_blender.options import (
    Option,
    default_of,
    named_by,
    names_in,
    options_of,
    quoted_names,
)
from diffusionnet_blender.scene.options import LabelSource, Outputs, ReadOptions
from diffusionnet_blender.tasks.classify import ClassifyRequest
from diffusionnet_blender.tasks.compute import Compute
from diffusionnet_blender.tasks.import_model.job import ImportRequest
from diffusionnet_blender.tasks.match import MatchRequest
from diffusionnet_blender.tasks.segment import SegmentRequest
from diffusionnet_blender.tasks.train import TrainRequest
from diffusionnet_blender.tasks.transfer import KINDS, Kinds, TransferRequest

# The commands that have the options of a dataclass, and the options that each has in another form.
COMMANDS = [
    (SegmentRequest, "segment", set()),
    (ReadOptions, "segment", set()),
    (Outputs, "segment", set()),
    (ClassifyRequest, "classify", set()),
    (MatchRequest, "match", set()),
    (MatchRequest, "transfer", set()),
    # --what
    (Kinds, "transfer", set(KINDS)),
    (TransferRequest, "transfer", set()),
    (TrainRequest, "train", set()),
    # --labels
    (LabelSource, "train", {"source"}),
    (ImportRequest, "models import", set()),
]
# The classes in Blender that have them: panels' settings, preferences, operators.
CLASSES = [
    # Engine and device are preferences.
    (SegmentRequest, "DIFFUSIONNET_PG_settings", {"model", "engine", "device"}),
    (SegmentRequest, "diffusionnet.segment", {"engine", "device"}),
    (Compute, "DiffusionNetPreferences", set()),
    (ReadOptions, "DIFFUSIONNET_PG_settings", set()),
    (Outputs, "DIFFUSIONNET_PG_settings", set()),
    (Outputs, "DIFFUSIONNET_PG_outputs", set()),
    (Outputs, "diffusionnet.write_labels", set()),
    (ClassifyRequest, "diffusionnet.classify", {"engine", "device"}),
    (MatchRequest, "diffusionnet.match", {"engine", "device"}),
    (MatchRequest, "DIFFUSIONNET_PG_transfer", {"model", "engine", "device"}),
    (Kinds, "DIFFUSIONNET_PG_transfer", set()),
    (Kinds, "diffusionnet.transfer", set()),
    (TransferRequest, "DIFFUSIONNET_PG_transfer", set()),
    (TransferRequest, "diffusionnet.transfer", set()),
    # The subject decides what a training starts from.
    (TrainRequest, "DIFFUSIONNET_PG_training", {"start", "device"}),
    (LabelSource, "DIFFUSIONNET_PG_training", set()),
    (ImportRequest, "diffusionnet.import_model", set()),
]


def names(case):
    kind, place, _ = case
    return f"{kind.__name__} in {place}"


def arguments_of(command):
    """The arguments of a command by the names of their values."""
    parser = build_parser("diffusionnet")
    for name in command.split():
        (commands,) = (
            action for action in parser._actions if isinstance(action, argparse._SubParsersAction)
        )
        parser = commands.choices[name]
    return {action.dest: action for action in parser._actions}


@pytest.mark.parametrize(("kind", "command", "others"), COMMANDS, ids=map(names, COMMANDS))
def test_the_command_line_has_every_option(kind, command, others):
    arguments = arguments_of(command)
    for field, option in options_of(kind):
        if field.name not in others:
            argument = arguments[field.name]
            assert argument.default == default_of(field)
            assert argument.required == (field.default is MISSING)
            assert argument.help.replace("%%", "%").startswith(option.help)
            for choice in option.choices:
                assert f"{spelling(choice.value)}: {choice.help}" in argument.help


@pytest.mark.parametrize(("kind", "name", "others"), CLASSES, ids=map(names, CLASSES))
def test_blender_has_every_option(kind, name, others, addon):
    import bpy

    hints = get_type_hints(kind)
    if name.startswith("diffusionnet."):
        properties = getattr(bpy.ops.diffusionnet, name.partition(".")[2]).get_rna_type().properties
    else:
        kinds = bpy.types.PropertyGroup, bpy.types.AddonPreferences
        found = (base.bl_rna_get_subclass_py(name) for base in kinds)
        properties = next(filter(None, found)).bl_rna.properties
    for field, option in options_of(kind):
        if field.name in others:
            continue
        found = properties[field.name]
        assert found.name == option.name
        assert found.description == option.help
        if option.choices:
            items = [(item.identifier, item.name, item.description) for item in found.enum_items]
            assert items == [tuple(choice) for choice in option.choices]
        if isinstance(default_of(field), str | bool | int):
            assert found.default == default_of(field)
        elif isinstance(default_of(field), float):
            assert found.default == pytest.approx(default_of(field))
        else:
            # Names, which are one text in Blender; or none.
            assert names_in(found.default) == tuple(default_of(field) or ())
        if hints[field.name] in (int, float):
            if option.minimum is not None:
                assert found.hard_min == option.minimum
            if option.maximum is not None:
                assert found.hard_max == option.maximum
            if option.soft_maximum is not None:
                assert found.soft_max == option.soft_maximum


def test_a_field_that_is_no_option_has_no_definition():
    fields = {field.name: option for field, option in options_of(SegmentRequest)}
    assert set(fields) == {"device", "engine", "model", "exact", "clean", "props"}
    assert all(isinstance(option, Option) for option in fields.values())


def test_names_are_separated_by_commas():
    assert names_in("") == names_in(" , ") == ()
    assert names_in("arm.L, leg of chair ,") == ("arm.L", "leg of chair")


@pytest.mark.parametrize(
    ("text", "wanted"),
    [('"arm, upper", leg', ("arm, upper", "leg")),
     ('leg,"arm, upper"', ("leg", "arm, upper")),
     (' " spaced " ', (" spaced ",)),
     ('"say ""hi""", x', ('say "hi"', "x")),
     # A quote that does not enclose a whole name is a part of it.
     ('a"b, "open', ('a"b', '"open')),
     ('"a"x, b', ('"a"x', "b")),
     ('"", a, ,', ("a",)),
     ("Ärm\n, 腕", ("Ärm", "腕"))],
)  # fmt: skip
def test_names_with_commas_are_put_in_quotes(text, wanted):
    assert names_in(text) == wanted


@pytest.mark.parametrize(
    "name", ["a, b", '"', 'a"b', " a ", '"x"', '"open', "two\nlines", "a,", '""']
)
def test_quoted_names_are_read_as_they_were(name):
    assert names_in(quoted_names((name, "plain", name))) == (name, "plain", name)


@pytest.mark.parametrize(
    ("patterns", "found"),
    [
        (["arm*"], ("arm.L", "arm.R")),
        (["*.R", "arm.*"], ("arm.R", "leg.R", "arm.L")),
        (["Arm*"], ()),
        (["leg.[LR]"], ("leg.R",)),
        # A name that is there is no pattern.
        (["odd[1]"], ("odd[1]",)),
        (["odd*", "odd[1]"], ("odd[1]", "odd1")),
        ([], ()),
    ],
)
def test_names_are_given_by_themselves_or_by_patterns(patterns, found):
    assert named_by(patterns, ["arm.L", "arm.R", "leg.R", "odd[1]", "odd1"]) == found
