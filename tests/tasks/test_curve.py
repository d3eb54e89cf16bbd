"""The picture of a training."""

import numpy as np

from diffusionnet_blender.tasks.train.curve import LOSS, VALIDATION, Curve, picture


def columns_of(image, colour):
    return np.isclose(image[..., :3], colour).all(axis=-1).any(axis=0)


def test_lines_reach_as_far_as_the_steps_do():
    rows = np.array([[10, 2.0, 0.2, 0.1], [50, 1.0, 0.5, 0.6]])
    image = picture(Curve(100, rows), size=128)
    assert image.shape == (128, 128, 4)
    assert image.dtype == np.float32
    assert (image[..., 3] == 1).all()
    for colour in (LOSS, VALIDATION):
        drawn = columns_of(image, colour)
        # Where two cross, one hides the other.
        assert drawn[5:60].mean() > 0.8
        assert not drawn[70:].any()


def test_the_loss_falls_and_the_accuracy_rises_in_it():
    rows = np.array([[0, 2.0, 0.0, 0.0], [100, 0.0, 0.9, 1.0]])
    image = picture(Curve(100, rows), size=64)

    def height(colour, column):
        return np.flatnonzero(np.isclose(image[:, column, :3], colour).all(axis=-1)).mean()

    assert height(LOSS, 5) > height(LOSS, 58)
    assert height(VALIDATION, 58) > height(VALIDATION, 5)


def test_nothing_measured_is_an_empty_picture():
    curve = Curve(100, np.zeros((0, 4)))
    assert not columns_of(picture(curve), LOSS).any()
    assert curve.best == 0.0
