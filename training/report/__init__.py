"""The language of descriptions: read, doubt, rewrite and write them, and relate their zones to pixels. Light floor:
no torch, no pool."""

from __future__ import annotations

from training.report.augment import draw_posaug, mix_spans, posaug
from training.report.convention import ConventionCheck, check_convention, convert_sides
from training.report.describe import count_parts, describe
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
from training.report.lungs import LungModel, learn_lungs, lung_bands
from training.report.maskdoubt import Disagreement, check_mask
from training.report.parse import parse
from training.report.rewrite import rewrite_zones
from training.report.strong_text import draw_strong_text, strong_text
from training.report.swap import normalize, swap_sides
from training.report.write import STYLES, render
from training.report.zonereader import ZoneReader, learn_zone_reader
from training.report.zones import THIRDS, Bands, learn_bands, zone_boxes, zones_of

__all__ = [
    "STYLES",
    "THIRDS",
    "UNKNOWN_POSITION",
    "ZONES",
    "Bands",
    "ConventionCheck",
    "Disagreement",
    "Edit",
    "Finding",
    "LungModel",
    "Phrase",
    "Problem",
    "ReportError",
    "Rewrite",
    "ZoneReader",
    "apply_fix",
    "check_convention",
    "check_mask",
    "convert_sides",
    "count_parts",
    "describe",
    "draw_posaug",
    "draw_strong_text",
    "learn_bands",
    "learn_lungs",
    "learn_zone_reader",
    "lung_bands",
    "mix_spans",
    "normalize",
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
