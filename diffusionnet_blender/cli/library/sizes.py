"""Memory that an item needs, from the first bytes of its files: before Blender opens them."""

from __future__ import annotations

import json
import posixpath
import re
import struct
from functools import lru_cache

from ...network.card import ModelCard, Purpose
from ...tasks.memory import estimated_bytes
from ...tasks.models import path_for
from ..pair import NO_MODEL
from ..session import library
from .inputs import head_of, size_of
from .items import Item
from .tasks import TASKS, Job

# Of a process with Blender, SciPy and an engine, at rest.
PROCESS_BYTES = 900 * 1024**2
# Of a file for each vertex, where no head tells their number; compressed files have fewer.
BYTES_PER_VERTEX = {".obj": 60, ".fbx": 60, ".blend": 40, ".usda": 90}
OTHER_BYTES_PER_VERTEX = 36
# Eigenpairs of a match without a model, see `tasks.match`.
DEFAULT_PAIRS = 128
_HEAD = 1 << 16
_COUNT = re.compile(rb"element vertex (\d+)")


def needed_bytes(job: Job, item: Item) -> int:
    """Peak memory of a process that works on an item, estimated.

    Raises
    ------
    ModelError
        If there is no such model.
    """
    options = vars(job.options(item))
    k = _eigenpairs(str(options["model"]), TASKS[job.task].purpose)
    counts = [vertices_in(file) for file in item.files]
    exact = bool(options.get("exact", False))
    return PROCESS_BYTES + sum(estimated_bytes(max(n, 4), k, exact, True) for n in counts)


def vertices_in(file: str) -> int:
    """About how many vertices a file has; 0 if it cannot be read."""
    suffix = posixpath.splitext(file)[1].lower()
    size = size_of(file)
    try:
        head = head_of(file, _HEAD)
        if suffix == ".ply" and (found := _COUNT.search(head)):
            return int(found[1])
        if suffix == ".stl" and len(head) >= 84:
            count = struct.unpack("<I", head[80:84])[0]
            if 84 + 50 * count == size:
                # Three corners each, of which six meet in a vertex.
                return count // 2
        if suffix in (".glb", ".vrm") and head[:4] == b"glTF":
            return _in_gltf(file, struct.unpack("<I", head[12:16])[0])
    except (OSError, ValueError, KeyError, IndexError, TypeError, struct.error):
        pass
    return size // BYTES_PER_VERTEX.get(suffix, OTHER_BYTES_PER_VERTEX)


def _in_gltf(file: str, length: int) -> int:
    content = json.loads(head_of(file, 20 + length)[20:])
    accessors = content["accessors"]
    return sum(
        accessors[primitive["attributes"]["POSITION"]]["count"]
        for mesh in content["meshes"]
        for primitive in mesh["primitives"]
    )


@lru_cache
def _eigenpairs(model: str, purpose: Purpose) -> int:
    if model.lower() == NO_MODEL:
        return DEFAULT_PAIRS
    path = path_for(model, [library()], purpose).with_suffix(".json")
    return ModelCard.load(path).discretization.k
