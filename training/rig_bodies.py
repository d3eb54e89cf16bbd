"""Bodies of `anny` whose joints and links are known: people, and stylised ones."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from .bodies import (
    NATURAL,
    Body,
    Pose,
    bone_moves,
    pose_figure,
    rest_shape,
    rigged_body,
    sample_local_changes,
    sample_phenotype,
)
from .parts import FINE_NAMES, SIDES
from .poses import sample_game_pose, sample_pose
from .stylise import restyle_skin, sample_proportions
from .template import load_template

# The joint at the head of a bone.
BONE_OF_JOINT = {
    "neck": "neck01",
    "head": "head",
    "chest": "spine02",
    "waist": "spine04",
    "shoulder": "upperarm01",
    "elbow": "lowerarm01",
    "wrist": "wrist",
    "hip": "upperleg01",
    "knee": "lowerleg01",
    "ankle": "foot",
}


@dataclass(frozen=True, eq=False)
class JointedBody:
    """A posed body.

    Attributes
    ----------
    body : Body
        With the template's own vertices.
    joints : dict of str to (3,).
    weights : (V, 23) csr_matrix, share of each link.
    """

    body: Body
    joints: dict[str, np.ndarray]
    weights: sparse.csr_matrix


def jointed_body(rng: np.random.Generator, stylised: float, restyled: bool = False) -> JointedBody:
    """A random body in a random pose: every second in one of games, every fourth at ease.

    Parameters
    ----------
    rng : the only source of chance.
    stylised : chance of cartoon proportions, in [0, 1].
    restyled : with the skin of such figures as well.
    """
    template = load_template()
    phenotype, changes = sample_phenotype(rng), sample_local_changes(rng)
    kind = rng.uniform()
    pose = sample_game_pose(rng) if kind < 0.5 else sample_pose(rng) if kind < 0.75 else Pose()
    proportions = sample_proportions(rng) if rng.uniform() < stylised else NATURAL
    rest, heads = rest_shape(phenotype, changes)
    if restyled:
        rest = restyle_skin(rest, template.faces, template.fine, rng)
    body = pose_figure(rigged_body(rest), heads, pose, proportions)
    moves = bone_moves(heads, pose, proportions)
    posed = np.einsum("bij,bj->bi", moves[:, :, :3], heads) + moves[:, :, 3]
    joints = {}
    for joint, bone in BONE_OF_JOINT.items():
        for end in [f".{side}" for side in SIDES] if f"{bone}.L" in template.bones else [""]:
            joints[joint + end] = posed[template.bone(bone + end)]
    links = sparse.csr_matrix(
        (np.ones(len(template.bones)), (np.arange(len(template.bones)), template.fine_of_bone)),
        shape=(len(template.bones), len(FINE_NAMES)),
    )
    return JointedBody(body, joints, template.weights @ links)
