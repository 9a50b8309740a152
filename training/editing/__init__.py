"""Work on masks: cleaning, regions, filling inside a lasso, and the history of a case's mask. Pure functions and values
on arrays; no project, no files, no window."""

from __future__ import annotations

from training.editing.cleaning import fill_holes, keep_zones, remove_islands, smooth
from training.editing.history import History, Trail
from training.editing.regions import Region, region_at, uncertain_regions
from training.editing.smart_fill import inside_polygon, smart_fill

__all__ = [
    "History",
    "Region",
    "Trail",
    "fill_holes",
    "inside_polygon",
    "keep_zones",
    "region_at",
    "remove_islands",
    "smart_fill",
    "smooth",
    "uncertain_regions",
]
