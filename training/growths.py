"""What stands out from heads and belongs to them: ears, horns, antennas, snouts, beards, buns, and
hair that falls to the hips, in tails, sheets, strands and solid pieces."""

from __future__ import annotations

import numpy as np

from .bodies import Rigged, join
from .clothing import tailor
from .hair import all_head, head_piece, skull
from .landmarks import landmarks
from .meshes import ACCESSORY, HAIR, SKIN, solidify
from .primitives import Mesh, ball, capsule, frame_along, grid_faces, lathe, rounded_box, tube


def _bent(root: np.ndarray, start: np.ndarray, end: np.ndarray, length: float, steps: int = 9):
    """A path from `root` that sets out along `start` and ends along `end`, (steps, 3)."""
    share = np.linspace(0, 1, steps)[:, None]
    heading = (1 - share) * start + share * end
    heading /= np.maximum(np.linalg.norm(heading, axis=1, keepdims=True), 1e-9)
    return root + np.concatenate(
        [np.zeros((1, 3)), np.cumsum(heading[:-1] * length / (steps - 1), axis=0)]
    )


def _pair(mesh: Mesh, component: int) -> list[Rigged]:
    """A piece and its mirror image."""
    vertices, faces = mesh
    twin = vertices * [-1.0, 1.0, 1.0], faces[:, ::-1]
    return [head_piece(mesh, component), head_piece(twin, component)]


def grown(body: Rigged, rng: np.random.Generator, room: float = 1.0) -> list[Rigged]:
    """Up to three of ears, horns, antennas, a snout, a beard.

    Parameters
    ----------
    room : factor of the lengths of what stands far off, below 1 on a head that is to be enlarged.
    """
    makers = (_ears, _horns, _antennas, _snout, _beard)
    count = int(rng.choice([0, 1, 2, 3], p=(0.3, 0.4, 0.2, 0.1)))
    chosen = rng.choice(len(makers), count, replace=False, p=(0.38, 0.24, 0.12, 0.12, 0.14))
    return [piece for maker in chosen for piece in makers[maker](body, rng, room)]


def _ears(body: Rigged, rng: np.random.Generator, room: float) -> list[Rigged]:
    """Large round ears at the sides, an elf's, a cat's, a rabbit's or a bear's on top."""
    middle, size = skull(body)
    kind = str(rng.choice(["round", "elf", "cat", "rabbit", "bear"]))
    sides = int(rng.integers(4, 12))
    if kind == "round":
        vertices, faces = ball(1.0, 4 + sides, 6)
        across = rng.uniform(0.12, 0.4) * size[2]
        shape = np.array([across * rng.uniform(0.5, 1.0), 0.25 * across, across])
        turn = frame_along(np.array([0.0, rng.uniform(-0.2, 0.2), 1.0]))
        place = middle + size * [0.5, 0.05, rng.uniform(-0.1, 0.2)] + [0.6 * shape[0], 0, 0]
        return _pair((vertices * shape @ turn.T + place, faces), SKIN)
    if kind == "bear":
        radius = rng.uniform(0.1, 0.28) * size[2]
        vertices, faces = ball(radius, 4 + sides, 6)
        place = middle + size * [rng.uniform(0.25, 0.42), 0, 0.42] + [0, 0, 0.4 * radius]
        return _pair((vertices * [1, rng.uniform(0.3, 1.0), 1] + place, faces), SKIN)
    root = (
        middle
        + size
        * {
            "elf": np.array([0.46, 0.05, rng.uniform(-0.05, 0.15)]),
            "cat": np.array([rng.uniform(0.22, 0.38), 0.0, 0.4]),
            "rabbit": np.array([rng.uniform(0.1, 0.25), 0.0, 0.43]),
        }[kind]
    )
    start, end, least, most, wide = {
        "elf": ([1.0, 0.3, 0.3], [1.0, 0.5, rng.uniform(-0.3, 1.2)], 0.25, 1.0, (0.06, 0.14)),
        "cat": ([0.3, 0, 1.0], [0.3, 0, 1.0], 0.25, 0.55, (0.14, 0.25)),
        "rabbit": ([0.15, 0, 1.0], [rng.uniform(0, 1), 0.2, rng.uniform(-1, 1)], 0.6, 1.9,
                   (0.08, 0.18)),
    }[kind]  # fmt: skip
    length = room * size[2] * rng.uniform(least, most)
    width = size[2] * rng.uniform(*wide)
    path = _bent(root, np.array(start), np.array(end), length, 7)
    taper = np.linspace(1, 0.05, 7) if kind != "rabbit" else np.sin(np.linspace(0.6, 3.0, 7))
    mesh = tube(path, width * np.maximum(taper, 0.05), sides, rng.uniform(0.25, 0.7))
    return _pair(mesh, SKIN)


