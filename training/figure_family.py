"""How `weights/figure_family` is made, how the family of a figure follows from it and from both
models of parts, and how well.

python -m training.figure_family data        # figures of every source and their matrices
python -m training.figure_family train       # the model of whole shapes
python -m training.figure_family fit         # coefficients for tasks/family/pipeline.py
python -m training.figure_family evaluate    # unseen figures of every source

The rigs of people and of animals are read first: `rigged_files`, `animal_files`.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from scipy.optimize import minimize
from scipy.special import logsumexp, softmax

from diffusionnet_blender.network.checkpoint import Model, load_model, save_model
from diffusionnet_blender.surface.cache import OperatorCache
from diffusionnet_blender.tasks.family import FAMILIES, FamilyRequest
from diffusionnet_blender.tasks.family.pipeline import COEFFICIENTS, evidence, terms_of
from diffusionnet_blender.tasks.family.request import MODELS, SURE
from diffusionnet_blender.tasks.models import BUNDLED, FAMILY_MODEL

from .animal_parts import PAGE
from .bodies import FIRST_HELD_OUT_SEED
from .commands import plain_errors
from .documents import put_between, table
from .examples import make_from
from .family_network import COUNT, SOURCES, STEPS, trained
from .prepared import RUN, make_data

# Seeds from here on are trained on nowhere else.
FIRST_FITTED_SEED = 500_000
# Of each source, as many by default.
FITTED, MEASURED = 48, 50
# Of squared coefficients in the loss: what keeps probabilities of few figures modest.
RIDGE = 0.001


def seen(first: int, count: int) -> Iterator[tuple[str, np.ndarray]]:
    """Sources of figures, and what the models make of each; kept, as it takes seconds."""
    cache = OperatorCache(RUN / "family_matrices", max_bytes=2**40)
    weights = b"".join(
        (BUNDLED / f"{name}.safetensors").read_bytes() for name in (*MODELS.values(), FAMILY_MODEL)
    )
    folder = RUN / "families" / hashlib.sha256(weights).hexdigest()[:12]
    folder.mkdir(parents=True, exist_ok=True)
    for seed in range(first, first + count):
        for source in SOURCES:
            path = folder / f"{source}-{seed}.json"
            if not path.exists():
                found = evidence(FamilyRequest(make_from(source)(seed).surface, cache=cache))
                path.write_text(json.dumps(found.tolist()))
            yield source, np.array(json.loads(path.read_text()))


def fit(values: np.ndarray, families: np.ndarray) -> np.ndarray:
    """Coefficients (F, K) of a logistic regression of families (N,) on values (N, K)."""
    shape = len(FAMILIES), values.shape[1]
    # Each family counts alike.
    share = 1.0 / np.bincount(families)[families] / len(FAMILIES)

    def loss(flat: np.ndarray) -> float:
        scores = values @ flat.reshape(shape).T
        right = scores[np.arange(len(scores)), families]
        return float(share @ (logsumexp(scores, axis=1) - right) + RIDGE * (flat @ flat))

    return minimize(loss, np.zeros(shape).ravel()).x.reshape(shape)


def counts_of(first: int, number: int) -> dict[str, np.ndarray]:
    """Of each source, how many figures are of which family, and surely so, (2, F) int."""
    found = {source: np.zeros((2, len(FAMILIES)), int) for source in SOURCES}
    for source, values in seen(first, number):
        probabilities = softmax(COEFFICIENTS @ terms_of(values))
        best = probabilities.argmax()
        found[source][:, best] += 1, probabilities[best] >= SURE
    return found


def rows_of(found: dict[str, np.ndarray]) -> list[list[str]]:
    """Lines of a table."""
    return [
        [f"{source}: {SOURCES[source]}", str(counts[0].sum())]
        + [f"{every} / {sure}" for every, sure in counts.T]
        for source, counts in found.items()
    ]


def right_share(found: dict[str, np.ndarray]) -> float:
    """Share of the figures whose family was found."""
    right = [counts[0, FAMILIES.index(SOURCES[source])] for source, counts in found.items()]
    return float(sum(right) / sum(counts[0].sum() for counts in found.values()))


@plain_errors
def main() -> None:
    """Run the step named on the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("step", choices=("data", "train", "fit", "evaluate"))
    parser.add_argument("--count", type=int, help="of figures of each source")
    parser.add_argument("--steps", type=int, default=STEPS)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--write", action="store_true", help="into the card and docs/animals.md")
    parser.add_argument("--model-folder", type=Path, default=BUNDLED)
    a = parser.parse_args()
    match a.step:
        case "data":
            for source in SOURCES:
                make_data(source, range(a.count or COUNT), a.processes)
        case "train":
            model = trained(a.count or COUNT, a.steps, a.threads)
            print(save_model(model, a.model_folder, half=True))
        case "fit":
            every = list(seen(FIRST_FITTED_SEED, a.count or FITTED))
            families = np.array([FAMILIES.index(SOURCES[source]) for source, _ in every])
            found = fit(np.array([terms_of(values) for _, values in every]), families)
            print(np.array2string(found, separator=", ", precision=2))
        case "evaluate":
            counts = counts_of(FIRST_HELD_OUT_SEED, a.count or MEASURED)
            header = ["source", "figures", *(f"{family} / surely" for family in FAMILIES)]
            text = table(header, rows_of(counts))
            print(text)
            if a.write:
                put_between(PAGE, "families", text)
                model = load_model(a.model_folder / f"{FAMILY_MODEL}.safetensors")
                accuracy = {"unseen figures, with the models of parts": right_share(counts)}
                save_model(
                    Model(replace(model.card, accuracy=accuracy), model.weights),
                    a.model_folder,
                    half=True,
                )


if __name__ == "__main__":
    main()
