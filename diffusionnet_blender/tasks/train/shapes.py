"""The shapes of a training: meshes and varied copies of them, to learn from and to validate on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from ...errors import DiffusionNetError, SurfaceError
from ...surface.prepare import prepare
from ...surface.repair import repair
from ...surface.settings import DiscretizationSettings
from .copies import plain_copy, varied_copy
from .plan import Plan
from .training_set import UNLABELLED, LabelledSurface, TrainingSet

MOST_VALIDATED = 12


def make_shapes(
    given: TrainingSet, plan: Plan, progress: Callable[[str, float], None]
) -> tuple[list, list, Plan]:
    """Shapes to learn from and shapes to validate on.

    Parameters
    ----------
    given : TrainingSet
    plan : Plan
    progress : callable
        Called with "copies" and a fraction.

    Returns
    -------
    learned, validated : list of LabelledShape
    plan : Plan
        Its card says what it is validated on.

    Raises
    ------
    DiffusionNetError
        If a mesh has no surface, or no labels on it; before the first copy is made.
    """
    rng = np.random.default_rng(0)
    given = replace(given, members=tuple(map(_mended, given.members)))
    learned, held_out = _split(given, plan.validation_share, rng)
    # The meshes themselves, and copies by turns until there are as many as wanted.
    wanted = [(member, False) for member in learned]
    wanted += [(member, True) for member in learned] * -(-plan.copies // len(learned))
    wanted = wanted[: max(plan.copies, 2 * len(learned))]
    if held_out:
        on = "meshes held out" if len(held_out) > 1 else "a mesh held out"
        validation = [(member, False) for member in held_out]
    else:
        on = "other copies of its own meshes"
        validation = [(member, True) for member in learned]
        validation = validation * (2 if len(validation) <= MOST_VALIDATED // 2 else 1)
    validation = validation[:MOST_VALIDATED]

    shapes = []
    total = len(wanted) + len(validation)
    for done, (member, varied) in enumerate(wanted + validation):
        progress("copies", done / total)
        shapes.append(_shape(member, varied, plan.card.discretization, rng))
    progress("copies", 1.0)
    card = replace(plan.card, accuracy={on: 0.0})
    return shapes[: len(wanted)], shapes[len(wanted) :], replace(plan, card=card)


def _mended(member: LabelledSurface) -> LabelledSurface:
    """Without what no copy can be made of, and no label learned from."""
    try:
        found = repair(member.surface)
    except SurfaceError as error:
        raise SurfaceError(f"{member.name!r}: {error.message}", error.fix) from error
    labels = member.labels
    if np.ndim(labels):
        labels = labels[found.user_vertex]
        if (labels == UNLABELLED).all():
            raise DiffusionNetError(
                f"{member.name!r} has labels on loose vertices alone",
                "Label some of its faces, or leave it out of the training set.",
            )
    return replace(member, surface=found.surface, labels=labels)


def _split(given: TrainingSet, share: float, rng) -> tuple[list, list]:
    """Members to learn from and members held out; each class stays on one to learn from."""
    counts = given.labelled_class_counts
    held_out = []
    for index in rng.permutation(len(given.members)):
        if len(held_out) >= int(share * len(given.members)):
            break
        found = np.unique(np.atleast_1d(given.members[index].labels))
        found = found[found != UNLABELLED]
        if (counts[found] > 1).all():
            counts[found] -= 1
            held_out.append(int(index))
    learned = [m for i, m in enumerate(given.members) if i not in held_out]
    return learned, [given.members[i] for i in held_out]


def _shape(member: LabelledSurface, varied: bool, settings: DiscretizationSettings, rng):
    from ...network.training import LabelledShape

    surface, labels = member.surface, member.labels
    of_shape = np.ndim(labels) == 0
    at_vertices = np.zeros(len(surface.vertices), int) if of_shape else labels
    if varied:
        copy, found = varied_copy(surface, at_vertices, rng)
    else:
        copy, found = plain_copy(surface, at_vertices)
    prepared = prepare(copy, settings)
    found = found[prepared.user_vertex]
    if (found == UNLABELLED).all():
        # The few labels that there are fell between the vertices of this copy.
        prepared = prepare(surface, settings, exact=True)
        found = labels[prepared.user_vertex]
    return LabelledShape(prepared.discretization, labels if of_shape else found)
