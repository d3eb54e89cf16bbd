"""What a model is to learn from: labelled surfaces, checked before any work starts."""

from __future__ import annotations

from collections.abc import Sequence
from colorsys import hsv_to_rgb
from dataclasses import dataclass, replace

import numpy as np

from ...errors import DiffusionNetError
from ...surface.surface import Surface

UNLABELLED = -1


@dataclass(frozen=True, eq=False)
class LabelledSurface:
    """A surface, and which class it or each of its vertices is of.

    Attributes
    ----------
    name : str
        For messages.
    surface : Surface
    labels : (V,) int, or int
        Class of each vertex, `UNLABELLED` where it is not known; or the class of the whole shape.
    """

    name: str
    surface: Surface
    labels: np.ndarray | int


@dataclass(frozen=True, eq=False)
class TrainingSet:
    """Labelled surfaces and the names of their classes.

    Attributes
    ----------
    members : tuple of LabelledSurface
        Either all with labels at vertices, or all with one label each.
    class_names : tuple of str
    class_colours : tuple of (r, g, b)
        sRGB, 0 to 1.
    """

    members: tuple[LabelledSurface, ...]
    class_names: tuple[str, ...]
    class_colours: tuple[tuple[float, float, float], ...]

    @property
    def of_shapes(self) -> bool:
        """Whether whole shapes are labelled, and not vertices."""
        return np.ndim(self.members[0].labels) == 0

    @property
    def labelled_class_counts(self) -> np.ndarray:
        """On how many members each class occurs, (C,) int."""
        counts = np.zeros(len(self.class_names), dtype=int)
        for member in self.members:
            found = np.unique(np.atleast_1d(member.labels))
            counts[found[found != UNLABELLED]] += 1
        return counts


@dataclass(frozen=True, eq=False)
class NamedLabels:
    """Labels of one mesh with the names that they have there.

    Attributes
    ----------
    labels : (V,) int
        Index into `class_names`, `UNLABELLED` where there is none.
    class_names : tuple of str
    class_colours : tuple of (r, g, b), optional
        sRGB, 0 to 1; None where the source has none.
    """

    labels: np.ndarray
    class_names: tuple[str, ...]
    class_colours: tuple[tuple[float, float, float], ...] | None = None


def gathered(meshes: Sequence[tuple[str, Surface, NamedLabels]]) -> TrainingSet:
    """A training set from meshes that each have names of their own: alike is what is called alike.

    Parameters
    ----------
    meshes : sequence of (name, Surface, NamedLabels)
    """
    names: dict[str, int] = {}
    colours: dict[str, tuple[float, float, float]] = {}
    members = []
    for title, surface, found in meshes:
        for name in found.class_names:
            names.setdefault(name, len(names))
        for name, colour in zip(found.class_names, found.class_colours or (), strict=False):
            colours.setdefault(name, tuple(float(x) for x in colour))
        # The last entry stands for -1.
        number = np.array([*(names[name] for name in found.class_names), UNLABELLED])
        members.append(LabelledSurface(title, surface, number[found.labels]))
    return TrainingSet(tuple(members), tuple(names), palette(tuple(names), colours))


def gathered_shapes(shapes: Sequence[tuple[str, Surface, str]]) -> TrainingSet:
    """A training set from whole shapes.

    Parameters
    ----------
    shapes : sequence of (name, Surface, name of the class)
        An empty class name stands for none.
    """
    names = tuple(sorted({name for _, _, name in shapes if name}))
    members = tuple(
        LabelledSurface(title, surface, names.index(name) if name else UNLABELLED)
        for title, surface, name in shapes
    )
    return TrainingSet(members, names, palette(names, {}))


def palette(names: Sequence[str], known: dict) -> tuple[tuple[float, float, float], ...]:
    """Colours of classes: those that are known, and well apart for the others."""
    made = (hsv_to_rgb(i / len(names), 0.35 + 0.3 * (i % 2), 0.9) for i in range(len(names)))
    return tuple(known.get(name, colour) for name, colour in zip(names, made, strict=True))


