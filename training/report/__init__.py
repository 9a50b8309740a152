"""The language of descriptions: read, doubt, rewrite and write them, and relate their zones to pixels. Light floor:
no torch, no pool."""

from __future__ import annotations

from training.report.augment import draw_posaug, mix_spans, posaug
from training.report.finding import (
    UNKNOWN_POSITION,
    ZONES,
    Edit,
    Finding,
    Phrase,
    Problem,
    ReportError,
    Rewrite,
    apply_fix,
    zone_vector,
)
from training.report.parse import parse
from training.report.rewrite import rewrite_zones, swap_sides
from training.report.strong_text import draw_strong_text, strong_text
from training.report.write import STYLES, render
from training.report.zones import THIRDS, Bands, describe, learn_bands, zone_boxes, zones_of

__all__ = [
    "STYLES",
    "THIRDS",
    "UNKNOWN_POSITION",
    "ZONES",
    "Bands",
    "Edit",
    "Finding",
    "Phrase",
    "Problem",
    "ReportError",
    "Rewrite",
    "apply_fix",
    "describe",
    "draw_posaug",
    "draw_strong_text",
    "learn_bands",
    "mix_spans",
    "parse",
    "posaug",
    "render",
    "rewrite_zones",
    "strong_text",
    "swap_sides",
    "zone_boxes",
    "zone_vector",
    "zones_of",
]
