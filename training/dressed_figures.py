"""People in clothes, shoes and hair that others modelled, each as one labelled mesh.

The pieces are those of `dressed`, on bodies of every shape, in every pose, with cartoon proportions
half of the time. Suits are taken apart and mixed, cut shorter, blown up, their sleeves widened and
their hems let down to skirts and coats. What is held out for measuring is never worn.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
from scipy import sparse
from scipy.spatial import cKDTree

from diffusionnet_blender.surface.edges import boundary_edges
from diffusionnet_blender.surface.loose_parts import label_parts
from diffusionnet_blender.surface.triangles import compact, smooth
from diffusionnet_blender.surface.winding import vertex_normals

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
from .dressed import LEGS, bound_piece, loose_garments, pieces_of
from .hair import all_head
from .landmarks import landmarks
from .makehuman import triangles
from .meshes import ACCESSORY, CLOTHING, HAIR, TEETH, TONGUE, Body, bumps, join_bodies
from .parts import PART_NAMES, PART_OF_FINE, SIDES
from .places import places_on
from .poses import Pose, sample_exact_pose, sample_game_pose, sample_pose
from .remesh import decimate
from .stylise import sample_proportions
from .template import load_template, parts_of_weights

COMPONENTS = {
    "Suit": CLOTHING,
    "Shoes": CLOTHING,
    "Hat": ACCESSORY,
    "Hair": HAIR,
    "Eyebrows": HAIR,
    "Eyelashes": HAIR,
    "Teeth": TEETH,
    "Tongue": TONGUE,
}
# How often a figure has each, beside its suit.
SHARES = {
    "Shoes": 0.75,
    "Hat": 0.15,
    "Hair": 0.8,
    "Eyebrows": 0.5,
    "Eyelashes": 0.3,
    "Teeth": 0.35,
    "Tongue": 0.3,
}
MOST_VERTICES, LEAST_SKIN = 24_000, 3_000
# Skin as near to hair on the mean body, metres, is scalp; skin as near to cloth is beneath it.
SCALP, BENEATH = 0.015, 0.03
ARM, LEG = ("upperarm01", "lowerarm01", "wrist"), ("upperleg01", "lowerleg01", "foot")
THIGHS, TORSO = [PART_NAMES.index(f"thigh.{side}") for side in SIDES], PART_NAMES.index("torso")


@dataclass(frozen=True, eq=False)
class Garment:
    """A loose part of a piece.

    Attributes
    ----------
    name : what it is worn as, see `dressed.WORN`;  path : of the piece.
    used : (V,) int64, its vertices among those of the piece;  faces : (F, 3), in its own numbers.
    hidden : (H,) int64, vertices of the body beneath it.
    on_legs : whether most of it is.
    """

    name: str
    path: Path
    used: np.ndarray
    faces: np.ndarray
    hidden: np.ndarray
    on_legs: bool

    def on(self, rest: np.ndarray) -> Rigged:
        """It on a body of the template with helpers, (N, 3)."""
        bound = bound_piece(self.name, self.path)
        return Rigged(
            bound.fitted(rest)[self.used],
            self.faces,
            bound.fine[self.used],
            np.full(len(self.used), COMPONENTS[self.name], np.int32),
            bound.weights[self.used],
        )


@cache
def garments_of(name: str, path: Path) -> list[Garment]:
    """The garments of a suit, or a piece of another kind as it is."""
    bound, whole = bound_piece(name, path), load_template(helpers=True)
    vertices, faces = bound.fitted(whole.vertices.astype(float)), triangles(bound.piece.polygons)
    part = np.zeros(len(vertices), int)
    if name == "Suit":
        part = loose_garments(len(vertices), faces)
    # Files count hidden vertices as the base mesh does.
    template = load_template()
    hidden = np.flatnonzero(np.isin(template.base_vertices, bound.piece.hidden))
    if name == "Hair":
        hidden = _scalp_beneath(vertices)
    away, nearest = cKDTree(vertices).query(template.vertices[hidden].reshape(-1, 3))
    # Suits and shoes hide what lies between them, too.
    near = away < (SCALP if name == "Hair" else BENEATH)
    hidden, nearest = hidden[near], nearest[near]
    found = []
    for number in np.unique(part):
        own, used = compact(len(vertices), faces[part[faces[:, 0]] == number])
        on_legs = np.isin(PART_OF_FINE[bound.fine[used]], LEGS).mean() > 0.5
        beneath = hidden[part[nearest] == number]
        found.append(Garment(name, path, used, own, beneath, bool(on_legs)))
    return found


def _scalp_beneath(hair: np.ndarray) -> np.ndarray:
    template = load_template()
    distance, _ = cKDTree(hair).query(template.vertices)
    above = (landmarks().upwards > 0.0) & (landmarks().forwards < 0.4)
    return np.flatnonzero(above & (distance < SCALP) & landmarks().skin)


def sample_dressed(rng: np.random.Generator, folder: Path, pose: Pose | None = None) -> Body:
    """A random person or cartoon in clothes, posed.

    Parameters
    ----------
    rng : the only source of chance.
    folder : of MakeHuman's assets. Of what is worn `dressed.HELD_OUT` is never a part.
    pose : by default a random one; half of the figures are the same left and right in an exact
        T- or A-pose, as far as their clothes are.

    Returns
    -------
    Body
        Of at most about `MOST_VERTICES` vertices.

    Raises
    ------
    FileNotFoundError
        A kind of piece is not in the folder at all.
    """
    symmetric = rng.uniform() < 0.5
    styled = rng.uniform() < 0.5
    phenotype = sample_phenotype(rng)
    if styled:  # a child's large head made larger would be all there is
        phenotype["age"] = max(phenotype["age"], 0.5)
    changes = sample_local_changes(rng)
    if symmetric:
        changes = {name: value for name, value in changes.items() if name not in _lopsided()}
    rest, heads = rest_shape(phenotype, changes, helpers=True)
    proportions = sample_proportions(rng) if styled else NATURAL
    if pose is None:
        free = sample_game_pose if rng.uniform() < 0.3 else sample_pose
        pose = sample_exact_pose(rng) if symmetric else free(rng)

    template = load_template()
    quads = template.quads if rng.uniform() < 0.5 else np.roll(template.quads, 1, axis=1)
    faces = np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]])
    body = rigged_body(rest[template.base_vertices], faces)
    worn = _outfit(rng, folder, woman=phenotype["gender"] > 0.5)
    hidden, covered = np.zeros((2, len(body.vertices)), bool)
    hides_clothed, hides_scalp = rng.uniform() < 0.6, rng.uniform() < 0.25
    pieces = []
    for garment in worn:
        figure, beneath = _refitted(garment, garment.on(rest), body, heads, rng)
        pieces.append(figure)
        covered[beneath] |= garment.name != "Hair"
        if hides_scalp if garment.name == "Hair" else hides_clothed:
            hidden[beneath] = True
    if rng.uniform() < 0.2:
        pieces += gear(body, rng, int(rng.integers(1, 4)))
    # Skin that is kept beneath clothes lies below them.
    body = replace(body, vertices=_sunk(body, covered, rng.uniform(0.002, 0.008) * _stature(heads)))
    # At times without a tongue or eyes.
    has = np.array([True, rng.uniform() < 0.2, *(rng.uniform() < 0.75,) * 2])
    gone = hidden[faces].all(axis=1) | ~has[body.component[faces[:, 0]]]
    skin, rest_of_it = (
        pose_figure(figure, heads, pose, proportions, places_on(body, figure))
        for figure in (body.part(faces[~gone]), join(pieces))
    )
    room = MOST_VERTICES - len(rest_of_it.vertices)
    if len(skin.vertices) > room:
        skin = decimate(skin, max(room, LEAST_SKIN))
    return join_bodies([skin, rest_of_it])


@cache
def _lopsided() -> frozenset[str]:
    """Sliders that do not change both sides alike."""
    template = load_template()
    found = []
    for index, name in enumerate(template.local_changes):
        shape = template.vertex_shapes[template.phenotype_count + 2 * index].reshape(-1, 3)
        # What one side gains along x the other loses.
        moved, total = abs(shape[:, 0].sum()), np.abs(shape).sum()
        if name[:2] not in ("l-", "r-") and moved > 0.02 * total:
            found.append(name)
    return frozenset(found)


def _outfit(rng: np.random.Generator, folder: Path, woman: bool) -> list[Garment]:
    suits = pieces_of("Suit", folder, held_out=False)
    if rng.uniform() < 0.6:
        sex = "female" if woman else "male"
        suits = [path for path in suits if path.stem.startswith(sex)]
    first, second = (garments_of("Suit", suits[rng.integers(len(suits))]) for _ in range(2))
    if rng.uniform() < 0.5 and any(garment.on_legs for garment in second):
        # The top of one with the trousers or the skirt of another.
        first = [garment for garment in first if not garment.on_legs]
        first = first + [garment for garment in second if garment.on_legs]
    worn = [garment for garment in first if rng.uniform() < 0.9] or first[:1]
    for name, share in SHARES.items():
        if rng.uniform() < share:
            found = pieces_of(name, folder, held_out=False)
            worn = worn + garments_of(name, found[rng.integers(len(found))])
    return worn


def _refitted(
    garment: Garment, figure: Rigged, body: Rigged, heads: np.ndarray, rng: np.random.Generator
) -> tuple[Rigged, np.ndarray]:
    """A garment in another cut, in the rest pose, and the vertices of the body beneath it."""
    size = _stature(heads)
    if garment.name in ("Hair", "Hat"):
        # A head grows and turns with all that is on it; long hair at times hangs on the back.
        if garment.name == "Hair" and rng.uniform() < 0.3:
            figure = replace(figure, vertices=_longer(figure.vertices, rng.uniform(1.05, 1.7)))
        return all_head(figure, int(figure.component[0])), garment.hidden
    if garment.name != "Suit":
        return figure, garment.hidden
    hidden = garment.hidden
    if rng.uniform() < 0.35:
        figure, hidden = _cut_short(figure, hidden, heads, rng)
    if rng.uniform() < 0.3:
        for limb in ("forearm", "shin"):
            figure = _flared(figure, heads, limb, rng.uniform(0.2, 2.0))
    if rng.uniform() < 0.6:
        figure = _blown_up(figure, size * np.exp(rng.uniform(np.log(0.001), np.log(0.02))), rng)
    if rng.uniform() < 0.45:
        figure = _let_down(figure, body, size, rng)
    return figure, hidden


def _stature(heads: np.ndarray) -> float:
    """From the ankles to the head."""
    template = load_template()
    return float(heads[template.bone("head"), 2] - heads[template.bone("foot.L"), 2])


def _sunk(body: Rigged, covered: np.ndarray, depth: float) -> np.ndarray:
    inward = smooth(covered[:, None].astype(float), body.faces, 2)
    return body.vertices - depth * inward * vertex_normals(body.vertices, body.faces)


def _longer(hair: np.ndarray, factor: float) -> np.ndarray:
    """Hair that hangs further down: drawn out below the height of its middle."""
    middle = (hair[:, 2].min() + hair[:, 2].max()) / 2
    down = np.minimum(hair[:, 2] - middle, 0.0)
    return hair + (factor - 1.0) * down[:, None] * [0.0, 0.0, 1.0]


def _along_limbs(figure: Rigged, heads: np.ndarray, names: tuple[str, str, str]) -> np.ndarray:
    """(V,) 0 where a limb of three joints begins, 1 at the second, 2 at the third; -1 off it."""
    parts = {
        "upperarm01": ("upper_arm", "forearm", "hand"),
        "upperleg01": ("thigh", "shin", "foot"),
    }
    labels, along = PART_OF_FINE[figure.fine], np.full(len(figure.vertices), -1.0)
    for side in SIDES:
        at = [heads[load_template().bone(f"{name}.{side}")] for name in names]
        for segment, part in enumerate(parts[names[0]]):
            own = labels == PART_NAMES.index(f"{part}.{side}")
            if segment == 2:
                along[own] = 2.0
                continue
            axis = at[segment + 1] - at[segment]
            share = (figure.vertices[own] - at[segment]) @ axis / (axis @ axis)
            along[own] = segment + np.clip(share, 0.0, 1.0)
    return along


def _cut_short(
    figure: Rigged, hidden: np.ndarray, heads: np.ndarray, rng: np.random.Generator
) -> tuple[Rigged, np.ndarray]:
    """Sleeves and legs that end earlier; what they leave bare of the body is not hidden."""
    sleeve, leg = rng.uniform(0.15, 1.7), rng.uniform(0.3, 1.8)
    beyond = _along_limbs(figure, heads, ARM) > sleeve
    beyond |= _along_limbs(figure, heads, LEG) > leg
    left = figure.faces[~beyond[figure.faces].any(axis=1)]
    if len(left) < 0.2 * len(figure.faces):
        return figure, hidden
    at, rim = landmarks(), 0.1
    bare = (at.arm[hidden] > sleeve - rim) | (at.leg[hidden] > leg - rim)
    return figure.part(left), hidden[~bare]


def _flared(figure: Rigged, heads: np.ndarray, limb: str, amount: float) -> Rigged:
    """A sleeve or a leg that grows wider towards its end, by `amount` of its girth there."""
    template, vertices = load_template(), figure.vertices.copy()
    ends = {"forearm": ARM[1:], "shin": LEG[1:]}[limb]
    for side in SIDES:
        start, end = (heads[template.bone(f"{name}.{side}")] for name in ends)
        names = [f"{limb}.{side}", f"{'hand' if limb == 'forearm' else 'foot'}.{side}"]
        own = np.isin(PART_OF_FINE[figure.fine], [PART_NAMES.index(name) for name in names])
        axis = end - start
        share = (vertices[own] - start) @ axis / (axis @ axis)
        outward = vertices[own] - start - share[:, None] * axis
        vertices[own] += amount * np.clip(share, 0.0, 1.0)[:, None] ** 1.5 * outward
    return replace(figure, vertices=vertices)


def _blown_up(figure: Rigged, amount: float, rng: np.random.Generator) -> Rigged:
    """Cloth that stands off further, in folds."""
    normals = vertex_normals(figure.vertices, figure.faces)
    folds = 1.0 + rng.uniform(0.0, 0.6) * bumps(figure.vertices, rng, rng.uniform(0.08, 0.4))
    moved = amount * np.clip(folds, 0.1, 3.0)[:, None] * normals
    return replace(figure, vertices=figure.vertices + moved)


def _let_down(figure: Rigged, body: Rigged, size: float, rng: np.random.Generator) -> Rigged:
    """The hem around hips or thighs let down: a shirt becomes a dress, a jacket a coat.

    The new cloth moves with the nearest skin of torso and thighs, however long it is: a skirt that
    moved with shins and feet would tear in every step.
    """
    labels, vertices = PART_OF_FINE[figure.fine], figure.vertices
    edges = boundary_edges(figure.faces)
    ends = vertices[edges]
    low, high = vertices[:, 2].min(), vertices[:, 2].max()
    around = np.isin(labels[edges], [TORSO, *THIGHS]).all(axis=1)
    around &= (ends[:, :, 2] < low + 0.2 * (high - low)).all(axis=1)
    # Not the slit of a jacket, which runs up and down.
    run = np.abs(ends[:, 1] - ends[:, 0])
    around &= run[:, 2] < 1.5 * np.hypot(run[:, 0], run[:, 1])
    edges = edges[around]
    at = landmarks()
    hips = body.vertices[at.skin & (at.leg >= 0) & (at.leg < 0.1), 0]
    # Around both legs, unlike the ends of trousers.
    group = label_parts(len(vertices), edges)[edges[:, 0]]
    wide = [
        part
        for part in np.unique(group)
        if np.ptp(vertices[edges[group == part], 0]) > 0.6 * np.ptp(hips)
    ]
    edges = edges[np.isin(group, wide)]
    if len(edges) < 8:
        return figure
    hem, edges = np.unique(edges, return_inverse=True)
    edges = edges.reshape(-1, 2)
    points = body.vertices[at.skin & (at.arm < 0) & (at.height < 0.6)]
    floor, top = points[:, 2].min(), vertices[hem, 2]
    bottom = floor + rng.uniform(0.03, 0.85) * (top.mean() - floor)
    if top.mean() - bottom < 0.05 * size:
        return figure
    rows = int(rng.integers(3, 12))
    axis = np.array([0.0, vertices[hem, 1].mean()])
    outward = vertices[hem, :2] - axis
    radius = np.linalg.norm(outward, axis=1)
    outward = outward / radius[:, None]
    flat = (points[:, :2] - axis) @ outward.T
    flare, gap = rng.uniform(0.0, 0.35), size * rng.uniform(0.005, 0.02)
    added = []
    for row in range(1, rows + 1):
        height = top + (bottom - top) * row / rows
        near = np.abs(points[:, 2] - height.mean()) < 0.04 * size
        reach = flat[near].max(axis=0) if near.any() else radius
        # Cloth falls: it never comes in again below a wide place.
        radius = np.maximum(radius, reach + gap)
        widened = radius + flare * (top - height)
        added.append(np.column_stack([axis + widened[:, None] * outward, height]))
    count, old = len(hem), len(vertices)
    ring = np.concatenate([[hem], old + np.arange(rows * count).reshape(rows, count)])
    above, below = ring[:-1], ring[1:]
    first, last = edges.T
    strip = [
        np.stack([upper[last], upper[first], lower[first]], 1)
        for upper, lower in zip(above, below, strict=True)
    ] + [
        np.stack([upper[last], lower[first], lower[last]], 1)
        for upper, lower in zip(above, below, strict=True)
    ]
    faces = np.concatenate([figure.faces, *strip])
    vertices = np.concatenate([vertices, *added])
    new = vertices[old:]
    core = np.flatnonzero(at.skin & (at.arm < 0) & (at.height < 0.9) & (at.leg < 1.0))
    source = core[cKDTree(body.vertices[core]).query(new)[1]]
    weights = sparse.vstack([figure.weights, body.weights[source]], format="csr")
    blended = smooth(weights.toarray(), faces, 5)[old:]
    blended /= blended.sum(axis=1, keepdims=True)
    weights = sparse.vstack([figure.weights, sparse.csr_matrix(blended)], format="csr")
    fine = parts_of_weights(weights[old:], load_template().fine_of_bone)[1]
    return Rigged(
        vertices,
        faces,
        np.concatenate([figure.fine, fine]),
        np.full(len(vertices), figure.component[0], np.int32),
        weights,
    )
