"""Import of a model into a library; a task of its own since torch reads published .pth files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ...network.checkpoint import WEIGHTS_SUFFIX
from ...options import option
from ..models import import_model
from ..progress import SILENT, Progress

STAGES: dict[str, float] = {}


@dataclass(frozen=True)
class ImportRequest:
    """A file to import.

    Attributes
    ----------
    file : Path
        A .safetensors file, whose card lies beside it, or else a published .pth file.
    folder : Path
        The library.
    card : Path, optional
        For a .pth file: JSON as `models.import_published` takes it.
    output_at : {"vertices", "edges", "faces", "shape"}
    """

    file: Path
    folder: Path
    card: Path | None = None
    output_at: str = option(
        "vertices",
        "Output",
        "Mesh elements labeled by a .pth file without a card",
        choices=(
            ("vertices", "Vertices", "The network labels each vertex"),
            ("faces", "Faces", "The network labels each face"),
        ),
    )


@dataclass(frozen=True)
class ImportedModel:
    """Name of the new model in the library."""

    name: str


def run(request: ImportRequest, progress: Progress = SILENT) -> ImportedModel:
    """Add a model to a library; see `models.import_model` for the errors raised."""
    path = import_model(request.file, request.folder, request.card, request.output_at)
    return ImportedModel(path.name.removesuffix(WEIGHTS_SUFFIX))
