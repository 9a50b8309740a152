"""The zone atlas of a project's labeled pool as the next round has it; made anew only when that pool changes."""

from __future__ import annotations

import contextlib

import numpy as np

from training.config import MethodConfig
from training.engine.data import shrink_mask
from training.engine.prior import ZonePrior
from training.errors import FormatError
from training.pool import Case, Project
from training.pool.images import read_mask


class ServedPrior:
    """Gives the prior of a project's labeled pool; the latest one is kept."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._made_from: tuple[object, ...] = ()
        self._prior: ZonePrior | None = None

    def get(self, method: MethodConfig, side: int) -> ZonePrior | None:
        """The prior at ``side`` x ``side`` pixels; None where the method uses none or nothing is labeled."""
        if method.name != "semi-medref" or method.zone_prior == 0:
            return None
        cases = self._project.cases("labeled")
        now = (side, method.zone_prior, *((case.id, case.mask, case.description) for case in cases))
        if now != self._made_from:
            self._made_from, self._prior = now, self._make(cases, method.zone_prior, side)
        return self._prior

    def _make(self, cases: list[Case], weight: float, side: int) -> ZonePrior | None:
        texts, masks = [], []
        for case in cases:
            with contextlib.suppress(FormatError, OSError):  # the trainer leaves it out, too
                mask = read_mask(self._project.folder / str(case.mask))
                masks.append(shrink_mask(mask, side))
                texts.append(case.description)
        prior = ZonePrior.fit(np.stack(masks), texts, weight) if masks else None
        return None if prior is None or prior.says_nothing else prior
