"""The last outputs of a network with the input `frame`: whether that frame is the figure's own."""

from __future__ import annotations

OWN, TURNED, OTHER = range(3)
VOTES = 3
"""The frame of the figure, that frame turned by half about the vertical, or any other one."""
