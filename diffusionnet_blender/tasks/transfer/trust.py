"""What may be moved along a match of which few vertices are confident."""

from __future__ import annotations

from ...errors import DiffusionNetError
from ...matching.judgement import confident_share, is_uncertain
from .request import TransferRequest


def require_trusted(request: TransferRequest) -> None:
    """Raise DiffusionNetError for data that an uncertain match would ruin.

    Skin weights are filled in from the vertices that are confident, and materials and part labels
    are whole patches that a few clicks mend; everything else is taken point by point from wherever
    the map leads.

    Parameters
    ----------
    request : TransferRequest
    """
    confidence = request.confidence
    if request.unmatched is not None:
        confidence = confidence[~request.unmatched]
    if request.accept_uncertain or not is_uncertain(confidence):
        return
    layers = request.layers
    ruined = {
        "textures": layers.textures,
        "the UV map": layers.copy_uv,
        "shape keys": layers.keys,
        "attributes": layers.attributes,
        "the armature": layers.bones,
    }
    names = [name for name, chosen in ruined.items() if chosen]
    if names:
        raise DiffusionNetError(
            f"The match is confident on {confident_share(confidence):.0%} of vertices only"
            f", which would ruin {', '.join(names)}; nothing was moved",
            "Set a few pins and match again, choose another method or model, or accept it by "
            "Accept Uncertain (--accept-uncertain).",
        )
