"""What is moved along a known map arrives where it belongs."""

import numpy as np
import pytest

from diffusionnet_blender.errors import DiffusionNetError
from diffusionnet_blender.matching.closest import ClosestPoints
from diffusionnet_blender.matching.points import SurfacePoints
from diffusionnet_blender.matching.transfer.attributes import (
    face_labels_by_majority,
    transfer_corner_values,
    transfer_labels,
    transfer_values,
)
from diffusionnet_blender.matching.transfer.corners import MapInside
from diffusionnet_blender.matching.transfer.shape_keys import deformation_transfer, rotated_offsets
from diffusionnet_blender.matching.transfer.texture import (
    dilate,
    frame_turns,
    paint,
    rasterise,
    rasterise_all,
    sample,
    transfer_map,
    turned_normals,
)
from diffusionnet_blender.matching.transfer.tiles import (
    collapsed,
    covered,
    is_one_to_one,
    udim_tiles,
)
from diffusionnet_blender.matching.transfer.uv import copy_uv
from diffusionnet_blender.matching.transfer.weights import (
    inpaint,
    normals_agree,
    transfer_weights,
)
from diffusionnet_blender.surface.surface import triangle_areas
from tests.shapes import grid, icosphere, random_rotation


def unwrapped(vertices, faces):
    """A latitude and longitude layout: one island, cut along the half plane of negative x."""
    direction = vertices / np.linalg.norm(vertices, axis=1, keepdims=True)
    longitude = np.arctan2(direction[:, 1], direction[:, 0]) / (2 * np.pi)
    corner = longitude[faces]
    # All corners on the side of the middle: near the cut a triangle runs on beyond it.
    middle = direction[faces].sum(axis=1)
    centre = np.arctan2(middle[:, 1], middle[:, 0]) / (2 * np.pi)
    corner = corner - np.round(corner - centre[:, None])
    u = 0.5 + 0.9 * corner
    v = 0.5 + 0.9 * np.arcsin(np.clip(direction[:, 2], -1, 1))[faces] / np.pi
    return np.stack([u, v], axis=2)


def direction_of(uv):
    longitude, latitude = (uv[..., 0] - 0.5) / 0.9 * 2 * np.pi, (uv[..., 1] - 0.5) / 0.9 * np.pi
    return np.stack(
        [np.cos(latitude) * np.cos(longitude), np.cos(latitude) * np.sin(longitude),
         np.sin(latitude)], axis=-1,
    )  # fmt: skip


def painted(height, width):
    """A smooth function of the direction, painted into the layout of `unwrapped`."""
    v, u = np.meshgrid((np.arange(height) + 0.5) / height, (np.arange(width) + 0.5) / width,
                       indexing="ij")  # fmt: skip
    return colour_of(direction_of(np.stack([u, v], axis=-1))).astype(np.float32)


def colour_of(direction):
    x, y, z = np.moveaxis(direction, -1, 0)
    return np.stack([0.5 + 0.4 * np.sin(3 * x + y), 0.5 + 0.4 * y * z, 0.5 + 0.4 * z], axis=-1)


class Spheres:
    """A sphere, and another mesh of it that stands turned; the true map between them."""

    def __init__(self):
        self.source = icosphere(4)
        turn = random_rotation(8)
        directions, faces = icosphere(3)
        self.directions = directions @ random_rotation(9).T
        self.target = self.directions @ turn.T, faces
        self.turn = turn
        self.points, _ = ClosestPoints(*self.source)(self.directions)
        self.inside = MapInside(self.points, *self.source, *self.target)


@pytest.fixture(scope="module")
def spheres():
    return Spheres()


def test_a_texel_belongs_to_the_triangle_over_its_middle():
    uv = np.array([[[0, 0], [1, 0], [1, 1]], [[0, 0], [1, 1], [0, 1]]], float)
    texels = rasterise(uv, 40, 60)
    assert len(texels.row) == 40 * 60
    corners = np.einsum("nc,nci->ni", texels.points.barycentric, uv[texels.points.face])
    middle = np.stack([(texels.column + 0.5) / 60, (texels.row + 0.5) / 40], axis=1)
    np.testing.assert_allclose(corners, middle, atol=1e-6)


