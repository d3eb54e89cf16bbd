"""Characters of games and cartoons: chibis with large heads, robed and long-haired figures."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from .accessories import gear
from .bodies import (
    NATURAL,
    Rigged,
    join,
    pose_figure,
    rest_shape,
    rigged_body,
    sample_local_changes,
    sample_phenotype,
)
from .clothing import dress, undress
from .growths import grown, jester_points, long_hair, wide_hat
from .hair import on_head
from .landmarks import landmarks
from .meshes import Body
from .parts import FINE_NAMES
from .places import places_on
from .poses import Pose, sample_calm_pose, sample_game_pose, sample_pose
from .remesh import keep_skin
from .robes import gown
from .shaping import reshape_head, simplify_ends, straighten_limbs
from .stylise import Proportions, restyle_skin, sample_chibi, sample_proportions
from .template import load_template

CHARACTERS = ("chibi", "robed", "longhaired")


def sample_character(rng: np.random.Generator, kind: str, pose: Pose | None = None) -> Body:
    """A random character.

    Parameters
    ----------
    kind : "chibi" (a head of a quarter to half of the height, short limbs, stub hands, large
        boots), "robed" (skirts, robes, coats, wide sleeves), "longhaired" (hair that falls to the
        hips, tails, horns, ears, hats with wide brims).
    pose : by default a random one.

    Raises
    ------
    ValueError
        The kind is none of `CHARACTERS`.
    """
    if kind not in CHARACTERS:
        raise ValueError(f"unknown kind {kind!r}: one of {', '.join(CHARACTERS)}")
    phenotype = sample_phenotype(rng)
    phenotype["age"] = max(phenotype["age"], 0.5)
    rest, heads = rest_shape(phenotype, sample_local_changes(rng))
    template = load_template()
    chibi = kind == "chibi" or rng.uniform() < 0.2
    if chibi:
        rest = reshape_head(rest, heads, rng)
        rest = simplify_ends(rest, rng)
        if rng.uniform() < 0.5:
            rest = straighten_limbs(rest, heads, rng)
    if rng.uniform() < (0.6 if chibi else 0.3):
        rest = restyle_skin(rest, template.faces, template.fine, rng)
    body = rigged_body(rest)
    if chibi:
        proportions = with_head_share(body, heads, sample_chibi(rng), rng.uniform(0.25, 0.5))
    else:
        proportions = sample_proportions(rng) if rng.uniform() < 0.4 else NATURAL
    robed = kind == "robed" or rng.uniform() < 0.15
    if pose is None:
        pose = _pose(rng, chibi, robed)
    figure = join(_pieces(body, kind, robed, proportions, rng))
    posed = pose_figure(figure, heads, pose, proportions, places_on(body, figure))
    return keep_skin(posed) if rng.uniform() < 0.6 else posed


def _pose(rng: np.random.Generator, chibi: bool, robed: bool) -> Pose:
    # What hangs to the floor allows no more than a stride.
    if robed:
        return sample_calm_pose(rng) if rng.uniform() < 0.85 else sample_pose(rng)
    game = rng.uniform() < (0.8 if chibi else 0.5)
    return sample_game_pose(rng) if game else sample_pose(rng)


def _pieces(
    body: Rigged, kind: str, robed: bool, proportions: Proportions, rng: np.random.Generator
) -> list[Rigged]:
    dressed = robed or rng.uniform() < 0.7
    garments = []
    if robed:
        garments = gown(body, rng)
    elif dressed:
        garments = dress(body, rng)
    kept = undress(body, garments, rng) if garments else body
    worn = [garment.figure for garment in garments]
    growing = {"chibi": 0.6, "robed": 0.25, "longhaired": 0.6}[kind]
    # What is twice as long as a head would be all there is of one that is enlarged.
    room = float(np.clip(1.3 / proportions.head, 0.0, 1.0)) ** 0.7
    if rng.uniform() < growing:
        worn += grown(body, rng, room)
    if kind == "longhaired" or rng.uniform() < 0.35:
        worn += long_hair(body, rng, *_room_for_hair(body, proportions))
    elif rng.uniform() < 0.6 and proportions.head < 1.6:
        worn += on_head(body, rng)
    if rng.uniform() < 0.2:
        worn += wide_hat(body, rng, room) if rng.uniform() < 0.8 else jester_points(body, rng)
    worn += gear(body, rng, int(rng.choice([0, 1, 3], p=(0.7, 0.2, 0.1))))
    return [*([] if kept is None else [kept]), *worn]


def _room_for_hair(body: Rigged, proportions: Proportions) -> tuple[float, float]:
    """From the middle of the head to the hips, and half the depth of the trunk, both in the scale
    of the head before it is enlarged."""
    at = landmarks()
    middle = body.vertices[at.upwards != 0, 2].mean()
    hips = body.vertices[at.skin & (np.abs(at.height) < 0.05), 2].mean()
    trunk = at.skin & (at.arm < 0) & (at.height > 0.3) & (at.height < 0.95)
    deep = np.ptp(body.vertices[trunk, 1]) / 2 * proportions.torso_depth
    head = np.ptp(body.vertices[at.upwards != 0, 2])
    drop = 0.5 * head + (middle - 0.5 * head - hips) * proportions.torso_height / proportions.head
    return float(drop), float(deep / proportions.head)


def with_head_share(
    body: Rigged, heads: np.ndarray, proportions: Proportions, share: float
) -> Proportions:
    """The same proportions with a head of a given share of the height of the standing figure."""
    skin = landmarks().skin
    head = skin & (body.fine == FINE_NAMES.index("head"))
    low, high, wide = [], [], (1.0, 3.0)
    for factor in wide:
        standing = pose_figure(body, heads, Pose(), replace(proportions, head=factor)).vertices
        low.append(np.ptp(standing[head, 2]))
        high.append(np.ptp(standing[skin, 2]))
    # Both heights grow with the factor along straight lines.
    slopes = [(ends[1] - ends[0]) / (wide[1] - wide[0]) for ends in (low, high)]
    starts = [ends[0] - slope * wide[0] for ends, slope in zip((low, high), slopes, strict=True)]
    factor = (share * starts[1] - starts[0]) / (slopes[0] - share * slopes[1])
    return replace(proportions, head=float(np.clip(factor, 0.8, 12.0)))
