"""Frames in which a figure is shown to the network: right, turned about, wrong, or none.

A network with the input `frame` answers twice: which part each place is, with left and right as the
frame has them, and whether the frame is that of the figure (`VOTES`). So the sides of a figure hang
on one decision for all of it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial.transform import Rotation

from diffusionnet_blender.network.votes import OTHER, OWN, TURNED

# How often each is drawn; the rest is no frame.
SHARES = {OWN: 0.37, TURNED: 0.31, OTHER: 0.1}
# Degrees: files stand nearly as they should, frames that are found from parts less so.
YAW, TILT = 12.0, 5.0
# Of positions in a frame, relative to the unit sphere: gear, hair and cuts move their middle.
SHIFT, STRETCH = 0.04, 0.06


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


def sample_view(rng: np.random.Generator) -> View:
    """A random view of a figure that stands along +z and faces -y."""
    drawn = rng.uniform()
    for vote, share in SHARES.items():
        if drawn < share:
            return View(_frame(rng, vote), vote)
        drawn -= share
    return View(None, None)


def _frame(rng: np.random.Generator, vote: int) -> np.ndarray:
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
    tilt = 0.0 if exact else rng.normal(0.0, TILT)
    about = rng.uniform(0, 2 * np.pi)
    lean = Rotation.from_rotvec(np.radians(tilt) * np.array([np.cos(about), np.sin(about), 0.0]))
    turn = Rotation.from_euler("z", yaw, degrees=True)
    return (lean * turn * start).as_matrix()