def test_layouts_outside_the_image_are_cut_off():
    texels = rasterise(np.array([[[-3.0, -3], [4, -3], [0.5, 9]]]), 16, 16)
    assert len(texels.row) == 256
    assert not len(rasterise(np.array([[[2.0, 2], [3, 2], [2, 3]]]), 16, 16).row)


def test_a_texel_under_two_triangles_is_told_again():
    square = np.array([[[0, 0], [1, 0], [1, 1]], [[0, 0], [1, 1], [0, 1]]], float)
    texels, hidden = rasterise_all(np.concatenate([square, square]), 30, 20)
    assert len(texels.row) == 600
    assert set(hidden.points.face[hidden.points.face > 1]) == {2, 3}
    assert np.sum(hidden.points.face > 1) >= 600


def test_layouts_over_several_unit_squares():
    square = np.array([[[0, 0], [1, 0], [1, 1]], [[0, 0], [1, 1], [0, 1]]], float)
    half = square * [0.5, 1]
    across = half + [0.75, 0]
    assert udim_tiles(half, 32, 32) == ()
    assert udim_tiles(across, 32, 32) == ()
    texels, hidden = covered(across, 32, 32)
    assert sorted(set(texels.column)) == [*range(8), *range(24, 32)]
    assert len(texels.row) == 16 * 32
    apart = np.concatenate([square, square + [2, 1]])
    assert udim_tiles(apart, 32, 32) == (1001, 1013)
    for tile, faces in ((1001, {0, 1}), (1013, {2, 3})):
        assert set(covered(apart, 32, 32, tile)[0].points.face) == faces
    # Squares that UDIM has no numbers for are one image.
    assert udim_tiles(np.concatenate([square, square - [1, 0]]), 32, 32) == ()
    assert udim_tiles(np.concatenate([square, square + [10, 0]]), 32, 32) == ()


def test_triangles_without_room_are_those_with_less_than_their_share():
    vertices, faces = grid(40)
    area = triangle_areas(vertices, faces)
    even = vertices[faces][..., :2]
    even = (even - even.min(axis=(0, 1))) / np.ptp(even, axis=(0, 1))
    # Triangles of a dense mesh may cover no texel of a small image.
    assert len(np.unique(rasterise(even, 16, 16).points.face)) < len(faces)
    assert not collapsed(even, area).any()
    assert is_one_to_one(even, area, 16, 16)
    # A hundredth of the length on a tenth of the surface, and a point.
    for scale in (0.01, 0.0):
        uv = even.copy()
        few = np.arange(len(uv)) < len(uv) // 10
        uv[few] = scale * uv[few]
        np.testing.assert_array_equal(collapsed(uv, area), few)
        assert not is_one_to_one(uv, area, 16, 16)
    # Triangles without area need no room.
    assert not collapsed(np.zeros_like(even), np.zeros_like(area)).any()
    assert collapsed(np.zeros_like(even), area).all()


@pytest.mark.parametrize("uv", [[[0, 0], [1, np.nan], [1, 1]], [[0, 0], [2000, 0], [0, 2000]]])
def test_a_layout_that_no_image_holds_is_refused(uv):
    with pytest.raises(DiffusionNetError, match="1 faces of the target's UV map"):
        covered(np.array([uv], float), 32, 32)


@pytest.mark.parametrize("closest", [False, True])
@pytest.mark.parametrize("extension", ["REPEAT", "EXTEND", "CLIP", "MIRROR"])
def test_what_is_outside_an_image(extension, closest):
    image = np.random.default_rng(1).random((4, 6, 2))
    padded = {
        "REPEAT": np.tile(image, (3, 3, 1)),
        "EXTEND": np.pad(image, ((4, 4), (6, 6), (0, 0)), mode="edge"),
        "CLIP": np.pad(image, ((4, 4), (6, 6), (0, 0))),
        "MIRROR": np.pad(image, ((4, 4), (6, 6), (0, 0)), mode="symmetric"),
    }[extension]
    uv = np.random.default_rng(2).uniform(-0.8, 1.8, (200, 2))
    np.testing.assert_allclose(
        sample(image, uv, extension, closest), sample(padded, (uv + 1) / 3, "EXTEND", closest)
    )


