"""How a reader decides where others disagree: let one reading stand, or go on from one and accept what comes of it.
No Qt, no layers."""

from __future__ import annotations

from psygnal import Signal

from napari_semimedref.fixed_layers import PROPOSAL
from napari_semimedref.session import ReviewSession
from napari_semimedref.viewer_bridge import ViewerBridge
from training.errors import SemiMedRefError
from training.pool.adjudication import contested_cases
from training.pool.readings import Contest, Likeness, Reading, compare_readings, contest_of
from training.review import OpenCase

NAMES = ("A", "B")
NONE_WAITS = "No case waits for adjudication."
BLIND = "Second readings are blind: list other cases in the queue before you adjudicate."


class Adjudicating:
    """The judge of one window; before `attach` there is nothing to decide.

    Attributes
    ----------
    contest : Contest or None
        What readers disagree about in the case on the desk.
    """

    changed = Signal()
    said = Signal(str)

    def __init__(self) -> None:
        self.contest: Contest | None = None
        self._second = 1
        self._hid = False  # the proposal, which was shown before
        self._session: ReviewSession | None = None
        self._bridge: ViewerBridge | None = None

    def attach(self, session: ReviewSession, bridge: ViewerBridge) -> None:
        """Decide about another session's cases."""
        self._session, self._bridge = session, bridge
        session.opened.connect(self._on_case)

    @property
    def pair(self) -> tuple[Reading, Reading] | None:
        """The reference, A, and the reading beside it, B."""
        if self.contest is None or len(self.contest.readings) < 2:
            return None
        return self.contest.readings[0], self.contest.readings[self._second]

    @property
    def likeness(self) -> Likeness | None:
        """How far the two agree."""
        return None if self.pair is None else compare_readings(*self.pair)

    def choose_second(self, place: int) -> None:
        """Put another of the readings beside the reference; 1 is the newest."""
        if self.contest is not None and 0 < place < len(self.contest.readings):
            self._second = place
            self._show()

    def next(self) -> None:
        """Open the next case that waits for adjudication, from the first again after the last."""
        session = self._session
        if session is None:
            return
        if session.desk.blind:
            self.said.emit(BLIND)
            return
        try:
            here = session.case_id or None
            found = contested_cases(session.project, after=here, count=1)
            found = found or contested_cases(session.project, count=1)
            if not found:
                self.said.emit(NONE_WAITS)
            elif found[0].id == here:
                self.said.emit("This is the only case that waits for adjudication.")
            else:
                session.open(found[0].id)
        except SemiMedRefError as error:
            session.failed.emit(str(error))

    def let_stand(self, which: int) -> None:
        """Let A (0) or B (1) be the reference, and go on to the next case that waits."""
        session, pair = self._session, self.pair
        if session is None or pair is None:
            return
        try:
            session.settle()
            revision = session.desk.let_stand(pair[which].revision.id)
        except SemiMedRefError as error:
            session.failed.emit(str(error))
            return
        session.counts = session.project.counts()
        session.accepted.emit(revision)
        words = f"{revision.case_id}: {NAMES[which]} stands, by {revision.reader}'s decision."
        self.contest = None
        self.changed.emit()
        if contested_cases(session.project, count=1):
            self.next()
        else:
            session.next()
        self.said.emit(words)

    def edit_from(self, which: int) -> None:
        """Make A (0) or B (1) the draft; accepting it decides."""
        session, bridge, pair = self._session, self._bridge, self.pair
        if session is None or bridge is None or pair is None:
            return
        session.edit_mask(pair[which].mask, name=f"reading {NAMES[which]}")
        session.edit_description(pair[which].revision.description)
        session.desk.adjudicating = True
        bridge.show_mask(pair[which].mask)
        self.said.emit(f"The draft is {NAMES[which]} now: what you accept decides.")

    # -- inside ------------------------------------------------------------------------------------

    def _on_case(self, opened: OpenCase | None) -> None:
        session = self._session
        self.contest, self._second = None, 1
        if session is not None and opened is not None and not session.desk.blind:
            try:
                self.contest = contest_of(session.project, opened.case.id)
            except SemiMedRefError as error:
                session.failed.emit(str(error))
        self._show()

    def _show(self) -> None:
        pair, bridge = self.pair, self._bridge
        if bridge is not None:
            if pair is not None:
                bridge.readings.show((pair[0].mask, pair[1].mask))
            self._hide_proposal(bridge, pair is not None)
        self.changed.emit()

    def _hide_proposal(self, bridge: ViewerBridge, hide: bool) -> None:
        """A third opinion beside the readers' would be one too many."""
        if hide and bridge.is_visible(PROPOSAL):
            bridge.set_visible(PROPOSAL, False)
            self._hid = True
        elif not hide and self._hid:
            bridge.set_visible(PROPOSAL, True)
            self._hid = False
