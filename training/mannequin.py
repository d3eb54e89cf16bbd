"""Hard-surface figures of separate pieces: robots, puppets, mannequins of nested shells.

Pieces are fitted to an identity's body in the rest pose, each carried by one bone, so that they
come in every proportion and pose that bodies come in.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from diffusionnet_blender.surface.triangles import compact, smooth
from diffusionnet_blender.surface.winding import vertex_normals

from .accessories import attach
from .bodies import Rigged, join
from .hair import rigid
from .landmarks import landmarks
from .meshes import MACHINE, close_holes, solidify
from .parts import FINE_NAMES, SIDES
from .primitives import Mesh, ball, capsule, frame_along, lathe, rounded_box, torus
from .template import load_template


@dataclass(frozen=True)
class Segment:
    """A stiff part of the figure: its fine part, the bone that carries it, and the joints that it
    runs between."""

    part: str
    bone: str
    start: str
    end: str


def _segments() -> list[Segment]:
    middle = [
        Segment("pelvis", "root", "root", "spine04"),
        Segment("abdomen", "spine04", "spine04", "spine02"),
        Segment("chest", "spine02", "spine02", "neck01"),
        Segment("neck", "neck01", "neck01", "head"),
        Segment("head", "head", "neck03", "head"),
    ]
    limbs = (
        ("upper_arm", "upperarm01", "upperarm01", "lowerarm01"),
        ("forearm", "lowerarm01", "lowerarm01", "wrist"),
        ("palm", "wrist", "wrist", "finger3-1"),
        ("thigh", "upperleg01", "upperleg01", "lowerleg01"),
        ("shin", "lowerleg01", "lowerleg01", "foot"),
        ("foot", "foot", "foot", "toe3-1"),
        ("toes", "foot", "toe3-1", "toe3-3"),
    )
    return middle + [
        Segment(*(f"{name}.{side}" for name in names)) for names in limbs for side in SIDES
    ]


SEGMENTS = _segments()


def mannequin(body: Rigged, heads: np.ndarray, rng: np.random.Generator) -> Rigged:
    """A random hard-surface figure in the rest pose.

    Parameters
    ----------
    body : a bare body.
    heads : (B, 3) its bone heads.
    """
    kind = str(rng.choice(["solids", "shells", "mixed"], p=(0.45, 0.4, 0.15)))
    pieces: list[Rigged] = []
    if kind == "solids":
        pieces += _solids(body, heads, rng, SEGMENTS)
    elif kind == "shells":
        pieces += _shells(body, rng)
    else:
        pieces += _cyborg(body, heads, rng)
    if kind != "mixed":
        pieces += _joints(body, heads, rng, chance=rng.uniform(0.3, 1.0))
    pieces += _decoration(body, heads, rng)
    return join(pieces)


def _position(heads: np.ndarray, name: str) -> np.ndarray:
    return heads[load_template().bone(name)]


def _fit(
    body: Rigged, heads: np.ndarray, segment: Segment
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Frame (3, 3) with z along the segment, its origin, and the extents (2, 3) of the part in it:
    low and high, measured on the body without its outermost points."""
    own = (body.fine == FINE_NAMES.index(segment.part)) & landmarks().skin
    points = body.vertices[own]
    start, end = _position(heads, segment.start), _position(heads, segment.end)
    along = end - start
    if segment.part.startswith(("foot", "toes")):
        along = along * [1, 1, 0]  # soles are level
    if segment.part in ("head", "neck", "chest", "abdomen", "pelvis"):
        along = np.array([0, 0, 1.0])
    z = along / np.linalg.norm(along)
    # x to the side where there is one, so that boxes stand square to the body.
    x = np.array([1.0, 0, 0]) if abs(z[0]) < 0.8 else np.array([0, 1.0, 0])
    x = x - z * (x @ z)
    x /= np.linalg.norm(x)
    frame = np.stack([x, np.cross(z, x), z], axis=1)
    local = (points - start) @ frame
    low, high = np.quantile(local, [0.03, 0.97], axis=0)
    return frame, start, np.stack([low, high])


def _stem(name: str) -> str:
    return name.partition(".")[0]


