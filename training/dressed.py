"""Characters as artists deliver them: a body, clothes, hair, eyes, shoes, each a mesh of its own.

Bodies are those of `bodies`; what they wear was modelled by people for MakeHuman's base mesh (see
`makehuman`), and takes its skin weights and its parts from where it is bound to the body. All that
belongs to a head is head, and shoes are feet.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from scipy import sparse

from diffusionnet_blender.surface.loose_parts import label_mesh_parts

from .bodies import bone_moves, rest_shape, skinned
from .makehuman import Piece, read_piece, triangles
from .parts import PART_NAMES, SIDES
from .poses import Pose
from .template import load_template

HEAD = PART_NAMES.index("head")
FEET = [PART_NAMES.index(f"foot.{side}") for side in SIDES]
LEGS = [i for i, name in enumerate(PART_NAMES) if name.split(".")[0] in ("thigh", "shin", "foot")]
SKIN, EYES = 0, (2, 3)
DECIMETRES = 10.0
SMALLEST_GARMENT = 200
# What is worn, by its name: folder and names of the files.
WORN = {
    "Suit": ("clothes", "*suit*"),
    "Shoes": ("clothes", "shoes*"),
    "Hat": ("clothes", "fedora*"),
    "Hair": ("hair", "*"),
    "Eyebrows": ("eyebrows", "*"),
    "Eyelashes": ("eyelashes", "*"),
    "Teeth": ("teeth", "*"),
    "Tongue": ("tongue", "*"),
}


@dataclass(frozen=True, eq=False)
class Member:
    """One mesh of a character, in the rest pose.

    Attributes
    ----------
    name : str
    vertices : (V, 3) float64, metres, +z up, facing -y;  polygons : lists of their numbers.
    weights : (V, B) csr_matrix, rows add up to 1;  labels : (V,) int32, index into `PART_NAMES`.
    """

    name: str
    vertices: np.ndarray
    polygons: list[list[int]]
    weights: sparse.csr_matrix
    labels: np.ndarray

    def only(self, name: str, polygons: np.ndarray) -> Member:
        """Some of its polygons, (P,) bool, and the vertices that they use."""
        kept = [polygon for polygon, chosen in zip(self.polygons, polygons, strict=True) if chosen]
        used, flat = np.unique(np.concatenate(kept), return_inverse=True)
        ends = np.cumsum([len(polygon) for polygon in kept])[:-1]
        return Member(
            name,
            self.vertices[used],
            [part.tolist() for part in np.split(flat, ends)],
            self.weights[used],
            self.labels[used],
        )


@dataclass(frozen=True, eq=False)
class Dressed:
    """A character: its meshes, and where its bones begin, (B, 3) in the rest pose."""

    members: list[Member]
    heads: np.ndarray

    def posed(self, pose: Pose) -> Dressed:
        """The same with a pose as its rest pose."""
        moves = bone_moves(self.heads, pose)
        members = [
            replace(member, vertices=skinned(member.vertices, member.weights, moves))
            for member in self.members
        ]
        at = np.einsum("bij,bj->bi", moves[:, :, :3], self.heads) + moves[:, :, 3]
        return Dressed(members, at)


@dataclass(frozen=True)
class Outfit:
    """What a character wears and how it is cut into objects.

    Attributes
    ----------
    worn : dict of str to str
        Path of a piece in the folder of assets, by the names of `WORN`.
    hides_body : whether the body beneath clothes is taken away.
    in_halves : whether shoes and eyes are an object for each side, and each garment one.
    """

    worn: dict[str, str]
    hides_body: bool
    in_halves: bool


def dress_body(
    phenotype: dict[str, float],
    local_changes: dict[str, float],
    outfit: Outfit,
    folder: Path,
) -> Dressed:
    """Dress a body, see `bodies.build_body`, in pieces of a folder of MakeHuman's assets."""
    template = load_template(helpers=True)
    rest, heads = rest_shape(phenotype, local_changes, helpers=True)
    pieces = {name: read_piece(folder / path) for name, path in outfit.worn.items()}
    hidden = np.zeros(len(rest), bool)
    if outfit.hides_body:
        for piece in pieces.values():
            hidden[piece.hidden] = True
    whole = Member("", rest, template.quads.tolist(), template.weights, template.labels)
    component = template.component[template.quads[:, 0]]
    bare = (component == SKIN) & ~hidden[template.quads].any(axis=1)
    members = [whole.only("Body", bare), whole.only("Eyes", np.isin(component, EYES))]
    for name, piece in pieces.items():
        members += _worn(name, piece, rest, outfit.in_halves)
    if outfit.in_halves:
        members = [half for member in members for half in _halves(member)]
    return Dressed(members, heads)


def _worn(name: str, piece: Piece, rest: np.ndarray, in_halves: bool) -> list[Member]:
    template = load_template(helpers=True)
    # The base mesh has y up.
    base = DECIMETRES * rest[:, [0, 2, 1]] * [1, 1, -1]
    vertices = piece.fitted(base)[:, [0, 2, 1]] * [1, -1, 1] / DECIMETRES
    weights = sparse.csr_matrix(piece.weights(template.weights.toarray()))
    if name == "Shoes":
        labels = np.where(vertices[:, 0] > 0, *FEET)
    elif name == "Suit":
        labels = piece.bound(template.part_weights).argmax(axis=1)
    else:
        labels = np.full(len(vertices), HEAD)
    member = Member(name, vertices, piece.polygons, weights, labels.astype(np.int32))
    return _garments(member) if name == "Suit" and in_halves else [member]


def _garments(suit: Member) -> list[Member]:
    """Loose parts of a suit, each by itself; buttons stay on the largest."""
    loose = label_mesh_parts(len(suit.vertices), triangles(suit.polygons))
    sizes = np.bincount(loose)
    on_legs = np.bincount(loose, np.isin(suit.labels, LEGS)) > 0.5 * sizes
    garment = np.where(sizes < SMALLEST_GARMENT, sizes.argmax(), np.arange(len(sizes)))[loose]
    worn_as = garment[[polygon[0] for polygon in suit.polygons]]
    return [
        suit.only("Trousers" if on_legs[part] else "Shirt", worn_as == part)
        for part in np.unique(worn_as)
    ]


def _halves(member: Member) -> list[Member]:
    if member.name not in ("Eyes", "Shoes"):
        return [member]
    left = np.array([member.vertices[polygon, 0].mean() > 0 for polygon in member.polygons])
    stem = member.name.removesuffix("s")
    return [member.only(f"{stem}.L", left), member.only(f"{stem}.R", ~left)]


def sample_outfit(rng: np.random.Generator, folder: Path, woman: bool) -> Outfit:
    """Clothes for a man or a woman, and all that heads have; one in eight barefoot, in a hat."""
    worn = {}
    for name, (kind, pattern) in WORN.items():
        if name in ("Shoes", "Hair") and rng.uniform() < 1 / 8:
            continue
        if name == "Hat" and rng.uniform() > 1 / 8:
            continue
        found = [path.relative_to(folder) for path in folder.glob(f"{kind}/*/{pattern}.mhclo")]
        if name == "Suit":
            sex = "female" if woman else "male"
            found = [path for path in found if path.stem.startswith(sex)]
        worn[name] = str(sorted(found)[rng.integers(len(found))])
    return Outfit(worn, bool(rng.uniform() < 0.5), bool(rng.uniform() < 0.5))
