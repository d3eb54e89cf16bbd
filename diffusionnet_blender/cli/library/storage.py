"""Folders on disk, or at a URL that fsspec opens (s3://, gs://, sftp:// ...).

Files appear whole or not at all: on disk they are renamed into place, and an object of a store is
put whole. fsspec is imported for URLs alone.
"""

from __future__ import annotations

import contextlib
import os
import posixpath
from functools import lru_cache
from pathlib import Path
from typing import Any

from ...errors import DiffusionNetError
from ...leftovers import remove_staged, staged, sweep_beside

OBJECT_STORES = {"s3", "s3a", "gs", "gcs", "az", "abfs", "abfss", "adl", "oci", "r2", "b2"}
INSTALL = "pip install 'diffusionnet-blender[farm]'"


def is_url(place: str) -> bool:
    """Whether a place is a URL, and not a path on disk."""
    return "://" in place


class Folder:
    """A folder on disk.

    Parameters
    ----------
    place : str
        Path, or URL for `RemoteFolder`.
    """

    def __init__(self, place: str):
        self.place = place
        self.root = Path(place).absolute()

    def at(self, name: str) -> str:
        """Path or URL of a file; names have slashes."""
        return str(self.root / name)

    def read(self, name: str) -> bytes | None:
        """Content of a file; None if there is none."""
        try:
            return (self.root / name).read_bytes()
        except FileNotFoundError:
            return None

    def write(self, name: str, data: bytes) -> None:
        """Write a file, whole.

        Raises
        ------
        DiffusionNetError
            If it cannot be written.
        """
        path = self.root / name
        unfinished = staged(path)
        with _explained(self.at(name)):
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                sweep_beside(path)
                unfinished.write_bytes(data)
                os.replace(unfinished, path)
            finally:
                remove_staged(unfinished)

    def put(self, file: Path, name: str) -> None:
        """Copy a local file to its place, whole; errors as of `write`."""
        self.write(name, file.read_bytes())

    def tree(self) -> set[str]:
        """Names of all files in it."""
        return {
            os.path.relpath(os.path.join(folder, file), self.root).replace(os.sep, "/")
            for folder, _, files in os.walk(self.root)
            for file in files
        }

    def exists(self, name: str) -> bool:
        """Whether there is a file of this name."""
        return os.path.lexists(self.root / name)

    def names(self, folder: str) -> list[str]:
        """Names of the files in a folder inside, without those in its folders."""
        try:
            with os.scandir(self.root / folder) as entries:
                return sorted(e.name for e in entries if e.is_file() and not e.name.startswith("."))
        except (FileNotFoundError, NotADirectoryError):
            return []

    def remove(self, name: str) -> None:
        """Remove a file, if there is one."""
        with contextlib.suppress(OSError):
            (self.root / name).unlink()


class RemoteFolder(Folder):
    """A folder at a URL."""

    def __init__(self, place: str):
        self.place = place.rstrip("/")
        self._files, self._root = opened_url(self.place)

    def at(self, name: str) -> str:
        """URL of a file."""
        return f"{self.place}/{name}"

    def read(self, name: str) -> bytes | None:
        """Content of a file; None if there is none."""
        try:
            return self._files.cat_file(self._path(name))
        except FileNotFoundError:
            return None

    def write(self, name: str, data: bytes) -> None:
        """Write a file, whole; errors as of `Folder.write`."""
        path = self._path(name)
        with _explained(self.at(name)):
            self._make_folder(path)
            self._files.pipe_file(path, data)

    def put(self, file: Path, name: str) -> None:
        """Copy a local file to its place, whole; errors as of `write`."""
        path = self._path(name)
        with _explained(self.at(name)):
            self._make_folder(path)
            self._files.put_file(str(file), path)

    def tree(self) -> set[str]:
        """Names of all files in it."""
        self._files.invalidate_cache()
        try:
            return {posixpath.relpath(path, self._root) for path in self._files.find(self._root)}
        except FileNotFoundError:
            return set()

    def exists(self, name: str) -> bool:
        """Whether there is a file of this name, as the store says now."""
        self._files.invalidate_cache()
        return self._files.exists(self._path(name))

    def names(self, folder: str) -> list[str]:
        """Names of the files in a folder inside."""
        try:
            found = self._files.ls(self._path(folder), detail=True, refresh=True)
        except (FileNotFoundError, NotADirectoryError):
            return []
        return sorted(posixpath.basename(each["name"]) for each in found if each["type"] == "file")

    def remove(self, name: str) -> None:
        """Remove a file, if there is one."""
        with contextlib.suppress(OSError):
            self._files.rm_file(self._path(name))

    def _make_folder(self, path: str) -> None:
        # Where there are no folders, this would make a bucket.
        if self.place.partition("://")[0] not in OBJECT_STORES:
            self._files.makedirs(posixpath.dirname(path), exist_ok=True)

    def _path(self, name: str) -> str:
        return posixpath.join(self._root, name)


def folder_at(place: str) -> Folder:
    """The folder at a path or URL.

    Raises
    ------
    DiffusionNetError
        If the protocol of a URL is not known, or its driver is not installed.
    """
    return _folder_at(place if is_url(place) else os.path.abspath(place))


@lru_cache(maxsize=64)
def _folder_at(place: str) -> Folder:
    """One object for each place, which keeps what it has found out."""
    return RemoteFolder(place) if is_url(place) else Folder(place)


def opened_url(url: str) -> tuple[Any, str]:
    """File system of fsspec for a URL, and the path in it; errors as of `folder_at`."""
    try:
        from fsspec.core import url_to_fs
    except ImportError as error:
        raise DiffusionNetError(f"{url} needs fsspec", f"{INSTALL}.") from error
    try:
        return url_to_fs(url)
    except (ImportError, ValueError) as error:
        text = " ".join(str(error).split())
        raise DiffusionNetError(
            f"{url} cannot be opened ({text})", "Install the driver of fsspec that it names."
        ) from error


@contextlib.contextmanager
def _explained(place: str):
    """Context in which an error of the system tells the place."""
    try:
        yield
    except DiffusionNetError:
        raise
    except Exception as error:
        # Drivers of fsspec raise errors of their own besides those of the system.
        reason = getattr(error, "strerror", None) or " ".join(str(error).split())
        raise DiffusionNetError(
            f"{place} cannot be written ({reason})",
            "Make room, or choose another place; what is done stays, and the same command goes on.",
        ) from error
