"""Images that cannot be sampled."""

import numpy as np
import pytest

from diffusionnet_blender.errors import DiffusionNetError
from diffusionnet_blender.tasks.transfer.layers import Texture


@pytest.mark.parametrize("shape", [(0, 0, 4), (0, 4, 4), (4, 0, 4), (4, 4), (4, 4, 3), (0,), ()])
def test_an_image_of_no_size_or_of_another_shape_is_told(shape):
    with pytest.raises(DiffusionNetError, match="slot 2"):
        Texture("Base Color", {2: np.zeros(shape, np.float32)})
