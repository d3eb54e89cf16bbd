"""Texts of the interface: all that is drawn is translated; and the pages that F1 opens."""

import importlib.util
import re
import string
from dataclasses import replace
from fnmatch import fnmatchcase
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import urlparse
from urllib.request import url2pathname

import numpy as np
import pytest

bpy = pytest.importorskip("bpy")

from bl_ui.utils import PresetPanel  # noqa: E402

from diffusionnet_blender import (  # noqa: E402
    manual,
    operators,
    panels,
    properties,
    torch_installer,
    translations,
)
from diffusionnet_blender.errors import DeviceError, ModelError  # noqa: E402
from diffusionnet_blender.operators.models import DIFFUSIONNET_OT_import_model  # noqa: E402
from diffusionnet_blender.operators.run import JobRun  # noqa: E402
from diffusionnet_blender.operators.status import DIFFUSIONNET_OT_check  # noqa: E402
from diffusionnet_blender.panels.segment import DIFFUSIONNET_PT_presets  # noqa: E402
from diffusionnet_blender.panels.transfer import DIFFUSIONNET_PT_transfer_presets  # noqa: E402
from diffusionnet_blender.properties import model_lists  # noqa: E402
from diffusionnet_blender.scene.character import alone  # noqa: E402
from diffusionnet_blender.scene.classify_jobs import ClassifyJobs  # noqa: E402
from diffusionnet_blender.scene.conform_jobs import ConformJobs  # noqa: E402
from diffusionnet_blender.scene.doubts import write_doubts  # noqa: E402
from diffusionnet_blender.scene.files import open_file  # noqa: E402
from diffusionnet_blender.scene.fits import forget_all_fits  # noqa: E402
from diffusionnet_blender.scene.jobs import OneJob  # noqa: E402
from diffusionnet_blender.scene.match_jobs import MatchJobs  # noqa: E402
from diffusionnet_blender.scene.matches import (  # noqa: E402
    current_match,
    find_match,
    forget_all_matches,
    keep_match,
)
from diffusionnet_blender.scene.options import Outputs, ReadOptions  # noqa: E402
from diffusionnet_blender.scene.outcome import Outcome  # noqa: E402
from diffusionnet_blender.scene.refit_jobs import RefitJobs  # noqa: E402
from diffusionnet_blender.scene.results import forget_all_results  # noqa: E402
from diffusionnet_blender.scene.rig_jobs import RigJobs  # noqa: E402
from diffusionnet_blender.scene.segment_jobs import SegmentJobs  # noqa: E402
from diffusionnet_blender.scene.transfer_jobs import TransferJobs  # noqa: E402
from diffusionnet_blender.scene.write import write_labels  # noqa: E402
from diffusionnet_blender.session import computing, progress, progress_bar, status  # noqa: E402
from diffusionnet_blender.session.curve_icon import forget_curve  # noqa: E402
from diffusionnet_blender.session.families import keep_proposal  # noqa: E402
from diffusionnet_blender.session.training import TrainJob  # noqa: E402
from diffusionnet_blender.session.transferred import (  # noqa: E402
    forget_transfer,
    note_transfer,
)
from diffusionnet_blender.session.trouble import forget_trouble, note_trouble  # noqa: E402
from diffusionnet_blender.surface.surface import Surface  # noqa: E402
from diffusionnet_blender.tasks.classify import job as classify_job  # noqa: E402
from diffusionnet_blender.tasks.conform import job as conform_job  # noqa: E402
from diffusionnet_blender.tasks.doubts import SIDES  # noqa: E402
from diffusionnet_blender.tasks.family import FAMILIES, Proposal  # noqa: E402
from diffusionnet_blender.tasks.match import fit_pair  # noqa: E402
from diffusionnet_blender.tasks.match import job as match_job  # noqa: E402
from diffusionnet_blender.tasks.models import DEFAULT_MATCH_MODEL, Library  # noqa: E402
from diffusionnet_blender.tasks.refit import job as refit_job  # noqa: E402
from diffusionnet_blender.tasks.rig import job as rig_job  # noqa: E402
from diffusionnet_blender.tasks.rig import judgement  # noqa: E402
from diffusionnet_blender.tasks.segment import job as segment_job  # noqa: E402
from diffusionnet_blender.tasks.status import job as status_job  # noqa: E402
from diffusionnet_blender.tasks.train import job as train_job  # noqa: E402
from diffusionnet_blender.tasks.train.curve import Curve  # noqa: E402
from diffusionnet_blender.tasks.train.sizes import Size  # noqa: E402
from diffusionnet_blender.tasks.train.training_set import NamedLabels, gathered  # noqa: E402
from diffusionnet_blender.tasks.transfer import job as transfer_job  # noqa: E402
from diffusionnet_blender.tasks.transfer.kinds import KINDS, Kinds  # noqa: E402
from diffusionnet_blender.torch_installer import operators as installer  # noqa: E402
from diffusionnet_blender.torch_installer.choice import torch_choice  # noqa: E402
from diffusionnet_blender.torch_installer.install import Step, TorchBuild  # noqa: E402
from tests.conftest import MODEL  # noqa: E402
from tests.operators.figures import keep_joints, mannequin  # noqa: E402
from tests.operators.recording import Interface, mark_worded  # noqa: E402
from tests.operators.test_transfer import (  # noqa: E402
    give_all_kinds,
    make_pair,
    unwrap,
)
from tests.scenes import add_body, add_mesh, add_rig, chain, result_for, select  # noqa: E402
from tests.shapes import grid, icosphere  # noqa: E402
from tests.tasks.test_segment import shells, untrained_model  # noqa: E402
from tools import guide  # noqa: E402
from tools.gather_strings import gather  # noqa: E402

