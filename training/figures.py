"""Whole figures before anyone remeshes or damages them: bare, stylised, clothed, hard-surface, and
characters."""

from __future__ import annotations

import numpy as np

from .accessories import gear
from .bodies import (
    NATURAL,
    join,
    pose_figure,
    rest_shape,
    rigged_body,
    sample_local_changes,
    sample_phenotype,
)
from .characters import CHARACTERS, sample_character
from .clothing import dress, undress
from .hair import on_head
from .mannequin import mannequin
from .meshes import Body
from .places import places_on
from .poses import Pose, sample_game_pose, sample_pose
from .remesh import keep_skin
from .stylise import restyle_skin, sample_proportions
from .template import load_template

FIGURES = ("bare", "stylised", "clothed", "mannequin")


def sample_figure(rng: np.random.Generator, kind: str, pose: Pose | None = None) -> Body:
    """A random figure of a kind.

    Parameters
    ----------
    rng : the only source of chance.
    kind : "bare" (a person's body), "stylised" (a cartoon's, a brute's, a puppet's), "clothed"
        (clothes, hair and gear on either), "mannequin" (hard surfaces in separate pieces), or one
        of `characters.CHARACTERS`.
    pose : by default a random one; characters mostly stand in an exact T- or A-pose.

    Raises
    ------
    ValueError
        The kind is none of `FIGURES` and `characters.CHARACTERS`.
    """
    if kind in CHARACTERS:
        return sample_character(rng, kind, pose)
    if kind not in FIGURES:
        raise ValueError(f"unknown kind {kind!r}: one of {', '.join(FIGURES + CHARACTERS)}")
    styled = kind == "stylised" or kind != "bare" and rng.uniform() < 0.5
    phenotype = sample_phenotype(rng)
    if styled:  # a child's large head made larger would be all there is
        phenotype["age"] = max(phenotype["age"], 0.5)
    rest, heads = rest_shape(phenotype, sample_local_changes(rng))
    template = load_template()
    faces = template.faces if rng.uniform() < 0.5 else _other_diagonals(template.quads, rng)
    proportions = sample_proportions(rng) if styled else NATURAL
    if kind == "stylised" or kind == "clothed" and rng.uniform() < 0.3:
        rest = restyle_skin(rest, faces, template.fine, rng)
    game = rng.uniform() < {"bare": 0.1, "stylised": 0.5, "clothed": 0.7, "mannequin": 0.8}[kind]
    if pose is None:
        pose = sample_game_pose(rng) if game else sample_pose(rng)

    body = rigged_body(rest, faces)
    if kind == "mannequin":
        figure = mannequin(body, heads, rng)
        if rng.uniform() < 0.3:
            figure = join([figure, *gear(body, rng, int(rng.integers(1, 4)))])
    elif kind == "clothed":
        garments = dress(body, rng)
        kept = undress(body, garments, rng)
        worn = [garment.figure for garment in garments] + on_head(body, rng)
        worn += gear(body, rng, int(rng.choice([0, 1, 3, 8], p=(0.4, 0.25, 0.2, 0.15))))
        figure = join([*([] if kept is None else [kept]), *worn])
    else:
        figure = body
        if kind == "stylised" and rng.uniform() < 0.3:
            figure = join([body, *on_head(body, rng)])
    posed = pose_figure(figure, heads, pose, proportions, places_on(body, figure))
    return keep_skin(posed) if rng.uniform() < 0.5 else posed


def _other_diagonals(quads: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Quads cut along the other diagonal, or along either at random."""
    share = rng.choice([1.0, 0.5])
    turned = np.where(rng.uniform(size=(len(quads), 1)) < share, np.roll(quads, 1, axis=1), quads)
    return np.concatenate([turned[:, [0, 1, 2]], turned[:, [0, 2, 3]]])
