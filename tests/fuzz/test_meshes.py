"""Any mesh is prepared and segmented, or refused in words."""

from functools import cache

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from diffusionnet_blender.errors import SurfaceError
from diffusionnet_blender.surface.cache import OperatorCache
from diffusionnet_blender.surface.prepare import prepare
from diffusionnet_blender.surface.settings import DiscretizationSettings
from diffusionnet_blender.surface.surface import Surface
from diffusionnet_blender.tasks.segment import segment
from tests.fuzz.fuzzing import CLASSES, examples, model, quick_and_full, result_or_error
from tests.fuzz.meshes import Recipe, recipes

the_model = cache(model)


def require_right(found, surface):
    """Counts, ranges and finite values of a result."""
    probabilities = found.vertex_probabilities
    assert probabilities.shape == (len(surface.vertices), len(CLASSES))
    assert np.isfinite(probabilities).all()
    assert probabilities.min() >= 0.0
    np.testing.assert_allclose(probabilities.sum(axis=1), 1.0, atol=1e-3)
    assert len(found.polygon_labels) == len(surface.faces)
    assert ((found.polygon_labels >= 0) & (found.polygon_labels < len(CLASSES))).all()
    assert np.isfinite(found.polygon_areas).all()


@quick_and_full(8, 300)
@pytest.mark.filterwarnings("error::RuntimeWarning")
def test_a_mesh_is_segmented_or_refused(count, tmp_path):
    kept = OperatorCache(tmp_path)

    @examples(count)
    @given(recipes(), st.booleans())
    @example(Recipe("triangle", 0), False)
    @example(Recipe("soup", 0, scale=1e150), False)
    def holds(mesh, cached):
        surface = result_or_error(lambda: Surface(*mesh.make()))
        if surface is None:
            return
        found = result_or_error(
            lambda: segment(surface, the_model(), engine="numpy", cache=kept if cached else None)
        )
        if found is None:
            return
        require_right(found, surface)
        if cached:
            again = segment(surface, the_model(), engine="numpy", cache=kept)
            np.testing.assert_array_equal(again.vertex_probabilities, found.vertex_probabilities)
        assert not list(tmp_path.glob("*.part"))

    holds()


@quick_and_full(8, 800)
def test_matrices_are_finite(count):
    settings = DiscretizationSettings(k=6)

    @examples(count)
    @given(recipes())
    def holds(mesh):
        surface = result_or_error(lambda: Surface(*mesh.make()))
        prepared = surface and result_or_error(lambda: prepare(surface, settings))
        if not prepared:
            return
        shape = prepared.discretization
        sparse = (shape.laplacian, shape.gradient_x, shape.gradient_y)
        dense = (shape.vertices, shape.mass, shape.eigenvalues, shape.eigenvectors)
        for values in (*dense, *(matrix.data for matrix in sparse)):
            assert np.isfinite(values).all()
        assert (shape.mass >= 0).all()
        assert prepared.clean_vertex.shape == (len(surface.vertices),)
        assert prepared.user_vertex.max() < len(surface.vertices)
        ones = prepared.to_user_vertices(np.ones(len(shape.vertices)))
        np.testing.assert_allclose(ones, 1.0, atol=1e-5)

    holds()


@quick_and_full(30, 300)
def test_what_is_no_mesh_is_refused(count):
    wrong = st.sampled_from((np.nan, np.inf, -np.inf))

    @examples(count)
    @given(recipes(largest=12), wrong, st.integers(0, 10**6))
    @example(Recipe("triangle", 0), np.nan, 0)
    def holds(mesh, value, place):
        vertices, faces = mesh.make()
        if result_or_error(lambda: Surface(vertices, faces)) is None:
            return
        broken = vertices.copy()
        broken.flat[place % broken.size] = value
        with pytest.raises(SurfaceError, match="not finite"):
            Surface(broken, faces)
        if len(faces):
            elsewhere = faces.copy()
            elsewhere.flat[place % faces.size] = -1 if place % 2 else len(vertices)
            with pytest.raises(SurfaceError, match="Faces name"):
                Surface(vertices, elsewhere)

    holds()
