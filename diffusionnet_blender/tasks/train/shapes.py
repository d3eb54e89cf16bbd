"""Training and validation shapes: the labelled meshes and varied copies of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from ...errors import DiffusionNetError, SurfaceError
from ...surface.prepare import prepare
from ...surface.repair import repair
from ...surface.settings import DiscretizationSettings
from .copies import plain_copy, varied_copy
from .plan import Plan
from .training_set import UNLABELLED, LabelledSurface, TrainingSet

if TYPE_CHECKING:
    from ...network.training import LabelledShape

# Most validation shapes.
MOST_VALIDATED = 12


def make_shapes(
    training_set: TrainingSet, plan: Plan, progress: Callable[[str, float], None]
) -> tuple[list[LabelledShape], list[LabelledShape], Plan]:
    """Training and validation shapes, with their matrices.

    Parameters
    ----------
    training_set : TrainingSet
    plan : Plan
    progress : callable
        Called with "copies" and a fraction.

    Returns
    -------
    learned, validated : list of LabelledShape
    plan : Plan
        With the kind of the validation shapes in its card.

    Raises
    ------
    DiffusionNetError
        If a mesh has no faces, or no labels on them; before the first copy is made.
    """
    rng = np.random.default_rng(0)
    training_set = replace(training_set, members=tuple(map(_repaired, training_set.members)))
    learned, held_out = _split(training_set, plan.validation_share, rng)
    # The meshes themselves, and copies of each in turn, up to the number of the plan.
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


def _repaired(member: LabelledSurface) -> LabelledSurface:
    """A member with its surface repaired, and the labels of the vertices that remain."""
    try:
        repaired = repair(member.surface)
    except SurfaceError as error:
        raise SurfaceError(f"{member.name!r}: {error.message}", error.fix) from error
    labels = member.labels
    if isinstance(labels, np.ndarray):
        labels = labels[repaired.user_vertex]
        if (labels == UNLABELLED).all():
            raise DiffusionNetError(
                f"{member.name!r} has labels on loose vertices alone",
                "Label some of its faces, or leave it out of the training set.",
            )
    return replace(member, surface=repaired.surface, labels=labels)


def _split(
    training_set: TrainingSet, share: float, rng: np.random.Generator
) -> tuple[list[LabelledSurface], list[LabelledSurface]]:
    """Members to train on, among which each class remains, and members held out."""
    members, counts = training_set.members, training_set.labelled_class_counts
    held_out: list[int] = []
    for index in rng.permutation(len(members)):
        if len(held_out) >= int(share * len(members)):
            break
        classes = np.unique(np.atleast_1d(members[index].labels))
        classes = classes[classes != UNLABELLED]
        if (counts[classes] > 1).all():
            counts[classes] -= 1
            held_out.append(int(index))
    learned = [member for i, member in enumerate(members) if i not in held_out]
    return learned, [members[i] for i in held_out]


def _shape(
    member: LabelledSurface,
    varied: bool,
    settings: DiscretizationSettings,
    rng: np.random.Generator,
) -> LabelledShape:
    """A member or a varied copy of it, with matrices."""
    from ...network.training import LabelledShape

    surface, labels = member.surface, member.labels
    is_whole = not isinstance(labels, np.ndarray)
    at_vertices = np.zeros(len(surface.vertices), int) if is_whole else np.asarray(labels)
    if varied:
        copy, copy_labels = varied_copy(surface, at_vertices, rng)
    else:
        copy, copy_labels = plain_copy(surface, at_vertices)
    prepared = prepare(copy, settings)
    copy_labels = copy_labels[prepared.user_vertex]
    if (copy_labels == UNLABELLED).all():
        # The copy has none of the few labelled vertices.
        prepared = prepare(surface, settings, exact=True)
        copy_labels = at_vertices[prepared.user_vertex]
    return LabelledShape(prepared.discretization, labels if is_whole else copy_labels)
