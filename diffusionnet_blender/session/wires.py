"""A mesh that is being computed, as wires over the viewports: no data of the file."""

from __future__ import annotations

import bpy
import numpy as np

COLOUR = (1.0, 0.55, 0.1, 0.7)

# Positions (n, 3) in the world and edges (E, 2), and the handler that draws them.
_shown: list[tuple[np.ndarray, np.ndarray]] = []
_handlers: list = []


def show_wires(positions: np.ndarray, edges: np.ndarray) -> None:
    """Draw edges between positions in the world in all viewports, in place of the last ones.

    Parameters
    ----------
    positions : (n, 3) float
    edges : (E, 2) int
    """
    _shown[:] = [(np.asarray(positions, np.float32), np.asarray(edges, np.int32))]
    if not _handlers:
        view = bpy.types.SpaceView3D
        _handlers.append(view.draw_handler_add(_draw, (), "WINDOW", "POST_VIEW"))
    _redraw()


def hide_wires() -> None:
    """Draw them no more."""
    _shown.clear()
    while _handlers:
        bpy.types.SpaceView3D.draw_handler_remove(_handlers.pop(), "WINDOW")
        _redraw()


def shown_wires() -> tuple[np.ndarray, np.ndarray] | None:
    """What is drawn now."""
    return _shown[0] if _shown else None


def _redraw() -> None:
    for window in bpy.context.window_manager.windows:
        for area in window.screen.areas:
            if area.type == "VIEW_3D":
                area.tag_redraw()


def _draw() -> None:
    # There is no gpu in background mode.
    import gpu
    from gpu_extras.batch import batch_for_shader

    shader = gpu.shader.from_builtin("UNIFORM_COLOR")
    (positions, edges) = _shown[0]
    batch = batch_for_shader(shader, "LINES", {"pos": positions}, indices=edges)
    gpu.state.blend_set("ALPHA")
    shader.uniform_float("color", COLOUR)
    batch.draw(shader)
    gpu.state.blend_set("NONE")
