"""Prepared surfaces kept on disk, found again by the geometry they were made from.

SciPy is imported where an entry is read or written, not before: requests of tasks hold a cache.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import time
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from .repair_report import RepairReport
from .settings import DiscretizationSettings
from .surface import Surface

if TYPE_CHECKING:
    from scipy import sparse

    from .prepare import PreparedSurface

# Part of every key: raise it when the numbers that `prepare` gives change, or how they are kept.
FORMAT = 5
UNFINISHED = ".part"
ABANDONED_SECONDS = 3600
DEFAULT_MAX_BYTES = 2 * 1024**3
_SPARSE = ("laplacian", "gradient_x", "gradient_y")
_PIECES = ("data", "indices", "indptr")
_REPAIRS = fields(RepairReport)


def cache_key(
    surface: Surface,
    settings: DiscretizationSettings,
    exact: bool = False,
    outer_skin: bool = False,
) -> str:
    """Hash of a surface as it comes and of all that its matrices depend on, 40 hexadecimal digits.

    Of the geometry before repair, so that what is found saves the repair as well.
    """
    kind = "outer skin" if outer_skin else exact
    digest = hashlib.sha256(json.dumps([FORMAT, asdict(settings), kind]).encode())
    normals = np.zeros((0, 3)) if surface.normals is None else surface.normals
    for array in (surface.vertices, surface.faces, normals):
        digest.update(str(array.shape).encode())
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()[:40]


@dataclass(frozen=True)
class OperatorCache:
    """A folder of prepared surfaces, bounded in size; the least recently used goes first.

    Files are written under a name of their own and then renamed, so that a reader sees a whole
    file or none and two writers cannot mix. A file that is damaged, or holds another key than its
    name says, is deleted and counts as missing; one that may not be read only counts as missing.
    Where the folder cannot be written, nothing is kept and nothing fails.

    Attributes
    ----------
    folder : Path
        Made when the first file is written.
    max_bytes : int
        Upper bound of the sum of the files' sizes.
    """

    folder: Path
    max_bytes: int = DEFAULT_MAX_BYTES

    def __post_init__(self) -> None:
        object.__setattr__(self, "folder", Path(self.folder))

    def load(self, key: str) -> PreparedSurface | None:
        """The prepared surface of this key, or None."""
        path = self._path(key)
        try:
            with np.load(path, allow_pickle=False) as stored:
                found = _from_arrays(key, {name: stored[name] for name in stored.files})
        except Exception as error:
            # Of a damaged entry zip, zlib, the .npy header's parser and the fields each raise types
            # of their own. Those of the system (no rights, too many open) say nothing about it.
            if not (isinstance(error, OSError) and error.errno):
                _delete(path)
            return None
        try:
            os.utime(path)
        except OSError:
            pass  # Read-only cache: the entry only looks older than it is.
        return found

    def store(self, key: str, prepared: PreparedSurface) -> None:
        """Keep a prepared surface, then make room if the folder has grown too large."""
        # Not by `tempfile`, whose files nobody else may read: folders are shared by groups.
        temporary = self.folder / f"{key}.{secrets.token_hex(8)}{UNFINISHED}"
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with temporary.open("xb") as file:
                np.savez(file, **_to_arrays(key, prepared))
            os.replace(temporary, self._path(key))
        except OSError:
            return  # Full disk, or on Windows another reader has it open.
        finally:
            _delete(temporary)
        self._make_room()

    def size(self) -> int:
        """Bytes that the cache takes on disk."""
        return sum(size for _, size, _ in self._entries())

    def clear(self) -> None:
        """Delete every entry."""
        for _, _, path in self._entries():
            _delete(path)

    def _path(self, key: str) -> Path:
        return self.folder / f"{key}.npz"

    def _entries(self) -> list[tuple[float, int, Path]]:
        entries = []
        for path in self.folder.glob("*.npz"):
            try:
                status = path.stat()
            except OSError:
                continue  # Another process has just deleted it.
            entries.append((status.st_mtime, status.st_size, path))
        return sorted(entries)

    def _make_room(self) -> None:
        self._sweep()
        entries = self._entries()
        total = sum(size for _, size, _ in entries)
        for _, size, path in entries:
            if total <= self.max_bytes:
                break
            _delete(path)
            total -= size

    def _sweep(self) -> None:
        """Delete what writers that were killed have left; one that lives is done long before."""
        for path in self.folder.glob(f"*{UNFINISHED}"):
            try:
                if time.time() - path.stat().st_mtime > ABANDONED_SECONDS:
                    _delete(path)
            except OSError:
                continue  # Its writer has just finished.


def _delete(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError:
        pass  # In use by another process, which will meet the same verdict.


def _to_arrays(key: str, prepared: PreparedSurface) -> dict[str, np.ndarray]:
    from .discretization import Discretization

    arrays = {
        "key": np.array(key),
        "vertex_count": np.array(len(prepared.clean_vertex)),
        "clean_vertex": prepared.clean_vertex,
        "user_vertex": prepared.user_vertex,
        "repairs": np.array([getattr(prepared.repairs, field.name) for field in _REPAIRS]),
    }
    for field in fields(Discretization):
        value = getattr(prepared.discretization, field.name)
        arrays |= _pieces(field.name, value) if field.name in _SPARSE else {field.name: value}
    if prepared.blend is not None:
        arrays |= _pieces("blend", prepared.blend)
    return arrays


def _pieces(name: str, matrix: sparse.csr_matrix) -> dict[str, np.ndarray]:
    return {f"{name}_{piece}": getattr(matrix, piece) for piece in _PIECES}


def _matrix(arrays: dict[str, np.ndarray], name: str, rows: int, columns: int) -> sparse.csr_matrix:
    from scipy import sparse

    pieces = tuple(arrays[f"{name}_{piece}"] for piece in _PIECES)
    matrix = sparse.csr_matrix(pieces, shape=(rows, columns))
    matrix.check_format(full_check=True)
    return matrix


def _from_arrays(key: str, arrays: dict[str, np.ndarray]) -> PreparedSurface:
    from .discretization import Discretization
    from .prepare import PreparedSurface

    count = len(arrays["vertices"])
    clean_vertex, user_vertex = arrays["clean_vertex"], arrays["user_vertex"]
    clean_count = len(arrays["blend_indptr"]) - 1 if "blend_indptr" in arrays else count
    if str(arrays["key"]) != key:
        raise ValueError("an entry of another key")
    if (
        arrays["vertex_count"] != len(clean_vertex)
        or arrays["vertices"].shape != (count, 3)
        or any(len(arrays[name]) != count for name in ("mass", "part", "user_vertex"))
        or arrays["eigenvectors"].shape != (count, len(arrays["eigenvalues"]))
        or not 0 <= clean_vertex.min() <= clean_vertex.max() < clean_count
        or not 0 <= user_vertex.min() <= user_vertex.max() < len(clean_vertex)
        or not ((arrays["faces"] >= 0) & (arrays["faces"] < count)).all()
        or len(arrays["repairs"]) != len(_REPAIRS)
    ):
        raise ValueError("the arrays do not belong together")
    if not all(np.isfinite(array).all() for array in arrays.values() if array.dtype.kind == "f"):
        raise ValueError("values that are not finite")
    values = {}
    for field in fields(Discretization):
        if field.name in _SPARSE:
            values[field.name] = _matrix(arrays, field.name, count, count)
        else:
            values[field.name] = arrays[field.name]
    counts = zip(_REPAIRS, arrays["repairs"].tolist(), strict=True)
    return PreparedSurface(
        discretization=Discretization(**values),
        clean_vertex=clean_vertex,
        blend=_matrix(arrays, "blend", clean_count, count) if "blend_indptr" in arrays else None,
        user_vertex=user_vertex,
        repairs=RepairReport(**{field.name: count for field, count in counts}),
    )