SAMPLES = Path(__file__).parents[2] / "samples"
LANGUAGES = sorted(translations.LOCALES)
HAS_TORCH = importlib.util.find_spec("torch") is not None
OPERATORS = [
    cls
    for cls in (*operators.CLASSES, *torch_installer.classes())
    if issubclass(cls, bpy.types.Operator)
]
# As it is written: choosing a preset gives the panel the name of the preset.
PRESETS = (DIFFUSIONNET_PT_presets.bl_label, DIFFUSIONNET_PT_transfer_presets.bl_label)
CURVE = Curve(20, np.array([[10.0, 0.7, 0.8, 0.75]]))

pytestmark = pytest.mark.usefixtures("addon")


def fields_of(text):
    """What is filled into a text, and how it is formatted."""
    return sorted((name, form) for _, name, form, _ in string.Formatter().parse(text) if name)


@pytest.fixture(scope="module")
def interface(addon, tiny_model, tmp_path_factory):
    """Texts of everything that can be drawn, in all its states; and the stages of all tasks."""
    with pytest.MonkeyPatch.context() as patch:
        mark_worded(patch)
        shown = Interface()
        shown.stages = {}
        for draw in (
            draw_segment,
            draw_characters,
            draw_without_models,
            draw_legend,
            draw_pair,
            draw_many,
            draw_rig,
            draw_training,
            draw_running,
            draw_preferences,
            draw_operators,
        ):
            new_file()
            draw(shown, patch)
        for run in (
            run_segment,
            run_classify,
            run_match,
            run_transfer,
            run_conform,
            run_refit,
            run_rig,
        ):
            new_file()
            run(shown, patch)
        if HAS_TORCH:
            new_file()
            run_train(shown, tmp_path_factory.mktemp("trained"))
    yield shown
    forget_curve()
    forget_trouble()
    computing.end_worker()


def new_file():
    """Blender's default scene less its cube, as the session starts."""
    bpy.ops.wm.read_homefile(app_template="", use_factory_startup=True)
    bpy.data.objects.remove(bpy.data.objects["Cube"])
    bpy.context.scene.diffusionnet.model = MODEL
    forget_all_results()
    forget_trouble()
    forget_curve()
    computing.end_worker()


def draw_panels(shown):
    """Draw every panel that is there now, and the reasons why buttons are disabled."""
    for cls in panels.CLASSES:
        if issubclass(cls, PresetPanel) or not issubclass(cls, bpy.types.Panel):
            continue
        if not hasattr(cls, "poll") or cls.poll(bpy.context):
            shown.draw(cls, bpy.context)
    for cls in OPERATORS:
        shown.show_reason(cls, bpy.context)


