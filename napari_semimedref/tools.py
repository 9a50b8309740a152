"""The tools a reader can take in hand, with their keys. Names only; `editing` says what they do."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Tool:
    """One tool.

    Attributes
    ----------
    mode : str
        What the viewer bridge takes in hand for it.
    """

    name: str
    title: str
    key: str
    mode: str
    tip: str


BRUSH = Tool("brush", "Brush", "Alt+1", "paint", "Paint; [ and ] change the size")
ERASER = Tool("eraser", "Eraser", "Alt+2", "erase", "Erase; [ and ] change the size")
BUCKET = Tool("fill", "Fill", "Alt+3", "fill", "Fill the region that is clicked")
POLYGON = Tool(
    "polygon", "Polygon", "Alt+4", "polygon", "Click the corners, double-click the last one"
)
LASSO_ADD = Tool("lasso", "Lasso +", "Alt+5", "lasso", "Draw around what belongs to the mask")
LASSO_CUT = Tool("cut", "Lasso −", "Alt+6", "lasso", "Draw around what does not belong to it")
SMART = Tool(
    "smart", "Smart fill", "Alt+7", "lasso", "Draw loosely around a lesion: its edge is found"
)
REGION = Tool(
    "region", "Region", "Alt+8", "pan_zoom", "Click a region: the proposal's comes in, yours goes"
)
MOVE = Tool("move", "Move", "Alt+9", "pan_zoom", "Drag the film; the wheel zooms with any tool")
TOOLS = (BRUSH, ERASER, BUCKET, POLYGON, LASSO_ADD, LASSO_CUT, SMART, REGION, MOVE)
