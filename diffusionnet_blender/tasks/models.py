"""Libraries of models: the bundled one and the user's folders."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Sequence
from colorsys import hsv_to_rgb
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from ..errors import ModelError
from ..network.card import CARD_FORMAT, ModelCard, Purpose, check_name, read_json
from ..network.checkpoint import Model
from ..network.features import FEATURES

BUNDLED = Path(__file__).resolve().parent.parent / "weights"
DEFAULT_MODEL = "body_parts"
DEFAULT_MATCH_MODEL = "body_match"
FINE_PARTS_MODEL = "body_parts_fine"
LAYERS_MODEL = "body_layers"
ANIMAL_PARTS_MODEL = "animal_parts"
ANIMAL_MATCH_MODEL = "animal_match"
FAMILY_MODEL = "figure_family"
# In place of a model's name: parts by the bones of an armature, and the rest by the default model.
FROM_RIG = "rig"
DEFAULT_MODELS: dict[Purpose, str] = {"segment": DEFAULT_MODEL, "match": DEFAULT_MATCH_MODEL}
_DOES = {
    "segment": "labels parts",
    "classify": "classifies whole shapes",
    "match": "matches shapes",
}
_TO = {"segment": "label parts", "classify": "classify whole shapes", "match": "match shapes"}


def list_models(folders: Sequence[Path] = ()) -> list[ModelCard]:
    """Cards of all models, the bundled ones first; a card that is wrong is left out.

    Parameters
    ----------
    folders : sequence of Path
        The user's libraries.
    """
    return read_library(folders).cards


@dataclass(frozen=True)
class Library:
    """What `read_library` found.

    Attributes
    ----------
    cards : list of ModelCard
        The bundled ones first; each has a name of its own, which is also that of its files.
    left_out : list of (Path, ModelError)
        Cards that cannot be used, and why.
    """

    cards: list[ModelCard]
    left_out: list[tuple[Path, ModelError]]


def read_library(folders: Sequence[Path] = ()) -> Library:
    """Read the cards of all models; whatever the folders hold, nothing is raised.

    Parameters
    ----------
    folders : sequence of Path
        The user's libraries.
    """
    cards: dict[str, ModelCard] = {}
    left_out = []
    for path in _card_paths(folders):
        try:
            card = ModelCard.load(path)
            if card.name != path.stem:
                raise ModelError(
                    f"{path.name} is the card of a model {card.name!r}",
                    "Files and card have one name: import the model from another folder.",
                )
            if card.name in cards:
                raise ModelError(
                    f"There is another model {card.name!r}, which stays",
                    "Rename the files, and the model in the card.",
                )
        except ModelError as error:
            left_out.append((path, error))
        else:
            cards[card.name] = card
    return Library(list(cards.values()), left_out)


def model_path(name: str, folders: Sequence[Path] = ()) -> Path:
    """Path of the weights of a model, by its name or by that path itself.

    Those of `FROM_RIG` are those of the default model.

    Raises
    ------
    ModelError
        If there is no such model.
    """
    if Path(name).suffix == ".safetensors" and os.path.exists(name):
        return Path(name)
    if name == FROM_RIG:
        name = DEFAULT_MODEL
    # Of models of one name the first counts, as in `list_models`.
    cards = {path.stem: path for path in reversed(_card_paths(folders))}
    if name in cards:
        return cards[name].with_suffix(".safetensors")
    raise ModelError(
        f"There is no model {name!r}",
        f"Known models: {', '.join(sorted(cards)) or 'none'}. Or give the path of a .safetensors.",
    )


def path_for(name: str, folders: Sequence[Path], purpose: Purpose) -> Path:
    """As `model_path`, for a model of a purpose.

    Raises
    ------
    ModelError
        If there is no such model, or it is of another purpose.
    """
    path = model_path(name, folders)
    require_purpose(ModelCard.load(path.with_suffix(".json")), purpose)
    return path


def require_purpose(card: ModelCard, purpose: Purpose) -> None:
    """Raise ModelError unless a model is of a purpose."""
    if card.purpose != purpose:
        default = DEFAULT_MODELS.get(purpose)
        raise ModelError(
            f"The model {card.name!r} {_DOES[card.purpose]} and does not {_TO[purpose]}",
            f"Choose another one, such as {default}."
            if default
            else "Choose one that was trained on whole shapes.",
        )


def card_of(model: str | Model, folders: Sequence[Path], purpose: Purpose) -> ModelCard:
    """Card of a model of a purpose, without its weights; errors as of `loaded`."""
    if isinstance(model, str):
        card = ModelCard.load(model_path(model, folders).with_suffix(".json"))
    else:
        card = model.card
    require_purpose(card, purpose)
    return card


def loaded(model: str | Model, folders: Sequence[Path], purpose: Purpose) -> Model:
    """A model of a purpose, loaded if it is given by name or path.

    Raises
    ------
    ModelError
        If there is no such model, it cannot be read, or it is of another purpose.
    """
    if not isinstance(model, str):
        require_purpose(model.card, purpose)
        return model
    return find_model(str(path_for(model, folders, purpose)))


def find_model(name: str, folders: Sequence[Path] = ()) -> Model:
    """Load a model by its name or path; see `model_path` and `checkpoint.load_model`."""
    from ..network.checkpoint import load_model

    return load_model(model_path(name, folders))


def is_bundled(name: str) -> bool:
    """Whether a model ships with the package."""
    return name in {path.stem for path in BUNDLED.glob("*.json")}


def import_model(
    file: Path, folder: Path, card: Path | None = None, output_at: str = "vertices"
) -> Path:
    """Add a model to the user's library.

    Parameters
    ----------
    file : Path
        A .safetensors file, whose card lies beside it, or else a published .pth file.
    folder : Path
        The library.
    card : Path, optional
        For a .pth file: JSON as `import_published` takes it.
    output_at : {"vertices", "edges", "faces", "shape"}
        For a .pth file without a card.

    Returns
    -------
    Path
        Of the new .safetensors file.

    Raises
    ------
    ModelError
        If a file cannot be read, or as `add_model` and `import_published` do.
    """
    if file.suffix.lower() == ".safetensors":
        return add_model(file, folder)
    content: dict[str, Any] = {"architecture": {"output_at": output_at}}
    if card is not None:
        content = read_json(card)
        if not isinstance(content, dict):
            raise ModelError(f"The card {card} is no JSON object", "Give one with named fields.")
    return import_published(file, content, folder)


def add_model(weights: Path, folder: Path) -> Path:
    """Copy a .safetensors file and the card beside it into the user's library.

    Raises
    ------
    ModelError
        If they are not a valid model, or the library already has one of that name.
    """
    from ..network.checkpoint import load_model

    card = load_model(weights).card
    require_new_name(card.name, folder)
    return _loading(_place(weights, card, folder))


def rename_model(name: str, folder: Path, new_name: str, title: str) -> Path:
    """Rename one of the user's models, with its files, and change its title.

    Parameters
    ----------
    name : str
    folder : Path
        The library.
    new_name, title : str
        The new name may be the old one.

    Returns
    -------
    Path
        Of its .safetensors file.

    Raises
    ------
    ModelError
        If the model is bundled or missing, or the new name is taken or invalid.
    """
    path = _own_model(name, folder)
    if new_name != name:
        require_new_name(new_name, folder)
    card = replace(ModelCard.load(path.with_suffix(".json")), name=new_name, title=title)
    renamed = _place(path, card, folder)
    if new_name != name:
        _delete(path)
    return renamed


def remove_model(name: str, folder: Path) -> None:
    """Delete one of the user's models.

    Raises
    ------
    ModelError
        If it is bundled or missing.
    """
    _delete(_own_model(name, folder))


def import_published(pth: Path, card: dict[str, Any], folder: Path) -> Path:
    """Save a published .pth file as safetensors with a card, in the user's library.

    Parameters
    ----------
    pth : Path
    card : dict
        Fields of a `ModelCard`, each optional. Of `architecture` only `output_at` and `diffusion`
        are used; the rest of the architecture is read from the weights. By default `features` is
        the published input of the network's number of channels, `discretization` is that of the
        published code, and classes are numbered.
    folder : Path

    Returns
    -------
    Path
        Of the new .safetensors file.

    Raises
    ------
    ModelError
        If the file holds anything but tensors, or weights of another network, if a field of the
        card is invalid, or if the library already has a model of that name.
    """
    from ..network.checkpoint import save_model
    from ..network.published import architecture_of, read_published, rename_published

    weights = rename_published(read_published(Path(pth)))
    stated = card.get("architecture", {})
    settings = card.get("discretization", {})
    if not isinstance(stated, dict) or not isinstance(settings, dict):
        name = "discretization" if isinstance(stated, dict) else "architecture"
        raise ModelError(
            f"The card of {Path(pth).name} has {name} {card[name]!r:.100}",
            "Give an object with named fields, or leave it out.",
        )
    architecture = architecture_of(
        weights, stated.get("output_at", "vertices"), stated.get("diffusion", "spectral")
    )
    published = {"centre": "vertices", "gradient_regulariser": "published"}
    count = architecture.outputs
    content = {
        "format": CARD_FORMAT,
        "name": Path(pth).stem,
        "title": Path(pth).stem,
        "class_names": [f"part {number + 1}" for number in range(count)],
        "class_colours": [hsv_to_rgb(number / count, 0.6, 0.9) for number in range(count)],
        "features": [
            feature.name
            for feature in FEATURES.values()
            if feature.published and feature.width == architecture.inputs
        ],
        **card,
        "architecture": asdict(architecture),
        "discretization": {**published, **settings},
    }
    model = Model(ModelCard.from_json(content, f"of {Path(pth).name}"), weights)
    require_new_name(model.card.name, folder)
    try:
        path = save_model(model, folder)
    except OSError as error:
        raise _not_written(folder, error) from error
    return _loading(path)


def require_new_name(name: str, folder: Path) -> None:
    """Raise ModelError if a name is invalid or taken."""
    check_name(name)
    # Some file systems take capitals for small letters. Weights without a card are kept, too.
    taken = {
        path.stem.casefold()
        for each in (BUNDLED, Path(folder))
        for path in _files(each)
        if path.suffix.lower() in (".json", ".safetensors")
    }
    if name.casefold() in taken | {FROM_RIG}:
        raise ModelError(
            f"The library already has a model {name!r}",
            "Choose another name, or remove the old model first.",
        )


def _own_model(name: str, folder: Path) -> Path:
    """Path of the weights of one of the user's models."""
    if is_bundled(name):
        raise ModelError(
            f"The model {name!r} ships with the extension and stays as it is",
            "Choose a model of your own.",
        )
    check_name(name)
    path = Path(folder) / f"{name}.safetensors"
    if not (path.exists() and path.with_suffix(".json").exists()):
        raise ModelError(f"There is no model {name!r} in {folder}", "Reload the models.")
    return path


