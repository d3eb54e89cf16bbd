"""Members of a kind, and what is carried, on both figures of a match."""

import numpy as np
import pytest

from diffusionnet_blender.matching.points import points_at_vertices
from diffusionnet_blender.surface.edges import side_lengths
from diffusionnet_blender.surface.repair import repair
from diffusionnet_blender.surface.surface import Surface
from diffusionnet_blender.tasks.match import body
from diffusionnet_blender.tasks.match.figure import figure_of, with_pieces
from diffusionnet_blender.tasks.match.request import Members
from diffusionnet_blender.tasks.segment.request import Carried
from tests.shapes import icosphere, joined, lumpy_body

BODY = lumpy_body(2)
BALL = icosphere(1)
TOP = int(BODY[0][:, 2].argmax())
COUNT = len(BODY[0])


def figure(kind, hangs=True, there=True):
    """A body, and a ball above it that may hang on its highest vertex."""
    if not there:
        return figure_of(repair(Surface(*BODY)), None)
    place = BODY[0][TOP] + [0.0, 0.0, 0.3]
    vertices, faces = joined(BODY, (0.2 * BALL[0] + place, BALL[1]))
    ball = np.arange(COUNT, len(vertices))
    member = (np.arange(len(vertices)) >= COUNT).astype(np.int32)
    carried = (Carried(ball, np.array([TOP])),) if hangs else ()
    return figure_of(repair(Surface(vertices, faces)), Members(member, ("", kind), carried))


def pieces_mapped(source, target):
    """The map of a body to itself, with the pieces of both."""
    points = points_at_vertices(np.arange(COUNT), source.surface.faces)
    return with_pieces(points, np.ones(COUNT), source, target)


@pytest.mark.parametrize("kind", ["hat", ""])
def test_a_thing_on_a_bone_without_its_like_goes_to_where_it_hangs(kind):
    source = figure("", there=False)
    points, confidence, unmatched = pieces_mapped(source, figure(kind))
    image = points.interpolate(source.whole.vertices, source.whole.faces)
    np.testing.assert_allclose(image[COUNT:], np.tile(BODY[0][TOP], (len(BALL[0]), 1)), atol=1e-9)
    assert unmatched[COUNT:].all()
    assert not unmatched[:COUNT].any()
    assert (confidence[COUNT:] < 0.6).all()


@pytest.mark.parametrize(("kind", "hangs"), [("hat", True), ("hat", False), ("", True)])
def test_a_thing_goes_to_its_like(kind, hangs):
    source = figure(kind, hangs)
    points, confidence, unmatched = pieces_mapped(source, figure(kind, hangs))
    image = points.interpolate(source.whole.vertices, source.whole.faces)
    np.testing.assert_allclose(image, source.whole.vertices, atol=1e-6)
    assert not unmatched.any()
    assert (confidence > 0.9).all()


def test_a_hat_goes_to_no_hair():
    _, _, unmatched = pieces_mapped(figure("hair", hangs=False), figure("hat", hangs=False))
    assert unmatched[COUNT:].all()


def test_a_coarser_figure_carries_the_same(monkeypatch):
    monkeypatch.setattr(body, "MOST_VERTICES", 300)
    fine = lumpy_body(4)
    vertices, faces = joined(fine, (0.2 * BALL[0] + [0.0, 0.0, 3.0], BALL[1]))
    is_ball = np.arange(len(vertices)) >= len(fine[0])
    # A single vertex, which may not be among those that are kept.
    top = np.array([fine[0][:, 2].argmax()])
    members = Members(
        is_ball.astype(np.int32), ("", "hat"), (Carried(np.flatnonzero(is_ball), top),)
    )
    known = np.eye(2)[is_ball.astype(int)]
    surface = Surface(vertices, faces)
    found = body.coarser(body.KnownFigure(surface, members, known), repair(surface))
    assert len(found.surface.vertices) < 500
    on_ball = found.surface.vertices[:, 2] > 2.5
    assert on_ball.any()
    (thing,) = found.members.carried
    np.testing.assert_array_equal(np.flatnonzero(on_ball), thing.vertices)
    np.testing.assert_array_equal(on_ball, found.members.of_vertex == 1)
    np.testing.assert_array_equal(on_ball, found.known[:, 1] == 1)
    longest = side_lengths(found.surface.vertices[found.surface.faces]).max()
    away = np.linalg.norm(found.surface.vertices[thing.carrier] - fine[0][top], axis=1)
    assert len(away)
    assert (away < longest).all()
