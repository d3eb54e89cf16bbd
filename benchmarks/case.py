"""What is measured, one process each."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Literal

# Each of them makes some library's threads; "the machine's default" is none of them set.
THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


@dataclass(frozen=True)
class Case:
    """One process to measure.

    Attributes
    ----------
    program : {"baseline", "ours", "network", "scene", "click"}
        The plain way; this project from the mesh to labels; the same with the matrices from the
        cache; reading and writing a Blender object; the operator in Blender, twice.
    mesh : {"body", "sphere"}
    size : int
        About how many vertices.
    threads : int or None
        Of the numerical libraries; None: the machine's default.
    engine : {"numpy", "torch"}
    variant : str
        A way of `variants.VARIANTS` in which this project makes the matrices.
    """

    program: Literal["baseline", "ours", "network", "scene", "click"]
    mesh: Literal["body", "sphere"]
    size: int
    threads: int | None = None
    engine: Literal["numpy", "torch"] = "numpy"
    variant: str = "exact"

    def key(self) -> str:
        """A name for files."""
        threads = self.threads or "default"
        made = f"{self.engine}-{self.variant}"
        return f"{self.program}-{self.mesh}-{self.size}-{made}-{threads}"

    def environment(self) -> dict[str, str]:
        """Variables of the process."""
        kept = {k: v for k, v in os.environ.items() if k not in THREAD_VARIABLES}
        if self.threads:
            kept.update(dict.fromkeys(THREAD_VARIABLES, str(self.threads)))
        return kept