def _solids(
    body: Rigged, heads: np.ndarray, rng: np.random.Generator, segments: list[Segment]
) -> list[Rigged]:
    """One solid for each segment, left and right alike, some nested in others."""
    base = str(rng.choice(list(_SHAPES)))
    stems = dict.fromkeys(_stem(segment.part) for segment in segments)
    shape = {s: base if rng.uniform() < 0.6 else str(rng.choice(list(_SHAPES))) for s in stems}
    girth = {s: np.exp(rng.normal(0, 0.15, 2)) for s in stems}
    gap = {s: rng.uniform(-0.08, 0.12) for s in stems}
    nested = {s: rng.uniform() < 0.3 for s in stems}
    seeds = {s: int(rng.integers(2**31)) for s in stems}
    thin = rng.choice([1.0, rng.uniform(0.3, 0.8)], p=(0.75, 0.25))
    toes = rng.uniform() < 0.6
    pieces = []
    for segment in segments:
        stem = _stem(segment.part)
        if stem == "toes" and not toes:
            continue
        frame, start, extent = _fit(body, heads, segment)
        low, high = extent
        size = high - low
        keep = 1.0 if stem in ("head", "chest", "pelvis", "foot", "toes", "palm") else thin
        size = size * np.append(girth[stem] * keep, 1.0 - gap[stem])
        middle = (low + high) / 2
        local = np.random.default_rng(seeds[stem])
        for layer in range(1 + nested[stem]):
            share = 1.0 if layer == 0 else local.uniform(0.4, 0.9)
            mesh = _SHAPES[shape[stem]](size * [share, share, 1.0 + 0.15 * layer], local)
            vertices = (mesh[0] + middle) @ frame.T + start
            pieces.append(rigid((vertices, mesh[1]), segment.bone, segment.part, MACHINE))
    for side in SIDES:
        if any(segment.part == f"palm.{side}" for segment in segments):
            local = np.random.default_rng(seeds["palm"])
            pieces += _fingers(body, heads, local, side)
    return pieces


def _boxy(size: np.ndarray, rng: np.random.Generator) -> Mesh:
    return rounded_box(size, rng.uniform(0.0, 0.5), int(rng.integers(1, 8)))


def _egg(size: np.ndarray, rng: np.random.Generator) -> Mesh:
    return rounded_box(size * 1.1, rng.uniform(0.7, 1.0), int(rng.integers(3, 9)))


def _pill(size: np.ndarray, rng: np.random.Generator) -> Mesh:
    radius = np.sqrt(size[0] * size[1]) / 2
    length = max(size[2] - 2 * radius * rng.uniform(0.2, 1.0), 0.02 * radius)
    vertices, faces = capsule(radius, length, int(rng.integers(6, 24)), int(rng.integers(1, 6)))
    vertices = vertices - [0, 0, length / 2]
    return vertices * [size[0] / (2 * radius), size[1] / (2 * radius), 1.0], faces


