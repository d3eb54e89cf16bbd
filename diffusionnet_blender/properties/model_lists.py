"""Lists of models by task; read from files by `reload_models`, never while drawing."""

from ..network.card import ModelCard, Purpose
from ..settings import settings
from ..tasks.models import DEFAULT_MATCH_MODEL, DEFAULT_MODEL, FROM_RIG, is_bundled, read_library

NO_MODEL = "NONE"
# Items without a model: identifier, name and tooltip.
NO_SEGMENTATION = (
    NO_MODEL,
    "No model found",
    "Import one, or set the library in the preferences",
)
NO_CLASSIFICATION = (
    NO_MODEL,
    "No model found",
    "Train a model on whole shapes, or import one",
)
BY_DISTANCES = (
    NO_MODEL,
    "None",
    "Match by distances along the surface alone, for two similar animals or props. Set three or "
    "more pins where the match is wrong",
)
BY_BONES = (
    FROM_RIG,
    "From the Rig",
    "Parts of the bones that move the character, known by their names or their place. Where no "
    "bone is known, body_parts decides",
)
_cards: dict[str, ModelCard] = {}
_bundled: set[str] = set()
_left_out: list[tuple[str, str]] = []
# Blender keeps no reference to the strings of dynamic items: without this they are freed.
_model_items: list[tuple[str, str, str, int]] = []
_classifier_items: list[tuple[str, str, str, int]] = []
_match_items: list[tuple[str, str, str, int]] = []


def reload_models() -> None:
    """Read the cards of all models again; nothing that draws ever reads a file."""
    _cards.clear()
    library = read_library([settings().model_folder])
    _cards.update({card.name: card for card in library.cards})
    _left_out[:] = [(_shown(path.name), _shown(error.message)) for path, error in library.left_out]
    _bundled.clear()
    _bundled.update(filter(is_bundled, _cards))
    models = _items("segment") or [(*NO_SEGMENTATION, 0)]
    _model_items[:] = [*models, (*BY_BONES, len(_cards) + 1)]
    _classifier_items[:] = _items("classify") or [(*NO_CLASSIFICATION, 0)]
    _match_items[:] = [*_items("match"), (*BY_DISTANCES, len(_cards))]


def _items(purpose: Purpose) -> list[tuple[str, str, str, int]]:
    return [
        (name, card.title, card.description, number)
        for number, (name, card) in enumerate(_cards.items())
        if card.purpose == purpose
    ]


def model_card(name: str) -> ModelCard | None:
    """Card of a model that `reload_models` found; that of the default model for `FROM_RIG`."""
    return _cards.get(DEFAULT_MODEL if name == FROM_RIG else name)


def rig_model(context) -> ModelCard | None:
    """Card of the chosen model if it is one of animals, by whose parts Rig then goes."""
    card = model_card(context.scene.diffusionnet.model)
    return card if card is not None and card.four_legs else None


def known_models() -> list[tuple[ModelCard, bool]]:
    """Card of every model that `reload_models` found, and whether it ships with the extension."""
    return [(card, name in _bundled) for name, card in _cards.items()]


def models_left_out() -> list[tuple[str, str]]:
    """Names of cards that `reload_models` could not use, and why, as Blender can show them."""
    return list(_left_out)


def _shown(text: str) -> str:
    # A file's name may be no UTF-8, which Blender refuses.
    return text.encode("utf-8", "replace").decode().replace("\0", " ")


def items_of_model(self, context):
    """Items of the list of models that segment."""
    return _model_items


def items_of_match_model(self, context):
    """Items of the list of models that match."""
    return _match_items


def _number_in(items, wanted: str) -> int:
    return next((number for name, _, _, number in items if name == wanted), items[0][3])


def _name_of(items, wanted: int) -> str:
    return next(name for name, _, _, number in items if number == wanted)


def get_model(self) -> int:
    """Number of the chosen model."""
    return _number_in(_model_items, self.model_name or DEFAULT_MODEL)


def set_model(self, number: int) -> None:
    """Choose a model by number."""
    self.model_name = _name_of(_model_items, number)


def get_match_model(self) -> int:
    """Number of the chosen model."""
    return _number_in(_match_items, self.model_name or DEFAULT_MATCH_MODEL)


def set_match_model(self, number: int) -> None:
    """Choose a model by number."""
    self.model_name = _name_of(_match_items, number)


def items_of_classifier(self, context):
    """Items of the list of models that classify."""
    return _classifier_items


def get_classifier(self) -> int:
    """Number of the chosen model."""
    return _number_in(_classifier_items, self.classifier_name)


def set_classifier(self, number: int) -> None:
    """Choose a model by number."""
    self.classifier_name = _name_of(_classifier_items, number)


def forget_models() -> None:
    """Empty the lists."""
    for each in (_cards, _bundled, _left_out, _model_items, _classifier_items, _match_items):
        each.clear()