def draw_segment(shown, patch):
    for title in PRESETS:
        shown.show(title)
    for draw in bpy.types.VIEW3D_MT_object._dyn_ui_initialize():
        if draw.__module__.startswith("diffusionnet_blender"):
            draw(SimpleNamespace(layout=shown.layout), bpy.context)
    draw_panels(shown)
    one = add_body("One")
    draw_panels(shown)
    for family in FAMILIES:
        for probability in (0.5, 0.97):
            keep_proposal((one.session_uid, one.data.session_uid), Proposal(family, probability))
            draw_panels(shown)
    select(one, add_body("Two"))
    draw_panels(shown)
    for error in (ModelError("Wrong", "Mend it."), DeviceError("Wrong", "Mend it.")):
        note_trouble(error)
        draw_panels(shown)


def draw_characters(shown, patch):
    bodies = {name: add_body(name) for name in ("Hero_Body", "Hero_LOD1", "Widget")}
    bodies["Hero_LOD0"] = add_body("Hero_LOD0", subdivisions=3)
    bodies["UCX_Hero"] = add_body("UCX_Hero", subdivisions=1)
    bodies["Hidden"] = add_body("Hidden")
    bodies["Edges"] = add_mesh("Edges", [(0, 0, 0), (1, 0, 0), (0, 1, 0)], [], [(0, 1)])
    bodies["Out"] = add_body("Out")
    rig = add_rig(bodies["Hero_Body"], chain("hip"))
    for obj in bodies.values():
        obj.parent = rig
    bodies["Hidden"].hide_set(True)
    bodies["Out"].diffusionnet.membership = "OUT"
    rig.pose.bones["hip"].custom_shape = bodies["Widget"]
    select(bodies["Hero_Body"])
    draw_panels(shown)
    rig.name = "Hero"
    draw_panels(shown)
    patch.setattr(panels.segment, "OBJECTS_SHOWN", 2)
    draw_panels(shown)
    for obj in (bodies["Hero_Body"], bodies["Hero_LOD0"]):
        write_labels(obj, result_for(obj), Outputs())
    draw_panels(shown)
    select(bodies["Hero_Body"], add_body("Other"))
    draw_panels(shown)


def draw_without_models(shown, patch):
    with pytest.MonkeyPatch.context() as empty:
        empty.setattr(model_lists, "read_library", lambda folders: Library([], []))
        model_lists.reload_models()
        draw_panels(shown)
    model_lists.reload_models()


def draw_legend(shown, patch):
    obj = add_body()
    write_labels(obj, result_for(obj), Outputs())
    legend = obj.data.diffusionnet
    obj.vertex_groups["head"].add([0], 1.0, "REPLACE")
    add_rig(obj, chain("head"))
    select(obj)
    for doubts in ((SIDES, "head"), tuple("abcdef")):
        write_doubts(obj.data, doubts)
        draw_panels(shown)
    for mode in ("OBJECT", "EDIT"):
        bpy.ops.object.mode_set(mode=mode)
        draw_panels(shown)
        shown.draw(panels.parts.DIFFUSIONNET_MT_parts, bpy.context)
        panels.parts.DIFFUSIONNET_UL_parts.draw_item(
            None, bpy.context, shown.layout, legend, legend.parts[0], 0, legend, "active", 0
        )
    bpy.ops.object.mode_set(mode="OBJECT")