def test_bilinear_sampling_is_exact_on_a_slope():
    v, u = np.meshgrid((np.arange(8) + 0.5) / 8, (np.arange(16) + 0.5) / 16, indexing="ij")
    image = np.stack([u, 2 * v], axis=2)
    uv = np.random.default_rng(0).uniform(0.1, 0.9, (50, 2))
    np.testing.assert_allclose(sample(image, uv), uv * [1, 2], atol=1e-12)


def test_a_baked_texture_shows_the_same_colour_at_the_same_place(spheres):
    source_uv, target_uv = unwrapped(*spheres.source), unwrapped(*spheres.target)
    texels = rasterise(target_uv, 256, 512)
    lookup = transfer_map(spheres.inside, texels)
    baked = paint(texels, sample(painted(512, 1024), lookup.source_uv(source_uv)))
    flat = texels.points.interpolate(spheres.directions, spheres.target[1])
    flat /= np.linalg.norm(flat, axis=1, keepdims=True)
    error = np.abs(baked[texels.row, texels.column] - colour_of(flat))
    assert error.mean() < 0.002
    # No seam smears: not one texel reads across the cut. (At the poles the layout itself does.)
    assert error[np.abs(flat[:, 2]) < 0.95].max() < 0.05


def test_islands_grow_by_the_dilation_and_no_more(spheres):
    texels = rasterise(0.2 + 0.5 * unwrapped(*spheres.target), 128, 128)
    image = paint(texels, np.ones((len(texels.row), 4)))
    covered = [dilate(image, texels, distance)[..., 3].sum() for distance in (0, 3, 6)]
    assert covered[0] == len(texels.row) < covered[1] < covered[2] < 128 * 128


def world_normals(mesh, uv, points, tangent_normals):
    """Normals in space that a normal map stands for, by the frames of each triangle."""
    vertices, faces = mesh
    edge_b, edge_c = (vertices[faces[:, i]] - vertices[faces[:, 0]] for i in (1, 2))
    normal = np.cross(edge_b, edge_c)
    normal /= np.linalg.norm(normal, axis=1, keepdims=True)
    b, c = uv[:, 1] - uv[:, 0], uv[:, 2] - uv[:, 0]
    tangent = (c[:, 1:] * edge_b - b[:, 1:] * edge_c) / (b[:, :1] * c[:, 1:] - b[:, 1:] * c[:, :1])
    tangent /= np.linalg.norm(tangent, axis=1, keepdims=True)
    sign = np.sign(b[:, 0] * c[:, 1] - b[:, 1] * c[:, 0])
    across = sign[:, None] * np.cross(normal, tangent)
    frame = np.stack([tangent, across, normal], axis=1)[points.face]
    return np.einsum("ni,nid->nd", tangent_normals, frame)


@pytest.mark.parametrize("mirrored", [False, True])
def test_a_normal_map_stands_for_the_same_relief(spheres, mirrored):
    """Another layout, turned and even mirrored, and yet the bumps lean the same way."""
    source_uv, target_uv = unwrapped(*spheres.source), unwrapped(*spheres.target)
    target_uv = 0.5 + 0.6 * (target_uv - 0.5) @ np.array([[0.6, 0.8], [-0.8, 0.6]])
    if mirrored:
        target_uv = target_uv * [-1, 1] + [1, 0]
    texels = rasterise(target_uv, 128, 128)
    lookup = transfer_map(spheres.inside, texels)
    leaning = np.array([0.48, 0.36, 0.8])
    image = np.broadcast_to((0.5 + 0.5 * leaning).astype(np.float32), (16, 16, 3))
    turn = frame_turns(
        lookup, spheres.inside, (*spheres.source, source_uv), (*spheres.target, target_uv)
    )
    colours = sample(image, lookup.source_uv(source_uv))
    baked = paint(texels, turned_normals(colours, turn))
    found = 2 * baked[texels.row, texels.column] - 1
    here = world_normals(spheres.target, target_uv, texels.points, found)
    there = world_normals(
        spheres.source, source_uv, lookup.source_points, np.tile(leaning, (len(found), 1))
    )
    cosine = np.einsum("ni,ni->n", here, there @ spheres.turn.T)
    # Frames turn quickly around the poles, within one triangle.
    latitude = np.abs(texels.points.interpolate(spheres.directions, spheres.target[1])[:, 2])
    assert np.degrees(np.arccos(np.clip(cosine[latitude < 0.9], -1, 1))).mean() < 6


