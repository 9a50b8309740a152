"""The review desk: a queue, the current case, the reader's draft, and what accepting, skipping and going back mean.

The window's session and the simulated reader are both this desk, so that what is measured headless is what a reader
does. No Qt, no napari, no signals; the window adds those in `napari_semimedref.session`.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from training.acquisition import Choice
from training.active_time import ActiveTime
from training.arms import arm_to_show, let_stand
from training.case_work import CaseWork
from training.drafts import read_history, write_history
from training.errors import PoolError
from training.mask_draft import MaskDraft
from training.open_case import FilmShelf, OpenCase, compare, load_case, starting_mask
from training.pool import Project, Revision
from training.pool.adjudication import adjudicate
from training.pool.leases import CaseLeased, give_back, take_lease
from training.pool.records import Reading
from training.pool.second_reading import blinded
from training.pool.showings import BY_HAND, add_showing

__all__ = ["OpenCase", "ReviewDesk"]


class ReviewDesk(CaseWork):
    """Take a reader through a queue of cases, one draft at a time.

    Parameters
    ----------
    project : Project
    reader : str
        Name under which revisions are kept.
    blind : bool
        Whether this is a desk for second readings: it shows cases as they were imported, without anybody's mask.

    While a case is on the desk it is leased to the reader; a case on somebody else's desk cannot be opened, and
    `next` passes it over.
    """

    def __init__(self, project: Project, reader: str, *, blind: bool = False) -> None:
        super().__init__(project, reader)
        self.blind = blind
        self.adjudicating = False  # whether accepting the draft decides a dispute
        self.queue: list[str] = []
        self.planned: dict[str, tuple[Choice, str]] = {}  # of what was planned: choice, strategy
        self.visited: list[str] = []
        self.shelf = FilmShelf()

    # -- going about -------------------------------------------------------------------------------------------

    def set_queue(self, case_ids: list[str]) -> None:
        """Set the order of the cases to come. The one on the desk stays there and is left out of the queue."""
        on_desk = self.current.case.id if self.current else None
        self.queue = [case_id for case_id in case_ids if case_id != on_desk]

    def take_plan(self, choices: Sequence[Choice], strategy: str) -> None:
        """Set the order of the cases to come as a strategy chose them."""
        self.planned |= {choice.case_id: (choice, strategy) for choice in choices}
        self.set_queue([choice.case_id for choice in choices])

    def open(self, case_id: str) -> OpenCase:
        """Put a case on the desk, with the reader's draft of it if there is one. Unsaved work is saved first.

        Raises
        ------
        CaseLeased
            Another reader has it on their desk; this desk stays as it is.
        """
        self.save_draft()
        before = self.current.case.id if self.current is not None else None
        opened = self._load(case_id)
        if before is not None and before != case_id:
            self.visited.append(before)
        self.queue = [waiting for waiting in self.queue if waiting != case_id]
        return opened

    def next(self) -> OpenCase | None:
        """Open the next case of the queue; None, and an empty desk, when it is empty.

        A film that cannot be read comes to the desk like any other, with `OpenCase.trouble`, to be skipped.
        """
        while self.queue:
            try:
                return self.open(self.queue[0])
            except CaseLeased:
                self.queue.pop(0)
        self.save_draft()
        if self.current is not None:
            self.visited.append(self.current.case.id)
        self._clear()
        return None

    def previous(self) -> OpenCase | None:
        """Go back to the case that was on the desk before; the present one returns to the head of the queue.

        Cases on other readers' desks are passed over.
        """
        self.save_draft()
        before = self.current.case if self.current is not None else None
        opened = self._load_last_visited(None if before is None else before.id)
        if opened is None:
            return None
        if before is not None and before.pool == "unlabeled":
            self.queue.insert(0, before.id)
        self.queue = [waiting for waiting in self.queue if waiting != opened.case.id]
        return opened

    # -- deciding ----------------------------------------------------------------------------------------------

    def accept(self) -> Revision:
        """Make the draft a revision. When this returns it is on disk for good; the case is labeled.

        Raises
        ------
        PoolError
            Nothing was accepted: the film cannot be read, or its mask cannot be and was not drawn again.
        """
        opened = self._on_desk()
        if opened.trouble and not (opened.readable and self.strokes):
            raise PoolError(opened.trouble)
        self.active_time.touch()
        compared = compare(opened, self._drafted().mask)
        revision = self.project.accept(
            opened.case.id,
            self._drafted().mask,
            self.description,
            self.reader,
            model_id=opened.model_id,
            active_seconds=round(self.active_time.seconds, 3),
            strokes=self.strokes,
            started_from=opened.case.revision_id,
            reading=self._reading(compared),
            **compared,
        )
        with contextlib.suppress(PoolError):  # the mask is safe; only undo depends on this
            write_history(self.project, self.work())
        self.dirty = False
        if revision.reading in ("open", "adjudication"):
            # A further acceptance starts from this one.
            self.current = replace(opened, case=replace(opened.case, revision_id=revision.id))
        return revision

    def let_stand(self, revision_id: int) -> Revision:
        """Decide about the contested case on the desk: one of its revisions stands. The reader's draft of it ends."""
        case_id = self._on_desk().case.id
        revision = adjudicate(self.project, case_id, self.reader, revision_id)
        self.dirty = False
        return revision

    def skip(self, reason: str, *, rejected: bool = False) -> None:
        """Put the case aside with a reason; its draft stays. ``rejected``: because the proposal was unusable."""
        opened = self._on_desk()
        self.save_draft()
        self.active_time.touch()
        self.project.skip(
            opened.case.id,
            self.reader,
            reason,
            rejected=rejected,
            model_id=opened.model_id,
            active_seconds=round(self.active_time.seconds, 3),
            strokes=self.strokes,
        )

    def close(self) -> None:
        """Save the draft, give the case back to the others and clear the desk."""
        self.save_draft()
        self._clear()

    # -- inside ------------------------------------------------------------------------------------------------

    def _reading(self, compared: dict[str, Any]) -> Reading:
        if self.adjudicating:
            return "adjudication"
        if self.blind:
            return "blind"
        planted = self._on_desk().arm == "planted"
        stands = let_stand(compared.get("dice_to_proposal"), compared.get("pixels_changed"))
        return "planted" if planted and stands else "open"

    def _load(self, case_id: str) -> OpenCase:
        project, leaving = self.project, self.current
        take_lease(
            project, case_id, self.reader, leave=None if leaving is None else leaving.case.id
        )
        case = blinded(project, case_id) if self.blind else project.case(case_id)
        draft = project.draft(case_id, self.reader)
        planned = self.planned.get(case_id)
        arm = "strategy" if self.blind else arm_to_show(project, case, self.reader, planned)
        opened = load_case(project, case, draft, self.confidence_threshold(), self.shelf, arm)
        mask, trouble = starting_mask(project, opened, draft)
        if trouble and not opened.trouble:
            opened = replace(opened, trouble=trouble)
        history = read_history(project, case_id, self.reader, mask)
        self.draft = MaskDraft(mask, 0 if draft is None else draft.strokes, history)
        self.description = case.description if draft is None else draft.description
        self.current, self.dirty, self.adjudicating = opened, False, False
        self.active_time = ActiveTime(idle_seconds=self.idle_seconds)
        self._note_showing(opened)
        return opened

    def _note_showing(self, opened: OpenCase) -> None:
        choice, strategy = self.planned.get(opened.case.id, (Choice("", ""), BY_HAND))
        if not self.blind and opened.case.pool == "unlabeled":
            add_showing(
                self.project,
                opened.case.id,
                self.reader,
                opened.arm,
                strategy=strategy,
                reason=choice.reason,
            )

    def _load_last_visited(self, on_desk: str | None) -> OpenCase | None:
        """Load the last visited case that can be; raise why the last one cannot if none can, and forget nothing."""
        refused: PoolError | None = None
        for place in range(len(self.visited) - 1, -1, -1):
            if self.visited[place] == on_desk:
                continue
            try:
                opened = self._load(self.visited[place])
            except CaseLeased as error:
                refused = refused or error
                continue
            del self.visited[place:]
            return opened
        if refused is not None:
            raise refused
        return None

    def _clear(self) -> None:
        if self.current is not None:
            give_back(self.project, self.current.case.id, self.reader)
        self.current = self.draft = None
        self.description, self.dirty, self.adjudicating = "", False, False
