"""Input files of a library: found, fingerprinted and brought here, from disk or a URL."""

from __future__ import annotations

import glob
import hashlib
import json
import os
import posixpath
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

from ...errors import DiffusionNetError
from ..options import FORMATS
from .storage import is_url, opened_url

SUFFIXES = tuple(FORMATS.split()) + (".usda", ".usdc", ".usdz")
_BLOCK = 1 << 20
# Under these names stores tell that the content of an object has changed.
_TAGS = ("ETag", "etag", "md5Hash", "crc32c", "content_md5")
_MAGIC = "*?["


def found_files(place: str, leave_out: str) -> Iterator[tuple[str, str]]:
    """Readable files of a folder, those that a pattern matches, or a file itself.

    Parameters
    ----------
    place : str
        Path or URL.
    leave_out : str
        Path of a folder inside that is not looked into: that of the results.

    Yields
    ------
    file, name : str
        Path or URL, and its path below the folder or the fixed part of the pattern.
    """
    yield from (_found_at_url(place) if is_url(place) else _found_on_disk(place, leave_out))


def _found_on_disk(place: str, leave_out: str) -> Iterator[tuple[str, str]]:
    outside = os.path.realpath(leave_out)
    if os.path.isdir(place):
        for folder, folders, files in os.walk(place):
            folders[:] = sorted(
                f
                for f in folders
                if not f.startswith(".") and os.path.realpath(os.path.join(folder, f)) != outside
            )
            for file in sorted(files):
                if _is_readable(file):
                    path = os.path.join(folder, file)
                    yield path, Path(os.path.relpath(path, place)).as_posix()
    elif os.path.lexists(place):
        yield place, os.path.basename(place)
    else:
        base = _fixed_part(place.replace(os.sep, "/"))
        for path in sorted(glob.glob(place, recursive=True)):
            if _is_readable(path) and os.path.isfile(path):
                yield path, Path(os.path.relpath(path, base or ".")).as_posix()


def _found_at_url(place: str) -> Iterator[tuple[str, str]]:
    files, root = opened_url(place)
    if any(mark in place for mark in _MAGIC):
        paths, base = files.glob(root), _fixed_part(root)
    elif files.isdir(root):
        paths, base = files.find(root), root
    else:
        paths, base = [root], posixpath.dirname(root)
    for path in sorted(paths):
        name = posixpath.relpath(path, base)
        if _is_readable(path) and not any(part.startswith(".") for part in name.split("/")):
            yield files.unstrip_protocol(path), name


def _fixed_part(pattern: str) -> str:
    """Folders of a pattern before the first with a wildcard."""
    parts = pattern.split("/")
    fixed = next((n for n, part in enumerate(parts) if any(m in part for m in _MAGIC)), len(parts))
    return "/".join(parts[: min(fixed, len(parts) - 1)])


def _is_readable(name: str) -> bool:
    base = posixpath.basename(name.replace(os.sep, "/"))
    return base.lower().endswith(SUFFIXES) and not base.startswith(".")


def exists(file: str) -> bool:
    """Whether there is such an input file."""
    if not is_url(file):
        return os.path.isfile(file)
    files, path = opened_url(file)
    return files.isfile(path)


def size_of(file: str) -> int:
    """Bytes of an input file; 0 if it is missing."""
    try:
        if not is_url(file):
            return os.path.getsize(file)
        files, path = opened_url(file)
        return files.size(path) or 0
    except OSError:
        return 0


def head_of(file: str, count: int) -> bytes:
    """First bytes of an input file."""
    if not is_url(file):
        with open(file, "rb") as stream:
            return stream.read(count)
    files, path = opened_url(file)
    return files.cat_file(path, start=0, end=count)


def fingerprint(file: str) -> str:
    """Digest of the content of a file and of those that it refers to.

    Of an object in a store, the tag that the store keeps of its content, where it has one.

    Raises
    ------
    OSError
        If a file cannot be read.
    """
    digest = hashlib.sha256()
    for each in (file, *companions(file)):
        digest.update(_content_of(each))
    return digest.hexdigest()


def _content_of(file: str) -> bytes:
    if is_url(file):
        files, path = opened_url(file)
        about = files.info(path)
        tag = next((str(about[name]) for name in _TAGS if about.get(name)), None)
        return tag.encode() if tag else hashlib.sha256(files.cat_file(path)).digest()
    digest = hashlib.sha256()
    with open(file, "rb") as stream:
        while block := stream.read(_BLOCK):
            digest.update(block)
    return digest.digest()


def companions(file: str) -> list[str]:
    """Files that a .gltf or .obj refers to and that are there: buffers, images, materials."""
    suffix = posixpath.splitext(file)[1].lower()
    if suffix not in (".gltf", ".obj"):
        return []
    try:
        text = head_of(file, 1 << 28 if suffix == ".gltf" else 1 << 14)
        names = _referred_in_gltf(text) if suffix == ".gltf" else _referred_in_obj(text)
    except (OSError, ValueError, AttributeError, TypeError):
        # Damaged: told when the file is opened.
        return []
    base = file.rpartition("/")[0] if "/" in file else os.path.dirname(file)
    # Names that lead out of the folder are not followed.
    inside = [name for name in names if not name.startswith(("/", "..")) and ":" not in name]
    found = [f"{base}/{name}" if base else name for name in dict.fromkeys(inside)]
    return [each for each in found if exists(each)]


def _referred_in_gltf(text: bytes) -> list[str]:
    content = json.loads(text)
    referred = [*content.get("buffers", ()), *content.get("images", ())]
    return [unquote(each["uri"]) for each in referred if "uri" in each]


def _referred_in_obj(text: bytes) -> list[str]:
    lines = text.decode("utf-8", "replace").splitlines()
    return [line[7:].strip() for line in lines if line.startswith("mtllib ")]


def local_copy(file: str, folder: Path) -> Path:
    """Path of an input file on this machine: its own, or that of a copy in a folder.

    Raises
    ------
    DiffusionNetError
        If it cannot be read from its URL.
    """
    if not is_url(file):
        return Path(file)
    base = file.rpartition("/")[0]
    target = folder / file.rpartition("/")[2]
    try:
        for each in (file, *companions(file)):
            files, path = opened_url(each)
            place = folder / each.removeprefix(f"{base}/")
            place.parent.mkdir(parents=True, exist_ok=True)
            files.get_file(path, str(place))
    except DiffusionNetError:
        raise
    except Exception as error:
        raise DiffusionNetError(
            f"{file} cannot be read ({' '.join(str(error).split())})",
            "Check the URL and the rights; --retry-failed tries it again.",
        ) from error
    return target
