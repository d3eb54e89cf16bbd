"""Training of features for shape correspondence (paper 5.3).

Three losses, which may be combined or stand alone: functional maps against ground truth
(supervised, Donati et al. 2020), isometry of the functional maps between rigidly aligned shapes
(weakly supervised, Sharma and Ovsjanikov 2020), and contrast: with learned features of a template's
points, which separates regions, and between the two shapes of a pair, which is as fine as their
meshes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from scipy.spatial import cKDTree

from diffusionnet_blender.network.architecture import Architecture
from diffusionnet_blender.network.contrast import partner_contrast
from diffusionnet_blender.network.features import input_features
from diffusionnet_blender.network.forward import SMALLEST_EXPONENT
from diffusionnet_blender.network.module import DiffusionNet
from diffusionnet_blender.network.shape import Shape, shape_of
from diffusionnet_blender.network.torch_engine import TorchEngine
from diffusionnet_blender.network.training import (
    IGNORED,
    Trainer,
    TrainingSettings,
    mirrored,
    scaled,
)
from diffusionnet_blender.network.votes import OTHER
from diffusionnet_blender.surface.discretization import Discretization
from training.meshes import NOWHERE
from training.precision import in_halves
from training.views import FEATURES, MATCH_SHARES, TILT, View, inputs_in, sample_view

# Paper appendix and Donati et al. 2020: size of the maps, weight of the Laplacians.
MAP_SIZE = 30
COMMUTATIVITY = 1e-3
# Sharpness of the contrast, and of its targets in units of the square root of the area.
TEMPERATURE = 0.07
TARGET_WIDTH = 0.03
# The same between the shapes of a pair, and how many vertices look for their partners.
PAIR_TEMPERATURE = 0.05
PAIR_WIDTH = 0.012
PAIR_SAMPLES = 768
# Distance to the other shape, in the same units, beyond which a place has no partner.
ALONE = 0.06
# Of either shape so much must have partners for a functional map to be learned from.
MOSTLY_PAIRED = 0.95
# How many vertices look for their place among the anchors.
ANCHOR_SAMPLES = 1024
# Weights of the losses beside the contrast.
GROUP_WEIGHT = 0.2
VOTE_WEIGHT = 0.5
MAP_WEIGHT = 0.5

DEFAULTS = TrainingSettings()


@dataclass(frozen=True, eq=False)
class Template:
    """The reference shape that all training shapes are registered to.

    Attributes
    ----------
    positions : (T, 3) float
        Where no two limbs touch.
    mirrored : (T,) int
        For each vertex that on the other side.
    anchors : (A,) int
        Vertices, spread evenly, whose features are learned.
    distances : (A, T) float32
        Along the surface, in units of the square root of its area.
    size : float
        That root, in the unit of the positions.
    groups : tuple of (T,) int
        Classes of places that a match must keep: left and right, front and back, parts.

    A place may be `NOWHERE`: nothing on the template corresponds to it.
    """

    positions: np.ndarray
    mirrored: np.ndarray
    anchors: np.ndarray
    distances: np.ndarray
    size: float
    groups: tuple[np.ndarray, ...]

    def has_partner(self, places: np.ndarray, others: np.ndarray) -> np.ndarray:
        """Which of some places another shape has as well, (n,) bool, by the places that it has."""
        there = others[others != NOWHERE]
        if not len(there):
            return np.zeros(len(places), bool)
        tree = cKDTree(self.positions[there])
        near = tree.query(self.positions[places])[0] < ALONE * self.size
        return near & (places != NOWHERE)

    def on_other_side(self, places: np.ndarray) -> np.ndarray:
        """The same places on the other side, (n,) int."""
        return np.where(places == NOWHERE, NOWHERE, self.mirrored[places])

    def mirrored_classes(self) -> list[np.ndarray]:
        """Of each group, for each class that on the other side."""
        found = []
        for group in self.groups:
            counts = np.zeros((group.max() + 1,) * 2, int)
            np.add.at(counts, (group, group[self.mirrored]), 1)
            found.append(counts.argmax(axis=1))
        return found


@dataclass(frozen=True, eq=False)
class MatchedShape:
    """A training shape with its correspondence to the template.

    Attributes
    ----------
    discretization : Discretization
    place : (V,) int
        Vertex of the template that each vertex is, or `NOWHERE`.
    integral : (V, 24) float, optional
        Integral invariants, where they were kept: they take longer than a step.
    groups : tuple of (V,) int, optional
        Classes as of `Template.groups` where no place is known, `IGNORED` where a class is not.
    """

    discretization: Discretization
    place: np.ndarray
    integral: np.ndarray | None = None
    groups: tuple[np.ndarray, ...] | None = None


@dataclass(frozen=True, eq=False)
class Seen:
    """A shape as it is seen in one step: in a mirror or not, in a frame or none.

    Attributes
    ----------
    discretization : Discretization
    place, groups :
        As of a `MatchedShape`, left and right as the frame has them.
    inputs : (V, C) float32
    vote : int or None
        The right answer on the frame; None where there is none.
    """

    discretization: Discretization
    place: np.ndarray
    groups: tuple[np.ndarray, ...] | None
    inputs: np.ndarray
    vote: int | None = None

    @property
    def has_places(self) -> bool:
        """Whether places can be learned from it: in a wrong frame sides mean nothing."""
        return self.vote != OTHER and bool((self.place != NOWHERE).any())


class TemplateNetwork(DiffusionNet):
    """A DiffusionNet, and the features of a template's anchors that are learned beside it.

    Parameters
    ----------
    architecture : Architecture
    engine : TorchEngine
    anchors : int
        None are needed where maps alone are learned from.
    votes : int
        Of the outputs, those that are no features but votes on a frame.
    """

    def __init__(
        self, architecture: Architecture, engine: TorchEngine, anchors: int = 0, votes: int = 0
    ):
        super().__init__(architecture, engine)
        self.feature_count = architecture.outputs - votes
        start = torch.randn(anchors, self.feature_count)
        self.anchor_features = torch.nn.Parameter(engine.place(start))


class MatchTrainer(Trainer):
    """Learns from pairs of shapes; stops and goes on like any `Trainer`.

    Parameters
    ----------
    module : TemplateNetwork
    features : tuple of str
        Inputs. Without supervision, positions of shapes that stand aligned ("xyz");
        `views.FEATURES` where shapes are seen in frames or in none, and vote on them.
    shapes : sequence of MatchedShape
        Each step learns from one that `run` deals and from a partner drawn among all.
    template : Template, optional
        Without it, maps are learned without supervision: nothing of `place` is used.
    settings : TrainingSettings
    map_size : int
    views : mapping of int to float
    tilt : float
        As of `views.sample_view`.
    """

    def __init__(
        self,
        module: TemplateNetwork,
        features: tuple[str, ...],
        shapes: Sequence[MatchedShape],
        template: Template | None = None,
        settings: TrainingSettings = DEFAULTS,
        map_size: int = MAP_SIZE,
        views: Mapping[int, float] = MATCH_SHARES,
        tilt: float = TILT,
    ):
        super().__init__(module, features, settings=settings)
        self.shapes, self.template, self.map_size = shapes, template, map_size
        self.views, self.tilt = views, tilt
        if template is not None:
            engine = module.engine
            self._distances = torch.as_tensor(template.distances, device=engine.torch_device)
            self._groups = [engine.indices(group) for group in template.groups]
            self._anchors = engine.indices(template.anchors)
            self._other_classes = template.mirrored_classes()
            self._positions = engine.array(template.positions / template.size)

    def _learn_from(self, example: MatchedShape) -> tuple[float, float]:
        partner = self.shapes[self.rng.integers(len(self.shapes))]
        pair = [self._seen(shape) for shape in (example, partner)]
        engine = self.module.engine
        shapes = [shape_of(seen.discretization, engine) for seen in pair]
        outputs = [
            self._outputs(shape, seen.inputs) for shape, seen in zip(shapes, pair, strict=True)
        ]
        found = [
            torch.nn.functional.normalize(raw[:, : self.module.feature_count], dim=1)
            for raw in outputs
        ]
        if self.template is None:
            loss, score = isometry_loss(*shapes, *found, self.map_size), 0.0
        else:
            loss, scores = torch.zeros(()), []
            for seen, shape, features, raw in zip(pair, shapes, found, outputs, strict=True):
                loss = loss + self._judged(seen, shape, features, raw, scores) / 2
            if all(seen.has_places for seen in pair):
                loss = loss + self._pair_loss(pair, shapes, found)
            score = float(np.mean(scores)) if scores else 0.0
        self._descend(loss)
        return float(loss.detach()), score

    def _outputs(self, shape: Shape, inputs: np.ndarray) -> torch.Tensor:
        engine = self.module.engine
        # The systems of functional maps need all digits.
        supervised = self.template is not None
        with in_halves(engine.torch_device.type, supervised):
            return self.module(shape, engine.array(inputs)).float()

    def _seen(self, example: MatchedShape) -> Seen:
        """A shape in a mirror or not, a little larger or smaller, in a frame or in none."""
        rng, template = self.rng, self.template
        factor = np.exp(rng.uniform(-1, 1) * self.settings.scale_jitter)
        discretization = scaled(example.discretization, factor)
        place, groups, view = example.place, example.groups, View(None, None)
        swapped = template is not None and bool(rng.random() < 0.5)
        if swapped:
            discretization = mirrored(discretization)
        if self.features == FEATURES:
            view = sample_view(rng, self.views, self.tilt)
            integral = example.integral
            if integral is None:
                integral = input_features(discretization, ("integral",))
            inputs = inputs_in(view, discretization, integral, rng)
        else:
            inputs = input_features(discretization, self.features)
        if template is not None and swapped != view.swaps_sides:
            place = template.on_other_side(place)
            if groups is not None:
                groups = tuple(
                    np.where(group == IGNORED, IGNORED, other[group])
                    for group, other in zip(groups, self._other_classes, strict=True)
                )
        return Seen(discretization, place, groups, inputs, view.vote)

    def _judged(
        self,
        seen: Seen,
        shape: Shape,
        features: torch.Tensor,
        outputs: torch.Tensor,
        scores: list[float],
    ) -> torch.Tensor:
        """The loss of one shape by itself; the share of it that is right is added to the scores."""
        loss = torch.zeros(())
        if seen.vote is not None:
            area = shape.mass / shape.mass.sum()
            votes = torch.log_softmax(outputs[:, self.module.feature_count :], dim=1)
            loss = loss - VOTE_WEIGHT * (area @ votes[:, seen.vote])
        if seen.has_places:
            place = np.flatnonzero(seen.place != NOWHERE)
            rows = self.module.engine.indices(self._some_of(place))
            index = self.module.engine.indices(seen.place)[rows]
            log_share = self._log_shares(features[rows])
            closeness = -self._distances[:, index].T.square() / (2 * TARGET_WIDTH**2)
            wanted = torch.softmax(closeness.clamp(min=SMALLEST_EXPONENT), dim=1)
            area = shape.mass[rows] / shape.mass[rows].sum()
            loss = loss + (area * -(wanted * log_share).sum(dim=1)).sum()
            classes = [group[index] for group in self._groups]
        elif seen.vote != OTHER and seen.groups is not None:
            rows = slice(None)
            log_share, area = self._log_shares(features), shape.mass / shape.mass.sum()
            classes = [self.module.engine.indices(group) for group in seen.groups]
        else:
            return loss
        group_loss, right = self._group_loss(log_share, area, classes)
        scores.append(right)
        return loss + GROUP_WEIGHT * group_loss

    def _log_shares(self, features: torch.Tensor) -> torch.Tensor:
        """Log-probabilities of the anchors by features, (n, A)."""
        anchors = torch.nn.functional.normalize(self.module.anchor_features, dim=1)
        return torch.log_softmax(features @ anchors.T / TEMPERATURE, dim=1)

    def _some_of(self, vertices: np.ndarray) -> np.ndarray:
        """No more than `ANCHOR_SAMPLES` of some vertices."""
        if len(vertices) <= ANCHOR_SAMPLES:
            return vertices
        return self.rng.choice(vertices, ANCHOR_SAMPLES, replace=False)

    def _group_loss(
        self, log_share: torch.Tensor, area: torch.Tensor, classes: Sequence[torch.Tensor]
    ) -> tuple[torch.Tensor, float]:
        """Loss of the classes by the shares of their anchors, and the share of the area that has
        all of its known classes right."""
        loss = torch.zeros(())
        right = torch.ones_like(area, dtype=torch.bool)
        share = log_share.exp()
        for group, wanted in zip(self._groups, classes, strict=True):
            member = torch.nn.functional.one_hot(group[self._anchors]).to(share.dtype)
            of_class = torch.log(share @ member + 1e-8)
            each = torch.nn.functional.nll_loss(
                of_class, wanted, reduction="none", ignore_index=IGNORED
            )
            loss = loss + (area * each).sum()
            right &= (of_class.argmax(dim=1) == wanted) | (wanted == IGNORED)
        return loss, float((area * right).sum())

    def _pair_loss(
        self, pair: Sequence[Seen], shapes: Sequence[Shape], found: Sequence[torch.Tensor]
    ) -> torch.Tensor:
        """Contrast between two shapes, and that of their functional map with the true one."""
        engine, template = self.module.engine, self.template
        source, target = (seen.place for seen in pair)
        paired = template.has_partner(source, target), template.has_partner(target, source)
        masses = [seen.discretization.mass for seen in pair]
        shares = [mass @ one / mass.sum() for mass, one in zip(masses, paired, strict=True)]
        loss = torch.zeros(())
        if min(shares) > MOSTLY_PAIRED and all((seen.place != NOWHERE).all() for seen in pair):
            known = [(seen.discretization, seen.place) for seen in pair]
            truth = true_map(*known, template, self.map_size)
            made = differentiable_map(*shapes, *found, self.map_size)
            loss = MAP_WEIGHT * (made - engine.array(truth)).square().sum() / self.map_size
        if paired[1].any():
            loss = loss + self._pair_contrast(pair, shapes, found, paired[1])
        return loss

    def _pair_contrast(self, pair, shapes, found, paired: np.ndarray) -> torch.Tensor:
        """Contrast of a sample of the target's vertices that have partners on the source."""
        engine = self.module.engine
        source, target = shapes
        known = engine.indices(np.flatnonzero(pair[0].place != NOWHERE))
        on_source, on_target = (self._positions[engine.indices(seen.place)] for seen in pair)
        area = target.mass * engine.array(paired)
        queries = torch.multinomial(area, min(PAIR_SAMPLES, int(paired.sum())))
        return partner_contrast(
            source.mass[known],
            found[0][known],
            on_source[known],
            found[1][queries],
            on_target[queries],
            PAIR_TEMPERATURE,
            PAIR_WIDTH,
        ).mean()


