"""Characters that artists modelled and rigged, multiplied by what a rig allows.

Read from `FOLDER`, which `rigged_files` writes. All rigs are brought to the links of the fine
parts: what is posed and scaled is a link about its joint.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from functools import lru_cache
from pathlib import Path

import numpy as np
from scipy import sparse
from scipy.spatial import cKDTree
from scipy.spatial.transform import Rotation

from diffusionnet_blender.surface.triangles import compact
from diffusionnet_blender.surface.winding import vertex_normals

from .bodies import NATURAL, skinned
from .meshes import Body, bumps
from .parts import FINE_NAMES, MIRRORED_LABEL, PART_NAMES, PART_OF_LABEL, SIDES
from .poses import Arm, Pose, about, between, chain_turn, sample_game_pose, sample_pose, unit
from .stylise import Proportions, part_scale, sample_proportions
from .symmetry import mirrored

FOLDER = Path(__file__).parent / "data" / "rigged"
# Of all characters, metres, without what is carried.
HEIGHT = 1.7
_MEN_WOMEN = (
    *("female_alternative", "female_casual", "female_dress", "female_tanktop"),
    *("male_casual", "male_longsleeve", "male_shirt", "male_suit"),
)
PACKS = {
    "kaykit": ("k_barbarian", "k_knight", "k_mage", "k_rogue", "k_rogue_hooded"),
    "men_women_2019": tuple(f"q_{way}{name}" for way in ("", "smooth_") for name in _MEN_WOMEN),
    "man_woman_2017": ("q_animated_human", "q_animated_woman", "q_animated_woman_smooth"),
    "zombie": ("q_zombie", "q_zombiesmooth"),
    "knight": ("q_knightcharacter",),
    "cowboy": ("q_cowboy",),
    "goblin": ("q_goblin",),
    "alien": ("q_alien", "q_alien_helmet"),
    "robot": ("q_robot",),
    "skeleton": ("q_skeleton",),
}
"""Characters of each maker's pack."""


# The links of the body: each moves those that follow it, and the first found moves a link.
_PARENTS = {
    "abdomen": ("pelvis",),
    "chest": ("abdomen", "pelvis"),
    "neck": ("chest",),
    "head": ("neck", "chest"),
    "shoulder": ("chest",),
    "upper_arm": ("shoulder", "chest"),
    "forearm": ("upper_arm",),
    "palm": ("forearm",),
    "fingers": ("palm",),
    "thigh": ("pelvis",),
    "shin": ("thigh",),
    "foot": ("shin",),
    "toes": ("foot",),
}
_NEXT = {"upper_arm": "forearm", "forearm": "palm", "thigh": "shin", "shin": "foot"}
# Nearer than this, metres, are a vertex and the mirror image of another.
_TWIN = 0.004
# Rests that are further from being symmetric are left as they are.
_UNEVEN = 0.06


@dataclass(frozen=True, eq=False)
class Character:
    """A character at rest with its rig brought to the links of the fine parts.

    Attributes
    ----------
    vertices, faces, fine, component : as in `meshes.Body`, `HEIGHT` high without what is
        carried.
    member : (V,) int, index into `members`;  members : names of the objects.
    carried : (V,) bool, held in a hand.
    weights : (V, 23) csr_matrix, how much each link moves a vertex; rows add up to 1.
    joints : (23, 3) where links begin, NaN of those that the rig has not.
    ends : (23, 3) where they end.
    """

    vertices: np.ndarray
    faces: np.ndarray
    fine: np.ndarray
    component: np.ndarray
    member: np.ndarray
    members: tuple[str, ...]
    carried: np.ndarray
    weights: sparse.csr_matrix
    joints: np.ndarray
    ends: np.ndarray

    def has(self, link: int) -> bool:
        """Whether the rig has a link."""
        return bool(np.isfinite(self.joints[link, 0]))

    def only(self, kept: np.ndarray) -> Character:
        """Only some of the vertices (V,) bool, and the triangles between them."""
        faces, old = compact(len(self.vertices), self.faces[kept[self.faces].all(axis=1)])
        return replace(
            self,
            vertices=self.vertices[old],
            faces=faces,
            fine=self.fine[old],
            component=self.component[old],
            member=self.member[old],
            carried=self.carried[old],
            weights=self.weights[old],
        )


