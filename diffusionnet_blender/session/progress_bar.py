"""Progress bar of the running job: in the sidebar, the preferences and the status bar."""

from __future__ import annotations

from .progress import Bar

# Width of the bar in the status bar, as a multiple of Blender's default: it holds a line of text.
STATUS_BAR_WIDTH = 2.5
# Regions that draw the bar: the sidebar and the preferences.
REGIONS = {("VIEW_3D", "UI"), ("PREFERENCES", "WINDOW")}


def show_progress(context, progress: Bar, stops_on_escape: bool) -> None:
    """Store the progress of the run for the panels, and redraw them.

    Parameters
    ----------
    context : bpy.types.Context
    progress : Bar
    stops_on_escape : bool
        Whether the status bar names Esc.
    """
    state = context.window_manager.diffusionnet
    before = (state.running, state.text)
    state.running, state.text, state.factor = True, progress.text, progress.factor
    draw = draw_status_bar if stops_on_escape else draw_status_bar_without_escape
    if before != (state.running, state.text):
        _redraw(context, draw)


def hide_progress(context) -> None:
    """Remove the progress of a run that is over."""
    state = context.window_manager.diffusionnet
    before = (state.running, state.text)
    state.running, state.text, state.factor = False, "", 0.0
    if before != (state.running, state.text):
        _redraw(context, None)


def draw_progress(layout, context) -> None:
    """Draw the bar with its button Cancel."""
    state = context.window_manager.diffusionnet
    row = layout.row(align=True)
    row.progress(factor=state.factor, text=state.text)
    row.operator("diffusionnet.cancel", text="", icon="CANCEL")


def draw_status_bar(header, context) -> None:
    """Draw the status bar during a run that Esc cancels."""
    _draw_status_bar(header.layout, context, escape=True)


def draw_status_bar_without_escape(header, context) -> None:
    """Draw the status bar during a run that Esc does not cancel."""
    _draw_status_bar(header.layout, context, escape=False)


def _draw_status_bar(layout, context, escape: bool) -> None:
    row = layout.row()
    row.scale_x = STATUS_BAR_WIDTH
    draw_progress(row, context)
    if escape:
        layout.label(text="Esc: cancel")
    layout.separator_spacer()
    layout.template_reports_banner()
    layout.separator_spacer()
    layout.template_status_info()


def _redraw(context, draw) -> None:
    if context.workspace:
        context.workspace.status_text_set(draw)
    for window in context.window_manager.windows:
        for area in window.screen.areas:
            for region in area.regions:
                if (area.type, region.type) in REGIONS:
                    region.tag_redraw()