def _turned(size: np.ndarray, rng: np.random.Generator) -> Mesh:
    """A profile with bulges, steps and grooves, as furniture and machines have."""
    count = int(rng.integers(4, 14))
    z = np.linspace(-0.5, 0.5, count)
    bulge = 1.0 - rng.uniform(0.0, 0.5) * (2 * z) ** 2 + rng.uniform(-0.5, 0.5) * z
    steps = np.exp(rng.normal(0, rng.uniform(0.0, 0.25), count))
    radius = np.clip(0.55 * bulge * steps, 0.1, 0.9)
    if rng.uniform() < 0.4:  # edges instead of slopes
        z = np.repeat(z, 2)[1:-1]
        radius = np.repeat(radius, 2)[:-2]
        z = z + np.tile([0.0, 1e-3], len(z) // 2)
    vertices, faces = lathe(np.stack([radius, z], axis=1), int(rng.integers(5, 28)))
    return vertices * size, faces


_SHAPES: dict[str, Callable[[np.ndarray, np.random.Generator], Mesh]] = {
    "box": _boxy,
    "egg": _egg,
    "pill": _pill,
    "turned": _turned,
}


_FINGERS = ((1, 2, 3, 4, 5), (1, 2, 4), (1, 2, 3, 4), (2, 3, 4, 5))


def _fingers(body: Rigged, heads: np.ndarray, rng: np.random.Generator, side: str) -> list[Rigged]:
    """Five fingers, or fewer, jointed or in one; or a mitten."""
    part = f"fingers.{side}"
    if rng.uniform() < 0.25:
        frame, start, (low, high) = _fit(
            body, heads, Segment(part, f"wrist.{side}", f"finger3-1.{side}", f"finger3-3.{side}")
        )
        mesh = _SHAPES[str(rng.choice(list(_SHAPES)))](high - low, rng)
        vertices = (mesh[0] + (low + high) / 2) @ frame.T + start
        return [rigid((vertices, mesh[1]), f"finger3-1.{side}", part, MACHINE)]
    chosen = ([1, 2, 3, 4, 5], [1, 2, 4], [1, 2, 3, 4], [2, 3, 4, 5])[
        rng.choice(4, p=(0.6, 0.2, 0.1, 0.1))
    ]
    thick, jointed, segments = rng.uniform(0.8, 1.5), rng.uniform() < 0.6, int(rng.integers(5, 12))
    square = rng.uniform() < 0.3
    pieces = []
    for finger in chosen:
        joints = [_position(heads, f"finger{finger}-{joint}.{side}") for joint in (1, 2, 3)]
        joints.append(joints[2] + 0.9 * (joints[2] - joints[1]))
        size = np.linalg.norm(joints[2] - joints[0])
        radius = 0.2 * size * thick
        stretches = [(0, 1), (1, 2), (2, 3)] if jointed else [(0, 3)]
        for first, last in stretches:
            along = joints[last] - joints[first]
            length = np.linalg.norm(along)
            if square:
                mesh = rounded_box(np.array([2 * radius, 2 * radius, length]), 0.1, 2)
                mesh = mesh[0] + [0, 0, length / 2], mesh[1]
            else:
                mesh = capsule(radius, length, segments, 1)
            vertices = mesh[0] @ frame_along(along).T + joints[first]
            pieces.append(
                rigid((vertices, mesh[1]), f"finger{finger}-{first + 1}.{side}", part, MACHINE)
            )
    return pieces


def _shells(body: Rigged, rng: np.random.Generator) -> list[Rigged]:
    """The body cut into shells at its joints, around an inner figure."""
    at = landmarks()
    shrink = rng.uniform(0.004, 0.02)
    gap, steps = rng.uniform(0.0, 0.12), int(rng.integers(0, 30))
    offset, closed = rng.uniform(-0.004, 0.02), rng.uniform()
    stiff, whole_torso = rng.uniform() < 0.5, rng.uniform() < 0.4
    middle_of_limb = (np.abs(at.arm % 1.0 - 0.5) < 0.5 - gap) | (at.arm > 2) | (at.arm < 0)
    middle_of_limb &= (np.abs(at.leg % 1.0 - 0.5) < 0.5 - gap) | (at.leg > 2) | (at.leg < 0)
    group = body.fine.copy()
    for name, into in (("fingers", "palm"), ("toes", "foot")):
        if rng.uniform() < 0.7:
            for side in SIDES:
                old, new = (FINE_NAMES.index(f"{n}.{side}") for n in (name, into))
                group[group == old] = new
    merged = [("shoulder.L", "chest"), ("shoulder.R", "chest")]
    merged += [("abdomen", "chest"), ("pelvis", "chest")] * whole_torso
    for old, new in merged:
        group[group == FINE_NAMES.index(old)] = FINE_NAMES.index(new)
    pieces = []
    for part in np.unique(group):
        chosen = (group == part) & middle_of_limb & at.skin
        inside = chosen[body.faces].all(axis=1)
        if np.count_nonzero(inside) < 20:
            continue
        faces, kept = compact(len(body.vertices), body.faces[inside])
        vertices = smooth(body.vertices[kept], faces, steps)
        vertices = vertices + offset * vertex_normals(vertices, faces)
        if closed < 0.5:
            vertices, faces, near = close_holes(vertices, faces)
            kept = np.concatenate([kept, kept[near]])
        elif closed < 0.8:
            vertices, faces = solidify(vertices, faces, rng.uniform(0.003, 0.012))
            kept = np.tile(kept, 2)
        weights = body.weights[kept]
        if stiff:
            weights = _stiff(weights)
        worn = np.full(len(kept), MACHINE, np.int32)
        pieces.append(Rigged(vertices, faces, body.fine[kept], worn, weights))
    inner = rng.uniform()
    if inner < 0.75:
        below = body.vertices - shrink * vertex_normals(body.vertices, body.faces)
        below = smooth(below, body.faces, int(rng.integers(0, 10)))
        shown = np.ones(len(below), bool) if inner < 0.3 else ~middle_of_limb
        shown = shown | (_near_rims(body.faces, shown)) & at.skin
        faces = body.faces[(shown & at.skin)[body.faces].all(axis=1)]
        if len(faces):
            figure = Rigged(below, body.faces, body.fine, body.component, body.weights)
            pieces.append(figure.part(faces))
    return pieces


def _near_rims(faces: np.ndarray, mask: np.ndarray, rings: int = 3) -> np.ndarray:
    for _ in range(rings):
        mask = mask.copy()
        mask[faces[mask[faces].any(axis=1)]] = True
    return mask


def _stiff(weights: sparse.csr_matrix) -> sparse.csr_matrix:
    """All weights on the bone that carries most of the piece."""
    bone = int(np.asarray(weights.sum(axis=0)).argmax())
    count = weights.shape[0]
    ones = np.ones(count), (np.arange(count), np.full(count, bone))
    return sparse.csr_matrix(ones, weights.shape)


_JOINTS = (
    ("upperarm01", "upper_arm", 1.0),
    ("lowerarm01", "forearm", 0.75),
    ("wrist", "palm", 0.55),
    ("upperleg01", "thigh", 1.25),
    ("lowerleg01", "shin", 0.9),
    ("foot", "foot", 0.7),
)


def _joints(
    body: Rigged, heads: np.ndarray, rng: np.random.Generator, chance: float
) -> list[Rigged]:
    """Balls, drums and rings at the joints."""
    arm = np.linalg.norm(_position(heads, "lowerarm01.L") - _position(heads, "upperarm01.L"))
    radius = arm * rng.uniform(0.15, 0.3)
    kind, segments = str(rng.choice(["ball", "drum", "ring"])), int(rng.integers(6, 20))
    pieces = []
    for name, _, scale in _JOINTS:
        if rng.uniform() > chance:
            continue
        size = radius * scale * rng.uniform(0.8, 1.2)
        for side in SIDES:
            centre = _position(heads, f"{name}.{side}")
            if kind == "ball":
                vertices, faces = ball(size, segments, max(segments // 2, 3))
            elif kind == "drum":
                vertices, faces = lathe(
                    np.array([[size, -0.8 * size], [size, 0.8 * size]]), segments
                )
                vertices = vertices[:, [2, 0, 1]]
            else:
                vertices, faces = torus(size, 0.3 * size, segments, 6)
            near = attach((vertices + centre, faces), body)
            stiff = rigid((near.vertices, faces), f"{name}.{side}", "head", MACHINE)
            # Half of a ball lies in either part, as the skin around it does.
            pieces.append(Rigged(near.vertices, faces, near.fine, near.component, stiff.weights))
    for bone, scale in (("spine03", 1.6), ("neck02", 0.8)):
        if rng.uniform() < chance:
            vertices, faces = ball(radius * scale, segments, max(segments // 2, 3))
            near = attach((vertices + _position(heads, bone), faces), body)
            stiff = rigid((near.vertices, faces), bone, "head", MACHINE)
            pieces.append(Rigged(near.vertices, faces, near.fine, near.component, stiff.weights))
    return pieces


def _cyborg(body: Rigged, heads: np.ndarray, rng: np.random.Generator) -> list[Rigged]:
    """A body some of whose limbs are machines."""
    limbs = [("upper_arm", "forearm", "palm"), ("thigh", "shin", "foot", "toes"), ("head", "neck")]
    names: set[str] = set()
    for limb in limbs:
        for side in SIDES:
            if rng.uniform() < 0.5:
                names |= {f"{n}.{side}" if f"{n}.{side}" in FINE_NAMES else n for n in limb}
    chosen = [segment for segment in SEGMENTS if segment.part in names]
    lost = {FINE_NAMES.index(name) for name in names}
    lost |= {FINE_NAMES.index(n.replace("palm", "fingers")) for n in names if "palm" in n}
    flesh = ~np.isin(body.fine, list(lost)) & landmarks().skin
    kept = body.faces[flesh[body.faces].all(axis=1)]
    return [body.part(kept), *_solids(body, heads, rng, chosen)]


def _decoration(body: Rigged, heads: np.ndarray, rng: np.random.Generator) -> list[Rigged]:
    """Rings around limbs, panels on the chest, lamps for eyes."""
    pieces = []
    arm = np.linalg.norm(_position(heads, "lowerarm01.L") - _position(heads, "upperarm01.L"))
    for segment in SEGMENTS:
        if _stem(segment.part) not in ("upper_arm", "forearm", "thigh", "shin", "neck"):
            continue
        if rng.uniform() < 0.12:
            start, end = _position(heads, segment.start), _position(heads, segment.end)
            vertices, faces = torus(arm * rng.uniform(0.15, 0.3), arm * 0.04, 16, 5)
            place = start + (end - start) * rng.uniform(0.2, 0.8)
            vertices = vertices @ frame_along(end - start).T + place
            pieces.append(rigid((vertices, faces), segment.bone, segment.part, MACHINE))
    if rng.uniform() < 0.5:
        for side in SIDES:
            vertices, faces = ball(arm * rng.uniform(0.04, 0.12), 10, 5)
            eye = _position(heads, f"eye.{side}")
            pieces.append(rigid((vertices + eye + [0, -0.03, 0], faces), "head", "head", MACHINE))
    if rng.uniform() < 0.4:
        frame, start, (low, high) = _fit(body, heads, SEGMENTS[2])
        size = (high - low) * rng.uniform([0.3, 0.1, 0.2], [0.8, 0.3, 0.7])
        vertices, faces = rounded_box(size, rng.uniform(0, 0.6), 3)
        # y of the frame points to the back.
        front = np.array([0, low[1], (low[2] + high[2]) / 2])
        pieces.append(
            rigid(((vertices + front) @ frame.T + start, faces), "spine02", "chest", MACHINE)
        )
    return pieces