def link(name: str) -> int:
    """Index of a link, which is that of its fine part."""
    return FINE_NAMES.index(name)


@lru_cache(maxsize=64)
def load_rigged(name: str) -> Character:
    """A character of `PACKS`, symmetric where it was nearly so.

    Raises
    ------
    FileNotFoundError
        `rigged_files` has not been run.
    """
    path = FOLDER / f"{name}.npz"
    if not path.exists():
        raise FileNotFoundError(
            f"{path} is not there: python -m training.rigged_files --characters FOLDER"
        )
    with np.load(path) as file:
        found = dict(file)
    vertices = found["vertices"]
    by_bone = sparse.csr_matrix(
        (found["weights_data"], found["weights_indices"], found["weights_indptr"]),
        (len(vertices), len(found["bones"])),
    )
    held = _pooled(by_bone, found["labels"], len(PART_OF_LABEL))
    moved = _pooled(by_bone, found["segments"], len(FINE_NAMES))
    joints, ends = _joints(found)
    joints, ends, even = _even(joints, ends)
    if even:
        one, two = twins(vertices, ~found["carried"], _TWIN)
        vertices = vertices.copy()
        vertices[one] = (vertices[one] + vertices[two] * [-1, 1, 1]) / 2
        vertices[two] = vertices[one] * [-1, 1, 1]
        for values in (held, moved):
            other = MIRRORED_LABEL[: values.shape[1]]
            values[one] = (values[one] + values[two][:, other]) / 2
            values[two] = values[one][:, other]
    moved /= moved.sum(axis=1, keepdims=True)
    return Character(
        vertices,
        found["faces"],
        _strongest(held),
        found["component"].astype(np.int32),
        found["member"],
        tuple(found["member_names"].tolist()),
        found["carried"],
        sparse.csr_matrix(moved),
        joints,
        ends,
    )


def _pooled(by_bone: sparse.csr_matrix, of_bone: np.ndarray, count: int) -> np.ndarray:
    """Weights (V, count) of bones that are one; bones of no part are left out."""
    known = np.flatnonzero(of_bone >= 0)
    ones = np.ones(len(known))
    pool = sparse.csr_matrix((ones, (known, of_bone[known])), (len(of_bone), count))
    return np.asarray((by_bone @ pool).todense())


def _strongest(held: np.ndarray) -> np.ndarray:
    """(V,) int32, the strongest label within the strongest coarse part."""
    coarse = np.zeros((len(held), len(PART_NAMES)))
    np.add.at(coarse.T, PART_OF_LABEL, held.T)
    within = PART_OF_LABEL == coarse.argmax(axis=1)[:, None]
    return np.where(within, held, -1.0).argmax(axis=1).astype(np.int32)


