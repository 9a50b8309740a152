"""Whom a film meets in a run: the step that shows it, its partner there, and the labeled films whose sides it may get.

Worked out from the run's orders and streams alone, by the functions that the trainer itself uses. A run that had to
leave out an unreadable film counts one film less, and meets otherwise.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from training.config import RunConfig
from training.engine.data import CaseOrder
from training.engine.inputs import labeled_partners, patch_partners, side_donors
from training.engine.schedules import burn_in_steps
from training.engine.streams import Key


@dataclass(frozen=True)
class Meeting:
    """A film and those it is mixed with.

    Attributes
    ----------
    film : Key
    partner : Key or None
        Whose patches it may get; of a labeled film, whose side. None where it is alone in its batch.
    donors : tuple of Key
        The labeled film whose side it may get, and that one's own partner, if any.
    step : int or None
        The run's step, from 0; None where no run decides who meets.
    later : bool
        Whether burn-in may last longer than its share of the steps: the film is shown later then, and others' sides
        are there for it.
    """

    film: Key
    partner: Key | None
    donors: tuple[Key, ...] = ()
    step: int | None = None
    later: bool = False


@dataclass(frozen=True)
class Meetings:
    """All meetings of a run.

    Attributes
    ----------
    labeled, unlabeled : sequence of str
        Ids of the two training pools in the snapshot's order.
    config : RunConfig
    """

    labeled: Sequence[str]
    unlabeled: Sequence[str]
    config: RunConfig

    def of(self, film: Key) -> Meeting | None:
        """Whom a film meets when it is shown for the ``film.epoch``-th time; None if it is in neither pool."""
        if film.case_id in self.unlabeled:
            return self._unlabeled(film)
        return self._labeled(film) if film.case_id in self.labeled else None

    def _unlabeled(self, film: Key) -> Meeting:
        training = self.config.training
        order = CaseOrder(len(self.unlabeled), film.seed, "unlabeled")
        number = order.batch_of(
            (self.unlabeled.index(film.case_id), film.epoch), training.batch_unlabeled
        )
        keys = _keys(order, number, training.batch_unlabeled, self.unlabeled)
        place = keys.index(film)
        step = burn_in_steps(training, self.config.method, len(self.unlabeled)) + number
        donors: tuple[Key, ...] = ()
        if self.labeled:
            shown = self._labeled_keys(step, film.seed)
            donors = _with_partner(shown, int(side_donors(keys, len(shown))[place]))
        partner = keys[int(patch_partners(keys)[place])] if len(keys) > 1 else None
        return Meeting(film, partner, donors, step, later=self.config.burn_in_may_last)

    def _labeled(self, film: Key) -> Meeting:
        size = self.config.training.batch_labeled
        order = CaseOrder(len(self.labeled), film.seed, "labeled")
        step = order.batch_of((self.labeled.index(film.case_id), film.epoch), size)
        keys = _keys(order, step, size, self.labeled)
        partner = _with_partner(keys, keys.index(film))[1:]
        return Meeting(film, partner[0] if partner else None, partner, step)

    def _labeled_keys(self, step: int, seed: int) -> tuple[Key, ...]:
        order = CaseOrder(len(self.labeled), seed, "labeled")
        return _keys(order, step, self.config.training.batch_labeled, self.labeled)


def _keys(order: CaseOrder, number: int, size: int, ids: Sequence[str]) -> tuple[Key, ...]:
    return tuple(Key(order.seed, ids[place], epoch) for place, epoch in order.batch(number, size))


def _with_partner(keys: tuple[Key, ...], place: int) -> tuple[Key, ...]:
    partner = int(labeled_partners(keys)[place])
    return (keys[place],) if partner == place else (keys[place], keys[partner])