def draw_pair(shown, patch):
    chosen = bpy.context.scene.diffusionnet.transfer
    for kind in KINDS:
        setattr(chosen, kind, True)
    source, target = make_pair()
    chosen.source = chosen.target = None
    draw_panels(shown)
    chosen.source = chosen.target = source
    draw_panels(shown)
    chosen.target = target
    match = find_match(source, target)
    found = match.correspondence
    for change in (
        {},
        {"fit": "kept"},
        {"way": "limbs"},
        {"fit": "no better", "model_name": ""},
        {"fit": "no torch", "confidence": np.zeros(len(found.confidence))},
        {"offset": np.zeros(3)},
        {"judgement": replace(found.judgement, orientation_kept=0.0)},
        {"confidence": found.confidence[1:]},
    ):
        keep_match(source, target, replace(match, correspondence=replace(found, **change)))
        draw_panels(shown)
    forget_all_matches()
    draw_panels(shown)
    source.vertex_groups.new(name="arm")
    source.shape_key_add(name="Basis")
    draw_panels(shown)
    rows = panels.transfer_control.DIFFUSIONNET_UL_groups
    group = source.vertex_groups[0]
    rows.draw_item(rows, bpy.context, shown.layout, source, group, 0, chosen, "active_group", 0)
    for region in ("GROUP", "PART", "SELECTION"):
        chosen.region, chosen.group_names, chosen.key_names = region, "arm", "smile"
        draw_panels(shown)
    chosen.weights = chosen.shape_keys = False
    draw_panels(shown)
    pin = chosen.pins.add()
    panels.transfer.DIFFUSIONNET_UL_pins.draw_item(
        None, bpy.context, shown.layout, chosen, pin, 0, chosen, "active_pin", 0
    )


def draw_many(shown, patch):
    source, target = make_pair()
    others = [add_body(f"Other {number}") for number in range(6)]
    select(target, *others)
    draw_panels(shown)
    match = current_match(source, target)
    done = TransferJobs(source, target, match, Kinds.only("weights")).outcome
    error = ModelError("Wrong", "Mend it.")
    outcomes = [
        replace(done, **details)
        for details in ({"mirrored": True}, {"uncertain": True}, {"remarks": (error,)})
    ]
    outcomes.append(Outcome(done.target, error=error))
    note_transfer(done.target, outcomes, KINDS)
    draw_panels(shown)
    forget_transfer()


def draw_rig(shown, patch):
    vertices, faces, parts = mannequin()
    obj = add_mesh("Figure", vertices, faces)
    limbs = tuple(
        f"{side} {limb}"
        for side in ("left", "right")
        for limb in ("arm", "leg", "front leg", "hind leg")
    )
    for doubts in ((), (*limbs, judgement.SIDES, judgement.PARTS, judgement.POSTURE)):
        keep_joints([obj], parts, doubts)
        draw_panels(shown)
    bpy.ops.diffusionnet.write_skeleton(kind="plain", fingers=False)
    bpy.ops.object.mode_set(mode="EDIT")
    draw_panels(shown)
    bpy.ops.object.mode_set(mode="OBJECT")
    with pytest.MonkeyPatch.context() as without:
        without.setattr(panels.rig, "has_rigify", lambda: False)
        draw_panels(shown)
    chosen = bpy.context.scene.diffusionnet.model
    bpy.context.scene.diffusionnet.model = "animal_parts"
    draw_panels(shown)
    bpy.context.scene.diffusionnet.model = chosen
    forget_all_fits()


def draw_training(shown, patch):
    chosen = bpy.context.scene.diffusionnet.training
    draw_panels(shown)
    one, two = add_body("One"), add_body("Two")
    for selected in ([one], [one, two]):
        select(*selected)
        draw_panels(shown)
    for values in (
        {"source": "ATTRIBUTE"},
        {"learn": "SHAPES", "class_source": "PROPERTY"},
    ):
        for name, value in values.items():
            setattr(chosen, name, value)
        draw_panels(shown)
    jobs = TrainJob(train_job, "new", None)
    # Without a window icons have no number.
    jobs.show_partial(CURVE)
    patch.setattr(panels.train, "curve_icon", lambda: 1)
    run = JobRun(jobs)
    computing.begin_run(run)
    draw_panels(shown)
    run.partial = CURVE
    draw_panels(shown)
    computing.end_run(run)


