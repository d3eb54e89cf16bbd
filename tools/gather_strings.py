"""Texts of the interface, gathered from classes and source, against their translations.

python -m tools.gather_strings            # missing and left-over texts of each language
python -m tools.gather_strings --write    # update the files: new texts empty, left-over ones out

Names and tooltips of properties are read from Blender's classes, except hidden ones, which nothing
draws. Labels, texts of panels, reasons of disabled buttons and other texts that pass `worded` are
read from the source. `tests/operators/test_translations.py` compares with what is really drawn.
"""

from __future__ import annotations

import argparse
import ast
import json
import os
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "diffusionnet_blender"
LANGUAGES = PACKAGE / "languages"
# Arguments of Blender's layouts with texts.
TEXT_ARGUMENTS = {"text", "heading", "placeholder"}
# Names of products, the same in every language.
PRODUCTS = {"DiffusionNet", "NumPy", "PyTorch", "CUDA", "ROCm", "XPU", "Metal", "CPU"}


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--write", action="store_true")
    write = parser.parse_args(arguments).write
    texts = gather()
    complete = True
    for path in sorted(LANGUAGES.glob("*.json")):
        translated = json.loads(path.read_text(encoding="utf-8"))
        missing = [text for text in texts if not translated.get(text)]
        stale = [text for text in translated if text not in texts]
        complete &= not missing and not stale
        print(f"{path.name}: {len(texts)} texts, {len(missing)} missing, {len(stale)} left over")
        for text in missing:
            print(f"  missing: {text!r}")
        for text in stale:
            print(f"  left over: {text!r}")
        if write:
            content = {text: translated.get(text, "") for text in texts}
            path.write_text(json.dumps(content, ensure_ascii=False, indent=2) + "\n", "utf-8")
    return 0 if complete else 1


def gather() -> list[str]:
    """All texts of the interface in English, sorted; Blender's properties are registered for it."""
    found = {*_of_classes(), *_of_lists(), *_of_source(), *_of_stages()}
    return sorted(text for text in found if text.strip() and text not in PRODUCTS)


def _of_classes() -> Iterator[str]:
    """Tooltips of operators, and names and tooltips of properties."""
    import bpy

    from diffusionnet_blender import extras, operators, panels, properties, torch_installer

    rooms = (properties, extras, operators, panels)
    for cls in (*(cls for room in rooms for cls in room.CLASSES), *torch_installer.classes()):
        if issubclass(cls, bpy.types.Operator):
            yield getattr(cls, "bl_description", "") or (cls.__doc__ or "")
        rna = cls.bl_rna
        if issubclass(cls, bpy.types.Operator):
            room, name = cls.bl_idname.split(".")
            rna = getattr(getattr(bpy.ops, room), name).get_rna_type()
        bases = [base for base in cls.__mro__ if base.__module__.startswith(PACKAGE.name)]
        # Others are Blender's own, and it translates them.
        ours = {name for base in bases for name in vars(base).get("__annotations__", ())}
        for prop in rna.properties:
            if prop.identifier not in ours or prop.is_hidden:
                continue
            # Without a name of its own a property is called after its identifier.
            yield prop.name if prop.name != prop.identifier else ""
            yield prop.description
            for item in getattr(prop, "enum_items_static", ()):
                yield from (item.name, item.description)


def _of_lists() -> Iterator[str]:
    """Items of the lists of models that are no models."""
    from diffusionnet_blender.properties import model_lists

    for item in (
        model_lists.NO_SEGMENTATION,
        model_lists.NO_CLASSIFICATION,
        model_lists.BY_DISTANCES,
        model_lists.BY_BONES,
    ):
        yield from item[1:]


def _of_source() -> Iterator[str]:
    """Labels of classes, and texts that are given to layouts and to `worded`."""
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            # Labels of classes: Blender itself changes that of a panel of presets.
            if isinstance(node, ast.Assign) and _name_of(node.targets[0]) == "bl_label":
                yield from _literals(node.value)
            if not isinstance(node, ast.Call):
                continue
            name = _name_of(node.func)
            chosen = [word.value for word in node.keywords if word.arg in TEXT_ARGUMENTS]
            if name == "worded":
                chosen += node.args[:1]
            for value in chosen:
                yield from _literals(value)


def _name_of(node: ast.expr) -> str:
    return getattr(node, "attr", getattr(node, "id", ""))


def _literals(node: ast.expr) -> Iterator[str]:
    """Strings that an expression may be, such as each side of a condition."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.IfExp):
        yield from (*_literals(node.body), *_literals(node.orelse))
    elif isinstance(node, ast.BoolOp):
        for value in node.values:
            yield from _literals(value)


def _of_stages() -> Iterator[str]:
    """Stages of a run, which the progress bar names."""
    for path in sorted((PACKAGE / "tasks").glob("*/job.py")):
        yield from import_module(f"{PACKAGE.name}.tasks.{path.parent.name}.job").STAGES


def _register() -> None:
    sys.path.insert(0, str(ROOT))
    import diffusionnet_blender

    diffusionnet_blender.register()


if __name__ == "__main__":
    _register()
    status = main()
    sys.stdout.flush()
    # The module bpy crashes at exit while classes are registered.
    os._exit(status)