def _horns(body: Rigged, rng: np.random.Generator, room: float) -> list[Rigged]:
    """A pair or one, straight or curved, up to three heads long."""
    middle, size = skull(body)
    steps, sides = int(rng.integers(4, 14)), int(rng.integers(4, 10))
    length = room * size[2] * float(np.exp(rng.uniform(np.log(0.25), np.log(2.5))))
    thick = min(length * rng.uniform(0.1, 0.25), 0.22 * size[2])
    taper = np.linspace(1, 0.08, steps) ** rng.uniform(0.6, 1.2)
    if rng.uniform() < 0.2:  # in the middle
        root = middle + size * [0, -0.4, 0.3]
        path = _bent(root, np.array([0, -0.6, 1.0]), np.array([0, rng.uniform(-1, 1), 1.0]), length,
                     steps)  # fmt: skip
        return [head_piece(tube(path, thick * taper, sides), SKIN)]
    root = middle + size * [rng.uniform(0.2, 0.42), rng.uniform(-0.25, 0.1), rng.uniform(0.2, 0.42)]
    start = np.array([rng.uniform(0.2, 1.5), rng.uniform(-0.3, 0.5), rng.uniform(0.0, 1.0)])
    path = _bent(root, start, rng.normal(0, 1, 3) + [0.3, 0, 0.7], length, steps)
    path[:, 0] = np.maximum(path[:, 0], 0.02)
    return _pair(tube(path, thick * taper, sides), SKIN)


def _antennas(body: Rigged, rng: np.random.Generator, room: float) -> list[Rigged]:
    middle, size = skull(body)
    root = middle + size * [rng.uniform(0.05, 0.25), -0.1, 0.45]
    end = np.array([rng.uniform(0, 1.0), rng.uniform(-1, 0.5), rng.uniform(0.0, 1.0)])
    path = _bent(root, np.array([0.2, 0, 1.0]), end, room * size[2] * rng.uniform(0.3, 1.3), 7)
    thick = size[2] * rng.uniform(0.01, 0.04)
    pieces = _pair(tube(path, np.full(7, thick), 5), SKIN)
    if rng.uniform() < 0.6:
        vertices, faces = ball(thick * rng.uniform(1.5, 4.0), 8, 5)
        pieces += _pair((vertices + path[-1], faces), SKIN)
    return pieces


def _snout(body: Rigged, rng: np.random.Generator, room: float) -> list[Rigged]:
    """A muzzle, a beak or a long nose."""
    middle, size = skull(body)
    length = room * size[1] * rng.uniform(0.15, 0.8)
    wide = size[0] * rng.uniform(0.12, 0.38)
    root = middle + size * [0, -0.3, rng.uniform(-0.3, -0.1)]
    path = np.linspace(
        root, root + [0, -0.2 * size[1] - length, rng.uniform(-0.3, 0.2) * length], 6
    )
    shape = np.sqrt(np.clip(1 - np.linspace(0, 0.995, 6) ** rng.uniform(1.0, 5.0), 0.01, 1))
    made = tube(path, wide * shape, int(rng.integers(5, 14)), rng.uniform(0.6, 1.2))
    return [head_piece(made, SKIN)]


