"""Model cards: classes, inputs, architecture and origin of weights, as JSON beside them."""

from __future__ import annotations

import json
import os
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Literal, TypeVar

from ..errors import ModelError
from ..surface.settings import DEFAULT_SETTINGS, DiscretizationSettings
from .architecture import MOST_CHANNELS, Architecture
from .features import FEATURES, FRAME, input_width
from .votes import VOTES

# To label parts, to classify whole shapes, to give features that shapes are matched by.
Purpose = Literal["segment", "classify", "match"]
CARD_FORMAT = 1
LARGEST_CARD = 4 * 2**20
LONGEST_NAME = 100
LONGEST_TEXT = 200
LONGEST_PROSE = 20_000
# Outputs divided by less are 0 or 1, by more all alike.
LEAST_TEMPERATURE = 0.01
MOST_TEMPERATURE = 100.0
# Of Windows, with any suffix.
_RESERVED = {
    *("CON", "PRN", "AUX", "NUL"),
    *(f"{port}{number}" for port in ("COM", "LPT") for number in "123456789\u00b9\u00b2\u00b3"),
}
Kind = TypeVar("Kind")


@dataclass(frozen=True)
class ModelCard:
    """Classes, inputs, architecture, discretization and measured accuracy of a model.

    Attributes
    ----------
    name : str
        Also the stem of the files.
    title, description : str
        For people.
    class_names : tuple of str
        In the order of the network's outputs; empty where these are features to match by.
    class_colours : tuple of (r, g, b)
        sRGB, 0 to 1, one a class.
    features : tuple of str
        Inputs, side by side; keys of `features.FEATURES`.
    architecture : Architecture
    discretization : DiscretizationSettings
        Number of eigenpairs, normalisation, gradient regulariser.
    training_data, licence : str
    accuracy : dict of str to float
        Measured, area-weighted, 0 to 1, by the set that it was measured on.
    temperature : float
        Divisor of the network's outputs before the softmax, so that a probability of 0.8 is right
        in eight of ten places (Guo et al. 2017).
    outer_skin : bool
        Whether the training data hold outer skins, so that a mesh of many parts is evaluated both
        as it is and as one skin around all of them.
    limbs : tuple of two tuples of str
        Of arms and of legs, the classes of one side from the body outwards, so that the sides of a
        body can be agreed (`tasks.segment.limbs`). Empty for shapes without arms and legs.
    four_legs : bool
        Whether the figures stand on what `limbs` calls arms, too: front legs.

    Raises
    ------
    ModelError
        If a field is of another type or out of range, or contradicts another.
    """

    name: str
    title: str
    class_names: tuple[str, ...]
    class_colours: tuple[tuple[float, float, float], ...]
    features: tuple[str, ...]
    architecture: Architecture
    discretization: DiscretizationSettings = DEFAULT_SETTINGS
    description: str = ""
    training_data: str = ""
    licence: str = ""
    accuracy: dict[str, float] = field(default_factory=dict)
    temperature: float = 1.0
    outer_skin: bool = False
    limbs: tuple[tuple[str, ...], ...] = ()
    four_legs: bool = False

    def __post_init__(self) -> None:
        check_name(self.name)
        self._check_texts()
        for name in ("class_names", "features"):
            object.__setattr__(self, name, self._texts(name, getattr(self, name)))
        if len(set(self.class_names)) < len(self.class_names):
            raise self._wrong("class_names", self.class_names, "Give each class a name of its own.")
        limbs = self._list("limbs", self.limbs)
        object.__setattr__(self, "limbs", tuple(self._texts("limbs", limb) for limb in limbs))
        colours = self._list("class_colours", self.class_colours)
        object.__setattr__(self, "class_colours", tuple(map(self._colour, colours)))
        unknown = [name for name in self.features if name not in FEATURES]
        if unknown or not self.features or len(set(self.features)) < len(self.features):
            raise ModelError(
                f"Card {self.name!r} names unknown input features {unknown!r:.200}"
                if unknown
                else f"Card {self.name!r} names no input features, or one of them twice",
                f"Known are {', '.join(FEATURES)}.",
            )
        if not _is_number(self.temperature, LEAST_TEMPERATURE, MOST_TEMPERATURE):
            raise self._wrong(
                "temperature",
                self.temperature,
                f"Give a number above zero, from {LEAST_TEMPERATURE} to {MOST_TEMPERATURE}, "
                "or leave it out.",
            )
        for name in ("outer_skin", "four_legs"):
            if type(getattr(self, name)) is not bool:
                raise self._wrong(name, getattr(self, name), "Give true or false.")
        if not isinstance(self.accuracy, Mapping) or not all(
            _is_text(key) and _is_number(value, 0.0, 1.0) for key, value in self.accuracy.items()
        ):
            raise self._wrong("accuracy", self.accuracy, "Give numbers from 0 to 1 by name.")
        for name, kind in (
            ("architecture", Architecture),
            ("discretization", DiscretizationSettings),
        ):
            if not isinstance(getattr(self, name), kind):
                raise self._wrong(name, getattr(self, name), "Give named fields.")
        unknown = [name for limb in self.limbs for name in limb if name not in self.class_names]
        if unknown or self.limbs and (len(self.limbs) != 2 or min(map(len, self.limbs)) < 2):
            raise ModelError(
                f"Card {self.name!r} has limbs that are not classes of arms and legs: "
                f"{self.limbs!r:.200}",
                "Give two lists, each of at least two classes of one side, or leave them out.",
            )
        width = input_width(self.features)
        if width != self.architecture.inputs:
            raise ModelError(
                f"Card {self.name!r}: its features have {width} channels, the network takes "
                f"{self.architecture.inputs}",
                "Correct features or architecture.inputs in the card.",
            )
        # A model of features for matching has no classes.
        count = self.architecture.outputs - self.votes if self.class_names else 0
        for name in ("class_names", "class_colours"):
            if len(getattr(self, name)) != count:
                raise ModelError(
                    f"Card {self.name!r} has {len(getattr(self, name))} {name}, the network "
                    f"{self.architecture.outputs} outputs"
                    + (f", {self.votes} of them votes on the frame" if self.votes else ""),
                    "Give one for each output, or neither for a model that matches shapes.",
                )

    def _wrong(self, name: str, value: object, fix: str) -> ModelError:
        return ModelError(f"Card {self.name!r} has {name} {value!r:.100}", fix)

    def _check_texts(self) -> None:
        if not _is_text(self.title):
            raise self._wrong(
                "title", self.title, f"Give a text of one line, of 1 to {LONGEST_TEXT} characters."
            )
        for name in ("description", "training_data", "licence"):
            value = getattr(self, name)
            if not isinstance(value, str) or len(value) > LONGEST_PROSE or not _is_shown(value):
                raise self._wrong(
                    name, value, f"Give a text of at most {LONGEST_PROSE} characters."
                )

    def _list(self, name: str, value: object) -> Sequence[Any]:
        if not isinstance(value, list | tuple) or len(value) > MOST_CHANNELS:
            raise self._wrong(name, value, f"Give a list of at most {MOST_CHANNELS}.")
        return value

    def _texts(self, name: str, value: object) -> tuple[str, ...]:
        texts = tuple(self._list(name, value))
        if not all(map(_is_text, texts)):
            raise self._wrong(
                name, value, f"Give a list of texts of 1 to {LONGEST_TEXT} characters."
            )
        return texts

    def _colour(self, value: Any) -> tuple[float, float, float]:
        # Colours of code that makes a card may be an array.
        colour = tuple(
            value.tolist() if hasattr(value, "tolist") else self._list("a colour", value)
        )
        if len(colour) != 3 or not all(_is_number(part, 0.0, 1.0) for part in colour):
            raise self._wrong("the colour", value, "Give three numbers from 0 to 1 for each class.")
        red, green, blue = map(float, colour)
        return red, green, blue

    @property
    def purpose(self) -> Purpose:
        """What the model is for."""
        if not self.class_names:
            return "match"
        return "classify" if self.architecture.output_at == "shape" else "segment"

    @property
    def sees_pose(self) -> bool:
        """Whether some input is computed from the positions of a pose."""
        return any(FEATURES[name].sees_pose for name in self.features)

    @property
    def mirror_invariant(self) -> bool:
        """Whether all inputs are the same on the mirror image of a shape."""
        return all(FEATURES[name].mirror_invariant for name in self.features)

    @property
    def votes(self) -> int:
        """Outputs beside those of the classes: votes on the frame of a figure, see `votes`."""
        return VOTES if FRAME in self.features else 0

    def save(self, path: Path) -> None:
        """Write the card as JSON."""
        text = json.dumps({"format": CARD_FORMAT, **asdict(self)}, indent=2, ensure_ascii=False)
        Path(path).write_text(text + "\n", encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> ModelCard:
        """Read a card.

        Raises
        ------
        ModelError
            If the file is missing, is not a card, or contradicts itself.
        """
        path = Path(path)
        return cls.from_json(read_json(path), path.name)

    @classmethod
    def from_json(cls, content: Any, source: str) -> ModelCard:
        """A card from decoded JSON; `source` names it in errors."""
        form = content.get("format") if isinstance(content, dict) else None
        if type(form) is not int or form != CARD_FORMAT:
            raise ModelError(
                f"{source} is not a model card of format {CARD_FORMAT}",
                "Import the model again, or update the extension.",
            )
        content = {key: value for key, value in content.items() if key != "format"}
        try:
            return cls(
                **{
                    **content,
                    "architecture": _build(Architecture, content["architecture"]),
                    "discretization": _build(
                        DiscretizationSettings, content.get("discretization", {})
                    ),
                }
            )
        except ModelError as error:
            raise ModelError(f"{source}: {error.message}", error.fix) from error
        except KeyError as error:
            raise ModelError(
                f"The model card {source} has no {error}", _known_fields(cls)
            ) from error
        except (TypeError, ValueError, OverflowError, AttributeError, RecursionError) as error:
            raise ModelError(
                f"The model card {source} is incomplete or wrong ({error!s:.200})",
                _known_fields(cls),
            ) from error


def check_name(name: object) -> None:
    """Raise ModelError unless a text can name a model and its files on every system."""
    if (
        not isinstance(name, str)
        or not re.fullmatch(r"\w[\w .+-]*", name)
        or name[-1] in " ."
        or not _is_shown(name)
        or name.split(".")[0].strip().upper() in _RESERVED
    ):
        raise ModelError(
            f"{name!r:.60} is no name for a model", "Use letters, digits, spaces, and . _ + - only."
        )
    # Of file systems, with the suffix and the name of a temporary file.
    if len(name) > LONGEST_NAME or len(name.encode()) > 2 * LONGEST_NAME:
        raise ModelError(
            f"{name!r:.60} is no name for a model: it is too long",
            f"Use at most {LONGEST_NAME} characters.",
        )


def read_json(path: Path) -> Any:
    """Content of a card or of a part of one.

    Raises
    ------
    ModelError
        If the file cannot be read, or is not JSON.
    """
    path = Path(path)
    try:
        if os.path.exists(path) and not os.path.isfile(path):
            raise ModelError(f"The model card {path.name} is no file", "Give a JSON file.")
        with path.open("rb") as file:
            content = file.read(LARGEST_CARD + 1)
        if len(content) > LARGEST_CARD:
            raise ModelError(
                f"The model card {path.name} is too large", "Copy or import the model again."
            )
        return json.loads(content.decode("utf-8-sig"))
    except OSError as error:
        raise ModelError(
            f"The model card {path.name} cannot be read ({error.strerror})",
            "Keep each .safetensors file with the .json card it came with.",
        ) from error
    except RecursionError as error:
        raise ModelError(
            f"The model card {path.name} is nested too deeply", "Copy or import it again."
        ) from error
    except ValueError as error:
        raise ModelError(
            f"The model card {path.name} is not JSON ({error!s:.200})", "Copy or import it again."
        ) from error


def _known_fields(kind: type) -> str:
    return f"A card has the fields {', '.join(f.name for f in fields(kind))}."


def _is_shown(text: str) -> bool:
    """Whether a text can be stored and shown: no half of a character, no control character."""
    return text.isprintable() or all(
        unicodedata.category(letter) not in ("Cs", "Cc") or letter in "\n\r\t" for letter in text
    )


def _is_text(value: object) -> bool:
    """Whether a value is a text of one line that shows something."""
    return (
        isinstance(value, str)
        and 0 < len(value) <= LONGEST_TEXT
        and bool(value.strip())
        and _is_shown(value)
        and len(value.splitlines()) == 1
    )


def _is_number(value: object, least: float, most: float) -> bool:
    return isinstance(value, int | float) and type(value) is not bool and least <= value <= most


def _build(kind: type[Kind], content: object) -> Kind:
    """A dataclass from its fields in JSON."""
    if not isinstance(content, Mapping):
        raise TypeError(f"{content!r:.50} where named fields are expected")
    return kind(**content)
