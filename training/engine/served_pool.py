"""What the next round would learn from a project's labeled masks before its first step, the zone atlas and the zones'
bands; made anew only when that pool changes, from masks of which each is read once."""

from __future__ import annotations

import contextlib

import numpy as np
from numpy.typing import NDArray

from training.config import MethodConfig
from training.engine.data import shrink_mask
from training.engine.prior import ZonePrior
from training.engine.zone_bands import CHEST, bands_of_films
from training.errors import FormatError
from training.pool import Case, Project
from training.pool.images import read_mask
from training.report.zones import Bands


class ServedPool:
    """Gives prior and bands of a project's labeled pool; the latest ones are kept."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._read_from: tuple[object, ...] = ()
        self._films: tuple[NDArray[np.uint8], list[str]] | None = None
        self._masks: dict[str, NDArray[np.uint8]] = {}  # By file, whose name is its content's.
        self._side = 0
        self._prior: tuple[float, ZonePrior | None] | None = None
        self._bands: Bands | None = None

    def prior(self, method: MethodConfig, side: int) -> ZonePrior | None:
        """The prior at ``side`` x ``side`` pixels; None where the method uses none or nothing is labeled."""
        if method.name != "semi-medref" or method.zone_prior == 0:
            return None
        self._renew(side)
        if self._prior is None or self._prior[0] != method.zone_prior:
            self._prior = method.zone_prior, self._make_prior(method.zone_prior)
        return self._prior[1]

    def bands(self, side: int) -> Bands:
        """Where the zones lie in the project's films, from masks at ``side`` x ``side`` pixels."""
        self._renew(side)
        if self._bands is None:
            films = self._films
            self._bands = (
                CHEST if films is None else bands_of_films(*films, self._project.laterality)
            )
        return self._bands

    def _renew(self, side: int) -> None:
        cases = self._project.cases("labeled")
        now = (side, *((case.id, case.mask, case.description) for case in cases))
        if now != self._read_from:
            self._read_from, self._films = now, self._read(cases, side)
            self._prior = self._bands = None

    def _read(self, cases: list[Case], side: int) -> tuple[NDArray[np.uint8], list[str]] | None:
        before = self._masks if side == self._side else {}
        self._masks, self._side = {}, side
        texts, masks = [], []
        for case in cases:
            name = str(case.mask)
            with contextlib.suppress(FormatError, OSError):  # the trainer leaves it out, too
                if name not in before:
                    before[name] = shrink_mask(read_mask(self._project.folder / name), side)
                self._masks[name] = before[name]
                masks.append(before[name])
                texts.append(case.description)
        return (np.stack(masks), texts) if masks else None

    def _make_prior(self, weight: float) -> ZonePrior | None:
        if self._films is None:
            return None
        prior = ZonePrior.fit(*self._films, weight)
        return None if prior.says_nothing else prior
