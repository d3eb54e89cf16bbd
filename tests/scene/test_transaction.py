"""A write that fails at any of its steps leaves the file as it was: nothing is half-written."""

import sys
from pathlib import Path

import bpy
import pytest

import diffusionnet_blender
from diffusionnet_blender.scene import (
    binding,
    classes,
    conform_jobs,
    edit,
    fits,
    live,
    mask,
    options,
    preview,
    refit_jobs,
    skeletons,
    transaction,
    transfer,
    transfer_write,
    write,
)
from diffusionnet_blender.scene.edit_mode import outside_edit_mode
from diffusionnet_blender.scene.matches import find_match
from diffusionnet_blender.scene.separate import discard_object, separate_parts
from diffusionnet_blender.tasks.conform import job as conform_job
from diffusionnet_blender.tasks.match.request import no_pins
from diffusionnet_blender.tasks.refit import job as refit_job
from diffusionnet_blender.tasks.rig.request import Bones
from diffusionnet_blender.tasks.transfer import job as transfer_job
from diffusionnet_blender.tasks.transfer.kinds import KINDS, Kinds
from tests.operators.figures import keep_joints, mannequin
from tests.operators.test_transfer import give_all_kinds, make_pair
from tests.scene.states import state_of_file
from tests.scenes import add_body, add_mesh, add_rig, chain, result_for, select

pytestmark = pytest.mark.usefixtures("blender")

SCENE = Path(diffusionnet_blender.__file__).parent / "scene"
EVERYTHING = options.Outputs(group_weights="SOFT", face_sets=True, materials=True)


MODES = {"edit mode": "EDIT", "sculpting": "SCULPT", "painting weights": "WEIGHT_PAINT"}


class Failure(Exception):
    """Of a step."""


def steps_of(work):
    """Lines of the scene's modules that a function runs, in the order of their first time."""
    found = {}
    tracing(lambda line: found.setdefault(line), work)
    return list(found)


def fail_at(step, work):
    """Run a function until a line."""

    def stop(line):
        if line == step:
            raise Failure

    with pytest.raises(Failure):
        tracing(stop, work)


def tracing(visit, work):
    def enter(frame, event, argument):
        path = Path(frame.f_code.co_filename)
        return step if path.parent == SCENE and path.stem != "transaction" else None

    def step(frame, event, argument):
        if event == "line":
            visit((frame.f_code.co_filename, frame.f_lineno))
        return step

    before = sys.gettrace()
    sys.settrace(enter)
    try:
        work()
    finally:
        sys.settrace(before)


def segmented(mode="OBJECT"):
    """A body with labels as all outputs, data of the artist's, and a part that is hidden."""
    obj = add_body(subdivisions=1)
    obj.vertex_groups.new(name="spine").add([0, 5], 0.3, "REPLACE")
    obj.data.color_attributes.new("paint", "BYTE_COLOR", "CORNER")
    obj.shape_key_add(name="Basis")
    obj.shape_key_add(name="Smile")
    obj.data.materials.append(bpy.data.materials.new("Skin"))
    write.write_labels(obj, result_for(obj), EVERYTHING)
    mask.mask_parts(obj, result_for(obj), {0})
    obj.vertex_groups.active_index = 0
    add_body("Other", subdivisions=1)
    select(obj)
    bpy.ops.object.mode_set(mode=mode)
    return obj


def rigged_pair():
    """A source with all kinds of data, and a target that has some already."""
    source, target = make_pair()
    give_all_kinds(source)
    source.data.color_attributes.new("dirt", "BYTE_COLOR", "CORNER")
    write.write_labels(source, result_for(source), options.Outputs())
    target.vertex_groups.new(name="mine").add([1], 0.5, "REPLACE")
    select(target)
    return source, target


def dressed_pair():
    """A shirt with a key, a rigged body of the same mesh as its own, and that one."""
    body = add_body("Body", subdivisions=1)
    shirt = add_body("Shirt", subdivisions=1, scale=(1.05, 0.65, 1.75))
    shirt.shape_key_add(name="Basis")
    shirt.shape_key_add(name="Wide")
    troll = add_body("Troll", subdivisions=1, scale=(2.0, 2.0, 3.0))
    add_rig(troll, chain("hip"))
    troll.vertex_groups.new(name="hip").add(range(len(troll.data.vertices)), 1.0, "REPLACE")
    select(shirt)
    return shirt, troll, body


class Conforming:
    """The shirt bent onto another body, by what was found."""

    def __init__(self, found=None):
        pair = (bpy.data.objects[name] for name in ("Shirt", "Troll"))
        bending, matching = {"accept_uncertain": True}, {"model": None, "method": "MATCH"}
        self._jobs = conform_jobs.ConformJobs(*pair, no_pins(), bending, **matching)
        self.request = self._jobs.request(self._jobs.items[0])
        self._jobs.result = found

    def write(self, as_key):
        return self._jobs.write_keys() if as_key else self._jobs.write()


