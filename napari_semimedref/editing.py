"""What the reader does to the mask, whatever was pressed for it: tools, tidying, regions, undo and redo. Each change is
one step that can be undone. No Qt, no layers."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from psygnal import Signal

from napari_semimedref.session import ReviewSession
from napari_semimedref.tools import BRUSH, LASSO_ADD, LASSO_CUT, REGION, SMART, TOOLS, Tool
from napari_semimedref.viewer_bridge import ViewerBridge
from training.editing import (
    fill_holes,
    inside_polygon,
    keep_zones,
    region_at,
    remove_islands,
    smart_fill,
    smooth,
)
from training.report import parse

Change = Callable[[np.ndarray], np.ndarray]
NO_ZONES = "The words name no zone: nothing was taken away."
NO_REGION = "There is no region of the {what} under the pointer."


class Editing:
    """The hands of one window; before `attach` they do nothing."""

    said = Signal(str)
    tool_changed = Signal(str)
    history_changed = Signal()

    def __init__(self) -> None:
        self.tool = BRUSH
        self._session: ReviewSession | None = None
        self._bridge: ViewerBridge | None = None
        self._taking = False

    def attach(self, session: ReviewSession, bridge: ViewerBridge) -> None:
        """Work on another session's cases."""
        if self._bridge is None:
            bridge.undo_wanted.connect(self.undo)
            bridge.redo_wanted.connect(self.redo)
            bridge.clicked.connect(self._on_click)
            bridge.mode_changed.connect(self._on_mode)
            bridge.lasso.drawn.connect(self._on_lasso)
        self._session, self._bridge = session, bridge
        session.opened.connect(lambda _opened: self._on_case())
        session.mask_edited.connect(self.history_changed.emit)

    # -- tools -------------------------------------------------------------------------------------

    def take(self, tool: Tool) -> None:
        """Take a tool in hand."""
        self.tool = tool
        if self._bridge is not None:
            self._taking = True
            try:
                self._bridge.take_tool(tool.mode)
            finally:
                self._taking = False
        self.tool_changed.emit(tool.name)

    def _on_case(self) -> None:
        self.take(self.tool)
        self.history_changed.emit()

    def _on_mode(self, mode: str) -> None:
        """A tool was taken in hand by napari's own keys or buttons."""
        if self._taking or mode == self.tool.mode:
            return
        found = next((tool for tool in reversed(TOOLS) if tool.mode == mode), None)
        if found is not None and self.tool.mode != "lasso":
            self.tool = found
            self.tool_changed.emit(found.name)

    # -- undo --------------------------------------------------------------------------------------

    @property
    def to_undo(self) -> str:
        """Name of the change that would be undone; empty if there is none."""
        draft = None if self._session is None else self._session.desk.draft
        return "" if draft is None else draft.history.to_undo

    @property
    def to_redo(self) -> str:
        """Name of the change that would be done again; empty if there is none."""
        draft = None if self._session is None else self._session.desk.draft
        return "" if draft is None else draft.history.to_redo

    def undo(self) -> None:
        """Take the latest change of this case's mask back."""
        if self._session is not None:
            name = self._session.undo()
            self._show(f"Undone: {name}." if name else "There is nothing to undo in this case.")

    def redo(self) -> None:
        """Do the change that was undone last again."""
        if self._session is not None:
            name = self._session.redo()
            self._show(f"Done again: {name}." if name else "There is nothing to redo in this case.")

    # -- the whole mask ----------------------------------------------------------------------------

    def remove_islands(self) -> None:
        """Take small components away."""
        self._change("remove islands", remove_islands)

    def fill_holes(self) -> None:
        """Fill what the mask encloses."""
        self._change("fill holes", fill_holes)

    def smooth(self) -> None:
        """Smooth the mask's edge."""
        self._change("smooth", smooth)

    def keep_zones(self) -> None:
        """Keep what lies in the zones that the words name."""
        session = self._session
        if session is None:
            return
        zones = parse(session.description).zones
        if not zones:
            self.said.emit(NO_ZONES)
            return
        bands, convention = session.bands, session.project.laterality
        self._change("keep zones", lambda mask: keep_zones(mask, zones, bands, convention))

    def reset(self) -> None:
        """Make the mask the proposal again; later proposals may then replace it."""
        opened = None if self._session is None else self._session.current
        if self._session is None or opened is None:
            return
        if opened.proposal is None:
            self.said.emit("There is no proposal to go back to.")
            return
        proposal = opened.proposal
        self._change("reset to proposal", lambda _mask: proposal)
        self._session.forget_strokes()

    # -- regions -----------------------------------------------------------------------------------

    def take_region(self) -> None:
        """Take the proposal's region under the pointer into the mask."""
        if self._bridge is not None:
            self._take_region(self._bridge.camera.pointed_at)

    def drop_region(self) -> None:
        """Remove the mask's region under the pointer."""
        if self._bridge is not None:
            self._drop_region(self._bridge.camera.pointed_at)

    def _on_click(self, row: int, column: int) -> None:
        if self.tool is not REGION or self._session is None or self._session.mask is None:
            return
        if region_at(self._session.mask, (row, column)) is not None:
            self._drop_region((row, column))
        else:
            self._take_region((row, column))

    def _take_region(self, point: tuple[int, int]) -> None:
        opened = None if self._session is None else self._session.current
        proposal = None if opened is None else opened.proposal
        region = None if proposal is None else region_at(proposal, point)
        if region is None:
            self.said.emit(NO_REGION.format(what="proposal"))
        else:
            self._change("take region", lambda mask: mask | region)

    def _drop_region(self, point: tuple[int, int]) -> None:
        mask = None if self._session is None else self._session.mask
        region = None if mask is None else region_at(mask, point)
        if region is None:
            self.said.emit(NO_REGION.format(what="mask"))
        else:
            self._change("drop region", lambda mask: np.where(region, 0, mask))

    # -- lasso -------------------------------------------------------------------------------------

    def _on_lasso(self, corners: np.ndarray) -> None:
        opened = None if self._session is None else self._session.current
        if opened is None:
            return
        lasso = inside_polygon(opened.image.shape, corners)
        if self.tool is LASSO_ADD:
            self._change("lasso", lambda mask: mask | lasso)
        elif self.tool is LASSO_CUT:
            self._change("cut", lambda mask: np.where(lasso, 0, mask))
        elif self.tool is SMART:
            found = smart_fill(opened.image, opened.probability, lasso)
            self._change("smart fill", lambda mask: np.where(lasso, found, mask))

    # -- inside ------------------------------------------------------------------------------------

    def _change(self, name: str, change: Change) -> None:
        session = self._session
        if session is None or session.mask is None:
            return
        before = session.mask
        after = change(before).astype(np.uint8)
        added = int(np.count_nonzero(after > before))
        removed = int(np.count_nonzero(after < before))
        if not added and not removed:
            self.said.emit(f"{name.capitalize()}: nothing to change.")
            return
        session.edit_mask(after, name=name)
        counts = [f"{added} px added"] * bool(added) + [f"{removed} px removed"] * bool(removed)
        self._show(f"{name.capitalize()}: {', '.join(counts)}.")

    def _show(self, words: str) -> None:
        if (
            self._bridge is not None
            and self._session is not None
            and self._session.mask is not None
        ):
            self._bridge.show_mask(self._session.mask)
        self.said.emit(words)
