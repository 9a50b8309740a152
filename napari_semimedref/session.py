"""The review session: the review desk with signals, and drafts saved off the GUI thread. No Qt, no napari."""

from __future__ import annotations

import contextlib
from collections import Counter
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
from psygnal import Signal

from napari_semimedref.bands import bands_of
from napari_semimedref.draft_writer import DraftWriter
from napari_semimedref.planning import Plan, Planner
from training.acquisition import Choice
from training.errors import SemiMedRefError
from training.mask_draft import STROKE
from training.pool import Project, Revision
from training.pool.leases import give_back, take_lease
from training.pool.listing import CaseFilter, left_on_desk
from training.pool.rounds import read_proposal, serving_model
from training.report import THIRDS, Bands
from training.review import OpenCase, ReviewDesk

LATER = "come back later"
AHEAD = 2  # films of the queue that are read before they are asked for
PATIENCE = 0.5  # seconds that opening a project may wait for its queue
UNUSABLE = "proposal unusable"


class ReviewSession:
    """One reader at work on one project. Signals are emitted in the calling (GUI) thread only.

    Parameters
    ----------
    project : Project
    reader : str
    strategy : str
        How the queue is ordered; one of `training.acquisition.STRATEGIES`.
    rng : numpy.random.Generator
        Noise of the queue's order.
    confidence_threshold : float in (0, 1)
        Probability at which a pixel of a pseudo-mask becomes foreground.
    """

    opened = Signal(object)  # OpenCase, or None for an empty desk
    proposal_changed = Signal(object)  # OpenCase
    mask_edited = Signal()
    description_edited = Signal(str)
    draft_saved = Signal()
    queue_changed = Signal()
    accepted = Signal(object)  # Revision
    skipped = Signal(str)  # case id
    failed = Signal(str)

    def __init__(
        self,
        project: Project,
        reader: str,
        *,
        rng: np.random.Generator,
        strategy: str = "zones",
        confidence_threshold: float = 0.5,
    ) -> None:
        self.desk = ReviewDesk(project, reader, confidence_threshold=confidence_threshold)
        self.counts: Counter[str] = Counter()
        self.tally: Counter[str] = Counter()  # what this sitting came to: "accepted", "skipped"
        self.planner = Planner(project, self.desk.reader, strategy, rng)
        self._begun_behind = 0
        self._waits_for_plan = False
        self._reasons: dict[str, str] = {}
        self._writer = DraftWriter(self.desk, self.draft_saved.emit, self.failed.emit)
        self._reader = ThreadPoolExecutor(1, thread_name_prefix="bands")
        self._fetcher = ThreadPoolExecutor(1, thread_name_prefix="films")
        self._bands: Future[Bands] = self._reader.submit(bands_of, project)
        self._serving = self._serving_id()

    # -- what is so --------------------------------------------------------------------------------

    @property
    def project(self) -> Project:
        """The project under review."""
        return self.desk.project

    @property
    def current(self) -> OpenCase | None:
        """The case on the desk."""
        return self.desk.current

    @property
    def case_id(self) -> str:
        """Id of the case on the desk; empty when there is none."""
        return "" if self.current is None else self.current.case.id

    @property
    def mask(self) -> np.ndarray | None:
        """The draft's mask, ``(H, W) uint8, 0 or 1``."""
        return self.desk.mask

    @property
    def description(self) -> str:
        """The draft's description."""
        return self.desk.description

    @property
    def strategy(self) -> str:
        """How the queue is ordered."""
        return self.planner.strategy

    @property
    def has_teacher(self) -> bool:
        """Whether a teacher serves proposals."""
        return self._serving is not None

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
            with contextlib.suppress(SemiMedRefError):  # Another reader has it by now.
                self.open(left)
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

    # -- working on the case -----------------------------------------------------------------------

    def edit_mask(self, mask: np.ndarray, *, strokes: int = 1, name: str = STROKE) -> None:
        """Replace the draft's mask, ``(H, W)``; `training.mask_draft.MaskDraft.edit` says what the rest means."""
        self.desk.edit_mask(mask, strokes=strokes, name=name)
        self.mask_edited.emit()

    def undo(self) -> str:
        """Take the latest change of the mask back; returns its name, empty if there was none."""
        return self._turned(self.desk.undo() if self.desk.draft else "")

    def redo(self) -> str:
        """Do the change that was undone last again; returns its name, empty if there was none."""
        return self._turned(self.desk.redo() if self.desk.draft else "")

    def edit_description(self, description: str) -> None:
        """Replace the draft's description."""
        if self.current is not None and description != self.desk.description:
            self.desk.edit_description(description)
            self.description_edited.emit(description)

    def forget_strokes(self) -> None:
        """Count the mask as untouched again: new proposals may replace it."""
        if self.desk.draft is not None:
            self.desk.draft.forget_strokes()

    @property
    def wants_proposals(self) -> bool:
        """Whether the service may be asked about the case on the desk; never about the holdout or a lost film."""
        opened = self.current
        return opened is not None and opened.takes_proposals and self.has_teacher

    def take_proposal(self, case_id: str, probability: np.ndarray, model_id: str | None) -> bool:
        """Lay a new proposal ``(h, w) float32 in [0, 1]`` on the desk if its case is still there.

        A mask that the reader touched stays as it is.
        """
        if self.case_id != case_id or self.current is None or not self.current.takes_proposals:
            return False
        self.proposal_changed.emit(self.desk.take_proposal(probability, model_id))
        return True

    def refresh(self) -> bool:
        """Look whether another teacher serves by now; if so renew queue and proposals."""
        serving = self._serving_id()
        if serving == self._serving:
            return False
        self._serving = serving
        self._bands = self._reader.submit(bands_of, self.project)
        self.plan_soon()
        case = self.current.case if self.current is not None else None
        if case is not None and not case.is_holdout:
            found = read_proposal(self.project, case.id)
            if found is not None:
                self.take_proposal(case.id, found[1], found[0].model_id)
        return True

    # -- drafts ------------------------------------------------------------------------------------

    def autosave(self) -> None:
        """Begin to write the draft, if it changed, without waiting for the disk."""
        self._writer.begin()

    def poll_writing(self) -> bool:
        """Take note of a finished write; True when none is going on."""
        return self._writer.poll()

    def settle(self) -> None:
        """Wait for a write that is going on, so that what comes next is written after it."""
        self._writer.settle()

    def rest(self) -> None:
        """Put the draft on disk and let others have the case, which stays on the desk."""
        self.settle()
        self.desk.save_draft()
        if self.current is not None:
            give_back(self.project, self.current.case.id, self.desk.reader)

    def keep_lease(self) -> None:
        """Renew the hold on the case on the desk; raises CaseLeased if another reader has it by now."""
        if self.current is not None:
            take_lease(self.project, self.current.case.id, self.desk.reader)

    def close(self) -> None:
        """Save the draft, give the case back and stop writing."""
        self.settle()
        try:
            self.desk.close()
        finally:
            self._writer.close()
            self._reader.shutdown()
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

    def _turned(self, name: str) -> str:
        if name:
            self.mask_edited.emit()
        return name

    def _serving_id(self) -> str | None:
        model = serving_model(self.project)
        return None if model is None else model.id
