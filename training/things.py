"""What is neither a person nor a four-legged animal: other creatures, furniture, vessels, vehicles,
heaps of simple solids."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.spatial.transform import Rotation

from .bone_skins import SkinBone, skin_around
from .meshes import SKIN, Body, bumps, join_bodies
from .parts import THINGS
from .primitives import Mesh, ball, capsule, lathe, rounded_box, torus, tube

CELL = 0.038


def sample_thing(rng: np.random.Generator) -> tuple[Body, str]:
    """A thing, about a unit large, and a word for its kind."""
    kind = str(rng.choice(list(KINDS)))
    pieces = KINDS[kind](rng)
    scale = np.exp(rng.uniform(-0.25, 0.25, 3)) if rng.uniform() < 0.5 else np.ones(3)
    return join_bodies([_body(vertices * scale, faces) for vertices, faces in pieces]), kind


def _body(vertices: np.ndarray, faces: np.ndarray) -> Body:
    count = len(vertices)
    return Body(
        vertices,
        faces,
        np.zeros(count, np.int32),
        np.full(count, SKIN, np.int32),
        anatomy=THINGS,
    )


def _chain(
    rng: np.random.Generator,
    start: np.ndarray,
    way: np.ndarray,
    count: int,
    length: float,
    radii: tuple[float, float],
    wander: float,
) -> list[SkinBone]:
    """Bones one after the other, of all this length, that wander off by some degrees."""
    steps = np.linspace(radii[0], radii[1], count + 1)
    bones = []
    for number in range(count):
        way = Rotation.from_rotvec(np.radians(wander) * rng.normal(size=3)).apply(way)
        end = start + length / count * way / np.linalg.norm(way)
        bones.append(SkinBone(start, end, (steps[number], steps[number + 1])))
        start = end
    return bones


def _mirrored(bones: list[SkinBone]) -> list[SkinBone]:
    mirror = np.array([-1.0, 1, 1])
    return [*bones, *(SkinBone(b.head * mirror, b.tail * mirror, b.radii) for b in bones)]


def _skin(rng: np.random.Generator, bones: list[SkinBone]) -> list[Mesh]:
    named = {str(number): bone for number, bone in enumerate(bones)}
    vertices, faces, _ = skin_around(named, CELL, rng.uniform(0.02, 0.05))
    return [(vertices, faces)]


def _snake(rng: np.random.Generator) -> list[Mesh]:
    """Snakes, worms, fish with fins."""
    thick = rng.uniform(0.04, 0.25)
    count = int(rng.integers(3, 9))
    way = np.array([0.0, 1.0, 0.0])
    bones = _chain(rng, np.zeros(3), way, count, rng.uniform(0.8, 2.5), (thick, 0.04), 18)
    if rng.uniform() < 0.6:
        for _ in range(rng.integers(1, 3)):
            out = np.array([1.0, rng.uniform(0, 1), rng.uniform(-0.5, 0.5)])
            root = bones[int(rng.integers(count))].head
            bones += _mirrored(_chain(rng, root, out, 2, rng.uniform(0.2, 0.6), (0.06, 0.04), 5))
    if rng.uniform() < 0.5:
        for up in (1, -1):
            bones += _chain(
                rng, bones[count - 1].tail, np.array([0, 0.6, up]), 1, 0.3, (0.05, 0.04), 5
            )
    return _skin(rng, bones)


def _bird(rng: np.random.Generator) -> list[Mesh]:
    """Birds and two-legged dinosaurs, wings spread or folded."""
    depth, legs = rng.uniform(0.14, 0.3), rng.uniform(0.15, 0.9)
    lean = rng.uniform(-0.6, 0.4)
    bones = _chain(rng, np.array([0, 0.3, 0.6]), np.array([0, -1, lean]), 2, 0.6, (depth, depth), 3)
    neck = np.array([0, -rng.uniform(0.1, 1), rng.uniform(0, 1)])
    thin = depth * rng.uniform(0.25, 0.7)
    bones += _chain(rng, bones[-1].tail, neck, 2, rng.uniform(0.2, 0.9), (thin, thin), 12)
    head = thin * rng.uniform(1.0, 1.6)
    bones += _chain(rng, bones[-1].tail, np.array([0, -1, -0.2]), 2, 3 * head, (head, 0.03), 5)
    tail = np.array([0, 1, rng.uniform(-0.6, 0.6)])
    bones += _chain(rng, bones[0].head, tail, 2, rng.uniform(0.2, 1.2), (0.6 * depth, 0.04), 6)
    leg = max(0.035, depth * rng.uniform(0.15, 0.5))
    hip = np.array([0.6 * depth, 0.1, 0.55])
    side = _chain(rng, hip, np.array([0, 0.2, -1]), 2, legs, (1.5 * leg, leg), 15)
    side += _chain(rng, side[-1].tail, np.array([0, -1, 0]), 1, 0.15, (leg, leg), 3)
    if rng.uniform() < 0.75:
        out = np.array([1.0, rng.uniform(-0.3, 0.8), rng.uniform(-0.8, 0.6)])
        long, wing = rng.uniform(0.25, 1.3), rng.uniform(0.035, 0.09)
        side += _chain(rng, np.array([depth, -0.15, 0.65]), out, 3, long, (wing, wing), 12)
    return _skin(rng, bones + _mirrored(side))


def _insect(rng: np.random.Generator) -> list[Mesh]:
    """Insects, spiders, crabs: three to five pairs of legs."""
    thick = rng.uniform(0.12, 0.3)
    bones = _chain(
        rng, np.zeros(3), np.array([0, 1.0, 0]), 2, rng.uniform(0.4, 1.2), (thick, thick), 5
    )
    pairs = int(rng.integers(3, 6))
    for number in range(pairs):
        place = np.array([0.5 * thick, -0.1 + 0.5 * number / pairs, 0.0])
        long = rng.uniform(0.4, 0.7)
        rising = _chain(
            rng, place, np.array([1.0, 0.4 * (number - pairs / 2), 0.6]), 1, long, (0.05, 0.04), 5
        )
        falling = _chain(
            rng,
            rising[-1].tail,
            np.array([0.5, 0.3 * (number - pairs / 2), -1.0]),
            1,
            long,
            (0.04, 0.04),
            5,
        )
        bones += _mirrored(rising + falling)
    return _skin(rng, bones)


def _star(rng: np.random.Generator) -> list[Mesh]:
    """Octopuses, starfish, trees: arms or branches from one middle."""
    count, thick = int(rng.integers(3, 10)), rng.uniform(0.05, 0.12)
    bones = _chain(
        rng, np.zeros(3), np.array([0, 0, 1.0]), 1, rng.uniform(0.05, 1.0), (0.2, thick * 1.5), 3
    )
    start = bones[0].tail if rng.uniform() < 0.5 else bones[0].head
    tilt = rng.uniform(-0.8, 0.8)
    for angle in 2 * np.pi * (np.arange(count) + rng.uniform(-0.2, 0.2, count)) / count:
        way = np.array([np.cos(angle), np.sin(angle), tilt])
        bones += _chain(rng, start, way, 3, rng.uniform(0.4, 1.0), (thick, 0.04), 14)
    return _skin(rng, bones)


def _furniture(rng: np.random.Generator) -> list[Mesh]:
    """Tables, chairs and stools, with three to six legs."""
    wide, deep, high = rng.uniform(0.3, 1.2), rng.uniform(0.3, 1.0), rng.uniform(0.25, 1.0)
    made = [_moved(_box(rng, [wide, deep, rng.uniform(0.03, 0.15)]), [0, 0, high])]
    legs = int(rng.choice([1, 3, 4, 4, 4, 6]))
    thick = rng.uniform(0.02, 0.07)
    for number in range(legs):
        angle = 2 * np.pi * (number + 0.5) / legs
        corner = np.array([np.cos(angle), np.sin(angle)])
        corner = corner / np.abs(corner).max() * rng.uniform(0.85, 0.95) if legs > 1 else corner * 0
        place = [corner[0] * wide / 2, corner[1] * deep / 2, 0]
        leg = capsule(thick, high, 8, 1) if rng.uniform() < 0.5 else _box(rng, [thick, thick, high])
        made.append(_moved(leg, place if len(leg[0]) < 60 else [place[0], place[1], high / 2]))
    if rng.uniform() < 0.5:
        back = _box(rng, [wide, 0.06, rng.uniform(0.3, 0.9)])
        made.append(_moved(back, [0, deep / 2, high + np.ptp(back[0][:, 2]) / 2]))
    return made


def _vessel(rng: np.random.Generator) -> list[Mesh]:
    """Vases, bottles, mugs, lamps, pawns."""
    count = int(rng.integers(5, 24))
    radii = np.abs(np.cumsum(rng.normal(0, 0.12, count)) + rng.uniform(0.1, 0.5)) + 0.05
    height = np.linspace(0, rng.uniform(0.4, 2.0), count)
    made = [lathe(np.stack([radii, height], axis=1), int(rng.integers(6, 40)))]
    if rng.uniform() < 0.4:
        made.append(_moved(torus(0.2, 0.04, 16, 8), [radii.mean(), 0, height.mean()]))
    return made


def _vehicle(rng: np.random.Generator) -> list[Mesh]:
    """A body, a cabin, wheels."""
    size = np.array([rng.uniform(0.3, 0.8), rng.uniform(0.8, 2.0), rng.uniform(0.15, 0.5)])
    made = [_box(rng, size)]
    if rng.uniform() < 0.8:
        cabin = _box(rng, size * [0.9, rng.uniform(0.3, 0.6), rng.uniform(0.6, 1.2)])
        made.append(_moved(cabin, [0, rng.normal(0, 0.15), size[2]]))
    radius = rng.uniform(0.12, 0.3)
    for x in (-0.5, 0.5):
        for y in rng.uniform(0.25, 0.4) * np.array([-1, 1]):
            wheel = torus(radius, 0.35 * radius, 16, 8)
            turned = wheel[0] @ Rotation.from_euler("y", 90, degrees=True).as_matrix().T
            made.append((turned + [x * size[0], y * size[1], -size[2] / 2], wheel[1]))
    return made


def _heap(rng: np.random.Generator) -> list[Mesh]:
    """Simple solids, one or many, in line or anyhow."""
    made = []
    for _ in range(rng.integers(1, 9)):
        size = rng.uniform(0.1, 0.6)
        solid = str(rng.choice(["ball", "box", "capsule", "torus", "tube"]))
        if solid == "ball":
            mesh = ball(size, int(rng.integers(8, 24)), int(rng.integers(5, 14)))
        elif solid == "box":
            mesh = _box(rng, size * rng.uniform(0.2, 2.0, 3))
        elif solid == "capsule":
            mesh = capsule(0.3 * size, 2 * size, 12, 3)
        elif solid == "torus":
            mesh = torus(size, size * rng.uniform(0.1, 0.4), 20, 10)
        else:
            path = np.cumsum(rng.normal(0, 0.2 * size, (12, 3)), axis=0) + np.linspace(0, size, 12)[
                :, None
            ] * rng.normal(size=3)
            mesh = tube(path, np.full(12, 0.15 * size), 8)
        turn = Rotation.random(random_state=int(rng.integers(2**31))).as_matrix()
        made.append((mesh[0] @ turn.T + rng.normal(0, 0.35, 3), mesh[1]))
    return made


def _stone(rng: np.random.Generator) -> list[Mesh]:
    """Lumps: stones, fruit, clouds, heads without a body."""
    vertices, faces = ball(0.5, 40, 24)
    amount = rng.uniform(0.02, 0.25)
    lumps = sum(bumps(vertices, rng, wave) * wave for wave in (1.2, 0.5))
    return [(vertices * (1 + amount * lumps[:, None]), faces)]


def _box(rng: np.random.Generator, size: list[float] | np.ndarray) -> Mesh:
    size = np.asarray(size, float)
    return rounded_box(size, rng.uniform(0.05, 0.3) * size.min(), int(rng.integers(1, 4)))


def _moved(mesh: Mesh, by: list[float]) -> Mesh:
    return mesh[0] + np.asarray(by), mesh[1]


KINDS: dict[str, Callable[[np.random.Generator], list[Mesh]]] = {
    "snake": _snake,
    "bird": _bird,
    "insect": _insect,
    "star": _star,
    "furniture": _furniture,
    "vessel": _vessel,
    "vehicle": _vehicle,
    "heap": _heap,
    "stone": _stone,
}