def test_a_copied_layout_reads_the_source_s_texture_at_the_same_place(spheres):
    copied = copy_uv(spheres.inside, spheres.source, unwrapped(*spheres.source), spheres.target)
    away = direction_of(copied.uv) - spheres.directions[spheres.target[1]]
    polar = np.abs(spheres.directions[spheres.target[1]][..., 2]).max(axis=1) > 0.95
    assert np.linalg.norm(away, axis=2)[~polar].max() < 0.05
    assert not copied.flipped[~polar].any()
    # The cut of the source, and nothing else, is cut again; no triangle spans the layout.
    extent = np.ptp(copied.uv[..., 0], axis=1)
    assert extent[~polar].max() < 0.2
    edges = spheres.directions[spheres.target[1]]
    at_cut = copied.seam.any(axis=1) & ~polar
    assert at_cut.any()
    middle = edges[at_cut].mean(axis=1)
    assert np.abs(middle[:, 1]).max() < 0.2
    assert middle[:, 0].max() < 0
    assert np.median(copied.stretch[~polar]) < 2


@pytest.mark.parametrize("size", [1e-6, 1e-3, 100.0])
def test_a_layout_of_any_size_is_cut_at_the_same_places(spheres, size):
    layout = unwrapped(*spheres.source)
    whole, small = (
        copy_uv(spheres.inside, spheres.source, scale * layout, spheres.target)
        for scale in (1.0, size)
    )
    np.testing.assert_array_equal(small.seam, whole.seam)
    np.testing.assert_allclose(small.uv / size, whole.uv, atol=1e-9)


def test_values_of_any_kind_arrive(spheres):
    vertices, faces = spheres.source
    floats = transfer_values(spheres.points, faces, colour_of(vertices).astype(np.float32))
    np.testing.assert_allclose(floats, colour_of(spheres.directions), atol=0.01)
    assert floats.dtype == np.float32
    corners = transfer_corner_values(spheres.points, colour_of(vertices)[faces])
    np.testing.assert_allclose(corners, floats, atol=1e-6)
    labels = transfer_labels(spheres.points, faces, (vertices[:, 2] > 0.3) * 7)
    clear = np.abs(spheres.directions[:, 2] - 0.3) > 0.1
    np.testing.assert_array_equal(labels[clear], ((spheres.directions[:, 2] > 0.3) * 7)[clear])


def test_face_labels_go_by_majority():
    points = SurfacePoints(np.array([0, 1, 1, 2, 2, 0]), np.tile([1.0, 0, 0], (6, 1)))
    labels = np.array([4, 9, 2])
    found = face_labels_by_majority(points, np.array([0, 0, 0, 1, 1, 1]), labels, 2)
    np.testing.assert_array_equal(found, [9, 2])


def bones(vertices):
    """Three smooth weights that add up to one."""
    pull = np.exp(-4 * np.square(vertices[:, 2:] - [-0.8, 0.0, 0.8]))
    return pull / pull.sum(axis=1, keepdims=True)


