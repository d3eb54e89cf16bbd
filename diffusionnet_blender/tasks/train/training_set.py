"""Training sets: labelled surfaces with named classes, and their validation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from colorsys import hsv_to_rgb
from dataclasses import dataclass, replace

import numpy as np

from ...errors import DiffusionNetError
from ...surface.character import Character, pooled
from ...surface.surface import Surface
from ..segment.request import Carried

# Label of a vertex without a class.
UNLABELLED = -1
# sRGB, 0 to 1.
Colour = tuple[float, float, float]


@dataclass(frozen=True, eq=False)
class LabelledSurface:
    """A surface with a class for each vertex, or one for the whole.

    Attributes
    ----------
    name : str
        For messages.
    surface : Surface
    labels : (V,) int, or int
        Class of each vertex, or `UNLABELLED`; or the class of the whole shape.
    """

    name: str
    surface: Surface
    labels: np.ndarray | int

    @classmethod
    def of(
        cls,
        name: str,
        shape: Surface | Character,
        labels: np.ndarray | int,
        carried: Sequence[Carried] = (),
    ) -> LabelledSurface:
        """A surface, or a character as a segmentation sees it: without what it carries.

        Parameters
        ----------
        name : str
        shape : Surface or Character
        labels : (V,) int, or int
            At the vertices of the pooled surface; or of the whole shape, which is left whole.
        carried : sequence of Carried
            What is known to be carried; small members that float are as well.

        Raises
        ------
        DiffusionNetError
            If the labels do not fit the surface.
        """
        from ..segment.carried import body_of, carried_by

        surface = pooled(shape)
        if not isinstance(labels, np.ndarray):
            return cls(name, surface, labels)
        _require_one_a_vertex(name, surface, labels)
        member = shape.member if isinstance(shape, Character) else None
        found = carried_by(surface, member, carried)
        if found:
            surface, kept = body_of(surface, found)
            labels = labels[kept]
        return cls(name, surface, labels)


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
    class_colours: tuple[Colour, ...]

    @property
    def of_shapes(self) -> bool:
        """Whether whole shapes are labelled, and not vertices."""
        return np.ndim(self.members[0].labels) == 0

    @property
    def labelled_class_counts(self) -> np.ndarray:
        """Number of members on which each class occurs, (C,) int."""
        counts = np.zeros(len(self.class_names), dtype=int)
        for member in self.members:
            classes = np.unique(np.atleast_1d(member.labels))
            counts[classes[classes != UNLABELLED]] += 1
        return counts


@dataclass(frozen=True, eq=False)
class NamedLabels:
    """Labels of one mesh, with the class names of that mesh.

    Attributes
    ----------
    labels : (V,) int
        Index into `class_names`, or `UNLABELLED`.
    class_names : tuple of str
    class_colours : tuple of (r, g, b), optional
        sRGB, 0 to 1; None where the source has none.
    """

    labels: np.ndarray
    class_names: tuple[str, ...]
    class_colours: tuple[Colour, ...] | None = None


def pooled_labels(parts: Sequence[NamedLabels]) -> NamedLabels:
    """Labels of several meshes, one after the other, as those of one; equal names are one class."""
    labels, names, colours = _with_common_names(parts)
    return NamedLabels(np.concatenate(labels), names, palette(names, colours) if colours else None)


def gathered(meshes: Sequence[tuple[str, Surface | Character, NamedLabels]]) -> TrainingSet:
    """A training set from meshes with class names of their own; equal names are one class.

    Parameters
    ----------
    meshes : sequence of (name, Surface or Character, NamedLabels)
    """
    labels, names, colours = _with_common_names([named for _, _, named in meshes])
    members = [
        LabelledSurface.of(title, shape, at_vertices)
        for (title, shape, _), at_vertices in zip(meshes, labels, strict=True)
    ]
    return TrainingSet(tuple(members), names, palette(names, colours))


def _with_common_names(
    parts: Sequence[NamedLabels],
) -> tuple[list[np.ndarray], tuple[str, ...], dict[str, Colour]]:
    """Labels of each mesh by the names of all, these names, and the colours that they have."""
    names: dict[str, int] = {}
    colours: dict[str, Colour] = {}
    labels = []
    for part in parts:
        for name in part.class_names:
            names.setdefault(name, len(names))
        for name, colour in zip(part.class_names, part.class_colours or (), strict=False):
            colours.setdefault(name, _colour(colour))
        # The last entry stands for -1.
        number = np.array([*(names[name] for name in part.class_names), UNLABELLED])
        labels.append(number[part.labels])
    return labels, tuple(names), colours


def gathered_shapes(shapes: Sequence[tuple[str, Surface | Character, str]]) -> TrainingSet:
    """A training set from whole shapes.

    Parameters
    ----------
    shapes : sequence of (name, Surface or Character, name of the class)
        The name is empty for a shape without a class.
    """
    names = tuple(sorted({name for _, _, name in shapes if name}))
    members = tuple(
        LabelledSurface.of(title, shape, names.index(name) if name else UNLABELLED)
        for title, shape, name in shapes
    )
    return TrainingSet(members, names, palette(names, {}))


def palette(names: Sequence[str], colours: Mapping[str, Colour]) -> tuple[Colour, ...]:
    """Colours of classes: the given ones, and evenly spaced hues for the others."""
    made = (hsv_to_rgb(i / len(names), 0.35 + 0.3 * (i % 2), 0.9) for i in range(len(names)))
    return tuple(colours.get(name, colour) for name, colour in zip(names, made, strict=True))


def checked(training_set: TrainingSet) -> TrainingSet:
    """A valid training set, without the classes that have no labels.

    Parameters
    ----------
    training_set : TrainingSet

    Returns
    -------
    TrainingSet

    Raises
    ------
    DiffusionNetError
        If the set is empty, labels do not fit their surface or the names, a surface has no labels,
        there are fewer than two classes, or a surface has no class in common with the others.
    """
    if not training_set.members:
        raise DiffusionNetError(
            "There is nothing to learn from", "Choose meshes that have labels on them."
        )
    _require_names(training_set.class_names, training_set.class_colours)
    for member in training_set.members:
        _require_labels(member, training_set)
    counts = training_set.labelled_class_counts
    used = np.flatnonzero(counts)
    if len(used) < 2:
        raise DiffusionNetError(
            f"Only one class is labelled ({training_set.class_names[used[0]]!r})",
            "Label at least two: there must be something to tell apart.",
        )
    if not training_set.of_shapes:
        _require_common_classes(training_set, counts)
    return _compacted(training_set, used)


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


def _require_labels(member: LabelledSurface, training_set: TrainingSet) -> None:
    labels = np.asarray(member.labels)
    if (labels.ndim == 0) != training_set.of_shapes:
        raise DiffusionNetError(
            "Some labels are of whole shapes and others of vertices", "Give all of one kind."
        )
    if labels.dtype.kind not in "iu":
        raise DiffusionNetError(
            f"{member.name!r}: labels are of type {labels.dtype}", "Give whole numbers."
        )
    if labels.ndim:
        _require_one_a_vertex(member.name, member.surface, labels)
    if labels.min() < UNLABELLED or labels.max() >= len(training_set.class_names):
        raise DiffusionNetError(
            f"{member.name!r} has labels from {labels.min()} to {labels.max()}, and there are "
            f"{len(training_set.class_names)} classes",
            f"Number classes from 0; {UNLABELLED} stands for no label.",
        )
    if training_set.of_shapes and labels == UNLABELLED:
        raise DiffusionNetError(
            f"{member.name!r} is of no class",
            "Give it one as you gave it to the others, or leave it out of the training set.",
        )
    if (labels == UNLABELLED).all():
        raise DiffusionNetError(
            f"{member.name!r} has no labels", "Label it, or leave it out of the training set."
        )


def _require_one_a_vertex(name: str, surface: Surface, labels: np.ndarray) -> None:
    if labels.shape != (len(surface.vertices),):
        raise DiffusionNetError(
            f"{name!r} has {len(surface.vertices):,} vertices and {labels.size:,} labels",
            "Give one label for each vertex, in the order of the mesh.",
        )


def _require_common_classes(training_set: TrainingSet, counts: np.ndarray) -> None:
    """Raise DiffusionNetError for a mesh without a class in common: its parts have other names."""
    if len(training_set.members) == 1:
        return
    for member in training_set.members:
        classes = np.unique(member.labels)
        classes = classes[classes != UNLABELLED]
        if (counts[classes] < 2).all():
            theirs = [training_set.class_names[label] for label in np.flatnonzero(counts)]
            ours = [training_set.class_names[label] for label in classes]
            others = [name for name in theirs if name not in ours]
            raise DiffusionNetError(
                f"The labels of {member.name!r} ({_listed(ours)}) are none of those of the other "
                f"meshes ({_listed(others)})",
                "Name the parts alike on all meshes, or leave this one out.",
            )


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:4]) + (" ..." if len(names) > 4 else "")


def _compacted(training_set: TrainingSet, used: np.ndarray) -> TrainingSet:
    """The set with its classes renumbered to those that are used, (U,) int."""
    number = np.full(len(training_set.class_names) + 1, UNLABELLED)
    number[used] = np.arange(len(used))
    # The last entry stands for -1.
    members = [
        replace(
            member,
            labels=int(number[member.labels]) if training_set.of_shapes else number[member.labels],
        )
        for member in training_set.members
    ]
    return TrainingSet(
        members=tuple(members),
        class_names=tuple(training_set.class_names[i] for i in used),
        class_colours=tuple(_colour(training_set.class_colours[i]) for i in used),
    )


def _colour(values: Sequence[float]) -> Colour:
    red, green, blue = map(float, values)
    return red, green, blue
