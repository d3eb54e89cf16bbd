"""Gear: pouches, straps, packs, pads, capes and tools, each part of what it is attached to."""

from __future__ import annotations

import numpy as np
from scipy import sparse
from scipy.spatial import cKDTree
from scipy.spatial.transform import Rotation

from diffusionnet_blender.surface.winding import vertex_normals

from .bodies import Rigged
from .landmarks import landmarks
from .meshes import ACCESSORY, CLOTHING, solidify
from .parts import FINE_NAMES
from .primitives import Mesh, capsule, frame_along, grid_faces, lathe, rounded_box, torus, tube
from .template import load_template


def gear(body: Rigged, rng: np.random.Generator, count: int) -> list[Rigged]:
    """Some pieces of gear on a body in the rest pose."""
    makers = (_pouch, _pouch, _pouch, _bolt, _strap, _pack, _cape, _tool, _tail)
    pieces = []
    for maker in rng.choice(len(makers), count):
        pieces += makers[maker](body, rng)
    return pieces


def attach(mesh: Mesh, body: Rigged, anchor: np.ndarray | None = None) -> Rigged:
    """A piece that moves with the skin.

    Parameters
    ----------
    mesh : in the rest pose.
    body : the bare body.
    anchor : (3,) the whole piece belongs to the skin nearest to this point. By default each vertex
        belongs to the skin nearest to itself.
    """
    vertices, faces = mesh
    skin = np.flatnonzero(landmarks().skin)
    points = vertices if anchor is None else anchor[None]
    source = skin[cKDTree(body.vertices[skin]).query(points)[1]]
    source = np.broadcast_to(source, len(vertices))
    worn = np.full(len(vertices), ACCESSORY, np.int32)
    return Rigged(vertices, faces, body.fine[source].copy(), worn, body.weights[source])


