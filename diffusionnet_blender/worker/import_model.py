"""A model into the library: here, since this is where torch is, which reads .pth files."""

from __future__ import annotations

from pathlib import Path

from ..network.checkpoint import WEIGHTS_SUFFIX
from ..tasks.models import import_model


def run(request: dict, progress) -> dict:
    """Import; see `jobs.find_job` and `tasks.models.import_model`.

    Returns
    -------
    dict
        name : str, of the new model.
    """
    path = import_model(
        Path(request["file"]),
        Path(request["folder"]),
        None if request["card"] is None else Path(request["card"]),
        request["output_at"],
    )
    return {"name": path.name.removesuffix(WEIGHTS_SUFFIX)}
