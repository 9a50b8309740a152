"""Which cases, and which of their revisions, leave a project."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date

import numpy as np

from training.errors import FormatError
from training.pool import Case, Project, Revision
from training.pool.images import read_mask
from training.pool.records import Pool

STATES: tuple[Pool, ...] = ("labeled", "unlabeled", "gate", "report")


@dataclass(frozen=True)
class Selection:
    """What a person chose to export.

    Attributes
    ----------
    states : frozenset of str
        Pools the cases may be in.
    readers : frozenset of str
        Whose revisions count; empty for everybody's.
    since, until : date or None
        First and last day, in UTC, of the revisions that count.
    """

    states: frozenset[str] = frozenset({"labeled", "gate", "report"})
    readers: frozenset[str] = field(default_factory=frozenset)
    since: date | None = None
    until: date | None = None

    def __post_init__(self) -> None:
        unknown = self.states - set(STATES)
        if unknown or not self.states:
            raise FormatError(
                f"There is no state {', '.join(sorted(unknown)) or 'chosen'}: use {', '.join(STATES)}."
            )
        if self.since and self.until and self.since > self.until:
            raise FormatError(f"No day is from {self.since} to {self.until}: swap the dates.")

    def counts(self, revision: Revision) -> bool:
        """Whether a revision is by a chosen reader, on a chosen day."""
        day = date.fromisoformat(revision.created_at[:10])
        return (
            (not self.readers or revision.reader in self.readers)
            and (self.since is None or day >= self.since)
            and (self.until is None or day <= self.until)
        )


@dataclass(frozen=True)
class Chosen:
    """A case and the revision that stands for it; None for an unlabeled case."""

    case: Case
    revision: Revision | None

    @property
    def description(self) -> str:
        """The words of the chosen revision; those of the import where there is none."""
        return self.case.description if self.revision is None else self.revision.description

    def mask(self, project: Project) -> np.ndarray | None:
        """The chosen revision's mask, ``(H, W) uint8, 0 or 1``."""
        return None if self.revision is None else read_mask(project.folder / self.revision.mask)


def choose(project: Project, selection: Selection) -> list[Chosen]:
    """The chosen cases in the order of import, each with its newest revision that counts.

    Raises
    ------
    FormatError
        Nothing is chosen.
    """
    chosen = list(_choose(project, selection))
    if not chosen:
        raise FormatError(
            f"No case of {project.folder} fits what was chosen: widen the states, readers or dates."
        )
    return chosen


def _choose(project: Project, selection: Selection) -> Iterator[Chosen]:
    narrowed = bool(selection.readers or selection.since or selection.until)
    for case in project.cases():
        if case.pool not in selection.states:
            continue
        counting = [r for r in project.revisions(case.id) if selection.counts(r)]
        if counting:
            yield Chosen(case, counting[-1])
        elif case.revisions == 0 and not narrowed:
            yield Chosen(case, None)
