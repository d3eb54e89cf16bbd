"""Models on disk: safetensors, with the model card beside them.

The library is imported where a file is read or written, not before: requests of tasks hold a model.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

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

    Raises
    ------
    ModelError
        If the weights are not those of the card's network, or are not finite.
    """
    import safetensors.numpy

    model.card.architecture.check(model.weights)
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    dtype = np.float16 if half else np.float32
    with np.errstate(over="ignore"):
        tensors = {name: np.ascontiguousarray(w, dtype=dtype) for name, w in model.weights.items()}
    require_finite(tensors, f"of the model {model.card.name!r}")
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
        If a file is missing, damaged, or the two do not belong together; or if weights are not
        finite, or of a type that is not read.
    """
    import safetensors

    path = Path(path)
    card = ModelCard.load(path.with_suffix(CARD_SUFFIX))
    try:
        stored = safetensors.deserialize(path.read_bytes())
    except FileNotFoundError as error:
        raise ModelError(
            f"The weights {path.name} are missing",
            "Keep each .json card with the .safetensors file it came with.",
        ) from error
    except (OSError, safetensors.SafetensorError, KeyError, ValueError, OverflowError) as error:
        raise ModelError(
            f"The weights {path.name} are damaged or no safetensors file ({error})",
            "Copy or import the model again.",
        ) from error
    weights = {name: _float32(name, tensor, path.name) for name, tensor in stored}
    card.architecture.check(weights)
    require_finite(weights, path.name)
    return Model(card, weights)


def require_finite(weights: Mapping[str, np.ndarray], source: str) -> None:
    """Raise ModelError unless all weights are finite; `source` says whose they are."""
    wrong = next((name for name, w in weights.items() if not np.isfinite(w).all()), None)
    if wrong is not None:
        raise ModelError(
            f"The weights {source} hold values that are not finite (in {wrong})",
            "Copy the model again, or train it anew.",
        )


# Halves, singles and doubles as NumPy has them; bfloat16 is the upper half of a single.
_TYPES = {"F16": "<f2", "F32": "<f4", "F64": "<f8", "BF16": "<u2"}


def _float32(name: str, tensor: Mapping[str, Any], source: str) -> np.ndarray:
    """A tensor of a safetensors file, which may be of any float type that has a wide use."""
    kind = str(tensor["dtype"])
    if kind not in _TYPES:
        raise ModelError(
            f"The weights {source} hold values of type {kind} (in {name})",
            "Save them as float32: F32, F16, BF16 and F64 are read.",
        )
    values = np.frombuffer(tensor["data"], dtype=_TYPES[kind]).reshape(tensor["shape"])
    if kind == "BF16":
        return (values.astype(np.uint32) << 16).view(np.float32)
    # What is too large for a single becomes infinite, which is refused.
    with np.errstate(over="ignore"):
        return values.astype(np.float32)