def _beard(body: Rigged, rng: np.random.Generator, room: float) -> list[Rigged]:
    """A wedge from the chin down, or strands."""
    middle, size = skull(body)
    length = room * size[2] * rng.uniform(0.2, 1.6)
    root = middle + size * [0, -0.36, -0.36]
    wide = size[0] * rng.uniform(0.2, 0.42)
    if rng.uniform() < 0.6:
        path = np.linspace(root, root + [0, -0.25 * length, -length], 7)
        shape = np.clip(1 - np.linspace(0, 1, 7) ** rng.uniform(0.8, 4.0), 0.08, 1)
        return [head_piece(tube(path, wide * shape, 10, rng.uniform(0.3, 0.7)), HAIR)]
    locks = []
    for across in np.linspace(-1, 1, int(rng.integers(3, 9))):
        start = root + [across * wide, 0.25 * across**2 * size[1], 0.2 * across**2 * size[2]]
        path = _bent(start, np.array([0, -0.6, -1.0]), np.array([0, 0, -1.0]),
                     length * rng.uniform(0.7, 1.0), 6)  # fmt: skip
        locks.append(head_piece(tube(path, 0.2 * wide * np.linspace(1.3, 0.3, 6), 5), HAIR))
    return [join(locks)]


def wide_hat(body: Rigged, rng: np.random.Generator, room: float = 1.0) -> list[Rigged]:
    """A hat whose brim is up to three heads wide: a witch's, a farmer's, a mushroom's, a straw
    cone. `room` as for `grown`."""
    middle, size = skull(body)
    radius = 0.5 * max(size[0], size[1]) * rng.uniform(0.98, 1.2)
    tall = room * size[2] * rng.uniform(0.3, 1.8)
    steps = int(rng.integers(4, 9))
    heights = np.linspace(0, 1, steps)
    shape = np.clip(1 - heights ** rng.uniform(0.8, 5.0), 0.04, 1)
    crown = np.stack([radius * shape, tall * heights], axis=1)
    brim = radius * (1 + room * rng.uniform(0.3, 2.2))
    drop = size[2] * rng.uniform(-0.1, 0.35)
    edge = np.stack([np.linspace(brim, radius, 4)[:3], -drop * np.array([1.0, 0.55, 0.2])], axis=1)
    segments = int(rng.integers(6, 28))
    vertices, faces = lathe(np.concatenate([edge, crown]), segments, closed=False)
    if rng.uniform() < 0.6:
        vertices, faces = solidify(vertices, faces, size[2] * rng.uniform(0.01, 0.05))
    lean = rng.uniform(0, 1.2) * np.maximum(vertices[:, 2] / tall, 0) ** 2 * tall
    vertices = vertices + lean[:, None] * [0, 1.0, -0.3]
    base = middle + size * [0, 0, rng.uniform(0.05, 0.3)]
    return [head_piece((vertices + base, faces), ACCESSORY)]


def long_hair(
    body: Rigged, rng: np.random.Generator, reach: float, wide: float = 1.0
) -> list[Rigged]:
    """Hair that falls below the shoulders: loose, tied, in sheets or strands, all part of the head.

    Parameters
    ----------
    reach : from the middle of the head to the hips, in the scale of the head in its rest pose: less
        than it measures where the head is to be enlarged.
    wide : half the depth of the trunk against that of the head, in the same scale.
    """
    middle, size = skull(body)
    worn = _thick_cap(body, rng)
    style = str(
        rng.choice(
            ["curtain", "cards", "strands", "twin tails", "ponytail", "braids", "buns", "chunk"],
            p=(0.2, 0.12, 0.12, 0.16, 0.12, 0.08, 0.08, 0.12),
        )
    )
    length = reach * rng.uniform(0.5, 1.6)
    if style == "curtain":
        worn += _curtain(middle, size, length, wide, rng)
    elif style in ("cards", "strands"):
        worn += _falling(middle, size, length, wide, rng, flat=style == "cards")
    elif style in ("twin tails", "ponytail"):
        worn += _tails(middle, size, length, rng, two=style == "twin tails")
    elif style == "braids":
        worn += _braids(middle, size, length, wide, rng)
    elif style == "buns":
        worn += buns(body, rng)
    else:
        worn += _chunk(middle, size, length, wide, rng)
    if rng.uniform() < 0.35:
        worn += _front_locks(middle, size, min(length, reach * rng.uniform(0.3, 1.1)), wide, rng)
    if rng.uniform() < 0.4:
        worn += _fringe(middle, size, rng)
    return worn