def _joints(found: dict[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    segments, parents = found["segments"], found["parents"]
    joints, ends = np.full((2, len(FINE_NAMES), 3), np.nan)
    for index in range(len(FINE_NAMES)):
        of_link = segments == index
        first = of_link & ~np.where(parents >= 0, of_link[parents], False)
        if first.any():
            joints[index] = found["heads"][first].mean(axis=0)
            ends[index] = found["tails"][first].mean(axis=0)
    # Bones of hips begin anywhere; what is carried by them turns about the hips.
    thighs = [link(f"thigh.{side}") for side in SIDES]
    joints[link("pelvis")] = joints[thighs].mean(axis=0)
    for part, after in _NEXT.items():
        for side in SIDES:
            following = joints[link(f"{after}.{side}")]
            if np.isfinite(following[0]):
                ends[link(f"{part}.{side}")] = following
    return joints, ends


def _even(joints: np.ndarray, ends: np.ndarray) -> tuple[np.ndarray, np.ndarray, bool]:
    """Joints and ends made symmetric, if they nearly are."""
    other = MIRRORED_LABEL[: len(FINE_NAMES)]
    turned = [places[other] * [-1, 1, 1] for places in (joints, ends)]
    if np.nanmax(np.abs(joints - turned[0])) > _UNEVEN:
        return joints, ends, False
    # A rig that has a bone on one side alone keeps it.
    both = [
        np.where(np.isnan(theirs), own, (own + theirs) / 2)
        for own, theirs in zip((joints, ends), turned, strict=True)
    ]
    return both[0], both[1], True


def twins(vertices: np.ndarray, among: np.ndarray, reach: float) -> tuple[np.ndarray, np.ndarray]:
    """Pairs of vertices that are each other's mirror images, up to some distance; one on the plane
    is its own."""
    chosen = np.flatnonzero(among)
    points = vertices[chosen]
    distance, twin = cKDTree(points).query(points * [-1, 1, 1])
    mutual = (distance < reach) & (twin[twin] == np.arange(len(points)))
    one = np.flatnonzero(mutual & (np.arange(len(points)) <= twin))
    return chosen[one], chosen[twin[one]]


def sample_rigged(rng: np.random.Generator, packs: tuple[str, ...] = tuple(PACKS)) -> Body:
    """A random character of a random pack in random proportions and pose.

    Parameters
    ----------
    rng : the only source of chance.
    packs : keys of `PACKS`, each as likely as another.
    """
    pack = PACKS[str(rng.choice(packs))]
    name = str(rng.choice(pack))
    character = _swapped(name, pack, rng) if pack == PACKS["kaykit"] else load_rigged(name)
    character = _without(character, rng)
    pose = None if rng.uniform() < 1 / 3 else sample_rig_pose(rng)
    proportions = sample_proportions(rng) if rng.uniform() < 0.65 else NATURAL
    proportions = replace(proportions, head=_bearable_head(character, proportions.head))
    right = _other_limbs(proportions, rng) if rng.uniform() < 0.1 else proportions
    body = pose_rigged(character, pose, proportions, right)
    vertices = body.vertices
    if rng.uniform() < 0.3:
        vertices = vertices * [*np.exp(rng.uniform(-0.25, 0.25, 2)), 1.0]
    if rng.uniform() < 0.2:
        # As modelled freely, without the mirror of a modelling program.
        amount = rng.uniform(0.002, 0.012) * bumps(vertices, rng, wavelength=rng.uniform(0.3, 1.0))
        vertices = vertices + amount[:, None] * vertex_normals(vertices, body.faces)
    body = replace(body, vertices=vertices)
    return mirrored(body) if rng.uniform() < 0.5 else body


def sample_rig_pose(rng: np.random.Generator) -> Pose:
    """An exact T- or A-pose, arms crossed before the body, or any pose."""
    kinds = ("t_pose", "a_pose", "game", "crossed", "any")
    kind = rng.choice(kinds, p=(0.12, 0.2, 0.13, 0.1, 0.45))
    if kind in ("t_pose", "a_pose"):
        arm = Arm(90.0 if kind == "t_pose" else rng.uniform(30, 60), elbow=0.0, curl=0.0)
        return Pose(arm, arm)
    if kind == "game":
        return sample_game_pose(rng)
    pose = sample_pose(rng)
    if kind == "any":
        return pose
    arms = [
        Arm(
            raised=rng.uniform(25, 60),
            forward=rng.uniform(50, 100),
            twist=rng.uniform(30, 80),
            elbow=rng.uniform(60, 115),
            curl=rng.uniform(0, 40),
        )
        for _ in SIDES
    ]
    return replace(pose, left_arm=arms[0], right_arm=arms[1])


def pose_rigged(
    character: Character, pose: Pose | None, proportions: Proportions, right: Proportions
) -> Body:
    """Linear blend skinning; see `link_moves`."""
    moves = link_moves(character, pose, proportions, right)
    vertices = skinned(character.vertices, character.weights, moves)
    return Body(vertices, character.faces, character.fine, character.component)


def link_moves(
    character: Character, pose: Pose | None, proportions: Proportions, right: Proportions
) -> np.ndarray:
    """The affine map of each link from rest, (23, 3, 4).

    A link's turn is handed on to those that follow it, its scale only moves their joints.

    Parameters
    ----------
    pose : by default that of rest.
    proportions : see `Proportions`;  right : those of the right limbs.
    """
    turns = link_turns(character, pose)
    joints = character.joints
    count = len(FINE_NAMES)
    turned, linear = np.tile(np.eye(3), (2, count, 1, 1))
    posed = np.nan_to_num(joints)
    for index in _order():
        if not character.has(index):
            continue
        part, _, side = FINE_NAMES[index].partition(".")
        parent = _parent(character, index)
        if index in turns:
            turned[index] = turns[index].as_matrix()
        if parent is not None:
            turned[index] = turned[parent] @ turned[index]
            posed[index] = posed[parent] + linear[parent] @ (joints[index] - joints[parent])
        along = unit(character.ends[index] - joints[index]) if part in _NEXT else np.zeros(3)
        scale = part_scale(part, along, right if side == "R" else proportions)
        linear[index] = turned[index] @ scale
    offset = posed - np.einsum("bij,bj->bi", linear, np.nan_to_num(joints))
    return np.concatenate([linear, offset[:, :, None]], axis=2)


def _order() -> list[int]:
    """Links, each after the one that moves it."""
    parts = ["pelvis", *_PARENTS]
    return [
        index
        for part in parts
        for index, name in enumerate(FINE_NAMES)
        if name.partition(".")[0] == part
    ]


def _parent(character: Character, index: int) -> int | None:
    part, _, side = FINE_NAMES[index].partition(".")
    for parent in _PARENTS.get(part, ()):
        sided = f"{parent}.{side}"
        found = link(sided if sided in FINE_NAMES else parent)
        if character.has(found):
            return found
    return None


def link_turns(character: Character, pose: Pose | None) -> dict[int, Rotation]:
    """Rotation of links against the one before, in the axes of rest; angles as in `poses`.

    Arms are brought to the angles of the pose whatever the rest is; other angles are added to rest.
    """
    if pose is None:
        return {}
    turns: dict[int, Rotation] = {}
    for chain, angles in ((("abdomen", "chest"), pose.spine), (("neck", "head"), pose.neck)):
        there = [link(name) for name in chain if character.has(link(name))]
        turns.update(dict.fromkeys(there, chain_turn(angles, len(there))))
    for side, mirror, arm, leg in (
        ("L", 1.0, pose.left_arm, pose.left_leg),
        ("R", -1.0, pose.right_arm, pose.right_leg),
    ):
        upper, fore = (
            unit(character.ends[index] - character.joints[index])
            for index in (link(f"upper_arm.{side}"), link(f"forearm.{side}"))
        )
        # Level arms fold to the front, hands to the ground.
        level = between(np.array([mirror, 0.0, 0.0]), upper)
        straight = between(fore, upper)
        turns[link(f"upper_arm.{side}")] = between(upper, arm.aim(mirror)) * about(
            upper, mirror * arm.twist
        )
        turns[link(f"forearm.{side}")] = (
            about(level.apply([0, 0, -mirror]), arm.elbow)
            * straight
            * about(fore, mirror * arm.pronation)
        )
        palm = (straight.inv() * level).apply([0, mirror, 0])
        turns[link(f"palm.{side}")] = about(palm, arm.wrist)
        turns[link(f"fingers.{side}")] = about(palm, 0.7 * arm.curl)
        turns[link(f"thigh.{side}")] = leg.hip_turn(mirror)
        turns[link(f"shin.{side}")] = about([1, 0, 0], leg.knee)
        turns[link(f"foot.{side}")] = about([1, 0, 0], leg.ankle)
    return turns


def _bearable_head(character: Character, head: float) -> float:
    """How large a head may be drawn: not more than half of the whole."""
    of_head = np.isin(PART_OF_LABEL[character.fine], PART_NAMES.index("head"))
    heights = character.vertices[of_head, 2]
    own = float(np.ptp(heights)) / HEIGHT
    return float(np.clip(head, 0.6, max(min(2.5, (1 - own) / own), 1.0)))


def _other_limbs(proportions: Proportions, rng: np.random.Generator) -> Proportions:
    names = [field.name for field in fields(Proportions) if field.name.startswith(("arm", "leg"))]
    names += ["hands", "feet"]
    factors = np.exp(rng.uniform(-0.3, 0.3, len(names)))
    changed = {
        name: getattr(proportions, name) * float(factor)
        for name, factor in zip(names, factors, strict=True)
    }
    return replace(proportions, **changed)


# Objects that come off, by the ends of their names.
_LOOSE = ("Hat", "Helmet", "Cape")
_SLOTS = (("Body",), ("ArmLeft", "ArmRight"), ("LegLeft", "LegRight"), ("Head", "Head_Hooded"))


def _without(character: Character, rng: np.random.Generator) -> Character:
    """Hats and capes off at random, hands emptied half of the time, one thing in each otherwise."""
    kept = np.ones(len(character.vertices), bool)
    for index, name in enumerate(character.members):
        if name.rpartition("_")[2] in _LOOSE and rng.uniform() < 0.3:
            kept &= character.member != index
    draw = rng.uniform()
    if draw < 0.5:
        kept &= ~character.carried
    elif draw < 0.85:
        for side in (-1.0, 1.0):
            of_hand = character.carried & (side * character.vertices[:, 0] > 0)
            things = np.unique(character.member[of_hand])
            if len(things):
                kept &= ~of_hand | (character.member == rng.choice(things))
    return character if kept.all() else character.only(kept)


def _swapped(name: str, pack: tuple[str, ...], rng: np.random.Generator) -> Character:
    """Members of characters of one pack on one rig: each from its own or from another."""
    own = load_rigged(name)
    if rng.uniform() < 0.4:
        return own
    chosen = []
    for slot in (*_SLOTS, ("Cape",), ("Hat", "Helmet"), ("carried",)):
        source = load_rigged(name if rng.uniform() < 0.5 else str(rng.choice(pack)))
        ends = tuple(f"_{end}" for end in slot)
        wanted = [i for i, member in enumerate(source.members) if member.endswith(ends)]
        of_slot = np.isin(source.member, wanted)
        of_slot = source.carried if slot == ("carried",) else of_slot & ~source.carried
        hooded = any(name.endswith("_Hooded") for piece in chosen for name in _worn(piece))
        if of_slot.any() and not (hooded and slot[0] == "Hat"):
            chosen.append(source.only(of_slot))
    starts = np.cumsum([0] + [len(piece.vertices) for piece in chosen])
    names = np.cumsum([0] + [len(piece.members) for piece in chosen])
    return replace(
        own,
        vertices=np.concatenate([piece.vertices for piece in chosen]),
        faces=np.concatenate([p.faces + start for p, start in zip(chosen, starts, strict=False)]),
        fine=np.concatenate([piece.fine for piece in chosen]),
        component=np.concatenate([piece.component for piece in chosen]),
        member=np.concatenate([p.member + start for p, start in zip(chosen, names, strict=False)]),
        members=tuple(name for piece in chosen for name in piece.members),
        carried=np.concatenate([piece.carried for piece in chosen]),
        weights=sparse.vstack([piece.weights for piece in chosen], format="csr"),
    )


def _worn(character: Character) -> list[str]:
    return [character.members[index] for index in np.unique(character.member)]
