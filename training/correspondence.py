"""Training of features for shape correspondence (paper 5.3).

Three losses, which may be combined or stand alone: functional maps against ground truth
(supervised, Donati et al. 2020), isometry of the functional maps between rigidly aligned shapes
(weakly supervised, Sharma and Ovsjanikov 2020), and contrast: with learned features of a template's
points, which separates regions, and between the two shapes of a pair, which is as fine as their
meshes.
"""

from __future__ import annotations

from collections.abc import Sequence
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
from diffusionnet_blender.network.training import Trainer, TrainingSettings, mirrored, scaled
from diffusionnet_blender.surface.discretization import Discretization

# Paper appendix and Donati et al. 2020: size of the maps, weight of the Laplacians.
MAP_SIZE = 30
COMMUTATIVITY = 1e-3
# Sharpness of the contrast, and of its targets in units of the square root of the area.
TEMPERATURE = 0.07
TARGET_WIDTH = 0.03
# The same between the shapes of a pair, and how many vertices look for their partners.
PAIR_TEMPERATURE = 0.05
PAIR_WIDTH = 0.012
PAIR_SAMPLES = 1024
# Distance to the other shape, in the same units, beyond which a place has no partner.
ALONE = 0.06
# Of either shape so much must have partners for a functional map to be learned from.
MOSTLY_PAIRED = 0.95
# Weights of the losses beside the contrast.
GROUP_WEIGHT = 0.2
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
    """

    positions: np.ndarray
    mirrored: np.ndarray
    anchors: np.ndarray
    distances: np.ndarray
    size: float
    groups: tuple[np.ndarray, ...]

    def has_partner(self, places: np.ndarray, others: np.ndarray) -> np.ndarray:
        """Which of some places another shape has as well, (n,) bool, by the places that it has."""
        tree = cKDTree(self.positions[others])
        return tree.query(self.positions[places])[0] < ALONE * self.size


@dataclass(frozen=True, eq=False)
class MatchedShape:
    """A training shape with its correspondence to the template.

    Attributes
    ----------
    discretization : Discretization
    place : (V,) int
        Vertex of the template that each vertex is.
    """

    discretization: Discretization
    place: np.ndarray


class TemplateNetwork(DiffusionNet):
    """A DiffusionNet, and the features of a template's anchors that are learned beside it.

    Parameters
    ----------
    architecture : Architecture
    engine : TorchEngine
    anchors : int
        None are needed where maps alone are learned from.
    """

    def __init__(self, architecture: Architecture, engine: TorchEngine, anchors: int = 0):
        super().__init__(architecture, engine)
        start = torch.randn(anchors, architecture.outputs)
        self.anchor_features = torch.nn.Parameter(engine.place(start))


class MatchTrainer(Trainer):
    """Learns from pairs of shapes; stops and goes on like any `Trainer`.

    Parameters
    ----------
    module : TemplateNetwork
    features : tuple of str
        Inputs. Without supervision, positions of shapes that stand aligned ("xyz").
    shapes : sequence of MatchedShape
        Each step learns from one that `run` deals and from a partner drawn among all.
    template : Template, optional
        Without it, maps are learned without supervision: nothing of `place` is used.
    settings : TrainingSettings
    map_size : int
    """

    def __init__(
        self,
        module: TemplateNetwork,
        features: tuple[str, ...],
        shapes: Sequence[MatchedShape],
        template: Template | None = None,
        settings: TrainingSettings = DEFAULTS,
        map_size: int = MAP_SIZE,
    ):
        super().__init__(module, features, settings=settings)
        self.shapes, self.template, self.map_size = shapes, template, map_size
        if template is not None:
            engine = module.engine
            self._distances = torch.as_tensor(template.distances, device=engine.torch_device)
            self._groups = [engine.indices(group) for group in template.groups]
            self._anchors = engine.indices(template.anchors)
            self._positions = engine.array(template.positions / template.size)

    def _learn_from(self, example: MatchedShape) -> tuple[float, float]:
        partner = self.shapes[self.rng.integers(len(self.shapes))]
        pair = [self._seen(shape) for shape in (example, partner)]
        engine = self.module.engine
        shapes = [shape_of(d, engine) for d, _ in pair]
        found = []
        for (discretization, _), shape in zip(pair, shapes, strict=True):
            inputs = engine.array(input_features(discretization, self.features))
            raw = self.module(shape, inputs)
            found.append(torch.nn.functional.normalize(raw, dim=1))
        if self.template is None:
            loss = isometry_loss(*shapes, *found, self.map_size)
            score = 0.0
        else:
            losses, scores = zip(
                *(
                    self._contrast(shape, features, place)
                    for shape, features, (_, place) in zip(shapes, found, pair, strict=True)
                ),
                strict=True,
            )
            loss = sum(losses) / 2
            score = sum(scores) / 2
            places = [place for _, place in pair]
            paired = self.template.has_partner(*places), self.template.has_partner(*places[::-1])
            shares = [d.mass @ one / d.mass.sum() for (d, _), one in zip(pair, paired, strict=True)]
            if min(shares) > MOSTLY_PAIRED:
                truth = true_map(pair[0], pair[1], self.template, self.map_size)
                made = differentiable_map(*shapes, *found, self.map_size)
                map_loss = (made - engine.array(truth)).square().sum() / self.map_size
                loss = loss + MAP_WEIGHT * map_loss
            if paired[1].any():
                loss = loss + self._pair_contrast(shapes, found, pair, paired[1])
        self._descend(loss)
        return float(loss.detach()), float(score)

    def _seen(self, example: MatchedShape) -> tuple[Discretization, np.ndarray]:
        """A shape as it is seen in one step: in a mirror or not, a little larger or smaller."""
        factor = np.exp(self.rng.uniform(-1, 1) * self.settings.scale_jitter)
        discretization, place = scaled(example.discretization, factor), example.place
        if self.template is not None and self.rng.random() < 0.5:
            return mirrored(discretization), self.template.mirrored[place]
        return discretization, place

    def _contrast(self, shape: Shape, features: torch.Tensor, place: np.ndarray):
        """Loss against the anchors, and the share of the area whose groups are all right."""
        index = self.module.engine.indices(place)
        anchors = torch.nn.functional.normalize(self.module.anchor_features, dim=1)
        log_share = torch.log_softmax(features @ anchors.T / TEMPERATURE, dim=1)
        closeness = -self._distances[:, index].T.square() / (2 * TARGET_WIDTH**2)
        closeness = closeness.clamp(min=SMALLEST_EXPONENT)
        area = shape.mass / shape.mass.sum()
        wanted = torch.softmax(closeness, dim=1)
        loss = (area * -(wanted * log_share).sum(dim=1)).sum()
        right = torch.ones_like(area, dtype=torch.bool)
        for group in self._groups:
            member = torch.nn.functional.one_hot(group[self._anchors]).to(log_share.dtype)
            share = torch.log(log_share.exp() @ member + 1e-8)
            loss = (
                loss
                + GROUP_WEIGHT
                * (area * torch.nn.functional.nll_loss(share, group[index], reduction="none")).sum()
            )
            right &= share.argmax(dim=1) == group[index]
        return loss, (area * right).sum().detach()

    def _pair_contrast(self, shapes, found, pair, paired) -> torch.Tensor:
        """Contrast of a sample of the target's vertices that have partners on the source."""
        source, target = shapes
        on_source, on_target = (
            self._positions[self.module.engine.indices(place)] for _, place in pair
        )
        area = target.mass * self.module.engine.array(paired)
        queries = torch.multinomial(area, min(PAIR_SAMPLES, int(paired.sum())))
        return partner_contrast(
            source,
            found[0],
            on_source,
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
    systems = a @ a.T + torch.diag_embed(commutativity * gap + floor)
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
    unit = torch.eye(len(forth), dtype=forth.dtype, device=forth.device)
    values_one, values_other = (shape.eigenvalues[:k] * shape.mass.sum() for shape in (one, other))
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
    return (inverse + orthogonal + sum(c.square().sum() for c in commutators)) / k


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