def draw_running(shown, patch):
    write_labels(body := add_body(), result_for(body), Outputs())
    state = bpy.context.window_manager.diffusionnet
    # What names the jobs of these two is text of the interface as well.
    imported = SimpleNamespace(filepath="new.pth", card="", output_at="vertices")
    for cls, operator in ((DIFFUSIONNET_OT_check, None), (DIFFUSIONNET_OT_import_model, imported)):
        run = JobRun(cls.jobs(operator, bpy.context))
        computing.begin_run(run)
        state.running, state.text = True, run.progress.text
        draw_panels(shown)
        header = SimpleNamespace(layout=shown.layout)
        progress_bar.draw_status_bar(header, bpy.context)
        progress_bar.draw_status_bar_without_escape(header, bpy.context)
        computing.end_run(run)
    state.running = False
    clock = iter((0.0, 0.0, 5.0))
    with pytest.MonkeyPatch.context() as timed:
        timed.setattr(progress, "monotonic", lambda: next(clock))
        meter = progress.Meter(["One", "Two"])
        meter.start("One", {"": 0.5, "network": 0.5})
        shown.show(meter.progress.text)
        meter.at("network", 0.0)
        shown.show(meter.progress.text)
        meter.at("network", 0.2)
        shown.show(meter.progress.text)


def draw_preferences(shown, patch):
    addon = bpy.context.preferences.addons.new()
    addon.module = "diffusionnet_blender"
    stored = addon.preferences
    cls = type(stored)

    class Drawn:
        layout = shown.layout

        def __getattr__(self, name):
            return getattr(stored, name)

    status._status.clear()
    build = TorchBuild("2.0", ("torch==2.0",), 0)
    model_lists._left_out[:] = [("bad.json", "Wrong")]
    for found in ([], [(torch_choice(), build)], [(torch_choice(), replace(build, size=10**9))]):
        installer._found[:] = found
        cls.draw(Drawn(), bpy.context)
        run = JobRun(OneJob(status_job, "Status", status_job.StatusRequest()))
        run.advance()
        run.advance()
        status.keep_status(run.result)
    installer._found.clear()
    model_lists._left_out.clear()
    stored.extras.torch.index = ""
    for override in (True, False):
        with pytest.MonkeyPatch.context() as offline:
            app = SimpleNamespace(online_access=False, online_access_override=override)
            offline.setattr(installer, "bpy", SimpleNamespace(app=app))
            shown.show_reason(installer.DIFFUSIONNET_OT_install_torch, bpy.context)
    stages = [Step("looking up"), Step("downloading", 1), Step("downloading", 1, 2)]
    run = installer.StepsRun(iter([*stages, Step("unpacking"), Step("trying")]))
    while not run.finished:
        shown.show(run.progress.text)
        run.advance()
    bpy.context.preferences.addons.remove(addon)


def draw_operators(shown, patch):
    write_labels(obj := add_body(), result_for(obj), Outputs())
    for cls in OPERATORS:
        shown.show_properties_of_operator(cls)
        if "draw" in vars(cls):
            every_kind = dict.fromkeys(KINDS, True) if cls.bl_label == "Transfer" else {}
            shown.draw_operator(cls, bpy.context, targets=lambda *_: [obj], **every_kind)


def run_here(shown, job, jobs):
    """Run jobs in place, and record what the progress bar shows of them."""
    stages = shown.stages.setdefault(job, set())

    def listen(progress):
        shown.show(progress.text)
        stages.update(re.findall(r": \x02(.*?)\x03, \d+%", progress.text))

    run = JobRun(jobs, listen=listen)
    while not run.finished:
        run.advance()
    assert not run.failed, run.failed
    return run


def run_segment(shown, patch):
    model = untrained_model()
    heap = shells()
    heap = add_mesh("Heap", heap.vertices, heap.faces)
    dense = add_mesh("Dense", *grid(250, 250))
    with_skin = replace(model, card=replace(model.card, outer_skin=True))
    for obj, chosen in ((heap, with_skin), (dense, model)):
        jobs = SegmentJobs([alone(obj)], ReadOptions(), model=chosen, engine="numpy")
        run_here(shown, segment_job, jobs)


def run_classify(shown, patch):
    characters = [alone(add_body()), alone(add_mesh("Dense", *grid(250, 250)))]
    model = untrained_model(output_at="shape")
    run_here(shown, classify_job, ClassifyJobs(characters, False, model=model, engine="numpy"))


