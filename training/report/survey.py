"""What is wrong with the descriptions of a whole data set: every text read, every contradiction counted, texts compared
with their masks, worst first. Reads no files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from training.report.convention import ConventionCheck, check_convention
from training.report.finding import Finding, Problem
from training.report.maskdoubt import Disagreement, check_mask
from training.report.parse import parse
from training.report.zones import THIRDS, Bands, Convention, learn_bands

LEAST_FOR_BANDS = 100


@dataclass(frozen=True)
class Described:
    """One row of a data set: a name, its text, and its mask where there is one, shape (H, W)."""

    name: str
    text: str
    mask: NDArray[np.uint8] | None = field(default=None, repr=False, compare=False)


@dataclass(frozen=True)
class Doubtful:
    """A row with at least one problem: of its text alone, and against its mask."""

    name: str
    finding: Finding
    problems: tuple[Problem, ...]
    disagreements: tuple[Disagreement, ...]

    @property
    def weight(self) -> int:
        """Heaviest problem: 3 undecided, 2 contradiction, 1 repaired or a matter of level or count, 0 a note."""
        return max(
            [p.weight for p in self.problems] + [d.problem.weight for d in self.disagreements]
        )

    @property
    def codes(self) -> tuple[str, ...]:
        """Codes of all problems, heaviest first, each once."""
        every = [*self.problems, *(doubt.problem for doubt in self.disagreements)]
        return tuple(dict.fromkeys(p.code for p in sorted(every, key=lambda p: -p.weight)))


@dataclass(frozen=True)
class Survey:
    """The state of a data set's descriptions.

    Attributes
    ----------
    rows, distinct, with_mask : int
        Number of rows, of different texts, of rows with a mask.
    readings : dict of str to int
        Rows by reading.
    codes : dict of str to int
        Rows by problem code, most frequent first.
    doubtful : tuple of Doubtful
        Rows with a problem, worst first.
    convention : ConventionCheck or None
        What one-sided texts say about left; None without masks.
    bands : Bands
        The bands that masks were compared by.
    """

    rows: int
    distinct: int
    with_mask: int
    readings: dict[str, int]
    codes: dict[str, int]
    doubtful: tuple[Doubtful, ...]
    convention: ConventionCheck | None
    bands: Bands


def survey(rows: Iterable[Described]) -> Survey:
    """Check a data set's descriptions.

    Which side texts call left is found from the masks (image where they do not decide); levels are read off masks by
    bands learned from the rows when 100 have a mask, else by thirds.

    Parameters
    ----------
    rows : iterable of Described
        The data set.

    Returns
    -------
    Survey
    """
    described = list(rows)
    findings = [parse(row.text) for row in described]
    masked = [
        (f, row.mask) for f, row in zip(findings, described, strict=True) if row.mask is not None
    ]
    check = check_convention([f for f, _ in masked], [m for _, m in masked]) if masked else None
    side: Convention = (check.convention if check else None) or "image"
    used = _bands(masked, side)
    doubtful = [_doubtful(row, f, side, used) for row, f in zip(described, findings, strict=True)]
    worst = sorted(
        (d for d in doubtful if d is not None), key=lambda d: (-d.weight, -len(d.codes), d.name)
    )
    codes = Counter(code for row in worst for code in row.codes)
    return Survey(
        len(described), len({row.text for row in described}), len(masked),
        dict(Counter(f.reading for f in findings).most_common()), dict(codes.most_common()), tuple(worst), check, used,
    )  # fmt: skip


def _bands(masked: Sequence[tuple[Finding, NDArray[np.uint8]]], convention: Convention) -> Bands:
    sure = [(f.zones, mask) for f, mask in masked if f.zones and not f.conflict]
    if len(sure) < LEAST_FOR_BANDS:
        return THIRDS
    return learn_bands([mask for _, mask in sure], [zones for zones, _ in sure], convention)


def _doubtful(
    row: Described, finding: Finding, convention: Convention, bands: Bands
) -> Doubtful | None:
    against = () if row.mask is None else check_mask(finding, row.mask, bands, convention)
    if not finding.problems and not against:
        return None
    return Doubtful(row.name, finding, finding.problems, against)
