"""Jobs for render farms that run the command on chunks: Open Job Description, and Flamenco."""

from __future__ import annotations

import json
import math
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...errors import DiffusionNetError
from ..places import save_text
from .items import write_manifest
from .storage import is_url

if TYPE_CHECKING:
    from .library import Library

# Items of a chunk by default.
CHUNK = 100
MANIFEST = "manifest.jsonl"
# Of both: replaced by the studio where the program has another name on its machines.
PROGRAM = "diffusionnet"


def write_job(kind: str, folder: str, library: Library, chunks: int | None = None) -> Path:
    """Write a job for a farm: a manifest of the items, and what the farm reads.

    Parameters
    ----------
    kind : str
        One of `KINDS`.
    folder : str
        Where all machines see it under the same path.
    library : Library
    chunks : int, optional
        Tasks of the farm; by default one for `CHUNK` items.

    Returns
    -------
    Path
        Of the file that the farm reads.

    Raises
    ------
    DiffusionNetError
        If the farm is not known, or the folder cannot be written.
    """
    if kind not in KINDS:
        raise DiffusionNetError(f"There is no job for {kind!r}", f"Known are {', '.join(KINDS)}.")
    count = chunks or math.ceil(len(library.items) / CHUNK)
    count = min(count, len(library.items))
    place = Path(folder).absolute()
    save_text(place / MANIFEST, write_manifest(library.items))
    name, text = KINDS[kind](place / MANIFEST, library, count)
    save_text(place / name, text)
    return place / name


def _arguments(library: Library) -> list[str]:
    """The command without its program, manifest and output: for all chunks alike."""
    job = library.job
    output = job.output if is_url(job.output) else os.path.abspath(job.output)
    words = ["--task", job.task, "--output", output, "--retries", str(library.retries)]
    words += ["--time-limit", f"{job.seconds:g}", "--quiet"]
    if job.results:
        words += ["--results", ",".join(job.results)]
    if not job.pictures:
        words.append("--no-pictures")
    if job.cache:
        words += ["--cache", job.cache]
    return [*words, *job.arguments]


def _openjd(manifest: Path, library: Library, count: int) -> tuple[str, str]:
    def action(*more: str) -> dict[str, Any]:
        # Braces of a name must not pass for those of a parameter.
        plain = [word.replace("{{", "{ {") for word in _arguments(library)]
        return {
            "actions": {
                "onRun": {
                    "command": "{{Param.Program}}",
                    "args": ["library", "{{Param.Manifest}}", *plain, *more],
                }
            }
        }

    template = {
        "specificationVersion": "jobtemplate-2023-09",
        "name": f"DiffusionNet {library.job.task}",
        "description": f"{len(library.items)} items in {count} chunks, and their report",
        "parameterDefinitions": [
            {"name": "Program", "type": "STRING", "default": PROGRAM},
            {
                "name": "Manifest",
                "type": "PATH",
                "objectType": "FILE",
                "dataFlow": "IN",
                # Beside the template.
                "default": manifest.name,
            },
            {"name": "Chunks", "type": "INT", "default": count, "minValue": 1},
        ],
        "steps": [
            {
                "name": "Items",
                "parameterSpace": {
                    "taskParameterDefinitions": [
                        {"name": "Chunk", "type": "INT", "range": "1-{{Param.Chunks}}"}
                    ]
                },
                "script": action("--chunk", "{{Task.Param.Chunk}}/{{Param.Chunks}}"),
            },
            {
                "name": "Report",
                "dependencies": [{"dependsOn": "Items"}],
                "script": action("--report-only"),
            },
        ],
    }
    return "template.json", json.dumps(template, indent=2) + "\n"


_FLAMENCO = """\
// DiffusionNet library: chunks of a manifest, then the report.
"use strict";

const JOB_TYPE = {
    label: "DiffusionNet %(task)s",
    description: "%(count)d items in chunks, and their report",
    settings: [
        { key: "program", type: "string", required: true, default: %(program)s,
          description: "The command diffusionnet on the workers" },
        { key: "manifest", type: "string", subtype: "file_path", required: true,
          default: %(manifest)s, description: "Items, a JSON object in each line" },
        { key: "chunks", type: "int32", required: true, default: %(chunks)d,
          description: "Tasks that the items are divided among" },
    ],
};

const ARGUMENTS = %(arguments)s;

function compileJob(job) {
    const settings = job.settings;
    const report = command("report", settings, ["--report-only"]);
    for (let chunk = 1; chunk <= settings.chunks; chunk++) {
        const part = chunk + "/" + settings.chunks;
        const task = command("items " + part, settings, ["--chunk", part]);
        report.addDependency(task);
        job.addTask(task);
    }
    job.addTask(report);
}

function command(name, settings, more) {
    const task = author.Task(name, "misc");
    const args = ["library", settings.manifest].concat(ARGUMENTS, more);
    task.addCommand(author.Command("exec", { exe: settings.program, args: args }));
    return task;
}
"""


def _flamenco(manifest: Path, library: Library, count: int) -> tuple[str, str]:
    task = re.sub(r"\W+", "_", library.job.task)
    text = _FLAMENCO % {
        "task": task,
        "count": len(library.items),
        "program": json.dumps(PROGRAM),
        "manifest": json.dumps(str(manifest)),
        "chunks": count,
        "arguments": json.dumps(_arguments(library), indent=4),
    }
    return f"diffusionnet_{task}.js", text


KINDS: dict[str, Callable[[Path, Library, int], tuple[str, str]]] = {
    "openjd": _openjd,
    "flamenco": _flamenco,
}