def _thick_cap(body: Rigged, rng: np.random.Generator) -> list[Rigged]:
    at = landmarks()
    hairline, nape = rng.uniform(0.3, 0.75), rng.uniform(-0.8, -0.3)
    mask = (at.upwards > rng.uniform(0.3, 0.6)) & (at.forwards < hairline)
    mask |= (at.forwards < rng.uniform(-0.1, 0.25)) & (at.upwards > nape)
    mask &= at.upwards != 0
    thickness = 0.2 * float(np.exp(rng.uniform(np.log(0.05), np.log(0.25))))
    cap = tailor(body, mask, thickness, int(rng.integers(10, 80)), rng)
    return [] if cap is None else [all_head(cap.figure, HAIR)]


def buns(body: Rigged, rng: np.random.Generator) -> list[Rigged]:
    """One behind or on top, or two at the sides."""
    middle, size = skull(body)
    radius = size[2] * rng.uniform(0.12, 0.38)
    shape = ball(radius, int(rng.integers(6, 16)), 7)
    if rng.uniform() < 0.4:
        lift = rng.uniform(0, 1.5)
        place = middle + [0, np.cos(lift) * (0.45 * size[1] + 0.5 * radius),
                          np.sin(lift) * (0.45 * size[2] + 0.5 * radius)]  # fmt: skip
        return [head_piece((shape[0] + place, shape[1]), HAIR)]
    up = rng.uniform(-0.2, 1.1)
    away = np.array([np.cos(up) * 0.5 * size[0], 0.15 * size[1], np.sin(up) * 0.5 * size[2]])
    place = middle + away * (1 + 0.6 * radius / np.linalg.norm(away))
    return _pair((shape[0] + place, shape[1]), HAIR)


def _mantle(
    angle: np.ndarray,
    down: np.ndarray,
    size: np.ndarray,
    length: float,
    wide: float,
    flare: float,
) -> np.ndarray:
    """Places on the cloth-like surface on which hair falls around the head and the back.

    angle : 0 behind, pi / 2 at the left ear; down : 0 at the crown's height, 1 at the hem.
    """
    over = np.clip(down * (length + 0.3 * size[2]) / (0.3 * size[2]), 0, 1)
    bulge = np.sqrt(np.clip(1 - (1 - over) ** 2, 0, 1))
    across = size[0] * (0.1 + 0.46 * bulge) + flare * down
    # Behind the trunk, where it is deeper than the head.
    deep = (
        size[1] * (0.1 + 0.46 * bulge) + np.maximum(wide - 0.5 * size[1], 0) * down + flare * down
    )
    z = 0.5 * size[2] * (1 - over) + 0.0 - np.maximum(down * (length + 0.3 * size[2])
                                                      - 0.3 * size[2], 0)  # fmt: skip
    return np.stack([across * np.sin(angle), deep * np.cos(angle), z + 0.12 * size[2]], axis=-1)