def run_match(shown, patch):
    source, target = make_pair()
    pins = np.zeros((0, 2), dtype=np.int64)
    patch.setattr(fit_pair, "COARSE_VERTICES", 200)
    if HAS_TORCH:
        from diffusionnet_blender.network import pair_fit

        patch.setattr(pair_fit, "SETTINGS", replace(pair_fit.SETTINGS, steps=4))
    for model, fit in ((None, HAS_TORCH), (DEFAULT_MATCH_MODEL, False)):
        jobs = MatchJobs(source, target, pins, method="MATCH", model=model, fit=fit)
        run_here(shown, match_job, jobs)


def run_transfer(shown, patch):
    source, target = make_pair()
    unwrap(target)
    give_all_kinds(source)
    kinds = Kinds.only("texture", "uv", "weights", "shape_keys", "attributes", "armature")
    match = current_match(source, target)
    run_here(shown, transfer_job, TransferJobs(source, target, match, kinds, texture_size=16))


def run_conform(shown, patch):
    pins = np.zeros((0, 2), dtype=np.int64)
    bending = {"accept_uncertain": True}
    run_here(shown, conform_job, ConformJobs(*make_pair(), pins, bending, model=None))


def run_refit(shown, patch):
    source, target = make_pair()
    forget_all_matches()
    matrix = source.matrix_world.copy()
    shirt = add_body("Shirt", scale=(1.05, 0.65, 1.75))
    shirt.matrix_world = matrix
    shirt.shape_key_add(name="Basis")
    shirt.shape_key_add(name="Wide", from_mix=False)
    rig = add_rig(target, chain("hip"))
    target.vertex_groups.new(name=rig.data.bones[0].name).add(
        range(len(target.data.vertices)), 1.0, "REPLACE"
    )
    bpy.context.view_layer.update()
    pins = np.zeros((0, 2), dtype=np.int64)
    fitting = {"accept_uncertain": True}
    jobs = RefitJobs(shirt, target, source, pins, fitting, model=None, method="MATCH")
    run_here(shown, refit_job, jobs)


def run_rig(shown, patch):
    (character,) = open_file(SAMPLES / "ada.glb")
    run_here(shown, rig_job, RigJobs([alone(character)], engine="numpy"))


def run_train(shown, folder):
    vertices, faces = icosphere(2)
    labels = NamedLabels((vertices[:, 2] > 0).astype(int), ("lower", "upper"))
    request = train_job.TrainRequest(
        gathered([("One", Surface(vertices, faces), labels)]),
        "new",
        size=Size("Tiny", width=8, k=8, steps=20, copies=2, learning_rate=1e-2),
        start="none",
        device="cpu",
        model_folder=folder / "models",
        checkpoint_folder=folder / "checkpoints",
    )
    run_here(shown, train_job, TrainJob(train_job, request.model_name, request))


def test_the_recording_has_texts_of_every_kind(interface):
    assert interface.texts >= {
        "Segment",  # label of an operator
        "Number of rings of faces",  # tooltip of an operator's property
        "Segment the mesh into parts, and write them as chosen under Outputs",  # an operator's
        "Face Sets",  # label of a setting
        "Soft",  # item of a choice
        "Parts",  # title of a panel
        "Show Alone",  # text that a menu draws
        "No mesh has parts yet; segment one first",  # reason of a disabled button
        "Segment {object}",  # text with a value
        "eigenbasis",  # stage in the progress bar
    }


def test_tooltips_end_without_a_full_stop(interface):
    assert not [text for text in interface.texts if text.endswith(".")]


@pytest.mark.parametrize(
    "job", [segment_job, classify_job, match_job, transfer_job, train_job], ids=lambda j: j.__name__
)
def test_tasks_report_the_stages_of_their_progress_bar(interface, job):
    if job is train_job and not HAS_TORCH:
        pytest.skip("training needs torch")
    stages = {stage for stage in job.STAGES if stage}
    assert interface.stages[job] - {"starting"} <= stages
    if HAS_TORCH:
        assert interface.stages[job] - {"starting"} == stages


