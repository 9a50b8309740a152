"""The review session: the review desk with signals, its queue planned and its films read ahead. No Qt, no napari."""

from __future__ import annotations

import contextlib
from collections import Counter
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
from psygnal import Signal

from napari_semimedref.bands import bands_of
from napari_semimedref.case_session import CaseSession
from napari_semimedref.planning import Plan, Planner
from training.acquisition import Choice
from training.errors import SemiMedRefError
from training.pool import Project, Revision
from training.pool.listing import CaseFilter, left_on_desk
from training.pool.rounds import read_proposal
from training.report import THIRDS, Bands
from training.review import ReviewDesk

LATER = "come back later"
AHEAD = 2  # films of the queue that are read before they are asked for
PATIENCE = 0.5  # seconds that opening a project may wait for its queue
UNUSABLE = "proposal unusable"
LEFT = "The case you left, {case}, was not opened again, and your draft of it is kept: {error}"


class ReviewSession(CaseSession):
    """One reader at work on one project. Signals are emitted in the calling (GUI) thread only.

    Parameters
    ----------
    project : Project
    reader : str
    strategy : str
        How the queue is ordered; one of `training.acquisition.STRATEGIES`.
    rng : numpy.random.Generator
        Noise of the queue's order.
    """

    opened = Signal(object)  # OpenCase, or None for an empty desk
    queue_changed = Signal()
    accepted = Signal(object)  # Revision
    skipped = Signal(str)  # case id

    def __init__(
        self,
        project: Project,
        reader: str,
        *,
        rng: np.random.Generator,
        strategy: str = "zones",
    ) -> None:
        super().__init__(ReviewDesk(project, reader))
        self.counts: Counter[str] = Counter()
        self.tally: Counter[str] = Counter()  # what this sitting came to: "accepted", "skipped"
        self.planner = Planner(project, self.desk.reader, strategy, rng)
        self._begun_behind = 0
        self._waits_for_plan = False
        self._reasons: dict[str, str] = {}
        self._learner = ThreadPoolExecutor(1, thread_name_prefix="bands")
        self._fetcher = ThreadPoolExecutor(1, thread_name_prefix="films")
        self._bands: Future[Bands] = self._learner.submit(bands_of, project)

    # -- what is so --------------------------------------------------------------------------------

    @property
    def strategy(self) -> str:
        """How the queue is ordered."""
        return self.planner.strategy

    @property
    def bands(self) -> Bands:
        """Where the zones of this project's films lie, as learned from its labeled cases; thirds until then."""
        learned = self._bands.done() and self._bands.exception() is None
        return self._bands.result() if learned else THIRDS

    def queue(self) -> list[Choice]:
        """The cases to come, each with the reason for its place."""
        return [Choice(case_id, self._reasons.get(case_id, "")) for case_id in self.desk.queue]

    # -- going about -------------------------------------------------------------------------------

    def plan(self, strategy: str | None = None) -> None:
        """Order the waiting cases anew; the one on the desk stays."""
        self.planner.strategy = strategy or self.strategy
        self._take_plan(self.planner.plan(), frozenset())

    def plan_soon(self, strategy: str | None = None, wanted: CaseFilter | None = None) -> None:
        """Begin to order the waiting cases anew, or those that fit a filter; `poll_planning` takes the order over."""
        self.planner.strategy = strategy or self.strategy
        self.planner.wanted = self.planner.wanted if wanted is None else wanted
        self._begun_behind = len(self.desk.visited)
        self.planner.begin()

    def begin(self) -> None:
        """Open what a sitting that broke off left on the desk, else the first case as soon as the queue is planned."""
        left = left_on_desk(self.project, self.desk.reader)
        if left is not None:
            try:
                self.open(left)
            except SemiMedRefError as error:  # Another reader may have it by now.
                self.failed.emit(LEFT.format(case=left, error=error))
        self.plan_soon()
        self.planner.await_plan(PATIENCE)
        self._waits_for_plan = True
        self.poll_planning()

    def poll_planning(self) -> None:
        """Take over an order that is done; what was on the desk since it was begun is left out of it."""
        try:
            plan = self.planner.take()
        except SemiMedRefError as error:
            self.failed.emit(str(error))
            return
        if plan is not None:
            self._take_plan(plan, frozenset(self.desk.visited[self._begun_behind :]))
            if self._waits_for_plan:
                self._waits_for_plan = False
                if self.current is None:
                    self.next()

    def read_blind(self, blind: bool) -> None:
        """Turn to second readings, which show nothing of the first ones, or back to the queue."""
        self.settle()
        self.desk.close()
        self.desk.blind = self.planner.blind = blind
        self.desk.visited = []  # what was seen openly must not be read blindly
        self.plan()
        self.next()

    def open(self, case_id: str) -> None:
        """Put a case on the desk."""
        self.settle()
        self.desk.open(case_id)
        self._moved()

    def next(self) -> None:
        """Open the next case of the queue, or clear the desk when it is empty."""
        self.settle()
        if not self.desk.queue:
            self._plan_rest()
        self.desk.next()
        self._moved()

    def previous(self) -> bool:
        """Go back to the case before; False when there was none."""
        self.settle()
        if self.desk.previous() is None:
            return False
        self._moved()
        return True

    def accept(self) -> Revision:
        """Make the draft a revision, then open the next case."""
        self.settle()
        revision = self.desk.accept()
        self.counts = self.project.counts()
        self.tally["accepted"] += 1
        self.accepted.emit(revision)
        self.next()
        return revision

    def skip(self, reason: str = LATER) -> None:
        """Put the case aside with a reason, then open the next one; `UNUSABLE` rejects its proposal, if it has one."""
        self.settle()
        proposed = self.current is not None and self.current.proposal is not None
        case_id = self.case_id
        self.desk.skip(reason, rejected=proposed and reason == UNUSABLE)
        self.tally["skipped"] += 1
        self.skipped.emit(case_id)
        self.next()

    # -- news and the end --------------------------------------------------------------------------

    def refresh(self) -> bool:
        """Look whether another teacher serves by now; if so renew queue and proposals."""
        serving = self._serving_id()
        if serving == self._serving:
            return False
        self._serving = serving
        self._bands = self._learner.submit(bands_of, self.project)
        self.plan_soon()
        case = self.current.case if self.current is not None else None
        if case is not None and not case.is_holdout:
            found = read_proposal(self.project, case.id)
            if found is not None:
                self.take_proposal(case.id, found[1], found[0].model_id)
        return True

    def close(self) -> None:
        """Save the draft, give the case back and stop writing."""
        self.settle()
        try:
            self.desk.close()
        finally:
            self._writer.close()
            self._learner.shutdown()
            self._fetcher.shutdown(cancel_futures=True)
            self.planner.close()

    # -- inside ------------------------------------------------------------------------------------

    def _take_plan(self, plan: Plan, done: frozenset[str]) -> None:
        self._reasons.update({choice.case_id: choice.reason for choice in plan.choices})
        left = [choice for choice in plan.choices if choice.case_id not in done]
        self.desk.take_plan(left, plan.strategy)
        self.counts = plan.counts
        self.queue_changed.emit()

    def _plan_rest(self) -> None:
        """A queue has a greatest length: at its end look for cases that were not on the desk yet."""
        self.plan()
        seen = set(self.desk.visited)
        self.desk.set_queue([case_id for case_id in self.desk.queue if case_id not in seen])

    def _fetch_ahead(self) -> None:
        for case_id in self.desk.queue[:AHEAD]:
            film = self.project.folder / self.project.case(case_id).image
            self._fetcher.submit(self.desk.shelf.fetch, film)

    def _moved(self) -> None:
        self.opened.emit(self.current)
        self.queue_changed.emit()
        if self.current is not None and self.current.trouble:
            self.failed.emit(self.current.trouble)
        with contextlib.suppress(SemiMedRefError):  # it is said when the case is opened
            self._fetch_ahead()