def differentiable_map(
    source: Shape,
    target: Shape,
    source_features: torch.Tensor,
    target_features: torch.Tensor,
    k: int,
    commutativity: float = COMMUTATIVITY,
) -> torch.Tensor:
    """The functional map that features give, (k, k), differentiable by them.

    Each row solves a system of its own; all are solved as one batch. Source functions to target
    functions, as in `matching`.

    Parameters
    ----------
    source, target : Shape
    source_features : (V_s, d) tensor
    target_features : (V_t, d) tensor
    k : int
    commutativity : float
        Weight of the Laplacians.
    """
    a, b = (
        shape.eigenvectors[:, :k].T @ (shape.mass[:, None] * features) / shape.mass.sum().sqrt()
        for shape, features in ((source, source_features), (target, target_features))
    )
    # At unit area, so that two sizes of one shape have one spectrum.
    values_s, values_t = (shape.eigenvalues[:k] * shape.mass.sum() for shape in (source, target))
    gap = ((values_t[:, None] - values_s[None]) / torch.maximum(values_t[-1], values_s[-1])) ** 2
    floor = 1e-6 * torch.ones_like(gap)
    return map_by_rows(a, b, commutativity * gap + floor)


def map_by_rows(a: torch.Tensor, b: torch.Tensor, penalty: torch.Tensor) -> torch.Tensor:
    """Minimiser C of |C a - b|^2 + the sum of penalty * C^2, (k, k), differentiable.

    Parameters
    ----------
    a, b : (k, d) tensor
        Coefficients of the source's and the target's features.
    penalty : (k, k) tensor
        A row for each eigenfunction of the target.
    """
    systems = a @ a.T + torch.diag_embed(penalty)
    return torch.linalg.solve(systems, (b @ a.T)[:, :, None])[:, :, 0]


