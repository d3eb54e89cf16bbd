"""The command `classify`: classes of the characters in files."""

from __future__ import annotations

import argparse
import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..scene.options import Grouping
from ..tasks.classify import job
from ..tasks.models import loaded
from .account import Account
from .opened import add_files, add_object_option, opened, output_of, require_outputs
from .options import (
    Commands,
    add_cache_option,
    add_options,
    add_quiet_option,
    file_path,
    values_of,
)
from .places import require_apart, save_text
from .session import blender, cache_of, library
from .streams import say, stop_if_asked

if TYPE_CHECKING:
    import bpy


def add_parser(commands: Commands) -> None:
    """Add the command to those of the command line."""
    classify = commands.add_parser(
        "classify",
        help="classify the meshes in files",
        description="Prints a line for each character (the objects of one armature, parent or "
        "place), or for each mesh with --each: file, name, class, probability, separated by tabs. "
        "Blender prints lines of its own; the file of --table has none of them.",
    )
    add_files(classify, "Write the meshes with their classes as custom properties")
    classify.add_argument(
        "--table", type=file_path, metavar="TSV", help="Write the lines to a file"
    )
    add_task_options(classify)
    add_cache_option(classify)
    add_quiet_option(classify)
    classify.set_defaults(run=run)


def add_task_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of the task, for files of any number."""
    add_object_option(parser)
    add_options(parser, job.ClassifyRequest)
    add_options(parser, Grouping)


def _line(row: Sequence[object]) -> str:
    """A line of the table; a name with a tab, a quote or a line break is quoted, as in CSV."""
    text = io.StringIO()
    csv.writer(text, delimiter="\t", lineterminator="").writerow(row)
    return text.getvalue()


def run(chosen: argparse.Namespace, account: Account | None = None) -> int:
    """Classify the characters of each file."""
    account = account or Account(chosen.quiet)
    outputs = require_outputs(chosen)
    require_apart(chosen.files, [chosen.table], "table")
    require_apart([path for path in outputs if path], [chosen.table], "table", kind="the result")
    options = values_of(job.ClassifyRequest, chosen)
    options["model"] = loaded(chosen.model, [library()], "classify")
    options["cache"] = cache_of(chosen)
    lines: list[str] = []
    with blender(chosen):
        for path in chosen.files:
            _classify_file(path, options, chosen, account, lines)
    if chosen.table:
        save_text(chosen.table, "".join(f"{line}\n" for line in lines))
    return account.status


def _classify_file(
    path: Path,
    options: dict[str, Any],
    chosen: argparse.Namespace,
    account: Account,
    lines: list[str],
) -> None:
    """Classify the characters of a file and save it."""
    import bpy

    from ..scene.character import shapes_of
    from ..scene.character_read import read_character
    from ..scene.classes import write_class_of_character
    from ..scene.files import require_writable_suffix, save_file

    output = output_of(path, chosen)
    stop_if_asked()
    before = len(lines)
    pictured: list[bpy.types.Object] = []
    try:
        if output:
            require_writable_suffix(output)
        objects = opened(path, chosen.object)
        for character in shapes_of(objects, bpy.context.view_layer, chosen.each):
            title = f"{path}: {character.name}"
            account.note(title)
            account.left_out(title, character.told)
            try:
                geometry = read_character(character)
                found = job.classify(geometry.placed, **options)
                result = found.class_name, found.probability
                unwritten = write_class_of_character(character, *result, sort_in=None)
            except Exception as error:
                account.failed(path, error)
                continue
            for missed in (*geometry.errors, *unwritten):
                account.failed(path, missed)
            pictured += character.members
            account.found(character.name, found)
            row = (path, character.name, found.class_name, f"{found.probability:.3f}")
            lines.append(_line(row))
            say(lines[-1])
        if output and len(lines) > before:
            account.warned(output, save_file(output))
        if pictured:
            account.pictured(pictured, "TEXTURE")
    except Exception as error:
        account.failed(path, error)