def _curtain(middle, size, length, wide, rng) -> list[Rigged]:  # type: ignore[no-untyped-def]
    """A sheet around the back of the head, thick or thin."""
    rows, columns = int(rng.integers(6, 20)), int(rng.integers(7, 26))
    span = rng.uniform(0.9, 2.3)
    angle, down = np.meshgrid(np.linspace(-span, span, columns), np.linspace(0, 1, rows))
    flare = size[0] * rng.uniform(0.0, 0.45)
    points = _mantle(angle, down, size, length, wide, flare)
    waves = 1 + rng.uniform(0, 0.08) * down * np.cos(angle * rng.integers(3, 14))
    points[..., :2] *= waves[..., None]
    # The hem is longer behind, or in points.
    hem = rng.uniform(0, 0.3) * length * down**2 * (np.abs(angle) / span) ** 2
    hem += rng.uniform(0, 0.15) * length * down**3 * (np.arange(columns) % 2)
    points[..., 2] += hem
    vertices, faces = points.reshape(-1, 3), grid_faces(rows, columns)
    if rng.uniform() < 0.6:
        vertices, faces = solidify(vertices, faces, size[0] * rng.uniform(0.02, 0.12))
    return [head_piece((vertices + middle, faces), HAIR)]


def _falling(middle, size, length, wide, rng, flat: bool) -> list[Rigged]:  # type: ignore[no-untyped-def]
    """Strands or cards that follow the same surface."""
    count, span = int(rng.integers(8, 32)), rng.uniform(1.2, 2.4)
    steps, sides = int(rng.integers(5, 9)), int(rng.integers(3, 6))
    thick = size[0] * rng.uniform(0.05, 0.16)
    flare, locks = size[0] * rng.uniform(0.0, 0.35), []
    for place in np.linspace(-span, span, count):
        down = np.linspace(0, 1, steps) * rng.uniform(0.8, 1.0)
        angle = np.full(steps, place + rng.normal(0, 0.08))
        path = _mantle(angle, down, size, length, wide, flare * rng.uniform(0.5, 1.2))
        taper = np.linspace(1, rng.uniform(0.15, 0.8), steps)
        mesh = tube(path + middle, thick * taper, sides, 0.15 if flat else rng.uniform(0.5, 1))
        locks.append(head_piece(mesh, HAIR))
    return [join(locks)]


def _tails(middle, size, length, rng, two: bool) -> list[Rigged]:  # type: ignore[no-untyped-def]
    """One tail behind or two at the sides, hanging, standing off or curled."""
    steps, sides = int(rng.integers(6, 14)), int(rng.integers(4, 10))
    up = rng.uniform(-0.1, 1.1)
    thick = size[0] * rng.uniform(0.08, 0.3)
    away = rng.uniform(0.2, 1.2)
    if two:
        out = np.array([np.cos(up), 0.3, np.sin(up)])
        end = np.array([rng.uniform(-0.1, 0.7), rng.uniform(-0.2, 0.4), -1.0])
    else:
        out = np.array([0.0, np.cos(up), np.sin(up)])
        end = np.array([0, rng.uniform(-0.1, 0.7), -1.0])
    share = np.linspace(0, 1, steps)[:, None]
    fall = np.clip(share * rng.uniform(1.2, 4.0), 0, 1)
    heading = (1 - fall) * (out * away + [0, 0, 0.1]) + fall * end
    heading /= np.linalg.norm(heading, axis=1, keepdims=True)
    path = (
        middle
        + 0.48 * size * out
        + np.concatenate(
            [np.zeros((1, 3)), np.cumsum(heading[:-1] * length * 1.2 / (steps - 1), axis=0)]
        )
    )
    shape = np.sin(np.linspace(rng.uniform(0.4, 1.2), rng.uniform(2.2, 3.0), steps))
    mesh = tube(path, thick * np.maximum(shape, 0.1), sides, rng.uniform(0.5, 1.0))
    pieces = _pair(mesh, HAIR) if two else [head_piece(mesh, HAIR)]
    if rng.uniform() < 0.4:  # what ties it
        knot = ball(1.3 * thick * shape[0], 8, 5)
        tie = knot[0] + path[0], knot[1]
        pieces += _pair(tie, ACCESSORY) if two else [head_piece(tie, ACCESSORY)]
    return pieces