def isometry_loss(
    one: Shape, other: Shape, features_one: torch.Tensor, features_other: torch.Tensor, k: int
) -> torch.Tensor:
    """How far the maps that features give are from those of an isometry.

    The maps of both directions undo each other, keep areas (are orthogonal), and commute with
    the Laplacians (Sharma and Ovsjanikov 2020, eq. 4 to 6). What tells the right isometry from
    its mirror image is that the shapes stand aligned.

    Parameters
    ----------
    one, other : Shape
    features_one, features_other : (V, d) tensor
    k : int
    """
    forth = differentiable_map(one, other, features_one, features_other, k)
    reverse = differentiable_map(other, one, features_other, features_one, k)
    values_one, values_other = (shape.eigenvalues[:k] * shape.mass.sum() for shape in (one, other))
    return isometry_of_maps(forth, reverse, values_one, values_other)


def isometry_of_maps(
    forth: torch.Tensor,
    reverse: torch.Tensor,
    values_one: torch.Tensor,
    values_other: torch.Tensor,
) -> torch.Tensor:
    """The same of the maps of both directions.

    Parameters
    ----------
    forth, reverse : (k, k) tensor
    values_one, values_other : (k,) tensor
        Eigenvalues at unit area.
    """
    unit = torch.eye(len(forth), dtype=forth.dtype, device=forth.device)
    largest = torch.maximum(values_one[-1], values_other[-1])
    commutators = [
        (c * start[None] - end[:, None] * c) / largest
        for c, start, end in (
            (forth, values_one, values_other),
            (reverse, values_other, values_one),
        )
    ]
    inverse = (forth @ reverse - unit).square().sum() + (reverse @ forth - unit).square().sum()
    orthogonal = sum((c.T @ c - unit).square().sum() for c in (forth, reverse))
    return (inverse + orthogonal + sum(c.square().sum() for c in commutators)) / len(unit)


def true_map(
    source: tuple[Discretization, np.ndarray],
    target: tuple[Discretization, np.ndarray],
    template: Template,
    k: int,
) -> np.ndarray:
    """Ground-truth functional map of two shapes by way of the template, (k, k) float64.

    Parameters
    ----------
    source, target : (Discretization, place)
    template : Template
    k : int
    """
    partner = true_partners(source[1], target[1], template)
    on, to = source[0], target[0]
    pulled = on.eigenvectors[partner, :k] * np.sqrt(on.mass.sum(dtype=float))
    return (to.eigenvectors[:, :k] * to.mass[:, None]).T @ pulled / np.sqrt(to.mass.sum())


def true_partners(source_place: np.ndarray, target_place: np.ndarray, template: Template):
    """For each target vertex the source vertex nearest to it on the template, (V_t,) int."""
    tree = cKDTree(template.positions[source_place])
    return tree.query(template.positions[target_place])[1]
