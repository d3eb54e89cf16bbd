"""How the family of a figure is told from the confidences of both models of parts, and how well.

python -m training.figure_family fit         # coefficients for tasks/family/pipeline.py
python -m training.figure_family evaluate    # unseen figures of every source

The rigs of people and of animals are read first: `rigged_files`, `animal_files`.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from collections.abc import Iterator

import numpy as np
from scipy.optimize import minimize
from scipy.special import logsumexp, softmax

from diffusionnet_blender.surface.cache import OperatorCache
from diffusionnet_blender.tasks.family import FAMILIES, FOUR_LEGS, NEITHER, PEOPLE, FamilyRequest
from diffusionnet_blender.tasks.family.pipeline import COEFFICIENTS, evidence, terms_of
from diffusionnet_blender.tasks.family.request import MODELS, SURE
from diffusionnet_blender.tasks.models import BUNDLED

from .animal_parts import PAGE
from .bodies import FIRST_HELD_OUT_SEED
from .commands import plain_errors
from .documents import put_between, table
from .examples import make_from
from .prepared import RUN

# The family of each source of figures.
SOURCES = {
    "generated": PEOPLE,
    "rigged": PEOPLE,
    "animals": FOUR_LEGS,
    "things": NEITHER,
}
# Seeds from here on are trained on nowhere else.
FIRST_FITTED_SEED = 500_000
# Of squared coefficients in the loss: what keeps probabilities of few figures modest.
RIDGE = 0.001


def seen(first: int, count: int) -> Iterator[tuple[str, np.ndarray]]:
    """Sources of figures, and what both models make of each; kept, as it takes seconds."""
    cache = OperatorCache(RUN / "family_matrices", max_bytes=2**40)
    weights = b"".join((BUNDLED / f"{name}.safetensors").read_bytes() for name in MODELS.values())
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


def count(first: int, number: int) -> list[list[str]]:
    """Lines of a table: of each source, how many figures are of which family, and surely so."""
    found = {source: np.zeros((2, len(FAMILIES)), int) for source in SOURCES}
    for source, values in seen(first, number):
        probabilities = softmax(COEFFICIENTS @ terms_of(values))
        best = probabilities.argmax()
        found[source][:, best] += 1, probabilities[best] >= SURE
    return [
        [f"{source}: {SOURCES[source]}", str(number)]
        + [f"{every} / {sure}" for every, sure in counts.T]
        for source, counts in found.items()
    ]


@plain_errors
def main() -> None:
    """Run the step named on the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("step", choices=("fit", "evaluate"))
    parser.add_argument("--count", type=int, default=16, help="of figures of each source")
    parser.add_argument("--write", action="store_true", help="into docs/animals.md")
    a = parser.parse_args()
    if a.step == "fit":
        every = list(seen(FIRST_FITTED_SEED, a.count))
        families = np.array([FAMILIES.index(SOURCES[source]) for source, _ in every])
        found = fit(np.array([terms_of(values) for _, values in every]), families)
        print(np.array2string(found, separator=", ", precision=2))
        return
    header = ["source", "figures", *(f"{family} / surely" for family in FAMILIES)]
    text = table(header, count(FIRST_HELD_OUT_SEED, a.count))
    print(text)
    if a.write:
        put_between(PAGE, "families", text)


if __name__ == "__main__":
    main()
