"""Transfer on the wire: `request` and `answer_of` in Blender, `run` in the worker."""

from __future__ import annotations

import numpy as np

from ..matching.points import SurfacePoints
from ..tasks.transfer.layers import (
    Attribute,
    Bones,
    CopiedLayout,
    Layers,
    MeshShape,
    Moved,
    ShapeKeys,
    Texture,
    Weights,
)


def request(
    source: MeshShape,
    target: MeshShape,
    target_to_source: SurfacePoints,
    confidence: np.ndarray,
    layers: Layers,
    *,
    target_uv: np.ndarray | None,
    locked: Weights | None,
    settings: dict,
) -> dict:
    """What the worker needs to know.

    Parameters
    ----------
    source, target, target_to_source, confidence, layers, target_uv, locked
        As `tasks.transfer.transfer` takes them.
    settings : dict
        Fields of `tasks.transfer.TransferSettings`.
    """
    return {
        "source": vars(source),
        "target": vars(target),
        "face": target_to_source.face,
        "barycentric": target_to_source.barycentric,
        "confidence": confidence,
        "layers": {
            **vars(layers),
            "textures": [_texture_out(texture) for texture in layers.textures],
            **_common_out(layers),
        },
        "target_uv": target_uv,
        "locked": _fields(locked),
        "settings": settings,
    }


def run(request: dict, progress) -> dict:
    """Move; see `jobs.find_job`."""
    from ..tasks.transfer.pipeline import TransferSettings, transfer

    layers = request["layers"]
    moved = transfer(
        MeshShape(**request["source"]),
        MeshShape(**request["target"]),
        SurfacePoints(request["face"], request["barycentric"]),
        request["confidence"],
        Layers(
            **{
                **layers,
                "textures": tuple(_texture_in(texture) for texture in layers["textures"]),
                **_common_in(layers),
            }
        ),
        target_uv=request["target_uv"],
        locked=_weights_in(request["locked"]),
        settings=TransferSettings(**request["settings"]),
        progress=progress,
    )
    return {**vars(moved), "layout": _fields(moved.layout), **_common_out(moved)}


def answer_of(content: dict) -> Moved:
    """The answer as it came over the wire, in its own types."""
    layout = content["layout"]
    return Moved(
        **{
            **content,
            "layout": None if layout is None else CopiedLayout(**layout),
            **_common_in(content),
        }
    )


def _fields(value) -> dict | None:
    return None if value is None else vars(value)


def _common_out(carried: Layers | Moved) -> dict:
    """What is carried and what is given have in common."""
    return {
        "weights": _fields(carried.weights),
        "keys": _fields(carried.keys),
        "attributes": [vars(attribute) for attribute in carried.attributes],
        "bones": _fields(carried.bones),
    }


def _common_in(content: dict) -> dict:
    keys, bones = content["keys"], content["bones"]
    return {
        "weights": _weights_in(content["weights"]),
        "keys": None if keys is None else ShapeKeys(tuple(keys["names"]), keys["positions"]),
        "attributes": tuple(Attribute(**attribute) for attribute in content["attributes"]),
        "bones": None if bones is None else Bones(**{**bones, "names": tuple(bones["names"])}),
    }


def _weights_in(content: dict | None) -> Weights | None:
    return None if content is None else Weights(**{**content, "names": tuple(content["names"])})


def _texture_out(texture: Texture) -> dict:
    # JSON has no numbers as keys.
    return {
        **vars(texture),
        "images": list(texture.images.items()),
        "constants": [(slot, np.asarray(v)) for slot, v in texture.constants.items()],
    }


def _texture_in(content: dict) -> Texture:
    return Texture(
        **{
            **content,
            "images": dict(content["images"]),
            "constants": dict(content["constants"]),
        }
    )
