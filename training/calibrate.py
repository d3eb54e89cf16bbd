"""How sure a model may be: the temperature of its card, and a reliability diagram.

A network that was trained until it knows its training set says 0.99 where 0.9 would be true; one
that was taught with smoothed labels is too modest where it is sure. Its outputs are divided by one
number, the temperature, that makes what it says of unseen figures as likely as can be (Guo et al.
2017). Which class is the most probable does not change.

python -m training.calibrate body_parts            # fits it, and measures with it and without
python -m training.calibrate body_parts --write    # and writes it into the card
python -m training.calibrate body_parts --left-out    # characters of unseen makers count for half

With `--left-out`, models that were trained without a pack of rigged characters (`left_out`) stand
in for the model where it would have learnt from the figure.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
from scipy.optimize import minimize_scalar

from diffusionnet_blender.network.checkpoint import Model, load_model, save_model
from diffusionnet_blender.surface.cache import OperatorCache
from diffusionnet_blender.tasks.models import BUNDLED
from diffusionnet_blender.tasks.segment import segment

from .bodies import FIRST_HELD_OUT_SEED
from .commands import plain_errors
from .examples import Example, sample_example
from .left_out import FOLDS, example_of, folder_of
from .rigged import PACKS

DATA = Path(__file__).parent / "data"
# Unseen figures of every kind, others than those of the suites: to fit, and to measure.
FIT_FROM = FIRST_HELD_OUT_SEED + 100_000
MEASURE_FROM = FIRST_HELD_OUT_SEED + 200_000
BINS = 10
TINY = 1e-12


@dataclass(frozen=True, eq=False)
class Predictions:
    """Probabilities of a model on one figure.

    Attributes
    ----------
    probabilities : (V, C) float;  truth : (V,) int;  shares : (V,) of the figure's area.
    """

    probabilities: np.ndarray
    truth: np.ndarray
    shares: np.ndarray


@dataclass(frozen=True)
class Reliability:
    """How often a model is right where it says how sure it is.

    Attributes
    ----------
    confidence, right, share : list of float
        Means over each tenth of confidence that is met, and the share of the area in it.
    error : float
        Expected calibration error: mean distance of what is said to what is true.
    """

    confidence: list[float]
    right: list[float]
    share: list[float]
    error: float


def predict(model: Model, examples: Iterable[Example]) -> list[Predictions]:
    """Run a model on figures that it never saw, as a user does."""
    cache = OperatorCache(DATA / "suites", max_bytes=2**40)
    found = []
    for example in examples:
        truth = example.truth(model.card.class_names)
        probabilities = segment(
            example.surface, model, cache=cache, clean=False
        ).vertex_probabilities
        known = truth >= 0
        areas = example.areas[known]
        found.append(Predictions(probabilities[known], truth[known], areas / areas.sum()))
    return found


def sharpened(probabilities: np.ndarray, temperature: float) -> np.ndarray:
    """Probabilities (V, C) as outputs divided by another temperature give them."""
    raised = (probabilities / probabilities.max(axis=1, keepdims=True)) ** (1.0 / temperature)
    return raised / raised.sum(axis=1, keepdims=True)


def fitted_temperature(*sets: Sequence[Predictions]) -> float:
    """The temperature under which the truth is most likely, relative to that of the model.

    Each set of figures counts alike.
    """

    def surprise(log_temperature: float) -> float:
        total = 0.0
        for found, share in ((f, 1.0 / len(figures)) for figures in sets for f in figures):
            by_truth = sharpened(found.probabilities, np.exp(log_temperature))
            at_truth = by_truth[np.arange(len(found.truth)), found.truth]
            total -= share * (found.shares @ np.log(np.maximum(at_truth, TINY)))
        return total

    return float(np.exp(minimize_scalar(surprise, bounds=(-1.5, 1.5), method="bounded").x))


def reliability(predictions: Sequence[Predictions]) -> Reliability:
    """Compare what a model says with what is true, every figure counting alike."""
    confidence = np.concatenate([found.probabilities.max(axis=1) for found in predictions])
    right = np.concatenate([f.probabilities.argmax(axis=1) == f.truth for f in predictions])
    share = np.concatenate([found.shares for found in predictions]) / len(predictions)
    tenth = np.minimum((confidence * BINS).astype(int), BINS - 1)
    total = np.bincount(tenth, share, BINS)
    met = total > 0
    said, true = (
        np.bincount(tenth, share * values, BINS)[met] / total[met] for values in (confidence, right)
    )
    error = float(total[met] @ np.abs(said - true))
    return Reliability(said.tolist(), true.tolist(), total[met].tolist(), error)


def calibrate(
    model: Model, count: int, left_out: Sequence[Sequence[Predictions]] = ()
) -> tuple[Model, dict]:
    """A model that is as sure as it may be, and its reliability before and after.

    Parameters
    ----------
    model : Model
    count : int
        Generated figures to fit on, and as many others to measure on.
    left_out : sequence of sequence of Predictions
        Of characters that models of temperature 1 never saw, by fold.
    """
    plain = Model(replace(model.card, temperature=1.0), model.weights)
    fit = predict(plain, map(sample_example, range(FIT_FROM, FIT_FROM + count)))
    unseen = range(MEASURE_FROM, MEASURE_FROM + count)
    others = [each for fold in left_out for each in fold]
    temperature = round(fitted_temperature(*filter(None, (fit, others))), 3)
    card = replace(model.card, temperature=temperature)
    found = {
        "temperature": temperature,
        "figures": count,
        "before": asdict(reliability(predict(plain, map(sample_example, unseen)))),
        "after": asdict(
            reliability(predict(Model(card, model.weights), map(sample_example, unseen)))
        ),
    }
    if left_out:
        # Each fold under the temperature that the others ask for.
        sharper = [
            Predictions(sharpened(each.probabilities, by_others), each.truth, each.shares)
            for number, fold in enumerate(left_out)
            for by_others in [
                fitted_temperature(
                    fit, [e for i, other in enumerate(left_out) if i != number for e in other]
                )
            ]
            for each in fold
        ]
        found["left out"] = {
            "figures": len(others),
            "before": asdict(reliability(others)),
            "after": asdict(reliability(sharper)),
        }
    return Model(card, model.weights), found


def predict_left_out(name: str) -> list[list[Predictions]]:
    """By fold, what models that were trained without it make of its characters."""
    found = []
    for fold in FOLDS:
        model = load_model(folder_of(fold) / f"{name}.safetensors")
        plain = Model(replace(model.card, temperature=1.0), model.weights)
        found.append(predict(plain, [example_of(n) for pack in fold for n in PACKS[pack]]))
    return found


def results_of(name: str) -> Path:
    """Where the last calibration of a model is kept."""
    return DATA / f"calibration-{name}.json"


@plain_errors
def main() -> None:
    """Calibrate the model named on the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("name", nargs="?", default="body_parts")
    parser.add_argument("--model-folder", type=Path, default=BUNDLED)
    parser.add_argument("--count", type=int, default=100, help="figures to fit, and to measure")
    parser.add_argument("--left-out", action="store_true", help="characters of unseen makers")
    parser.add_argument("--write", action="store_true", help="into the card, for training.document")
    arguments = parser.parse_args()
    model = load_model(arguments.model_folder / f"{arguments.name}.safetensors")
    left_out = predict_left_out(arguments.name) if arguments.left_out else []
    calibrated, found = calibrate(model, arguments.count, left_out)
    if arguments.write:
        save_model(calibrated, arguments.model_folder, half=True)
        results_of(arguments.name).parent.mkdir(parents=True, exist_ok=True)
        results_of(arguments.name).write_text(json.dumps(found, indent=1))
    print(
        f"temperature {found['temperature']}, expected calibration error "
        f"{found['before']['error']:.3f} before, {found['after']['error']:.3f} after"
    )
    if left_out:
        errors = [found["left out"][when]["error"] for when in ("before", "after")]
        print(f"on makers that were left out {errors[0]:.3f} before, {errors[1]:.3f} after")


if __name__ == "__main__":
    main()
