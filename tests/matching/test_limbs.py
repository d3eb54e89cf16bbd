"""Two figures of any build and pose are laid on one another limb by limb."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
from scipy.spatial import cKDTree

from diffusionnet_blender.matching.limbs.joints import joints_of, rings_of
from diffusionnet_blender.matching.limbs.links import PARTS
from diffusionnet_blender.matching.limbs.nearest import (
    nearest_maps,
    part_agreement,
    settled_map,
    with_lost_limbs,
)
from diffusionnet_blender.matching.limbs.parted import parted_mesh
from diffusionnet_blender.matching.limbs.posing import in_limbs_of
from diffusionnet_blender.matching.points import points_at_vertices
from diffusionnet_blender.matching.sampling import farthest_points
from diffusionnet_blender.matching.spectral import SpectralMesh
from diffusionnet_blender.matching.unmatched import unmatched
from diffusionnet_blender.surface.outer_skin import make_skin
from diffusionnet_blender.surface.repair import repair
from diffusionnet_blender.surface.surface import Surface
from diffusionnet_blender.tasks.fine_parts import coarse_part, within_known
from diffusionnet_blender.tasks.match.limbs import (
    Posed,
    contradicts,
    keeps_parts,
    limb_confidence,
)
from diffusionnet_blender.tasks.sides import other_side
from tests.shapes import icosphere, joined

UPRIGHT = np.eye(3)
ARM = ("upper_arm", "forearm", "palm", "fingers")
BRIM, CROWN = "brim", "crown"


@dataclass(frozen=True)
class Build:
    """Proportions and pose of a jointed doll, metres and degrees."""

    head: float = 0.12
    arm: float = 0.28
    leg: float = 0.42
    girth: float = 0.05
    raised: float = 0.0
    bent: float = 0.0


TALL = Build()
CHIBI = Build(head=0.35, arm=0.16, leg=0.16, girth=0.06)
BENT = Build(raised=-55.0, bent=70.0)


def capsule(start, end, radius):
    """An ellipsoid around a segment."""
    vertices, faces = icosphere(3)
    along = np.subtract(end, start)
    length = np.linalg.norm(along)
    axis = along / length
    scale = radius * np.eye(3) + (0.5 * length + 0.5 * radius - radius) * np.outer(axis, axis)
    return vertices @ scale + np.add(start, end) / 2, faces


def doll(build):
    """A doll of capsules: their ends, by the joints between, and the part of each."""
    down, girth = np.array([0.0, 0.0, -1.0]), build.girth
    up, top = np.array([0.0, 0.0, build.head]), 2 * build.leg + 0.1
    spine = {name: np.array([0, 0, top + z]) for name, z in (
        ("hips", 0.0), ("waist", 0.14), ("chest", 0.26), ("neck", 0.44), ("head", 0.5),
    )}  # fmt: skip
    pieces = {
        "pelvis": (spine["hips"], spine["waist"], 2.2 * girth),
        "abdomen": (spine["waist"], spine["chest"], 2.0 * girth),
        "chest": (spine["chest"], spine["neck"], 2.4 * girth),
        "neck": (spine["neck"], spine["head"], girth),
        "head": (spine["head"] + 0.5 * up, spine["head"] + 1.5 * up, build.head),
    }
    joints = dict(spine)
    turn, bend = np.radians(build.raised), np.radians(build.bent)
    for side, sign in (("L", 1.0), ("R", -1.0)):
        outward = np.array([sign * np.cos(turn), 0, np.sin(turn)])
        forward = np.cos(bend) * outward + np.sin(bend) * np.array([0, -1.0, 0])
        shoulder = np.array([sign * 2.6 * girth, 0, top + 0.38])
        elbow = shoulder + build.arm * outward
        wrist = elbow + build.arm * forward
        hip = np.array([sign * 1.6 * girth, 0, top - 0.04])
        knee, ankle = hip + build.leg * down, hip + 2 * build.leg * down
        palm, toes = wrist + 0.07 * forward, ankle + [0, -0.1, -0.02]
        pieces |= {
            f"shoulder.{side}": ([sign * girth, 0, top + 0.38], shoulder, girth),
            f"upper_arm.{side}": (shoulder, elbow, 0.9 * girth),
            f"forearm.{side}": (elbow, wrist, 0.8 * girth),
            f"palm.{side}": (wrist, palm, 0.9 * girth),
            f"fingers.{side}": (palm, palm + 0.06 * forward, 0.6 * girth),
            f"thigh.{side}": (hip, knee, 1.2 * girth),
            f"shin.{side}": (knee, ankle, girth),
            f"foot.{side}": (ankle, toes, girth),
            f"toes.{side}": (toes, toes + [0, -0.06, 0], 0.7 * girth),
        }
        joints |= {f"{name}.{side}": place for name, place in (
            ("shoulder", shoulder), ("elbow", elbow), ("wrist", wrist), ("knee", knee),
            ("ankle", ankle),
        )}  # fmt: skip
    return pieces, joints


def figure(build, without=(), frame=UPRIGHT, hat=False):
    """The outer skin of a doll as a parted mesh, and its true joints at the scale of that."""
    pieces, joints = doll(build)
    pieces = {name: piece for name, piece in pieces.items() if name not in without}
    if hat:
        # From the forehead up.
        brim = joints["head"] + [0, 0, 2.1 * build.head]
        pieces[BRIM] = (brim, brim + [0, 0, 0.01], 1.5 * build.head)
        pieces[CROWN] = (brim, brim + [0, 0, 2 * build.head], build.head)
    meshes = {name: capsule(*piece) for name, piece in pieces.items()}
    vertices, faces = joined(*meshes.values())
    worn = [BRIM, CROWN]
    part = np.repeat(
        [PARTS.index("head" if name in worn else name) for name in meshes],
        [len(mesh[0]) for mesh in meshes.values()],
    )
    accessory = np.repeat(
        [float(name in worn) for name in meshes], [len(mesh[0]) for mesh in meshes.values()]
    )
    skin = repair(make_skin(Surface(vertices, faces), 70).surface).surface
    # The capsule that a place lies on is that of its nearest vertex.
    near = cKDTree(vertices).query(skin.vertices)[1]
    mesh = parted_mesh(
        skin.vertices @ np.asarray(frame),
        skin.faces,
        np.eye(len(PARTS))[part[near]],
        PARTS,
        frame,
        accessory=accessory[near],
    )
    scale = mesh.height / np.ptp(skin.vertices[:, 2])
    return mesh, {name: scale * place for name, place in joints.items()}


@pytest.fixture(scope="module")
def tall():
    return figure(TALL)


@pytest.mark.parametrize("build", [TALL, CHIBI, BENT], ids=["tall", "chibi", "bent"])
def test_joints_lie_where_the_limbs_meet(build):
    mesh, true = figure(build)
    found = joints_of(mesh)
    assert set(true) <= set(found)
    away = {name: np.linalg.norm(found[name] - place) for name, place in true.items()}
    assert max(away.values()) < 0.06 * mesh.height, away


def test_the_skin_around_a_joint_tells_where_it_is(tall):
    mesh, _ = tall
    joints, rings = joints_of(mesh), rings_of(mesh)
    assert len(rings) == 12
    for name, (vertices, weights) in rings.items():
        np.testing.assert_allclose(weights @ mesh.vertices[vertices], joints[name], atol=1e-12)


def test_a_frame_brings_a_figure_upright(tall):
    # It lies on its back, its head towards +y.
    lying, _ = figure(TALL, frame=np.array([[1.0, 0, 0], [0, 0, -1.0], [0, 1.0, 0]]))
    np.testing.assert_allclose(lying.vertices, tall[0].vertices, atol=1e-9)


@pytest.mark.parametrize("build", [CHIBI, BENT], ids=["chibi", "bent"])
def test_a_figure_takes_the_limbs_of_another(tall, build):
    source, _ = tall
    target, _ = figure(build)
    posed = in_limbs_of(source, target)
    wanted, found = joints_of(source), joints_of(posed)
    away = {name: np.linalg.norm(found[name] - place) for name, place in wanted.items()}
    assert max(away.values()) < 0.05 * source.height, away
    far = cKDTree(source.vertices).query(posed.vertices)[0]
    assert np.quantile(far, 0.95) < 0.06 * source.height


@pytest.mark.parametrize("build", [CHIBI, BENT], ids=["chibi", "bent"])
def test_a_part_goes_to_the_same_part_on_the_same_side(tall, build):
    source, _ = tall
    target, _ = figure(build)
    points, back = nearest_maps(source, in_limbs_of(source, target))
    for one, other, found in ((source, target, points), (target, source, back)):
        image = one.parts.argmax(axis=1)[found.nearest_vertex(one.faces)]
        right = image == other.parts.argmax(axis=1)
        assert other.mass @ right > 0.93
    assert target.mass @ part_agreement(source, target, points) > 0.95


def test_on_the_source_a_place_goes_to_what_faces_alike(tall):
    mesh, _ = tall
    # A second skin inside, which faces inward, as the inside of a mouth does.
    both = parted_mesh(
        np.concatenate([mesh.vertices, 0.98 * mesh.vertices + [0, 0, 0.01]]),
        np.concatenate([mesh.faces, mesh.faces[:, ::-1] + len(mesh.vertices)]),
        np.concatenate([mesh.parts, mesh.parts]),
        PARTS,
        UPRIGHT,
    )
    outside, inside = np.split(np.arange(len(both.vertices)), 2)
    # The target lies halfway between.
    middle = (both.vertices[outside] + both.vertices[inside]) / 2
    scaled = replace(mesh, vertices=mesh.vertices * both.height / mesh.height)
    points = settled_map(both, scaled.moved_to(middle))
    assert np.isin(points.nearest_vertex(both.faces), outside).mean() > 0.97


def test_a_figure_without_an_arm_is_laid_on_a_whole_one(tall):
    source, _ = tall
    target, _ = figure(TALL, without=[f"{name}.L" for name in ARM])
    posed = in_limbs_of(source, target)
    far = cKDTree(source.vertices).query(posed.vertices)[0]
    assert np.quantile(far, 0.9) < 0.05 * source.height
    points, _ = nearest_maps(source, posed)
    image = source.parts.argmax(axis=1)[points.nearest_vertex(source.faces)]
    assert target.mass @ (image == target.parts.argmax(axis=1)) > 0.9


def test_a_hand_that_went_to_a_thigh_comes_to_the_hand_and_the_rest_stays(tall):
    source, _ = tall
    target, _ = figure(BENT)
    points, _ = nearest_maps(source, in_limbs_of(source, target))
    hand, thigh = (
        np.flatnonzero(mesh.part(names) > 0.8)
        for mesh, names in ((target, ["palm.L", "fingers.L"]), (source, ["thigh.L"]))
    )
    wrong = points.replaced(hand, points_at_vertices(np.resize(thigh, len(hand)), source.faces))
    pinned = hand[:1]
    found = with_lost_limbs(wrong, source, target, pinned)
    nearest = found.nearest_vertex(source.faces)
    assert np.mean(source.part(["palm.L", "fingers.L"])[nearest[hand]] > 0.5) > 0.9
    rest = np.setdiff1d(np.arange(len(nearest)), hand)
    changed = found.face[rest] != wrong.face[rest]
    assert target.mass[rest] @ changed < 0.02
    assert nearest[pinned] == wrong.nearest_vertex(source.faces)[pinned]


def test_arms_that_a_map_exchanges_stay_exchanged_where_limbs_are_lost(tall):
    source, _ = tall
    target, _ = figure(BENT)
    exchanged = [PARTS.index(other_side(name) if name.startswith(ARM) else name) for name in PARTS]
    swapped = replace(target, parts=target.parts[:, exchanged])
    points, _ = nearest_maps(source, in_limbs_of(source, target))
    found = with_lost_limbs(points, source, swapped, np.zeros(0, int))
    assert np.mean(found.face != points.face) < 0.02


def test_a_figure_that_faces_away_keeps_its_own_sides(tall):
    source, _ = tall
    target, _ = figure(replace(BENT, raised=-20.0))
    turned = np.diag([-1.0, -1.0, 1.0])
    behind, _ = figure(replace(BENT, raised=-20.0), frame=turned)
    one, other = (nearest_maps(source, in_limbs_of(source, mesh))[0] for mesh in (target, behind))
    np.testing.assert_array_equal(one.face, other.face)


def spectral(mesh):
    """For functions that use neither eigenvalues nor eigenvectors."""
    constant = np.zeros(1), np.ones((len(mesh.mass), 1))
    return SpectralMesh(mesh.vertices, mesh.faces, mesh.mass, *constant)


def test_maps_that_exchange_the_arms_do_not_keep_the_parts(tall):
    source, _ = tall
    target, _ = figure(BENT)
    exchanged = [PARTS.index(other_side(name) if name.startswith(ARM) else name) for name in PARTS]
    for order, kept in ((range(len(PARTS)), True), (exchanged, False)):
        seen = replace(target, parts=target.parts[:, order], blend=target.blend[:, order])
        moved = in_limbs_of(source, seen)
        maps = nearest_maps(source, moved)
        meshes = spectral(source), spectral(moved)
        both = Posed(source, replace(moved, parts=target.parts), 1.0, meshes)
        assert keeps_parts(both, maps) == kept


def test_a_hat_does_not_press_the_face_down(tall):
    (source, own), (target, other) = tall, figure(TALL, hat=True)
    ratio = np.linalg.norm(own["head"] - own["hips"]) / np.linalg.norm(
        other["head"] - other["hips"]
    )
    true = own["head"] + ratio * (target.vertices - other["head"])
    face = (target.part(["head"]) > 0.5) & (target.accessory < 0.5)
    away = {
        known: np.linalg.norm(in_limbs_of(source, seen).vertices - true, axis=1)[face].mean()
        for known, seen in (
            (True, target),
            (False, replace(target, accessory=np.zeros(len(face)))),
        )
    }
    assert away[True] < 0.02 * source.height
    assert away[True] < 0.5 * away[False]


def test_a_hat_that_the_source_has_not_has_no_confidence(tall):
    (source, _), (target, _) = tall, figure(TALL, hat=True)
    moved = in_limbs_of(source, target)
    both = Posed(source, moved, 1.0, (spectral(source), spectral(moved)))
    found = limb_confidence(both, nearest_maps(source, moved))
    hat = target.accessory > 0.9
    assert found[hat].max() < 0.01
    assert np.median(found[~hat]) > 0.7
    # Both have one.
    itself = Posed(target, target, 1.0, (spectral(target), spectral(target)))
    assert np.median(limb_confidence(itself, nearest_maps(target, target))[hat]) > 0.9


def test_regions_without_confidence_are_unmatched_and_single_vertices_are_not(tall):
    mesh = tall[0]
    surface = Surface(mesh.vertices, mesh.faces)
    sure, hand = np.ones(len(mesh.vertices)), mesh.part(["palm.L", "fingers.L"]) > 0.9
    found = unmatched(surface, np.where(hand, 0.0, sure))
    assert found[hand].mean() > 0.8
    assert not found[mesh.part(["forearm.R", "head", "foot.L"]) > 0.5].any()
    scattered = np.where(np.arange(len(sure)) % 20 == 0, 0.0, sure)
    assert not unmatched(surface, scattered).any()
    # Where hardly anything is sure, the rest tells nothing; what is known stays.
    assert not unmatched(surface, np.where(hand, 1.0, 0.0)).any()
    np.testing.assert_array_equal(unmatched(surface, np.where(hand, 1.0, 0.0), hand), hand)


@pytest.mark.parametrize(
    ("count", "shifted", "expected"), [(3, True, True), (2, True, False), (3, False, False)]
)
def test_three_pins_far_from_a_map_contradict_it(tall, count, shifted, expected):
    mesh = spectral(tall[0])
    chosen = farthest_points(mesh.vertices, 6)
    on_source = np.roll(chosen, 3)[:count] if shifted else chosen[:count]
    points = points_at_vertices(np.arange(len(mesh.vertices)), mesh.faces)
    assert contradicts(mesh, points, (on_source, chosen[:count])) == expected
    assert not contradicts(mesh, points, None)


def test_known_coarse_parts_are_kept_and_divided_by_the_network():
    fine, coarse = ("head", "neck", "palm.L", "fingers.L"), ("head", "hand.L")
    found = np.array([[0.1, 0.3, 0.4, 0.2], [0.25, 0.25, 0.25, 0.25], [0.0, 0.0, 1.0, 0.0]])
    known = np.array([[1.0, 0.0], [0.0, 0.0], [0.5, 0.5]])
    kept = within_known(found, fine, known, coarse)
    member = np.array([[name == coarse_part(f) for name in coarse] for f in fine], float)
    np.testing.assert_allclose((kept @ member)[[0, 2]], known[[0, 2]], atol=1e-6)
    np.testing.assert_allclose(kept[1], found[1])
    np.testing.assert_allclose(kept[0, 1] / kept[0, 0], 3, rtol=1e-3)
