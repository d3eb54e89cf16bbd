"""Characters as artists deliver them: a body, clothes, hair, eyes, shoes, each a mesh of its own.

Bodies are those of `bodies`; what they wear was modelled by people for MakeHuman's base mesh (see
`makehuman`), and takes its skin weights from where it is bound to the body, and its parts from
these. All that belongs to a head is head.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
from scipy import sparse

from diffusionnet_blender.surface.loose_parts import label_mesh_parts

from .bodies import bone_moves, rest_shape, skinned
from .makehuman import Piece, read_piece, triangles
from .meshes import EYES, SKIN
from .parts import FINE_NAMES, PART_NAMES, PART_OF_FINE
from .poses import Pose
from .template import load_template, parts_of_weights

HEAD = FINE_NAMES.index("head")
LEGS = [i for i, name in enumerate(PART_NAMES) if name.split(".")[0] in ("thigh", "shin", "foot")]
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
HELD_OUT = frozenset(
    (
        *("female_casualsuit02", "male_elegantsuit01", "male_worksuit01"),
        *("short04", "bob02", "ponytail01"),
        *("shoes01", "shoes04"),
        "fedora_cocked",
    )
)
"""Pieces to measure on, which no model is trained on.

Of suits, hair, shoes and hats, women's and men's, short and long. Suits often share a mesh (four
pairs of trousers are one, two others as well) and shoes come in three shapes under six names: each
of these suits has no mesh in common with any other, and these shoes are all that have their shape.
The two hats are one, worn straight and aslant."""


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


@dataclass(frozen=True, eq=False)
class Bound:
    """A piece with its skin weights (V, B), and the fine part (V,) of each vertex."""

    piece: Piece
    weights: sparse.csr_matrix
    fine: np.ndarray

    def fitted(self, rest: np.ndarray) -> np.ndarray:
        """Its vertices (V, 3) on a body of the template with helpers, (N, 3)."""
        # The base mesh has y up.
        base = DECIMETRES * rest[:, [0, 2, 1]] * [1, 1, -1]
        return self.piece.fitted(base)[:, [0, 2, 1]] * [1, -1, 1] / DECIMETRES


@cache
def bound_piece(name: str, path: Path) -> Bound:
    """Read a piece that is worn as `name`, see `WORN`, once in a process."""
    template = load_template(helpers=True)
    piece = read_piece(path)
    weights = sparse.csr_matrix(piece.weights(template.weights.toarray()))
    fine = parts_of_weights(weights, template.fine_of_bone)[1]
    # Whatever it hangs over.
    if name not in ("Suit", "Shoes"):
        fine = np.full_like(fine, HEAD)
    return Bound(piece, weights, fine)


def pieces_of(name: str, folder: Path, held_out: bool | None = None) -> list[Path]:
    """Files of the pieces that can be worn as `name`, in order.

    Parameters
    ----------
    held_out : only those of `HELD_OUT`, or only others; by default all. Of what is none held out,
        such as teeth, always all.

    Raises
    ------
    FileNotFoundError
        There are none in the folder.
    """
    kind, pattern = WORN[name]
    found = sorted(folder.glob(f"{kind}/*/{pattern}.mhclo"))
    if not found:
        raise FileNotFoundError(f"{folder} has no {kind}/*/{pattern}.mhclo of MakeHuman's assets")
    if held_out is None or not any(path.stem in HELD_OUT for path in found):
        return found
    return [path for path in found if (path.stem in HELD_OUT) == held_out]


def dress_body(
    phenotype: dict[str, float],
    local_changes: dict[str, float],
    outfit: Outfit,
    folder: Path,
) -> Dressed:
    """Dress a body, see `bodies.build_body`, in pieces of a folder of MakeHuman's assets."""
    template = load_template(helpers=True)
    rest, heads = rest_shape(phenotype, local_changes, helpers=True)
    pieces = {name: bound_piece(name, folder / path) for name, path in outfit.worn.items()}
    hidden = np.zeros(len(rest), bool)
    if outfit.hides_body:
        for bound in pieces.values():
            hidden[bound.piece.hidden] = True
    whole = Member("", rest, template.quads.tolist(), template.weights, template.labels)
    component = template.component[template.quads[:, 0]]
    bare = (component == SKIN) & ~hidden[template.quads].any(axis=1)
    members = [whole.only("Body", bare), whole.only("Eyes", np.isin(component, EYES))]
    for name, bound in pieces.items():
        members += _worn(name, bound, rest, outfit.in_halves)
    if outfit.in_halves:
        members = [half for member in members for half in _halves(member)]
    return Dressed(members, heads)


def _worn(name: str, bound: Bound, rest: np.ndarray, in_halves: bool) -> list[Member]:
    labels = PART_OF_FINE[bound.fine]
    member = Member(name, bound.fitted(rest), bound.piece.polygons, bound.weights, labels)
    return _garments(member) if name == "Suit" and in_halves else [member]


def _garments(suit: Member) -> list[Member]:
    """Loose parts of a suit, each by itself."""
    garment = loose_garments(len(suit.vertices), triangles(suit.polygons))
    worn_as = garment[[polygon[0] for polygon in suit.polygons]]
    garments = []
    for part in np.unique(worn_as):
        on_legs = np.isin(suit.labels[garment == part], LEGS).mean() > 0.5
        garments.append(suit.only("Trousers" if on_legs else "Shirt", worn_as == part))
    return garments


def loose_garments(count: int, faces: np.ndarray) -> np.ndarray:
    """The garment of each vertex of a suit, (count,) int; buttons stay on the largest."""
    loose = label_mesh_parts(count, faces)
    sizes = np.bincount(loose)
    return np.where(sizes < SMALLEST_GARMENT, sizes.argmax(), np.arange(len(sizes)))[loose]


def _halves(member: Member) -> list[Member]:
    if member.name not in ("Eyes", "Shoes"):
        return [member]
    left = np.array([member.vertices[polygon, 0].mean() > 0 for polygon in member.polygons])
    stem = member.name.removesuffix("s")
    return [member.only(f"{stem}.L", left), member.only(f"{stem}.R", ~left)]


def sample_outfit(
    rng: np.random.Generator, folder: Path, woman: bool, held_out: bool | None = None
) -> Outfit:
    """Clothes for a man or a woman, and all that heads have; one in eight barefoot, in a hat.

    See `pieces_of` for `held_out`.
    """
    worn = {}
    for name in WORN:
        if name in ("Shoes", "Hair") and rng.uniform() < 1 / 8:
            continue
        if name == "Hat" and rng.uniform() > 1 / 8:
            continue
        found = pieces_of(name, folder, held_out)
        if name == "Suit":
            sex = "female" if woman else "male"
            found = [path for path in found if path.stem.startswith(sex)]
        worn[name] = str(found[rng.integers(len(found))].relative_to(folder))
    return Outfit(worn, bool(rng.uniform() < 0.5), bool(rng.uniform() < 0.5))
