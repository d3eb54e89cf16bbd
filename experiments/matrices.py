"""Shapes of a data set with their matrices, made once and kept in a folder."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from diffusionnet_blender.errors import DiffusionNetError
from diffusionnet_blender.network.training import LabelledShape
from diffusionnet_blender.surface.cache import OperatorCache, cache_key
from diffusionnet_blender.surface.prepare import PreparedSurface, prepare
from diffusionnet_blender.surface.settings import DiscretizationSettings
from diffusionnet_blender.tasks.train.training_set import LabelledSurface

# Bytes that a vertex takes on disk beside its eigenvectors: Laplacian, gradient, faces and maps, of
# a mesh with six neighbours each, or of a point with thirty.
BYTES_OF_MESH, BYTES_OF_POINT = 300, 1000
# Shapes that wait for a process: each holds a mesh in memory.
WAITING = 4


@dataclass(frozen=True, eq=False)
class LabelledElements(LabelledSurface):
    """A mesh with a class for each edge or face.

    Attributes
    ----------
    labels : (n,) int
    corners : (n, 2) or (n, 3) int
        Vertices of each edge or face.
    """

    corners: np.ndarray


class Shapes(Sequence[LabelledShape]):
    """Labelled shapes with their matrices, read from disk when their turn comes.

    Parameters
    ----------
    read : callable
        Gives the members; called only where the folder does not hold them all.
    folder : Path
        Of this data set, split and settings alone; made where it is missing.
    settings : DiscretizationSettings
    count : callable
        Gives the number of members, of which the room is checked before any matrix is made.
    processes : int
        That make matrices; 1: this one.
    data : Path, optional
        Folder that the members are read from.

    Raises
    ------
    DiffusionNetError
        If the disk has no room for the matrices, or the folder holds those of other data, or its
        list of them cannot be read.
    """

    def __init__(
        self,
        read: Callable[[], Iterable[LabelledSurface]],
        folder: Path,
        settings: DiscretizationSettings,
        count: Callable[[], int],
        processes: int = 1,
        data: Path | None = None,
    ):
        self.folder = folder
        self._matrices = OperatorCache(folder, max_bytes=2**50)
        self._keys: list[list[str]]
        index, listing = folder / "index.json", "" if data is None else listing_of(data)
        if not index.exists():
            keys = list(_kept(read(), folder, settings, count(), processes))
            temporary = index.with_suffix(".part")
            temporary.write_text(json.dumps({"data": listing, "members": keys}))
            os.replace(temporary, index)
        try:
            found = json.loads(index.read_text())
            made_of, self._keys = found["data"], found["members"]
        except (ValueError, TypeError, KeyError):
            raise DiffusionNetError(
                f"{index} is damaged, or of an older version", f"Delete {folder}: it is made again."
            ) from None
        if made_of != listing:
            raise DiffusionNetError(
                f"{folder} holds matrices of other data than {data} has now",
                "Name another folder for matrices, or delete this one.",
            )

    @property
    def names(self) -> list[str]:
        """Names of the members."""
        return [name for name, _ in self._keys]

    def __len__(self) -> int:
        return len(self._keys)

    def __getitem__(self, index: int) -> LabelledShape:  # type: ignore[override]
        prepared, labels = self.prepared(index)
        corners = self.corners(index)
        if corners is not None:
            return LabelledShape(prepared.discretization, labels, prepared.clean_vertex[corners])
        at_vertices = labels[prepared.user_vertex] if labels.ndim else int(labels)
        return LabelledShape(prepared.discretization, at_vertices)

    def corners(self, index: int) -> np.ndarray | None:
        """Vertices of the data set at the edges or faces (n, 2 or 3) whose labels a member has."""
        path = _corners_of(self.folder, self._keys[index][1])
        return np.load(path) if path.exists() else None

    def prepared(self, index: int) -> tuple[PreparedSurface, np.ndarray]:
        """A member with its map to the vertices of the data set, and the labels there.

        Raises
        ------
        DiffusionNetError
            If a file of the folder is gone or damaged.
        """
        name, key = self._keys[index]
        found = self._matrices.load(key)
        if found is None:
            raise DiffusionNetError(
                f"The matrices of {name} in {self.folder} are gone or damaged",
                f"Delete {self.folder}: they are made again.",
            )
        return found, self.labels(index)

    def labels(self, index: int) -> np.ndarray:
        """Labels of a member as the data set has them; without any axis, that of the whole."""
        return np.load(self.folder / f"{self._keys[index][1]}.labels.npy")


class Chosen(Sequence[LabelledShape]):
    """Some members of a data set, as of a split by chance.

    Parameters
    ----------
    shapes : Shapes
    members : (n,) int
    """

    def __init__(self, shapes: Shapes, members: Sequence[int] | np.ndarray):
        self._shapes, self._members = shapes, [int(member) for member in members]

    def __len__(self) -> int:
        return len(self._members)

    def __getitem__(self, index: int) -> LabelledShape:  # type: ignore[override]
        return self._shapes[self._members[index]]


def _corners_of(folder: Path, key: str) -> Path:
    return folder / f"{key}.corners.npy"


def listing_of(data: Path) -> str:
    """Hash of the names and sizes of all files of a folder, by which two data sets differ."""
    files = sorted(path for path in data.rglob("*") if path.is_file())
    names = [f"{path.relative_to(data).as_posix()} {path.stat().st_size}" for path in files]
    return hashlib.sha256("\n".join(names).encode()).hexdigest()[:16]


def _kept(
    members: Iterable[LabelledSurface],
    folder: Path,
    settings: DiscretizationSettings,
    count: int,
    processes: int,
) -> Iterator[tuple[str, str]]:
    """Make and keep the matrices of all members; the name and key of each."""
    folder.mkdir(parents=True, exist_ok=True)
    work = partial(_keep, folder=folder, settings=settings)
    checked = _with_room(members, folder, settings, count)
    for done, kept in enumerate(_each(work, checked, processes), start=1):
        yield kept
        if done % 50 == 0:
            print(f"matrices of {done} shapes of {count}", flush=True)


def _with_room(
    members: Iterable[LabelledSurface], folder: Path, settings: DiscretizationSettings, count: int
) -> Iterator[LabelledSurface]:
    """The members, once it is known that the disk has room for so many like the first."""
    for number, member in enumerate(members):
        if not number:
            require_room(folder, member, settings, count)
        yield member


def _each(
    work: Callable[[LabelledSurface], tuple[str, str]],
    members: Iterable[LabelledSurface],
    processes: int,
) -> Iterator[tuple[str, str]]:
    """Results in order; but few members are in memory at a time (`Executor.map` takes all)."""
    if processes == 1:
        yield from map(work, members)
        return
    waiting: deque[Future[tuple[str, str]]] = deque()
    with ProcessPoolExecutor(processes, get_context("spawn")) as pool:
        try:
            for member in members:
                waiting.append(pool.submit(work, member))
                if len(waiting) > WAITING * processes:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            pool.shutdown(cancel_futures=True)


def _keep(
    member: LabelledSurface, folder: Path, settings: DiscretizationSettings
) -> tuple[str, str]:
    key = cache_key(member.surface, settings, exact=True)
    labels = folder / f"{key}.labels.npy"
    if not labels.exists():
        prepared = prepare(member.surface, settings, exact=True)
        OperatorCache(folder, max_bytes=2**50).store(key, prepared)
        if isinstance(member, LabelledElements):
            np.save(_corners_of(folder, key), member.corners)
        np.save(labels, np.asarray(member.labels))
    return member.name, key


def require_room(
    folder: Path, member: LabelledSurface, settings: DiscretizationSettings, count: int
) -> None:
    """Raise DiffusionNetError where the disk has no room for so many shapes like this one."""
    surface = member.surface
    rest = BYTES_OF_POINT if surface.is_point_cloud else BYTES_OF_MESH
    needed = count * len(surface.vertices) * (4 * settings.k + rest)
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise DiffusionNetError(
            f"The matrices of {count} shapes take some {needed / 1e9:.1f} GB, and {folder} has "
            f"{free / 1e9:.1f} GB",
            "Name a folder on a larger disk.",
        )
