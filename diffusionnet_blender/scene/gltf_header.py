"""The JSON of a glTF without Blender: what it demands of its reader, and what is added to it."""

from __future__ import annotations

import json
import os
import struct
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from urllib.parse import unquote

from ..errors import DiffusionNetError

MAGIC = b"glTF"
# Magic and version of a .glb; its length, and length and type of its first chunk.
START = struct.Struct("<4sI")
REST = struct.Struct("<II4s")
DRACO = "KHR_draco_mesh_compression"
MESHOPT = ("EXT_meshopt_compression", "KHR_meshopt_compression")
TEXTURES = "KHR_texture_basisu"
# What extensions do to a file.
DOES = {
    DRACO: "is compressed with Draco",
    **dict.fromkeys((*MESHOPT, "MESHOPT_compression"), "is compressed with meshopt"),
    TEXTURES: "has KTX2 textures",
}


def read_json(path: Path) -> dict | None:
    """The JSON of a .glb, .vrm or .gltf file; None where the file is not whole.

    Parameters
    ----------
    path : Path
    """
    try:
        with path.open("rb") as file:
            text = start = file.read(START.size)
            if start[:4] != MAGIC:
                text += file.read()
            elif START.unpack(start)[1] == 1:
                return {"asset": {"version": "1.0"}}
            else:
                length, json_length, kind = REST.unpack(file.read(REST.size))
                if length != os.path.getsize(path) or kind != b"JSON":
                    return None
                text = file.read(json_length)
        content = json.loads(text)
    except (OSError, ValueError, RecursionError, struct.error):
        return None
    return content if isinstance(content, dict) else None


def add_extension(path: Path, name: str, content_of: Callable[[dict], dict]) -> None:
    """Add an extension to the JSON of a .glb that Blender has written.

    Parameters
    ----------
    path : Path
    name : str
    content_of : callable
        Takes the JSON to the content of the extension.
    """
    data = path.read_bytes()
    head = START.size + REST.size
    length = REST.unpack_from(data, START.size)[1]
    tree = json.loads(data[head : head + length])
    tree.setdefault("extensions", {})[name] = content_of(tree)
    tree["extensionsUsed"] = sorted({*tree.get("extensionsUsed", ()), name})
    text = json.dumps(tree, separators=(",", ":")).encode()
    # Chunks begin at multiples of four bytes.
    text += b" " * (-len(text) % 4)
    rest = data[head + length :]
    whole = START.pack(MAGIC, 2) + REST.pack(head + len(text) + len(rest), len(text), b"JSON")
    path.write_bytes(whole + text + rest)


def reason_unread(
    path: Path, readable: Collection[str], undecoded: Collection[str], reader: str
) -> DiffusionNetError | None:
    """Why an importer could not read a glTF that is whole; None where its JSON has no reason.

    Parameters
    ----------
    path : Path
    readable : collection of str
        Extensions that the importer supports.
    undecoded : collection of str
        Those for which it lacks the decoder; it tries them even where a file has a plain copy.
    reader : str
        Name and version, for the message.
    """
    content = read_json(path)
    if content is None:
        return None
    version = _names(content.get("asset"), "version")
    if version and version[0].partition(".")[0] != "2":
        return DiffusionNetError(
            f"The file is glTF {version[0]}, and {reader} reads glTF 2.0", "Export it again as 2.0."
        )
    required = set(_names(content, "extensionsRequired"))
    used = set(_names(content, "extensionsUsed"))
    unread = sorted(required - set(readable) | (required | used) & set(undecoded))
    if unread:
        return _unread(unread, reader)
    missing = [name for name in _buffers(content) if not (path.parent / name).is_file()]
    if missing:
        return DiffusionNetError(
            f"{', '.join(missing)} is missing, which the file takes its geometry from",
            "Put it beside the file, or export a .glb, which is one file.",
        )
    return None


def _unread(extensions: list[str], reader: str) -> DiffusionNetError:
    told = dict.fromkeys(DOES[name] for name in extensions if name in DOES)
    names = ", ".join(extensions)
    if not told:
        what = "extension" if len(extensions) == 1 else "extensions"
        return DiffusionNetError(
            f"The file demands the glTF {what} {names}, which {reader} does not read",
            "Export it again without.",
        )
    # It unpacks what is compressed as well.
    how = "ktxdecompress" if TEXTURES in extensions else "copy"
    return DiffusionNetError(
        f"The file {' and '.join(told)} ({names}), which {reader} does not read",
        "Export it again without compression, or unpack it: "
        f"gltf-transform {how} packed.glb plain.glb",
    )


def _names(content: object, key: str) -> list[str]:
    """Texts under a key, one or a list; whatever else is there is left out."""
    found = content.get(key, []) if isinstance(content, dict) else []
    found = found if isinstance(found, list) else [found]
    return [name for name in found if isinstance(name, str)]


def _buffers(content: dict) -> Iterator[str]:
    """Names of the files that hold the buffers."""
    buffers = content.get("buffers")
    for buffer in buffers if isinstance(buffers, list) else []:
        for name in _names(buffer, "uri"):
            if not name.startswith("data:"):
                yield unquote(name)
