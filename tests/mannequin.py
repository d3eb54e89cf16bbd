"""A mannequin of tubes in a T-pose, whose joints and parts are known."""

import numpy as np

from diffusionnet_blender.tasks.models import FINE_PARTS_MODEL, card_of

NAMES = card_of(FINE_PARTS_MODEL, (), "segment").class_names
# Joints of a mannequin in a T-pose: left is +x, front is -y, up is +z.
JOINTS = {
    "hips": (0, 0, 0.95), "waist": (0, 0, 1.05), "chest": (0, 0, 1.2), "neck": (0, 0, 1.5),
    "head": (0, 0, 1.58), "crown": (0, 0, 1.8),
    "shoulder": (0.2, 0, 1.42), "elbow": (0.48, 0, 1.42), "wrist": (0.74, 0, 1.42),
    "knuckles": (0.83, 0, 1.42), "fingertips": (0.92, 0, 1.42),
    "hip": (0.1, 0, 0.9), "knee": (0.1, 0, 0.5), "ankle": (0.1, 0, 0.09),
    "ball": (0.1, -0.12, 0.04), "toe_tip": (0.1, -0.2, 0.04),
}  # fmt: skip
TUBES = (
    ("pelvis", "hips", "waist", 0.15),
    ("abdomen", "waist", "chest", 0.14),
    ("chest", "chest", "neck", 0.16),
    ("neck", "neck", "head", 0.06),
    ("head", "head", "crown", 0.1),
    ("upper_arm.L", "shoulder", "elbow", 0.05),
    ("forearm.L", "elbow", "wrist", 0.04),
    ("palm.L", "wrist", "knuckles", 0.04),
    ("fingers.L", "knuckles", "fingertips", 0.03),
    ("thigh.L", "hip", "knee", 0.08),
    ("shin.L", "knee", "ankle", 0.06),
    ("foot.L", "ankle", "ball", 0.04),
    ("toes.L", "ball", "toe_tip", 0.04),
)
NO_OFFSETS = {}
FRAME = np.eye(3)
PLACES = {
    **{
        f"{name}.{side}": np.array(place) * [1 if side == "L" else -1, 1, 1]
        for name, place in JOINTS.items()
        if place[0]
        for side in "LR"
    },
    **{name: np.array(place, float) for name, place in JOINTS.items() if not place[0]},
}


def chain(points, radius, along=12, around=12):
    """A tube along points (n, 3): vertices, faces, and the segment (V,) of each vertex."""
    rings, segment = [], []
    for number, (start, end) in enumerate(zip(points[:-1], points[1:], strict=True)):
        way = (end - start) / np.linalg.norm(end - start)
        across = np.cross(way, [0.3, 0.9, 0.1])
        across /= np.linalg.norm(across)
        turns = np.linspace(0, 2 * np.pi, around, endpoint=False)
        ring = np.cos(turns)[:, None] * across + np.sin(turns)[:, None] * np.cross(way, across)
        for share in np.linspace(0, 1, along, endpoint=number == len(points) - 2):
            rings.append(start + share * (end - start) + radius[number] * ring)
            segment += [number] * around
    first = np.arange(around * (len(rings) - 1))
    beside = first // around * around + (first + 1) % around
    faces = [
        np.stack([first, beside, beside + around], axis=1),
        np.stack([first, beside + around, first + around], axis=1),
    ]
    return np.concatenate(rings), np.concatenate(faces), np.array(segment)


def mannequin(without=()):
    """Vertices, faces and parts (V, C) of limbs that hang in each other, but for some."""
    vertices, faces, labels, count = [], [], [], 0
    limbs = [TUBES[:5], TUBES[5:9], TUBES[9:]]
    for tubes in limbs:
        for side in "LR" if tubes[0][0].endswith(".L") else ("",):
            if any(f"{tube[0][:-1]}{side}" in without for tube in tubes if side):
                continue
            ends = [tubes[0][1], *(tube[2] for tube in tubes)]
            points = np.array([PLACES.get(f"{end}.{side}", PLACES.get(end)) for end in ends])
            if tubes[0][0] == "upper_arm.L":
                # From inside the chest, which its border lies in.
                points = np.concatenate([points[:1] * [0.3, 1, 1], points])
            if tubes[0][0] == "thigh.L":
                points = np.concatenate([points[:1] + [0, 0, 0.06], points])
            radius = [tube[3] for tube in tubes]
            if len(points) > len(ends):
                radius = [radius[0], *radius]
            own, triangles, segment = chain(points, radius)
            names = [tube[0] for tube in tubes]
            if len(points) > len(ends):
                names = [{"upper_arm.L": "chest", "thigh.L": "pelvis"}[names[0]], *names]
            names = [f"{n[:-1]}{side}" if n.endswith(".L") else n for n in names]
            vertices.append(own)
            faces.append(triangles + count)
            labels += [NAMES.index(names[number]) for number in segment]
            count += len(own)
    parts = np.eye(len(NAMES))[labels]
    return np.concatenate(vertices), np.concatenate(faces), parts