def checked(given: TrainingSet) -> TrainingSet:
    """The set as it can be learned, without classes that nothing is labelled with.

    Parameters
    ----------
    given : TrainingSet

    Returns
    -------
    TrainingSet

    Raises
    ------
    DiffusionNetError
        If there is nothing to learn from: no surface, labels that do not fit their surface or
        the names, a surface without any label, fewer than two classes, or surfaces whose labels
        have nothing in common.
    """
    if not given.members:
        raise DiffusionNetError(
            "There is nothing to learn from", "Choose meshes that have labels on them."
        )
    _require_names(given.class_names, given.class_colours)
    for member in given.members:
        _require_labels(member, given)
    counts = given.labelled_class_counts
    used = np.flatnonzero(counts)
    if len(used) < 2:
        raise DiffusionNetError(
            f"Only one class is labelled ({given.class_names[used[0]]!r})",
            "Label at least two: there must be something to tell apart.",
        )
    if not given.of_shapes:
        _require_common_classes(given, counts)
    return _compacted(given, used)


def _require_names(names: Sequence[str], colours: Sequence) -> None:
    if len(colours) != len(names):
        raise DiffusionNetError(
            f"There are {len(names)} classes and {len(colours)} colours", "Give each class one."
        )
    spellings: dict[str, str] = {}
    for name in names:
        same = spellings.setdefault(name.strip().casefold(), name)
        if same is not name:
            raise DiffusionNetError(
                f"Two classes are called {same!r} and {name!r}",
                "Spell the name of a class in the same way on every mesh.",
            )


def _require_labels(member: LabelledSurface, given: TrainingSet) -> None:
    labels = np.asarray(member.labels)
    if (labels.ndim == 0) != given.of_shapes:
        raise DiffusionNetError(
            "Some labels are of whole shapes and others of vertices", "Give all of one kind."
        )
    if labels.dtype.kind not in "iu":
        raise DiffusionNetError(
            f"{member.name!r}: labels are of type {labels.dtype}", "Give whole numbers."
        )
    if labels.ndim and labels.shape != (len(member.surface.vertices),):
        raise DiffusionNetError(
            f"{member.name!r} has {len(member.surface.vertices):,} vertices and "
            f"{labels.size:,} labels",
            "Give one label for each vertex, in the order of the mesh.",
        )
    if labels.min() < UNLABELLED or labels.max() >= len(given.class_names):
        raise DiffusionNetError(
            f"{member.name!r} has labels from {labels.min()} to {labels.max()}, and there are "
            f"{len(given.class_names)} classes",
            f"Number classes from 0; {UNLABELLED} stands for no label.",
        )
    if given.of_shapes and labels == UNLABELLED:
        raise DiffusionNetError(
            f"{member.name!r} is of no class",
            "Give it one as you gave it to the others, or leave it out of the training set.",
        )
    if (labels == UNLABELLED).all():
        raise DiffusionNetError(
            f"{member.name!r} has no labels", "Label it, or leave it out of the training set."
        )


def _require_common_classes(given: TrainingSet, counts: np.ndarray) -> None:
    """A mesh none of whose classes is on any other is labelled in another way than the rest."""
    if len(given.members) == 1:
        return
    for member in given.members:
        found = np.unique(member.labels)
        found = found[found != UNLABELLED]
        if (counts[found] < 2).all():
            theirs = [given.class_names[label] for label in np.flatnonzero(counts)]
            ours = [given.class_names[label] for label in found]
            others = [name for name in theirs if name not in ours]
            raise DiffusionNetError(
                f"The labels of {member.name!r} ({_listed(ours)}) are none of those of the other "
                f"meshes ({_listed(others)})",
                "Name the parts alike on all meshes, or leave this one out.",
            )


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:4]) + (" ..." if len(names) > 4 else "")


def _compacted(given: TrainingSet, used: np.ndarray) -> TrainingSet:
    number = np.full(len(given.class_names) + 1, UNLABELLED)
    number[used] = np.arange(len(used))
    # The last entry stands for -1.
    members = [
        replace(
            member,
            labels=int(number[member.labels]) if given.of_shapes else number[member.labels],
        )
        for member in given.members
    ]
    return TrainingSet(
        members=tuple(members),
        class_names=tuple(given.class_names[i] for i in used),
        class_colours=tuple(tuple(float(x) for x in given.class_colours[i]) for i in used),
    )
