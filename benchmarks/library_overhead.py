"""Seconds a file of the bare command in a loop and through the engine, in turns of a few files.

python -m benchmarks.library_overhead MANIFEST RESULT.json
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from diffusionnet_blender.cli.library import cluster
from diffusionnet_blender.cli.library.engine import Engine, Keyed
from diffusionnet_blender.cli.library.items import Item, find_items
from diffusionnet_blender.cli.library.records import Records
from diffusionnet_blender.cli.library.storage import folder_at
from diffusionnet_blender.cli.library.tasks import Job
from diffusionnet_blender.cli.library.work import run_item, stay_in_blender

BLOCK = 10


def bare(job: Job, item: Item, key: str, most_bytes: int | None = None) -> dict:
    """The command on files, one after the other, in a process that has Blender loaded already."""
    from diffusionnet_blender.cli import segment

    path = Path(item.file)
    output = Path(job.output) / "bare" / f"{item.name}.blend"
    chosen = job.chosen(item, {item.file: path}, {".blend": output})
    stay_in_blender(chosen)
    start = time.monotonic()
    for line in path.with_suffix(".list").read_text().split():
        chosen.files = [Path(line)]
        chosen.output = output.with_name(f"{Path(line).stem}.blend")
        segment.run(chosen)
    return {"seconds": time.monotonic() - start}


def main(manifest: Path, result: Path) -> None:
    """Measure, and write what was found."""
    items = find_items([str(manifest)], "out")
    pairs = []
    with tempfile.TemporaryDirectory() as folder, cluster.local_client(1) as client:
        job = Job("segment", folder, ("--device=cpu",), (".blend",), pictures=False, cache="off")
        kept = Records(folder_at(folder))
        loop, engine = (Engine(client, job, kept, 0, each) for each in (bare, run_item))
        listed = Path(folder) / "block.obj"
        listed.write_text("v 0 0 0\n")
        for start in range(0, len(items), BLOCK):
            block = items[start : start + BLOCK]
            listed.with_suffix(".list").write_text("\n".join(item.file for item in block))
            plain = Item(f"block{start}", str(listed))
            seconds = loop.submit(Keyed(plain, f"block{start}")).result()["seconds"]
            began = time.monotonic()
            done = list(engine.completed(Keyed(item, job.key(item)) for item in block))
            took = time.monotonic() - began
            assert all(record["status"] != "failed" for record in done)
            pairs.append((seconds / len(block), took / len(block)))
    # The first turn imports what the others have.
    pairs = pairs[1:]
    ratios = [engine / bare for bare, engine in pairs]
    found = {
        "files": BLOCK * len(pairs),
        "bare": median(bare for bare, _ in pairs),
        "engine": median(engine for _, engine in pairs),
        "overhead": median(ratios) - 1,
    }
    result.write_text(json.dumps(found))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
