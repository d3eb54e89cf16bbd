"""An animal to test with, where the data of real ones may be missing."""

import numpy as np

from training.animals import Animal
from training.quadrupeds import sample_quadruped


def usual_animal() -> Animal:
    """One of no species, in proportions as real ones have."""
    return sample_quadruped(np.random.default_rng(1_000_010))
