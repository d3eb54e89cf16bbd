"""Gaps that close in shape keys, as of lips and lids, close on the target, too."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from ...surface.edges import unique_edges
from ...surface.factorisation import Factorisation
from ..contacts import Contacts
from ..patches import Mesh, Patch

# A correction fades within this distance, in units of the size; weight of its size against a gap.
FADING, LEAST = 0.12, 1e-3


@dataclass(frozen=True, eq=False)
class Closing:
    """The gaps that the contacts of a key are to have on the target.

    Attributes
    ----------
    contacts : Contacts
    wanted : (N, 3) float64
    along : (N, 3) float64
        Directions of unit length in which a gap counts.
    """

    contacts: Contacts
    wanted: np.ndarray
    along: np.ndarray

    def lacking(self, key: np.ndarray, faces: np.ndarray) -> np.ndarray:
        """What gaps of a key (V, 3) of the target lack, signed, (N,)."""
        off = self.wanted - self.contacts.gaps(key, faces)
        return np.einsum("ni,ni->n", off, self.along)


def closing(
    contacts: Contacts,
    patch: Patch,
    reach: float,
    source: np.ndarray,
    key: np.ndarray,
    target: Mesh,
) -> Closing:
    """What closes on the source closes on the target by the same share.

    So lids meet on larger eyes, and lips that touch at rest keep the gap that they have.

    Parameters
    ----------
    contacts : Contacts
    patch : Patch
    reach : float
        See `ContactFinder`.
    source, key : (V_s, 3) float
        Vertices at rest and in the key.
    target : (vertices, faces)
        At rest.
    """
    before, after = (x[contacts.pairs[:, 0]] - x[contacts.pairs[:, 1]] for x in (source, key))
    turn, scale = patch.to_source.rotation, 1.0 / patch.to_source.scale
    rest, gap = (scale * x @ turn for x in (before, after))
    own = contacts.gaps(*target)
    unlike = own - rest
    length = np.linalg.norm(own, axis=1, keepdims=True)
    along = own / np.maximum(length, np.finfo(float).tiny)
    lengths = [np.linalg.norm(x, axis=1) for x in (after, before)]
    # Of what touches at rest, and what is as near, the share is noise.
    share = np.clip(lengths[0] / np.maximum(lengths[1], reach), 0.0, 1.0)
    share = np.where(lengths[1] < 2 * reach, 1.0, share)
    excess = np.einsum("ni,ni->n", unlike, along)
    wanted = gap + unlike - ((1.0 - share) * excess)[:, None] * along
    return Closing(contacts, wanted, along)


class Correction:
    """Smooth corrections of a target's vertices by which gaps are as wanted.

    Parameters
    ----------
    target : (vertices, faces)
    patch : Patch
    """

    def __init__(self, target: Mesh, patch: Patch):
        self._faces, self._patch = target[1], patch
        own = np.zeros(len(target[0]), bool)
        own[patch.target] = True
        edges, _ = unique_edges(target[1])
        edges = edges[own[edges].all(axis=1)]
        self._number = np.full(len(target[0]), -1)
        self._number[patch.target] = np.arange(len(patch.target))
        tail, head = self._number[edges].T
        count = len(patch.target)
        rows = np.arange(len(edges))
        step = sparse.csr_matrix((np.ones(len(edges)), (rows, tail)), (len(edges), count))
        step -= sparse.csr_matrix((np.ones(len(edges)), (rows, head)), (len(edges), count))
        ends = target[0][edges]
        edge = np.median(np.linalg.norm(ends[:, 0] - ends[:, 1], axis=1)) if len(edges) else 1.0
        fading = FADING * patch.size / patch.to_source.scale
        stiffness = LEAST * (fading / max(edge, np.finfo(float).tiny)) ** 2
        self._smooth = stiffness * (step.T @ step) + LEAST * sparse.identity(count)

    def __call__(self, key: np.ndarray, closing: Closing) -> np.ndarray:
        """The key (V, 3) of the target after the correction."""
        contacts = closing.contacts
        wanted = closing.lacking(key, self._faces)[:, None] * closing.along
        count = len(self._patch.target)
        rows = np.repeat(np.arange(len(wanted)), 3)
        gap = sparse.csr_matrix((len(wanted), count))
        for sign, points in ((1.0, contacts.one), (-1.0, contacts.other)):
            columns = self._number[self._faces[points.face]].ravel()
            shares = sign * points.barycentric.ravel()
            gap = gap + sparse.csr_matrix((shares, (rows, columns)), (len(wanted), count))
        factor = Factorisation((gap.T @ gap + self._smooth).tocsc(), definite=True)
        moved = np.array(key)
        moved[self._patch.target] += factor.solve(gap.T @ wanted)
        return moved
