"""Temperatures and reliability, on predictions whose truth is drawn from known probabilities."""

import numpy as np
import pytest

pytest.importorskip("fast_simplification", reason="the figures need the training extras")

from training.calibrate import (  # noqa: E402
    Predictions,
    fitted_temperature,
    reliability,
    sharpened,
)


@pytest.fixture(scope="module")
def honest():
    """Predictions that are right as often as they say, of four figures of unequal vertices."""
    rng = np.random.default_rng(0)
    found = []
    for _ in range(4):
        probabilities = rng.dirichlet(np.full(5, 0.3), size=5000)
        truth = (probabilities.cumsum(axis=1) < rng.uniform(size=(5000, 1))).sum(axis=1)
        shares = rng.uniform(size=5000)
        found.append(Predictions(probabilities, np.minimum(truth, 4), shares / shares.sum()))
    return found


def boasting(predictions, temperature):
    return [Predictions(sharpened(p.probabilities, temperature), p.truth, p.shares)
            for p in predictions]  # fmt: skip


def test_the_temperature_that_was_taken_away_is_found(honest):
    assert fitted_temperature(honest) == pytest.approx(1.0, abs=0.05)
    for missing in (0.4, 0.7):
        overconfident = boasting(honest, missing)
        found = fitted_temperature(overconfident)
        assert found == pytest.approx(1.0 / missing, rel=0.05)
        mended = reliability(boasting(overconfident, found))
        assert mended.error < 0.015 < 0.05 < reliability(overconfident).error


def test_each_set_of_figures_counts_alike(honest):
    boasts = boasting(honest, 0.5)
    once, often = fitted_temperature(honest, boasts), fitted_temperature(honest * 5, boasts)
    assert once == pytest.approx(often, rel=1e-3)
    assert 1.05 < once < fitted_temperature(boasts)


def test_honest_predictions_lie_on_the_diagonal(honest):
    found = reliability(honest)
    assert sum(found.share) == pytest.approx(1.0)
    np.testing.assert_allclose(found.confidence, found.right, atol=0.06)


def test_a_boaster_is_right_less_often_than_he_says(honest):
    found = reliability(boasting(honest, 0.4))
    assert all(said > true for said, true in zip(found.confidence, found.right, strict=True))


def test_sharpening_never_changes_the_most_probable_class(honest):
    for found in honest:
        for temperature in (0.3, 3.0):
            after = sharpened(found.probabilities, temperature)
            np.testing.assert_allclose(after.sum(axis=1), 1.0)
            np.testing.assert_array_equal(after.argmax(axis=1), found.probabilities.argmax(axis=1))