def _braids(middle, size, length, wide, rng) -> list[Rigged]:  # type: ignore[no-untyped-def]
    """Rows of beads: two before or behind the shoulders, or one behind."""
    radius = size[0] * rng.uniform(0.06, 0.16)
    count = int(np.clip(length / (1.3 * radius), 4, 30))
    bead = ball(radius, 6, 4)
    one = rng.uniform() < 0.4
    start = size * ([0, 0.5, -0.1] if one else [0.48, rng.choice([-0.1, 0.3]), -0.1])
    front = np.sign(start[1]) * max(wide - 0.3 * size[1], 0) + start[1] * 0.3
    vertices, faces = [], []
    for number in range(count):
        share = number / count
        shift = start + [0, front * min(3 * share, 1.0), -length * share]
        vertices.append((bead[0] * (1.15 - 0.5 * share)) + shift + middle)
        faces.append(bead[1] + number * len(bead[0]))
    mesh = np.concatenate(vertices), np.concatenate(faces)
    return [head_piece(mesh, HAIR)] if one else _pair(mesh, HAIR)


def _chunk(middle, size, length, wide, rng) -> list[Rigged]:  # type: ignore[no-untyped-def]
    """One solid piece behind."""
    shape = rounded_box(np.ones(3), rng.uniform(0.1, 0.9), int(rng.integers(3, 8)))
    deep = size[1] * rng.uniform(0.25, 0.6) + max(wide - 0.5 * size[1], 0)
    extents = np.array([size[0] * rng.uniform(0.75, 1.2), deep, length + 0.5 * size[2]])
    vertices = shape[0] * extents
    top = vertices[:, 2] / extents[2] + 0.5
    vertices[:, 0] *= rng.uniform(0.5, 1.4) + (1 - rng.uniform(0.5, 1.2)) * top
    place = [0, 0.28 * size[1] + 0.5 * deep, 0.3 * size[2] - 0.5 * extents[2]]
    return [head_piece((vertices + place + middle, shape[1]), HAIR)]


def _front_locks(middle, size, length, wide, rng) -> list[Rigged]:  # type: ignore[no-untyped-def]
    """Hair in front of the shoulders."""
    root = size * [0.46, -0.15, 0.15]
    front = max(wide - 0.35 * size[1], 0) * rng.uniform(0.8, 1.3)
    share = np.linspace(0, 1, 8)[:, None]
    path = (
        middle
        + root
        + share * [0.1 * size[0], 0, -length]
        + np.sin(np.clip(share * 2, 0, 1) * np.pi / 2) * [0, -front - 0.1 * size[1], 0]
    )
    thick = size[0] * rng.uniform(0.06, 0.2) * np.linspace(1.0, rng.uniform(0.1, 0.9), 8)
    return _pair(tube(path, thick, int(rng.integers(4, 8)), rng.uniform(0.2, 0.8)), HAIR)


def _fringe(middle, size, rng) -> list[Rigged]:  # type: ignore[no-untyped-def]
    """Locks over the forehead."""
    locks = []
    length = size[2] * rng.uniform(0.2, 0.45)
    for place in np.linspace(-0.9, 0.9, int(rng.integers(3, 9))):
        root = middle + size * [0.42 * np.sin(place), -0.42 * np.cos(place), 0.36]
        out = np.array([np.sin(place), -np.cos(place), 0.3])
        path = _bent(root, out, np.array([0.1 * place, 0.0, -1.0]), length, 6)
        thick = size[0] * 0.13 * np.linspace(1, 0.1, 6)
        locks.append(head_piece(tube(path, thick, 5, 0.5), HAIR))
    return [join(locks)]


def jester_points(body: Rigged, rng: np.random.Generator) -> list[Rigged]:
    """A jester's cap: drooping points with balls."""
    middle, size = skull(body)
    root = middle + size * [0.3, 0, 0.35]
    path = _bent(root, np.array([0.6, 0, 1.0]), np.array([1.0, 0, -1.0]), size[2], 7)
    mesh = tube(path, 0.25 * size[0] * np.linspace(1, 0.1, 7), 8)
    tip = capsule(0.06 * size[0], 0.02, 6, 2)
    return _pair(mesh, ACCESSORY) + _pair((tip[0] + path[-1], tip[1]), ACCESSORY)
