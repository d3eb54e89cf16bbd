"""A cache of matrices at a URL, which machines without a common disk share."""

from __future__ import annotations

import contextlib
import os
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..errors import DiffusionNetError
from ..surface.cache import UNFINISHED, OperatorCache
from .library.storage import folder_at

if TYPE_CHECKING:
    from ..surface.prepare import PreparedSurface


@dataclass(frozen=True)
class SharedCache(OperatorCache):
    """A folder of this machine, whose entries come from a folder at a URL and go there, too.

    As on disk, what cannot be read counts as missing, and what cannot be written is not an error.
    The bound is that of this machine's folder; at the URL nothing is removed.

    Attributes
    ----------
    url : str
    """

    url: str = ""

    def load(self, key: str) -> PreparedSurface | None:
        """The prepared surface of this key from here or there, or None."""
        found = super().load(key)
        if found is not None:
            return found
        with contextlib.suppress(DiffusionNetError, OSError):
            data = folder_at(self.url).read(f"{key}.npz")
            if data is not None:
                self.folder.mkdir(parents=True, exist_ok=True)
                unfinished = self.folder / f"{key}.{secrets.token_hex(8)}{UNFINISHED}"
                unfinished.write_bytes(data)
                os.replace(unfinished, self._path(key))
                return super().load(key)
        return None

    def store(self, key: str, prepared: PreparedSurface) -> None:
        """Keep a prepared surface here and there."""
        super().store(key, prepared)
        with contextlib.suppress(DiffusionNetError, OSError):
            folder_at(self.url).put(self._path(key), f"{key}.npz")
