"""Frames in which a figure is shown to the network: right, turned about, wrong, or none.

A network with the input `frame` answers twice: which part each place is, with left and right as the
frame has them, and whether the frame is that of the figure (`VOTES`). So the sides of a figure hang
on one decision for all of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.spatial.transform import Rotation

from diffusionnet_blender.network.features import input_features, with_frame
from diffusionnet_blender.network.votes import OTHER, OWN, TURNED
from diffusionnet_blender.surface.discretization import Discretization

FEATURES = ("hks", "integral", "frame")

# How often each is drawn; the rest is no frame.
SHARES = {OWN: 0.37, TURNED: 0.31, OTHER: 0.1}
# Front and hind legs give animals their frame without any sides, so that it is seldom turned about.
ANIMAL_SHARES = {OWN: 0.52, TURNED: 0.1, OTHER: 0.1}
# Of what is matched: a wrong frame teaches little.
MATCH_SHARES = {OWN: 0.5, TURNED: 0.25, OTHER: 0.04}
ANIMAL_MATCH_SHARES = {OWN: 0.6, TURNED: 0.1, OTHER: 0.04}
# Degrees: files stand nearly as they should, frames that are found from parts less so.
YAW, TILT = 12.0, 5.0
# Animals sit and lie, and heads hang.
ANIMAL_TILT = 12.0
# Of positions in a frame, relative to the unit sphere: gear, hair and cuts move their middle.
SHIFT, STRETCH = 0.04, 0.06
# Along each axis by itself: animals differ most in how long, high and wide they are.
ANIMAL_STRETCH = (0.2, 0.2, 0.2)


@dataclass(frozen=True, eq=False)
class View:
    """How a figure is shown.

    Attributes
    ----------
    frame : (3, 3) float or None
        See `features.with_frame`.
    vote : int or None
        The right answer on the frame; None where there is none.
    """

    frame: np.ndarray | None
    vote: int | None

    @property
    def swaps_sides(self) -> bool:
        """Whether left in the frame is the figure's right."""
        return self.vote == TURNED


def sample_view(
    rng: np.random.Generator, shares: Mapping[int, float] = SHARES, tilt: float = TILT
) -> View:
    """A random view of a figure that stands along +z and faces -y.

    Parameters
    ----------
    rng : numpy.random.Generator
    shares : mapping of int to float
        How often the right answer is each vote.
    tilt : float
        Standard deviation of the lean of frames, in degrees.
    """
    drawn = rng.uniform()
    for vote, share in shares.items():
        if drawn < share:
            return View(_frame(rng, vote, tilt), vote)
        drawn -= share
    return View(None, None)


def _frame(rng: np.random.Generator, vote: int, degrees: float) -> np.ndarray:
    if vote == OTHER:
        if rng.uniform() < 0.5:
            return Rotation.random(random_state=int(rng.integers(2**31))).as_matrix()
        # Lying along another axis, upside down, facing aside.
        axis, angle = "xyzxyy"[rng.integers(6)], 90.0 * rng.choice([1, 3])
        if axis != "z" and rng.uniform() < 0.3:
            angle = 180.0
        start = Rotation.from_euler(axis, angle, degrees=True)
    else:
        start = Rotation.from_euler("z", 180.0 * (vote == TURNED), degrees=True)
    exact = rng.uniform() < 0.3
    yaw = 0.0 if exact else rng.normal(0.0, YAW)
    tilt = 0.0 if exact else rng.normal(0.0, degrees)
    about = rng.uniform(0, 2 * np.pi)
    lean = Rotation.from_rotvec(np.radians(tilt) * np.array([np.cos(about), np.sin(about), 0.0]))
    turn = Rotation.from_euler("z", yaw, degrees=True)
    return (lean * turn * start).as_matrix()


def inputs_in(
    view: View,
    discretization: Discretization,
    integral: np.ndarray,
    rng: np.random.Generator,
    stretch: float | tuple[float, float, float] = STRETCH,
) -> np.ndarray:
    """Inputs `FEATURES` of a figure as it is shown, (V, C) float32.

    Parameters
    ----------
    view : View
    discretization : Discretization
        Of a figure that stands along +z and faces -y.
    integral : (V, 24) float
        Its integral invariants, which take longer than a step.
    rng : numpy.random.Generator
    stretch : float or (float, float, float)
        Standard deviation of the logarithm by which positions are scaled, all alike or each axis of
        the frame by itself.
    """
    features = np.concatenate(
        [
            input_features(discretization, FEATURES[:1]),
            integral,
            input_features(discretization, FEATURES[2:]),
        ],
        axis=1,
    )
    if view.frame is not None:
        features = with_frame(features, discretization, FEATURES, view.frame)
        where = features[:, -6:-3]
        where *= np.exp(rng.normal(0.0, stretch))
        where += rng.normal(0.0, SHIFT, 3).astype(np.float32)
    return features
