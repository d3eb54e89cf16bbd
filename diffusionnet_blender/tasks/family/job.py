"""The family of a figure: stages, and the function from request to result."""

from __future__ import annotations

from ..progress import SILENT, Progress
from .request import FamilyRequest, Proposal

# Shares of the duration.
STAGES = {
    "": 0.02,
    "repair": 0.05,
    "proxy": 0.05,
    "laplacian": 0.05,
    "eigenbasis": 0.5,
    "gradient": 0.03,
    "network": 0.3,
}


def run(request: FamilyRequest, progress: Progress = SILENT) -> Proposal:
    """Find the family of a mesh or a point cloud.

    Parameters
    ----------
    request : FamilyRequest
    progress : Progress
        May raise `Cancelled` to stop.

    Returns
    -------
    Proposal

    Raises
    ------
    SurfaceError
        If the geometry cannot be used.
    DeviceError
        If the engine or the device is missing, or memory does not suffice.
    ModelError
        If one of the bundled models is missing.
    """
    from .pipeline import proposal

    return proposal(request, progress)