def test_weights_are_copied_where_the_map_is_trusted_and_run_on_elsewhere(spheres):
    faces, truth = spheres.source[1], bones(spheres.directions)
    everywhere = np.ones(len(truth), dtype=bool)
    source_weights = bones(spheres.source[0])
    copied = transfer_weights(spheres.points, faces, source_weights, spheres.target, everywhere)
    np.testing.assert_allclose(copied, truth, atol=0.01)
    # A patch where the map is lost: its points are all over the place.
    lost = spheres.directions @ [0.6, 0.8, 0.0] > 0.9
    astray = SurfacePoints(spheres.points.face.copy(), spheres.points.barycentric)
    astray.face[lost] = np.random.default_rng(0).integers(0, len(faces), lost.sum())
    mended = transfer_weights(astray, faces, source_weights, spheres.target, ~lost)
    np.testing.assert_allclose(mended.sum(axis=1), 1, atol=1e-9)
    assert np.abs(mended - truth)[lost].mean() < 0.05
    wrong = astray.interpolate(source_weights, faces)
    assert np.abs(mended - truth)[lost].mean() < 0.2 * np.abs(wrong - truth)[lost].mean()


def test_influences_are_limited_and_locked_groups_stay(spheres):
    source_weights = bones(spheres.source[0])
    everywhere = np.ones(len(spheres.directions), dtype=bool)
    run = (spheres.points, spheres.source[1], source_weights, spheres.target, everywhere)
    two = transfer_weights(*run, limit=2)
    assert (np.count_nonzero(two, axis=1) <= 2).all()
    np.testing.assert_allclose(two.sum(axis=1), 1)
    kept = np.full((len(two), 1), 0.25)
    found = transfer_weights(*run, locked=np.array([False, True, False]), kept=kept)
    np.testing.assert_array_equal(found[:, 1], 0)
    np.testing.assert_allclose(found.sum(axis=1), 0.75)


def test_weights_without_a_trusted_vertex_are_refused(spheres):
    nowhere = np.zeros(len(spheres.directions), dtype=bool)
    with pytest.raises(DiffusionNetError, match="below the least everywhere"):
        transfer_weights(
            spheres.points, spheres.source[1], bones(spheres.source[0]), spheres.target, nowhere
        )


def test_inpainting_continues_a_slope_over_a_hole():
    vertices, faces = grid(30, 20)
    slope = np.c_[vertices[:, 0], 2 - vertices[:, 1]]
    known = (np.abs(vertices[:, 0] - 15) > 4) | (np.abs(vertices[:, 1] - 10) > 3)
    filled = inpaint(vertices, faces, np.where(known[:, None], slope, 99.0), known)
    np.testing.assert_allclose(filled, slope, atol=0.3)


def test_a_map_onto_the_inner_side_is_noticed(spheres):
    assert normals_agree(spheres.points, spheres.source, spheres.target).mean() > 0.99
    turned = spheres.target[0], spheres.target[1][:, ::-1]
    assert normals_agree(spheres.points, spheres.source, turned).mean() < 0.01


def twisted(vertices):
    """A large deformation: a bend about x that grows with z."""
    angle = 0.8 * vertices[:, 2]
    cosine, sine = np.cos(angle), np.sin(angle)
    x, y, z = vertices.T
    return np.stack([cosine * x - sine * y, sine * x + cosine * y, 1.2 * z], axis=1)


def test_a_large_key_is_transferred_to_a_body_that_stands_turned(spheres):
    keys = np.stack([spheres.source[0], twisted(spheres.source[0])])
    made = deformation_transfer(spheres.points, spheres.source, spheres.target, keys)
    truth = twisted(spheres.directions) @ spheres.turn.T
    np.testing.assert_allclose(made[0], spheres.target[0], atol=1e-6)
    away = np.linalg.norm(made[1] - truth, axis=1)
    assert away.max() < 0.06
    assert away.mean() < 0.02


def test_a_small_key_is_transferred_by_its_offsets_in_the_target_s_size(spheres):
    vertices, faces = spheres.source
    bump = 0.05 * np.exp(-8 * np.square(vertices - [0.6, 0, 0.8]).sum(axis=1, keepdims=True))
    key = vertices + bump * vertices
    target = 3 * spheres.target[0], spheres.target[1]
    made = rotated_offsets(spheres.points, spheres.source, target, key[None])[0]
    here = 0.05 * np.exp(-8 * np.square(spheres.directions - [0.6, 0, 0.8]).sum(1, keepdims=True))
    np.testing.assert_allclose(made, (1 + here) * target[0], atol=0.02)
