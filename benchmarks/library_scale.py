"""100,000 items without work: what an item costs the client, the scheduler and the disk.

python -m benchmarks.library_scale COUNT RESULT.json
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.library_cluster import Cluster, peak_of
from diffusionnet_blender.cli.library import cluster, records
from diffusionnet_blender.cli.library.engine import Engine, keyed
from diffusionnet_blender.cli.library.items import find_items
from diffusionnet_blender.cli.library.limits import memory_now, memory_peak
from diffusionnet_blender.cli.library.records import Records
from diffusionnet_blender.cli.library.storage import folder_at
from diffusionnet_blender.cli.library.tasks import Job


def nothing(job: Job, item, key: str, most_bytes: int | None = None) -> dict:
    """In place of the task: only the record."""
    kept = Records(folder_at(job.output))
    kept.begin(item.name, key)
    record = {"name": item.name, "file": item.file, "key": key, "status": records.DONE}
    kept.add(record)
    return record


def main(count: int, result: Path) -> None:
    """Process so many items, and write what it took."""
    with tempfile.TemporaryDirectory() as folder, Cluster(2) as running:
        small, manifest = Path(folder) / "small.obj", Path(folder) / "manifest.jsonl"
        small.write_text("v 0 0 0\n")
        with manifest.open("w") as lines:
            for number in range(count):
                row = {"file": str(small), "name": f"group{number % 100}/item{number}"}
                lines.write(json.dumps(row) + "\n")
        began, before = time.monotonic(), memory_now() or 0
        job = Job("segment", str(Path(folder) / "out"), cache="off")
        items = find_items([str(manifest)], job.output)
        listed, known = time.monotonic() - began, memory_now() or 0
        with cluster.studio_client(running.address) as client:
            engine = Engine(client, job, Records(folder_at(job.output)), 0, nothing)
            start = time.monotonic()
            done = sum(1 for _ in engine.completed(keyed(job, items)))
            took = time.monotonic() - start
        assert done == count
        start = time.monotonic()
        Records(folder_at(job.output)).merge()
        found = {
            "items": count,
            "seconds": took,
            "list_seconds": listed,
            "merge_seconds": time.monotonic() - start,
            "list_bytes": known - before,
            "client_bytes": memory_peak(),
            "scheduler_bytes": peak_of(running.scheduler.pid),
        }
    result.write_text(json.dumps(found))


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]))
