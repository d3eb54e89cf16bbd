"""Training curve: loss and accuracies over the steps, and its picture."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

BACKGROUND = (0.10, 0.10, 0.11)
GRID = (0.22, 0.22, 0.24)
LOSS = (0.95, 0.62, 0.28)
TRAINING = (0.45, 0.55, 0.70)
VALIDATION = (0.40, 0.85, 0.55)


@dataclass(frozen=True, eq=False)
class Curve:
    """Loss and accuracies measured during a training.

    Attributes
    ----------
    steps : int
        Of the whole training.
    rows : (n, 4) float
        Step; mean loss and accuracy on the training shapes since the previous row; accuracy on the
        validation shapes at that step. Accuracies are weighted by area, 0 to 1.
    """

    steps: int
    rows: np.ndarray

    @property
    def best(self) -> float:
        """Highest validation accuracy so far; 0 before the first."""
        return float(self.rows[:, 3].max()) if len(self.rows) else 0.0


def picture(curve: Curve, size: int = 256) -> np.ndarray:
    """Picture of loss and accuracies over the steps.

    The loss is relative to its highest value; accuracies are from 0 at the bottom to 1 at the top.

    Parameters
    ----------
    curve : Curve
    size : int
        Width and height in pixels.

    Returns
    -------
    (size, size, 4) float32
        RGBA, 0 to 1, the lowest row first, as in images of Blender.
    """
    image = np.empty((size, size, 4), dtype=np.float32)
    image[:] = (*BACKGROUND, 1.0)
    for level in range(5):
        image[round(level / 4 * (size - 1)), :, :3] = GRID
    if len(curve.rows):
        step, loss, training, validation = curve.rows.T
        x = step / curve.steps
        for values, colour in (
            (loss / max(loss.max(), 1e-9), LOSS),
            (training, TRAINING),
            (validation, VALIDATION),
        ):
            _draw_line(image, x, values, colour)
    return image


def _draw_line(
    image: np.ndarray, x: np.ndarray, y: np.ndarray, colour: tuple[float, float, float]
) -> None:
    """Draw a line, three pixels wide, through points (n,), (n,) in the unit square."""
    last = len(image) - 1
    # From the left border on, so that the first point can be seen.
    x, y = np.concatenate([[0.0], x]), np.concatenate([y[:1], y])
    columns = np.arange(round(x[-1] * last) + 1)
    height = np.interp(columns / last, x, np.clip(y, 0, 1)) * last
    ends = np.stack([height, np.roll(height, 1)])
    ends[1, 0] = height[0]
    low, high = np.floor(ends.min(axis=0)) - 1, np.ceil(ends.max(axis=0)) + 1
    rows = np.arange(last + 1)[:, None]
    on_line = (rows >= low) & (rows <= high)
    image[:, : len(columns), :3][on_line] = colour