@pytest.mark.parametrize("language", LANGUAGES)
def test_all_that_is_drawn_is_translated_and_nothing_else(interface, language):
    known = set(translations.read_language(language))
    assert interface.texts - known == set()
    if not HAS_TORCH:
        pytest.skip("stages of a training need torch")
    assert known - interface.texts == set()


def test_the_tool_gathers_what_is_drawn(interface):
    gathered_texts = set(gather())
    assert interface.texts - gathered_texts == set()
    if not HAS_TORCH:
        pytest.skip("stages of a training need torch")
    assert gathered_texts - interface.texts == set()


@pytest.mark.parametrize("language", LANGUAGES)
def test_translations_have_the_fields_of_the_english_texts(language):
    known = translations.read_language(language)
    assert all(text.strip() for text in known.values())
    for english, other in known.items():
        assert fields_of(english) == fields_of(other), english
        assert english.endswith(".") == other.endswith("."), english
    alike = [english for english, other in known.items() if english == other]
    assert len(alike) < 0.05 * len(known), alike


def test_every_language_that_lies_there_is_known_to_blender():
    assert {path.stem for path in translations.FOLDER.glob("*.json")} == set(LANGUAGES)
    for texts in translations.dictionaries().values():
        assert ("*", "Outputs") in texts
        assert ("Operator", "Segment") in texts


def test_the_interface_speaks_the_language_of_the_preferences():
    view = bpy.context.preferences.view
    german = next((name for name in bpy.app.translations.locales if name.startswith("de")), None)
    if german is None:
        pytest.skip("this build of Blender has no languages")
    before = view.language
    try:
        view.language, view.use_translate_interface = german, True
        assert bpy.app.translations.pgettext_iface("Segment", "Operator") == "Zerlegen"
        assert translations.worded("{count} parts", count=14) == "14 Teile"
    finally:
        view.language = before


def test_worded_fills_in_values():
    assert "1,234" in translations.worded(
        "{faces:,} faces, {vertices:,} vertices", faces=1234, vertices=5
    )


def names_for_help():
    """As Blender makes them from what is under the mouse."""
    for cls in operators.CLASSES:
        yield f"bpy.ops.{cls.bl_idname}"
    for cls in properties.CLASSES:
        if cls.__name__ == "DIFFUSIONNET_PG_settings":
            for prop in cls.bl_rna.properties:
                yield f"bpy.types.{cls.__name__}.{prop.identifier}".lower()


def page_of(name):
    return next((page for pattern, page in manual.PAGES if fnmatchcase(name, pattern)), None)


def test_everything_has_a_page_and_the_page_is_there(tmp_path):
    guide.build(tmp_path)
    pages = {page_of(name) for name in names_for_help()}
    assert None not in pages
    assert {page for _, page in manual.PAGES} >= pages
    for page in {page for _, page in manual.PAGES}:
        name, _, anchor = page.partition("#")
        assert not anchor or f'id="{anchor}"' in (tmp_path / name).read_text(), page


def test_every_pattern_is_of_something():
    for pattern, _ in manual.PAGES:
        if pattern.startswith("bpy.ops.diffusionnet.") and pattern != "bpy.ops.diffusionnet.*":
            room, name = "diffusionnet", pattern.rpartition(".")[2].rstrip("*")
            assert getattr(getattr(bpy.ops, room), name).get_rna_type()


def test_f1_opens_a_page_that_the_guide_has_on_this_disk(tmp_path):
    folder = tmp_path / "the guide"
    guide.build(folder)
    prefix, pages = manual.manual_map(folder)
    name = "bpy.ops.diffusionnet.grow_part"
    address = prefix + next(page for pattern, page in pages if fnmatchcase(name, pattern))
    path, _, anchor = address.partition("#")
    assert f'id="{anchor}"' in Path(url2pathname(urlparse(path).path)).read_text()
    # Blender asks for the one that comes with the extension.
    assert manual.manual_map() in list(bpy.utils.manual_map())


def test_without_the_guide_blenders_own_manual_is_all_there_is(tmp_path):
    assert manual.manual_map(tmp_path / "missing") == ("", ())
