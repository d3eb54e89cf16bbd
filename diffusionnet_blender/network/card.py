"""Model cards: classes, inputs, architecture and origin of weights, as JSON beside them."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Literal, TypeVar

from ..errors import ModelError
from ..surface.settings import DEFAULT_SETTINGS, DiscretizationSettings
from .architecture import Architecture
from .features import FEATURES, input_width

# To label parts, to classify whole shapes, to give features that shapes are matched by.
Purpose = Literal["segment", "classify", "match"]
CARD_FORMAT = 1
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

    def __post_init__(self) -> None:
        for name in ("class_names", "features"):
            object.__setattr__(self, name, tuple(getattr(self, name)))
        object.__setattr__(self, "limbs", tuple(tuple(limb) for limb in self.limbs))
        colours = tuple(tuple(float(x) for x in colour) for colour in self.class_colours)
        object.__setattr__(self, "class_colours", colours)
        unknown = [name for name in self.features if name not in FEATURES]
        if unknown or not self.features:
            raise ModelError(
                f"Card {self.name!r} names unknown input features {unknown}",
                f"Known are {', '.join(FEATURES)}.",
            )
        if not (isinstance(self.temperature, int | float) and 0 < self.temperature < math.inf):
            raise ModelError(
                f"Card {self.name!r} has temperature {self.temperature!r}",
                "Give a number above zero, or leave it out.",
            )
        unknown = [name for limb in self.limbs for name in limb if name not in self.class_names]
        if unknown or self.limbs and (len(self.limbs) != 2 or min(map(len, self.limbs)) < 2):
            raise ModelError(
                f"Card {self.name!r} has limbs that are not classes of arms and legs: {self.limbs}",
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
        count = self.architecture.outputs if self.class_names else 0
        for name in ("class_names", "class_colours"):
            if len(getattr(self, name)) != count:
                raise ModelError(
                    f"Card {self.name!r} has {len(getattr(self, name))} {name}, the network "
                    f"{self.architecture.outputs} outputs",
                    "Give one for each output, or neither for a model that matches shapes.",
                )

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
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise ModelError(
                f"The model card {path.name} cannot be read ({error.strerror})",
                "Keep each .safetensors file with the .json card it came with.",
            ) from error
        except ValueError as error:
            raise ModelError(
                f"The model card {path.name} is not JSON ({error})", "Copy or import it again."
            ) from error
        return cls.from_json(content, path.name)

    @classmethod
    def from_json(cls, content: Any, source: str) -> ModelCard:
        """A card from decoded JSON; `source` names it in errors."""
        if not isinstance(content, dict) or content.get("format") != CARD_FORMAT:
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
        except (KeyError, TypeError, ValueError) as error:
            raise ModelError(
                f"The model card {source} is incomplete or wrong ({error})",
                f"A card has the fields {', '.join(f.name for f in fields(cls))}.",
            ) from error


def _build(kind: type[Kind], content: Mapping[str, Any]) -> Kind:
    """A dataclass from its fields in JSON."""
    content = dict(content)
    if content.get("mlp_widths") is not None:
        content["mlp_widths"] = tuple(content["mlp_widths"])
    return kind(**content)
