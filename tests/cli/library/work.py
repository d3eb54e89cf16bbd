"""Stand-ins for the work on an item, which worker processes import: they do as its name says."""

import os
import signal
import time

from diffusionnet_blender.cli.library import records
from diffusionnet_blender.cli.library.limits import limited
from diffusionnet_blender.cli.library.records import Records
from diffusionnet_blender.cli.library.storage import folder_at
from diffusionnet_blender.cli.library.work import ended_name

HANGS, EATS, DIES = "hangs", "eats", "dies"


def by_name(job, item, key, most_bytes=None):
    """Start, then hang, eat memory or die; or else end well."""
    folder = folder_at(job.output)
    kept = Records(folder)
    if (known := kept.begin(item.name, key)) is not None:
        return known

    def last_words(reason):
        folder.write(ended_name(item), f'{{"reason": "{reason}"}}'.encode())

    with limited(job.seconds, most_bytes, last_words):
        if item.name.startswith(HANGS):
            time.sleep(600)
        if item.name.startswith(EATS):
            eaten = []
            while True:
                eaten.append(bytearray(b"x" * 2**25))
                time.sleep(0.01)
        if item.name.startswith(DIES):
            os.kill(os.getpid(), signal.SIGKILL)
        time.sleep(0.05)
    record = {"name": item.name, "file": item.file, "key": key, "status": records.DONE}
    kept.add(record)
    return record


def nothing(job, item, key, most_bytes=None):
    """No work at all."""
    return {"name": item.name, "key": key, "status": records.DONE}