def writing(case):
    """A new file, and the write of a case to it."""
    bpy.ops.wm.read_homefile(app_template="", use_factory_startup=True, use_empty=True)
    if case.startswith("transfer"):
        source, target = rigged_pair()
        kinds = Kinds.only(*KINDS)
        reading = transfer.read_transfer(source, target, kinds)
        found = find_match(source, target).correspondence
        moved = transfer_job.run(reading.request(found, texture_size=16))
        prepared = transfer.Prepared(reading, moved)
        if "again" in case:
            transfer_write.write_transfer(source, target, prepared)
        return lambda: transfer_write.write_transfer(source, target, prepared)
    if case == "preview":
        source, target = make_pair()
        match = find_match(source, target)
        return lambda: preview.write_preview(source, target, match, "CONFIDENCE")
    if case.startswith("live"):
        source, target = make_pair()
        match = find_match(source, target)
        if "again" in case:
            live.write_live(source, target, match)
        return lambda: live.write_live(source, target, match)
    if case.startswith("conform"):
        dressed_pair()
        bent = conform_job.run(Conforming().request)
        return lambda: Conforming(bent).write("key" in case)
    if case == "refit":
        jobs = refit_jobs.RefitJobs(*dressed_pair(), no_pins(), {})
        jobs.keep(jobs.items[0], refit_job.run(jobs.request(jobs.items[0])))
        return jobs.write
    if case in ("skeleton", "bind"):
        vertices, faces, parts = mannequin()
        keep_joints([add_mesh("Figure", vertices, faces)], parts)
        bones = Bones(kind="plain", fingers=False)

        def fit():
            return fits.fit_with(bpy.data.objects["Figure"])

        if case == "skeleton":
            return lambda: skeletons.write_skeleton(fit(), bones)
        skeletons.write_skeleton(fit(), bones)
        return lambda: binding.bind(fit(), options.Binding(smooth=True))
    obj = segmented(MODES.get(case.partition(", ")[2], "OBJECT"))
    other = result_for(obj, seed=1)

    def separate():
        with transaction.transaction(obj) as change:
            separate_parts(obj, result_for(obj))
            discard_object(obj, change)

    def whole(work):
        def run():
            with transaction.transaction(obj):
                work()

        return run

    def isolate():
        with outside_edit_mode(obj.data):
            mask.mask_parts(obj, result_for(obj), {1, 2})

    def sort():
        classes.write_class(obj, "person", 0.5)
        classes.sort_object(bpy.context.scene, obj, "person")

    works = {
        "labels": lambda: write.write_labels(obj, other, EVERYTHING),
        "merge": whole(lambda: edit.merge_parts(obj, 0, 1)),
        "add": whole(lambda: edit.add_part(obj, "tail")),
        "swap": whole(lambda: edit.swap_sides(obj)),
        "grow": whole(lambda: edit.grow_part(obj, 1, 1)),
        "rename": whole(lambda: edit.rename_part(obj, 0, "helmet")),
        "recolour": whole(lambda: edit.recolour_part(obj, 0, (0.1, 0.2, 0.3))),
        "mask": whole(isolate),
        "separate": separate,
        "classify": whole(sort),
    }
    return works[case.split(",")[0]]


CASES = (
    "labels", "labels, edit mode", "labels, sculpting", "labels, painting weights", "merge",
    "merge, edit mode", "add", "swap", "grow", "rename", "recolour", "mask", "mask, edit mode",
    "separate", "classify", "preview", "skeleton", "bind", "live", "live again", "refit", "conform",
    "conform, key",
)  # fmt: skip


def assert_whole_or_nothing(case, every):
    work = writing(case)
    before = state_of_file()
    steps = steps_of(work)
    assert len(steps) > 5
    complete = state_of_file()
    # To write the same once more changes nothing.
    assert (complete == before) == ("again" in case)
    work = writing(case)
    for step in steps[::every]:
        fail_at(step, work)
        after = state_of_file()
        # A step behind the last write leaves all of it.
        assert after in (before, complete), f"{case}: {Path(step[0]).name}:{step[1]}"
        if after != before:
            work = writing(case)
    work()
    assert state_of_file() == complete


@pytest.mark.parametrize(
    "case",
    [
        *("labels", "labels, sculpting", "merge, edit mode", "separate", "rename", "skeleton"),
        *("bind", "live", "refit", "conform, key"),
    ],
)
def test_a_write_that_fails_leaves_all_as_it_was(case):
    assert_whole_or_nothing(case, every=61)


@pytest.mark.slow
@pytest.mark.parametrize("case", [*CASES, "transfer", "transfer again"])
def test_a_write_that_fails_at_any_step_leaves_all_as_it_was(case):
    assert_whole_or_nothing(case, every=1)
