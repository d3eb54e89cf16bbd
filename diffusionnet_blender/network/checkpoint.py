"""Models on disk: safetensors, with the model card beside them.

The library is imported where a file is read or written, not before: requests of tasks hold a model.
"""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..errors import ModelError
from .card import ModelCard

WEIGHTS_SUFFIX = ".safetensors"
CARD_SUFFIX = ".json"


@dataclass(frozen=True, eq=False)
class Model:
    """A card and its weights, (name -> float32 array) as `Architecture.weight_shapes` lists."""

    card: ModelCard
    weights: dict[str, np.ndarray]


def save_model(model: Model, folder: Path, half: bool = False) -> Path:
    """Write NAME.safetensors and NAME.json; a reader sees the old files or the new ones.

    Parameters
    ----------
    model : Model
    folder : Path
        Made if missing.
    half : bool
        Store float16, half the size.

    Returns
    -------
    Path
        Of the weights.
    """
    import safetensors.numpy

    model.card.architecture.check(model.weights)
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    dtype = np.float16 if half else np.float32
    tensors = {name: np.ascontiguousarray(w, dtype=dtype) for name, w in model.weights.items()}
    path = folder / f"{model.card.name}{WEIGHTS_SUFFIX}"
    with tempfile.TemporaryDirectory(dir=folder) as temporary:
        staged = Path(temporary)
        # `save_file` would keep the weights from all other users of the machine.
        (staged / path.name).write_bytes(safetensors.numpy.save(tensors))
        model.card.save(staged / path.with_suffix(CARD_SUFFIX).name)
        for file in staged.iterdir():
            os.replace(file, folder / file.name)
    return path


def load_model(path: Path) -> Model:
    """Read weights and the card beside them.

    Parameters
    ----------
    path : Path
        Of the .safetensors file.

    Returns
    -------
    Model

    Raises
    ------
    ModelError
        If a file is missing, damaged, or the two do not belong together.
    """
    import safetensors.numpy

    path = Path(path)
    card = ModelCard.load(path.with_suffix(CARD_SUFFIX))
    try:
        tensors = safetensors.numpy.load_file(path)
    except FileNotFoundError as error:
        raise ModelError(
            f"The weights {path.name} are missing",
            "Keep each .json card with the .safetensors file it came with.",
        ) from error
    except (OSError, safetensors.SafetensorError, KeyError, ValueError) as error:
        raise ModelError(
            f"The weights {path.name} are damaged or no safetensors file ({error})",
            "Copy or import the model again.",
        ) from error
    weights = {name: tensor.astype(np.float32) for name, tensor in tensors.items()}
    card.architecture.check(weights)
    if not all(np.isfinite(tensor).all() for tensor in weights.values()):
        raise ModelError(
            f"The weights {path.name} hold values that are not finite", "Copy the model again."
        )
    return Model(card, weights)
