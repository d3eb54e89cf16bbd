"""The models at hand: those that ship, and those in folders of the user's."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ..errors import ModelError
from ..network.card import ModelCard

BUNDLED = Path(__file__).resolve().parent.parent / "weights"


def list_models(folders: Sequence[Path] = ()) -> list[ModelCard]:
    """Cards of all models, the bundled ones first; a damaged card is left out.

    Parameters
    ----------
    folders : sequence of Path
        Libraries of the user's.
    """
    cards = {}
    for path in _card_paths(folders):
        try:
            card = ModelCard.load(path)
        except ModelError:
            continue
        cards.setdefault(path.stem, card)
    return list(cards.values())


def model_path(name: str, folders: Sequence[Path] = ()) -> Path:
    """Path of the weights of a model, given by its name or by a path of its own.

    Raises
    ------
    ModelError
        If there is no such model.
    """
    if Path(name).suffix == ".safetensors" and Path(name).exists():
        return Path(name)
    known = {path.stem: path for path in reversed(_card_paths(folders))}
    if name in known:
        return known[name].with_suffix(".safetensors")
    raise ModelError(
        f"There is no model {name!r}",
        f"Known models: {', '.join(sorted(known)) or 'none'}. Or give the path of a .safetensors.",
    )


def find_model(name: str, folders: Sequence[Path] = ()):
    """Load a model by its name or path; see `model_path` and `checkpoint.load_model`."""
    from ..network.checkpoint import load_model

    return load_model(model_path(name, folders))


def import_published(pth: Path, card: dict, folder: Path) -> Path:
    """Save a published .pth file as safetensors with a card, in the user's library.

    Parameters
    ----------
    pth : Path
    card : dict
        Fields of a `ModelCard`. `architecture` may be left out, or hold just `output_at` and
        `diffusion`; everything else about the network is read from the weights.
        `discretization` defaults to what the published code did.
    folder : Path

    Returns
    -------
    Path
        Of the new .safetensors file.

    Raises
    ------
    ModelError
        If the file holds anything but plain tensors, is of another network, a field is wrong,
        or the library already has a model of that name.
    """
    from dataclasses import asdict

    from ..network.card import CARD_FORMAT
    from ..network.checkpoint import Model, save_model
    from ..network.published import architecture_of, read_published, rename_published

    weights = rename_published(read_published(Path(pth)))
    told = card.get("architecture", {})
    architecture = architecture_of(
        weights, told.get("output_at", "vertices"), told.get("diffusion", "spectral")
    )
    published = {"centre": "vertices", "gradient_regulariser": "published"}
    content = {
        "format": CARD_FORMAT,
        "name": Path(pth).stem,
        "title": Path(pth).stem,
        **card,
        "architecture": asdict(architecture),
        "discretization": {**published, **card.get("discretization", {})},
    }
    model = Model(ModelCard.from_json(content, f"of {Path(pth).name}"), weights)
    if (Path(folder) / f"{model.card.name}.json").exists():
        raise ModelError(
            f"The library already has a model {model.card.name!r}",
            "Give the card another name, or delete the old model first.",
        )
    return save_model(model, folder)


def _card_paths(folders: Sequence[Path]) -> list[Path]:
    return [
        path
        for folder in (BUNDLED, *map(Path, folders))
        for path in sorted(folder.glob("*.json"))
        if path.with_suffix(".safetensors").exists()
    ]
