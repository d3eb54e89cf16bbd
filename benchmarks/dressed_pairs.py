"""Unseen dressed and bare bodies as sides of a match, and how far off a map is on their skin.

They wear what no model was trained on, over the whole body: where a vertex of the skin belongs is
known beneath clothes, too.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmarks.faces import face_of_template, head_of_template
from benchmarks.matching import MEASURED, Truth
from diffusionnet_blender.matching.points import SurfacePoints, points_at_vertices
from diffusionnet_blender.matching.similarity import similarity
from diffusionnet_blender.surface.character import Character
from diffusionnet_blender.surface.surface import Surface, triangle_vectors, vertex_areas
from training.bodies import FIRST_HELD_OUT_SEED, sample_local_changes, sample_phenotype
from training.dressed import dress_body, sample_outfit
from training.makehuman import triangles
from training.meshes import SKIN
from training.parts import FINE_NAMES
from training.poses import sample_game_pose, sample_pose
from training.template import load_template

# What is matched with what: source, target.
KINDS = (("bare", "dressed"), ("dressed", "bare"), ("dressed", "dressed"))
HAND = ("palm", "fingers")
# Other bodies than those of `character_files`.
FIRST_SEED = FIRST_HELD_OUT_SEED + 5000


def sampled(number: int, dressed: bool, makehuman: Path) -> Character:
    """An unseen body of a number, with clothes and the like or without; the body comes first."""
    rng = np.random.default_rng(FIRST_SEED + number)
    phenotype, changes = sample_phenotype(rng), sample_local_changes(rng)
    outfit = sample_outfit(rng, makehuman, woman=phenotype["gender"] > 0.5, held_out=True)
    worn = dress_body(phenotype, changes, replace(outfit, hides_body=False), makehuman)
    worn = worn.posed(sample_pose(rng) if number % 2 else sample_game_pose(rng))
    members = worn.members if dressed else worn.members[:1]
    surfaces = [Surface(each.vertices, triangles(each.polygons)) for each in members]
    return Character(surfaces, [each.name for each in members])


def sampled_pair(number: int, makehuman: Path) -> tuple[Character, Character]:
    """Source and target of a pair; kinds come in turn."""
    source, target = KINDS[number % len(KINDS)]
    return (
        sampled(2 * number, source == "dressed", makehuman),
        sampled(2 * number + 1, target == "dressed", makehuman),
    )


class Errors:
    """How far off a map between two sides is, on the skin of the source.

    Parameters
    ----------
    source, target : Character
        As of `sampled`.
    """

    def __init__(self, source: Character, target: Character):
        template = load_template()
        on_skin = template.component[template.faces[:, 0]] == SKIN
        skin = np.unique(template.faces[on_skin])
        body = target.members[0]
        areas = vertex_areas(body.vertices, body.faces)
        rng = np.random.default_rng(0)
        self.samples = rng.choice(len(skin), MEASURED, replace=False, p=areas / areas.sum())
        posed = np.zeros((len(template.vertices), 3))
        # The bodies have the vertices of the template's skin, in its order.
        posed[skin] = source.members[0].vertices
        self.source = source.surface
        self.truth = Truth(posed, points_at_vertices(skin[self.samples], template.faces))
        self._posed = posed[skin]
        self._is_face = face_of_template()[skin]
        part_of = [name.partition(".")[0] for name in FINE_NAMES]
        self._is_hand = np.isin(np.array(part_of)[template.fine[skin]], HAND)
        at_rest = template.vertices[skin][self._is_face].astype(float)
        scale = similarity(at_rest, self._posed[self._is_face])[1]
        self._head_height = scale * head_of_template()[2]

    def __call__(self, points: SurfacePoints) -> np.ndarray:
        """Geodesic errors x100 at unit area of some vertices of the skin, (`MEASURED`,).

        Parameters
        ----------
        points : SurfacePoints
            On the source as one surface, one for each vertex of the target as one surface.
        """
        points = points[self.samples]
        vertices, faces = self.source.vertices, self.source.faces
        normals = triangle_vectors(vertices, faces)
        normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-30)
        return self.truth.error(points.interpolate(vertices, faces), normals[points.face])

    def of_face(self, points: SurfacePoints) -> float:
        """Mean distance from the true place over the face, in percent of the height of the head.

        Parameters
        ----------
        points : SurfacePoints
            As above.
        """
        return self._off(points, self._is_face)

    def of_hands(self, points: SurfacePoints) -> float:
        """The same over palms and fingers of both hands."""
        return self._off(points, self._is_hand)

    def _off(self, points: SurfacePoints, inside: np.ndarray) -> float:
        found = points[: len(self._posed)].interpolate(self.source.vertices, self.source.faces)
        off = np.linalg.norm(found - self._posed, axis=1)[inside]
        return float(100 * off.mean() / self._head_height)
