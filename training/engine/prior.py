"""The zone atlas as a soft prior on pseudo-masks: what the words alone say of them. No networks, no files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter
from scipy.special import logit
from torch import Tensor

from training.atlas import Atlas, Zones, fit_atlas
from training.engine.data import FilmPool
from training.engine.transfer import to_device
from training.engine.views import WeakDraw, move_maps
from training.engine.words import finding_of, is_certain

BLUR = 0.03  # Standard deviation of the maps' smoothing, as a share of their side.
MOST = 0.9  # Largest share of lesions at a pixel that counts; the least is half of one mask.
FOLDS = 10
UNLIKELY = -1.0  # Change of the log-odds from which words count as speaking against a lesion.
TOLERATED = 0.05  # Share of lesions' pixels against their words that leaves nothing of the prior.
SURE = 1e-4  # Probabilities are kept this far from 0 and 1.


@dataclass(frozen=True)
class ZonePrior:
    """Where a description makes lesions less likely than they are over all labeled films.

    It only ever lowers a probability: where the named zones are, the picture decides.

    Attributes
    ----------
    atlas : Atlas
        Of the labeled pool, at the network's size.
    weight : float
        Factor of the log-odds.
    labels : int
        Masks behind the atlas, >= 1.
    """

    atlas: Atlas
    weight: float
    labels: int
    _known: dict[Zones, Tensor] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def from_films(cls, labeled: FilmPool, weight: float) -> ZonePrior:
        """Fit it to films with masks; see `fit`."""
        assert labeled.masks is not None
        texts = [case.description for case in labeled.cases]
        return cls.fit(labeled.masks.cpu().numpy(), texts, weight)

    @classmethod
    def fit(cls, masks: NDArray[np.uint8], texts: Sequence[str], weight: float) -> ZonePrior:
        """Fit it to labeled masks; where these do not keep to their words, its weight is less, down to 0.

        Parameters
        ----------
        masks : (N, H, W) uint8, 0 or 1
            At the network's size; N >= 1.
        texts : sequence of str
            Their descriptions.
        weight : float >= 0
            Largest factor of the log-odds.

        Raises
        ------
        SemiMedRefError
            If there is no mask.
        """
        zones = [_zones(text) for text in texts]
        trust = max(0.0, 1 - _spoken_against(masks, zones) / TOLERATED)
        return cls(fit_atlas(masks, zones), weight * trust, len(masks))

    @property
    def says_nothing(self) -> bool:
        """Whether the films' own masks have shown that it is not to be trusted."""
        return self.weight == 0

    def apply(
        self, probabilities: Tensor, texts: Sequence[str], draws: Sequence[WeakDraw]
    ) -> Tensor:
        """Probabilities ``(B, 1, H, W) float in [0, 1]`` of weak views, lowered where the words speak against lesions.

        Parameters
        ----------
        texts : sequence of str
            Descriptions; those that fix no position, or deny lesions, change nothing here.
        draws : sequence of WeakDraw
            Geometry of the views.
        """
        shifts = to_device(torch.stack([self._shift(text) for text in texts]), probabilities.device)
        moved = move_maps(shifts, draws)
        return torch.sigmoid(torch.logit(probabilities.float(), eps=SURE) + self.weight * moved)

    def _shift(self, text: str) -> Tensor:
        """Change of the log-odds, ``(1, H, W) float``, at most 0."""
        return self._shift_of(_zones(text))

    def _shift_of(self, zones: Zones | None) -> Tensor:
        if not zones:
            return torch.zeros(1, *self.atlas.overall.shape)
        if zones not in self._known:
            odds = self._log_odds(self.atlas.probability(zones)) - self._log_odds(
                self.atlas.overall
            )
            self._known[zones] = torch.from_numpy(np.minimum(odds, 0))[None]
        return self._known[zones]

    def _log_odds(self, share: NDArray[np.float32]) -> NDArray[np.float32]:
        # Few masks leave holes that mean nothing: smoothed, and never rarer than half of one mask.
        smooth = gaussian_filter(share, BLUR * share.shape[0])
        odds: NDArray[np.float32] = logit(smooth.clip(min(0.5 / self.labels, MOST), MOST)).astype(
            np.float32
        )
        return odds


def _spoken_against(masks: NDArray[np.uint8], zones: list[Zones | None]) -> float:
    """Share of lesions' pixels that the words of their own film make unlikely, by atlases of the other films."""
    folds = min(FOLDS, len(masks))
    if folds < 2:
        return 1.0
    fold = np.arange(len(masks)) % folds
    against = found = 0
    for held in range(folds):
        kept = np.flatnonzero(fold != held)
        others = fit_atlas(masks[kept], [zones[number] for number in kept])
        prior = ZonePrior(others, 1.0, len(kept))
        for number in np.flatnonzero(fold == held):
            shift = prior._shift_of(zones[number])[0].numpy()
            against += int(np.count_nonzero(shift[masks[number] > 0] < UNLIKELY))
            found += int(np.count_nonzero(masks[number]))
    return against / found if found else 1.0


def _zones(text: str) -> Zones | None:
    finding = finding_of(text)
    return frozenset(finding.zones) if is_certain(finding) else None
