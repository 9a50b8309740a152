"""Where the zones of a project's films lie, learned from what was accepted. Reads the pool; shows nothing."""

from __future__ import annotations

import contextlib

from training.errors import FormatError
from training.pool import Project
from training.pool.images import read_mask
from training.report import THIRDS, Bands, learn_bands

BAND_CASES, LEAST_BAND_CASES = 60, 8


def bands_of(project: Project) -> Bands:
    """Bands that fit the project's labeled cases; thirds of the film while there are few."""
    cases = [
        (case, case.mask) for case in project.cases_page("labeled", count=BAND_CASES) if case.mask
    ]
    if len(cases) < LEAST_BAND_CASES:
        return THIRDS
    masks, zones = [], []
    for case, mask in cases:
        with contextlib.suppress(FormatError):  # one damaged file must not cost all bands
            masks.append(read_mask(project.folder / mask))
            zones.append(case.zones)
    return learn_bands(masks, zones, project.laterality)