def _place(weights: Path, card: ModelCard, folder: Path) -> Path:
    """Copy weights unchanged and write their card; a reader never sees a part of a file."""
    path = Path(folder) / f"{card.name}.safetensors"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder) as staged:
            if Path(weights) != path:
                shutil.copyfile(weights, Path(staged) / path.name)
            card.save(Path(staged) / f"{card.name}.json")
            for file in Path(staged).iterdir():
                os.replace(file, path.parent / file.name)
    except OSError as error:
        raise _not_written(folder, error) from error
    return path


def _not_written(folder: Path, error: OSError) -> ModelError:
    return ModelError(
        f"The model library {folder} cannot be written ({error.strerror})",
        "Choose another folder in the preferences.",
    )


def _loading(path: Path) -> Path:
    """Path of new weights if they load; else nothing stays."""
    from ..network.checkpoint import load_model

    try:
        load_model(path)
    except BaseException:
        for file in (path, path.with_suffix(".json")):
            file.unlink(missing_ok=True)
        raise
    return path


def _delete(weights: Path) -> None:
    try:
        # The card first: weights alone are no model.
        Path(weights).with_suffix(".json").unlink()
        Path(weights).unlink()
    except OSError as error:
        raise ModelError(
            f"{error.filename} cannot be deleted ({error.strerror})", "Check its rights."
        ) from error


def _card_paths(folders: Sequence[Path]) -> list[Path]:
    return [
        path
        for folder in (BUNDLED, *map(Path, folders))
        for path in _files(folder)
        if path.suffix == ".json" and os.path.exists(path.with_suffix(".safetensors"))
    ]


def _files(folder: Path) -> list[Path]:
    """Files of a folder by name; none if it is missing or cannot be read."""
    try:
        return sorted(folder.iterdir())
    except (OSError, ValueError):
        return []
