"""The upright frame of a figure, and its parts with left and right as that frame has them.

Nearly all files stand upright and face forward, but some lie, float or face aside. A network with
the input `frame` votes on the frame that it is given (`network.votes`): those of files first, and
where the network refuses them, the one in which parts that were found without any frame lie. So
left and right are one decision for a whole figure, on which all of its surface votes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from ...network.checkpoint import Model
from ...network.engine import Engine
from ...network.features import input_features, with_frame
from ...network.shape import Shape, shape_of
from ...network.votes import OTHER, OWN, TURNED, VOTES
from ...surface.discretization import Discretization
from ..inference import class_probabilities, network_outputs, softmax
from ..sides import either_side, mirrored_classes

# Of Blender, and of arrays as glTF has them, +y up and facing +z. Rows are the directions to the
# left of the figure, to its back, and up.
UPRIGHT = np.eye(3)
UPRIGHT_Y = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, -1.0], [0.0, 1.0, 0.0]])
# Of the facing of a file, as a vote: what is exactly the same in front and behind has no other.
CONVENTION = 1.0
# So much more do a figure's surfaces vote for its own frame than for none; with less, others are
# tried as well.
DECISIVE = 2.0
# Cosines within which a direction is no more with a convention than against it.
AGAINST = 0.3
# So much more of what was found without any frame agrees with one frame than with its opposite
# where it decides between both.
TELLING = 0.1
# So far ahead of the others a vote is not doubted: the same frame turned by half need not be asked.
CLEAR = 3.0
# About the vertical by half.
HALF_TURN = np.diag([-1.0, -1.0, 1.0])


@dataclass(frozen=True, eq=False)
class Framed:
    """Parts of a figure, and how sure its frame is.

    Attributes
    ----------
    probabilities : list of (V, C) float32
        Of each of its surfaces.
    sides : float
        Probability that left and right are not exchanged, 0.5 to 1. Without a frame sides are those
        of each place by itself.
    lead : float
        Of the votes for its frame over those for any other, in log-probability.
    frame : (3, 3) float or None
        The figure's own, see `features.with_frame`; None where none was accepted.
    """

    probabilities: list[np.ndarray]
    sides: float
    lead: float = 0.0
    frame: np.ndarray | None = None


REFUSED = Framed([], 0.5, lead=-np.inf)


def framed_probabilities(
    model: Model,
    surfaces: Sequence[Discretization],
    engine: Engine,
    progress: Callable[[float], None] = lambda fraction: None,
) -> Framed:
    """Class probabilities on surfaces of one figure: its mesh, and its outer skin if it has one.

    Parameters
    ----------
    model : Model
        With the input `frame`, and classes of two sides or of none.
    surfaces : sequence of Discretization
        In one orientation.
    engine : Engine
    progress : callable
        Called with a fraction; may raise to stop.
    """
    features = [input_features(surface, model.card.features) for surface in surfaces]
    shapes = [shape_of(surface, engine) for surface in surfaces]
    passes = _Passes(model, surfaces, shapes, features, engine, _rising(progress))
    found: list[Framed] = []
    backward: Framed | None = None
    for frame, ahead_by in _frames(passes, surfaces[0], model, found):
        framed = passes.in_frame(frame, ahead_by)
        found.append(framed)
        if framed.lead <= DECISIVE:
            continue
        if backward is None and _faces_backward(frame):
            # What is alike in front and behind, as a fox with its brush, is at home either way.
            backward = framed
            continue
        if backward is not None and (
            _face_alike(backward, framed) or passes.is_likelier(backward, framed, found[0])
        ):
            return backward
        return framed
    return max(found, key=lambda framed: framed.lead)


def _faces_backward(frame: np.ndarray) -> bool:
    """Whether a frame faces against the convention of files: these are to be asked first."""
    along = [convention[1] @ frame[1] for convention in (UPRIGHT, UPRIGHT_Y)]
    return min(along) < -AGAINST and max(along) < AGAINST


def _frames(
    passes: _Passes, surface: Discretization, model: Model, found: list[Framed]
) -> Iterator[tuple[np.ndarray, float]]:
    """Frames to try, the likeliest first, and how far ahead of the same turned by half.

    What is found without any frame is added to `found`.
    """
    # Files of every format have their figures face forward.
    conventions = [(UPRIGHT, CONVENTION), (UPRIGHT_Y, CONVENTION)]
    # Of animals, which face anywhere, front and hind legs tell more.
    if not model.card.four_legs:
        yield from conventions
    found.append(Framed(passes.without_frame(), 0.5))
    lying = frame_of_parts(surface, found[-1].probabilities[0], model)
    if lying is not None:
        yield lying, 0.0
    if model.card.four_legs:
        yield from conventions


def _face_alike(one: Framed, other: Framed) -> bool:
    """Whether two frames face about the same way."""
    return one.frame is not None and other.frame is not None and one.frame[1] @ other.frame[1] > 0


@dataclass(frozen=True, eq=False)
class _Passes:
    """Evaluations of one network on one figure."""

    model: Model
    surfaces: Sequence[Discretization]
    shapes: Sequence[Shape]
    features: Sequence[np.ndarray]
    engine: Engine
    progress: Callable[[float], None]

    def in_frame(self, frame: np.ndarray, ahead_by: float = 0.0) -> Framed:
        """Parts with the sides of a frame or of the same turned by half; none if it is neither.

        `ahead_by` is added to the votes for the frame itself.
        """
        other_side = mirrored_classes(self.model.card.class_names)
        order = other_side or list(range(len(self.model.card.class_names)))
        ahead = self._outputs(frame, 0.0)
        vote = self._votes(ahead)
        if vote.argmax() == OTHER:
            return REFUSED
        found = [[outputs[:, :-VOTES] for outputs in ahead]]
        if vote.max() - np.median(vote) < CLEAR:
            # Errors of the two are independent.
            behind = self._outputs(HALF_TURN @ frame, 0.5)
            vote = (vote + self._votes(behind)[[TURNED, OWN, OTHER]]) / 2
            found.append([outputs[:, :-VOTES][:, order] for outputs in behind])
        lead = float(vote[[OWN, TURNED]].max() - vote[OTHER])
        if lead < 0:
            return REFUSED
        vote[OWN] += ahead_by
        if vote[TURNED] > vote[OWN]:
            frame = HALF_TURN @ frame
        else:
            order = list(range(len(order)))
        probabilities = []
        for passes in zip(*found, strict=True):
            mean = np.mean(passes, axis=0)[:, order]
            probabilities.append(softmax(mean / self.model.card.temperature))
        sides = 1.0 / (1.0 + np.exp(-abs(vote[OWN] - vote[TURNED])))
        return Framed(probabilities, float(sides) if other_side else 1.0, lead, frame)

    def _outputs(self, frame: np.ndarray, done: float) -> list[np.ndarray]:
        """Outputs on each surface in a frame; `done` is reported before."""
        names = self.model.card.features
        return [
            network_outputs(
                self.model,
                shape,
                with_frame(plain, surface, names, frame),
                self.engine,
                partial(self._report, done + number / (2 * len(self.surfaces))),
            )
            for number, (surface, shape, plain) in enumerate(
                zip(self.surfaces, self.shapes, self.features, strict=True)
            )
        ]

    def without_frame(self) -> list[np.ndarray]:
        """Parts with the sides of each place by itself."""
        return [
            class_probabilities(self.model, surface, plain, self.engine, partial(self._report, 0.0))
            for surface, plain in zip(self.surfaces, self.features, strict=True)
        ]

    def is_likelier(self, one: Framed, other: Framed, free: Framed) -> bool:
        """Whether parts of one frame agree clearly better than those of another with parts that
        were found without any, sides taken as one.
        """
        both = either_side(free.probabilities[0], self.model.card.class_names)
        mass, place = self.surfaces[0].mass, np.arange(len(both))
        agree = [
            mass @ both[place, framed.probabilities[0].argmax(axis=1)] / mass.sum()
            for framed in (one, other)
        ]
        return bool(agree[0] - agree[1] > TELLING)

    def _votes(self, outputs: Sequence[np.ndarray]) -> np.ndarray:
        """Mean log-probability (3,) of each vote over the area, all surfaces counting alike."""
        means = [
            surface.mass @ np.log(softmax(found[:, -VOTES:]) + 1e-9) / surface.mass.sum()
            for surface, found in zip(self.surfaces, outputs, strict=True)
        ]
        return np.mean(means, axis=0)

    def _report(self, start: float, fraction: float) -> None:
        self.progress(start + fraction / (2 * len(self.surfaces)))


def _rising(progress: Callable[[float], None]) -> Callable[[float], None]:
    """A report that never falls back: how many frames are tried is not known before."""
    most = 0.0

    def report(fraction: float) -> None:
        nonlocal most
        most = max(most, fraction)
        progress(most)

    return report


def frame_of_parts(
    surface: Discretization, probabilities: np.ndarray, model: Model
) -> np.ndarray | None:
    """The frame (3, 3) in which parts lie: left of right, and legs below all else; of animals hind
    legs behind front legs, whatever sides they have.

    Parameters
    ----------
    surface : Discretization
    probabilities : (V, C) float
    model : Model
        With `limbs` in its card.

    Returns
    -------
    (3, 3) float or None
        Rows to the left, to the back and up. None where parts lie in no such order.
    """
    names = model.card.class_names
    other_side = mirrored_classes(names)
    if other_side is None or not model.card.limbs:
        return None
    arms, legs = ([names.index(name) for name in limb] for limb in model.card.limbs)
    areas = surface.mass @ probabilities
    middles = (surface.mass[:, None] * probabilities).T @ surface.vertices
    middles = middles / np.maximum(areas, 1e-9)[:, None]

    def middle(classes: Sequence[int]) -> np.ndarray:
        return areas[classes] @ middles[classes] / max(areas[classes].sum(), 1e-9)

    standing = arms + legs if model.card.four_legs else legs
    both_sides = standing + [other_side[i] for i in standing]
    up = middle([i for i in range(len(names)) if i not in both_sides]) - middle(both_sides)
    if model.card.four_legs:
        front, hind = ([*limb, *(other_side[i] for i in limb)] for limb in (arms, legs))
        return _frame_along(middle(hind) - middle(front), up)
    left = sum(
        areas[[i, other_side[i]]].min() * (middles[i] - middles[other_side[i]]) for i in arms + legs
    )
    back = np.cross(up, left)
    lengths = [np.linalg.norm(axis) for axis in (up, left, back)]
    if min(lengths) < 1e-6:
        return None
    up, back = up / lengths[0], back / lengths[2]
    return np.stack([np.cross(back, up), back, up])


def _frame_along(back: np.ndarray, up: np.ndarray) -> np.ndarray | None:
    """The frame of a direction to the back, and of one that is about upward."""
    left = np.cross(back, up)
    lengths = np.linalg.norm(back), np.linalg.norm(left)
    if min(lengths) < 1e-6:
        return None
    back, left = back / lengths[0], left / lengths[1]
    return np.stack([left, back, np.cross(left, back)])