def _spot(body: Rigged, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """A random place on the skin and its normal; mostly the torso, the thighs, the limbs."""
    at = landmarks()
    where = [
        at.skin & (at.height > 0) & (at.height < 1) & (at.arm < 0),
        at.skin & (at.leg > 0.1) & (at.leg < 1.8),
        at.skin & (at.arm > 0.1) & (at.arm < 1.9),
        at.upwards > -0.3,
    ][rng.choice(4, p=(0.5, 0.2, 0.15, 0.15))]
    chosen = rng.choice(np.flatnonzero(where & at.skin))
    return body.vertices[chosen], vertex_normals(body.vertices, body.faces)[chosen]


def _pouch(body: Rigged, rng: np.random.Generator) -> list[Rigged]:
    spot, normal = _spot(body, rng)
    size = np.exp(rng.uniform(np.log(0.03), np.log(0.2), 3)) * [1, 1, 0.6]
    vertices, faces = rounded_box(size, rng.uniform(0.02, 1.0), int(rng.integers(1, 6)))
    frame = np.stack([np.cross([0, 0, 1.0], normal), [0, 0, 1.0], normal], axis=1)
    frame = _orthonormal(frame)
    place = spot + normal * size[2] * rng.uniform(0.1, 0.55)
    anchor = spot
    made = attach((vertices @ frame.T + place, faces), body, anchor)
    twin = _other_side(made, body, anchor) if rng.uniform() < 0.5 else []
    return [made, *twin]


def _orthonormal(frame: np.ndarray) -> np.ndarray:
    """The rotation nearest to a frame."""
    u, _, v = np.linalg.svd(frame + 1e-3 * np.eye(3))
    return u @ np.diag([1, 1, np.linalg.det(u @ v)]) @ v


def _other_side(made: Rigged, body: Rigged, anchor: np.ndarray) -> list[Rigged]:
    flip = np.array([-1.0, 1.0, 1.0])
    return [attach((made.vertices * flip, made.faces[:, ::-1]), body, anchor * flip)]


def _bolt(body: Rigged, rng: np.random.Generator) -> list[Rigged]:
    """Buttons, knobs, spikes, lamps: a few alike."""
    shape = rng.choice(3)
    radius, length = rng.uniform(0.006, 0.04), rng.uniform(0.01, 0.12)
    segments = int(rng.integers(5, 14))
    if shape == 0:
        vertices, faces = capsule(radius, length, segments, 2)
    elif shape == 1:
        vertices, faces = lathe(np.array([[radius, 0], [radius, length]]), segments)
    else:
        vertices, faces = lathe(np.array([[radius, 0], [0.05 * radius, length]]), segments)
    made = []
    for _ in range(rng.integers(1, 5)):
        spot, normal = _spot(body, rng)
        piece = vertices @ frame_along(normal).T + spot - 0.1 * length * normal
        made.append(attach((piece, faces), body, spot))
        made += _other_side(made[-1], body, spot)
    return made


def _strap(body: Rigged, rng: np.random.Generator) -> list[Rigged]:
    """A ring around the torso or a limb, level or aslant."""
    at = landmarks()
    if rng.uniform() < 0.5:
        ring = at.skin & (at.arm < 0) & (np.abs(at.height - rng.uniform(0.1, 0.85)) < 0.05)
        tilt = rng.uniform(-0.7, 0.7)
    else:
        limb = (at.arm, at.leg)[rng.choice(2)]
        side = rng.choice([-1, 1])
        ring = at.skin & (np.abs(limb - rng.uniform(0.2, 1.9)) < 0.06) & (at.side == side)
        tilt = 0.0
    points = body.vertices[ring]
    if len(points) < 8:
        return []
    middle = points.mean(axis=0)
    axes = np.linalg.svd(points - middle, full_matrices=False)[2]
    radii = np.abs((points - middle) @ axes.T).max(axis=0)[:2] * rng.uniform(1.02, 1.2)
    width = rng.uniform(0.006, 0.03)
    vertices, faces = torus(1.0, width / radii.mean(), int(rng.integers(12, 40)), 6)
    vertices = vertices * [radii[0], radii[1], radii.mean() * rng.uniform(0.7, 2.5)]
    frame = np.stack([axes[0], axes[1], np.cross(axes[0], axes[1])], axis=1)
    frame = frame @ Rotation.from_euler("y", tilt).as_matrix()
    return [attach((vertices @ frame.T + middle, faces), body)]


def _pack(body: Rigged, rng: np.random.Generator) -> list[Rigged]:
    """A pack on the back, at times with a roll on top, a box on the chest, or tanks."""
    at = landmarks()
    torso = body.vertices[at.skin & (at.height > 0.3) & (at.height < 0.95) & (at.arm < 0)]
    low, high = torso.min(axis=0), torso.max(axis=0)
    wide = high - low
    front = rng.uniform() < 0.2
    size = wide * rng.uniform([0.5, 0.3, 0.5], [1.0, 1.2, 1.3])
    size[0] = min(size[0], 0.45)
    y = low[1] - 0.4 * size[1] if front else high[1] + 0.4 * size[1]
    place = np.array([0.0, y, low[2] + wide[2] * rng.uniform(0.3, 0.75)])
    anchor = np.array([0.0, low[1] if front else high[1], place[2]])
    vertices, faces = rounded_box(size, rng.uniform(0.05, 0.6), int(rng.integers(2, 8)))
    made = [attach((vertices + place, faces), body, anchor)]
    if rng.uniform() < 0.4:
        radius = 0.25 * size[1]
        roll, faces = capsule(radius, size[0], 12, 3)
        roll = roll[:, [2, 0, 1]] - [size[0] / 2, 0, 0]
        above = place + [0, 0, size[2] / 2 + radius * 0.8]
        made.append(attach((roll + above, faces), body, anchor))
    return made


def _cape(body: Rigged, rng: np.random.Generator) -> list[Rigged]:
    """A sheet that hangs from the shoulders down the back; it belongs to the torso."""
    at = landmarks()
    shoulders = body.vertices[at.skin & (np.abs(at.height - 0.9) < 0.08) & (at.arm < 0.1)]
    high = shoulders.max(axis=0)
    floor = body.vertices[at.skin][:, 2].min()
    rows, columns = int(rng.integers(8, 24)), int(rng.integers(6, 20))
    length = rng.uniform(0.3, 0.95) * (high[2] - floor)
    across, down = np.meshgrid(np.linspace(-1, 1, columns), np.linspace(0, 1, rows))
    half = np.ptp(shoulders[:, 0]) / 2 * rng.uniform(0.6, 1.0)
    x = across * half * (1 + rng.uniform(-0.2, 0.5) * down)
    y = high[1] + 0.02 + down * rng.uniform(0.05, 0.3) - 0.06 * across**2
    y = y + rng.uniform(0, 0.03) * down * np.cos(across * rng.uniform(4, 14))
    z = high[2] - 0.02 - down * length
    vertices = np.stack([x, y, z], axis=2).reshape(-1, 3)
    # Rows run down and columns to the left side, so that triangles face to the back.
    faces = grid_faces(rows, columns)
    if rng.uniform() < 0.5:
        vertices, faces = solidify(vertices, faces, rng.uniform(0.004, 0.015))
    template = load_template()
    count = len(vertices)
    share = np.clip((vertices[:, 2] - (high[2] - 0.5)) / 0.5, 0, 1)
    rows_ = np.tile(np.arange(count), 2)
    bones = np.repeat([template.bone("spine01"), template.bone("spine03")], count)
    weights = sparse.csr_matrix(
        (np.concatenate([share, 1 - share]), (rows_, bones)), (count, len(template.bones))
    )
    torso = [FINE_NAMES.index(name) for name in ("chest", "abdomen", "pelvis")]
    hips = body.vertices[at.skin & (np.abs(at.height - 0.2) < 0.05), 2].mean()
    fine = np.select([share > 0.3, vertices[:, 2] > hips], torso[:2], torso[2])
    return [Rigged(vertices, faces, fine, np.full(count, CLOTHING, np.int32), weights)]


def _tool(body: Rigged, rng: np.random.Generator) -> list[Rigged]:
    """A stick, a blade or a gun in a hand, part of the hand."""
    at, template = landmarks(), load_template()
    side = str(rng.choice(["L", "R"]))
    hand = at.skin & (at.arm > 2.2) & (at.side == (1 if side == "L" else -1))
    middle = body.vertices[hand].mean(axis=0)
    direction = rng.normal(size=3)
    direction /= np.linalg.norm(direction)
    length, radius = rng.uniform(0.1, 0.5), rng.uniform(0.01, 0.03)
    if rng.uniform() < 0.5:
        ends = middle - direction * length * 0.3, middle + direction * length * 0.7
        mesh = tube(np.linspace(*ends, 6), np.full(6, radius), 6, rng.uniform(0.15, 1.0))
    else:
        box = rounded_box(np.array([2.0 * radius, 4 * radius, length]), 0.2, 3)
        mesh = box[0] @ frame_along(direction).T + middle, box[1]
    made = attach(mesh, body, middle)
    count = len(made.vertices)
    bone = sparse.csr_matrix(
        (np.ones(count), (np.arange(count), np.full(count, template.bone(f"wrist.{side}")))),
        (count, len(template.bones)),
    )
    palm = np.full(count, FINE_NAMES.index(f"palm.{side}"), np.int32)
    return [Rigged(made.vertices, made.faces, palm, made.component, bone)]


def _tail(body: Rigged, rng: np.random.Generator) -> list[Rigged]:
    """A tail, part of the torso."""
    at = landmarks()
    seat = body.vertices[at.skin & (at.arm < 0) & (np.abs(at.height - 0.05) < 0.06)]
    root = seat[seat[:, 1].argmax()] * [0, 1, 1]
    bend = np.linspace(0, 1, 9)[:, None]
    length, lift = rng.uniform(0.15, 0.8), rng.uniform(-1, 1)
    path = root + length * (bend * [0, 0.8, -0.5] + bend**2 * [0, 0, lift])
    path[0] -= [0, 0.05, 0]
    radii = rng.uniform(0.012, 0.06) * np.linspace(1, rng.uniform(0.2, 1.2), 9)
    return [attach(tube(path, radii, int(rng.integers(5, 12))), body, root)]
