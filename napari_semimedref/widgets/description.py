"""The description dock: the words of the case, what they are read to mean, and what is doubtful about them."""

from __future__ import annotations

from typing import Any

from qtpy.QtWidgets import QCheckBox, QHBoxLayout

from napari_semimedref.beside import Beside
from napari_semimedref.chips import ZONE_WORDS
from napari_semimedref.timers import timer_for
from napari_semimedref.widgets.dock import Dock
from napari_semimedref.widgets.history import HistoryMenu
from napari_semimedref.widgets.parts import button, heading, menu_button, sentence
from napari_semimedref.widgets.problems import ProblemList, ReadLimit
from napari_semimedref.widgets.spinner import Spinner
from napari_semimedref.widgets.words import WordEdit
from napari_semimedref.widgets.zone_map import ZoneMap
from napari_semimedref.word_reading import (
    QUICK,
    MaskReading,
    fit_words,
    in_words,
    read_mask_zones,
)
from training.pool.texts import PastText, past_texts
from training.report import Finding, Problem, apply_fix, parse, rewrite_zones, zone_boxes
from training.review import OpenCase

WHOSE_LEFT = {
    "image": "“left” means the picture's left, which is the patient's right (R).",
    "patient": "“left” means the patient's left (L), at the picture's right.",
}
HISTORY = "What this case's words have been; choose some to bring them back"
SOON_MS = 350


class DescriptionDock(Dock):
    """Edit the words; a pause in typing asks the teacher for a new pseudo-mask."""

    SCROLLS = True

    def __init__(self, napari_viewer: Any) -> None:
        super().__init__(napari_viewer)
        self.title = heading("")
        self.past = HistoryMenu(self._past_texts, self)
        self.history = menu_button("History", self.past, HISTORY)
        self.edit = WordEdit()
        self.edit.setFixedHeight(66)
        self.reading = sentence()
        self.zones = ZoneMap()
        self.on_film = QCheckBox("Zones on the film")
        self.on_film.setToolTip("Draw the six zones faintly on the film; those named are tinted")
        self.convention = sentence(muted=True)
        self.problems = ProblemList()
        self.limit = ReadLimit(self.workspace)
        self.disagreement = sentence()
        self.from_mask = button(
            "Describe from mask", self.describe_mask, "Change the words so that they fit the mask"
        )
        self.spinner = Spinner("The teacher reads the words")
        self.service = sentence(muted=True)
        self.use_it = button(
            "Use it", self._use_proposal, "Make the mask the new proposal; undo brings yours back"
        )
        self.use_it.hide()
        self._beside = Beside(self)
        self._on_mask = MaskReading()
        self._soon = timer_for(self, SOON_MS, self._compare, once=True)
        self._lay_out()
        self._connect()
        self.finish()

    def _lay_out(self) -> None:
        top = QHBoxLayout()
        top.addWidget(self.title, 1)
        top.addWidget(self.history)
        self.column.addLayout(top)
        self.column.addWidget(self.edit)
        status = QHBoxLayout()
        status.addWidget(self.spinner)
        status.addWidget(self.service, 1)
        status.addWidget(self.use_it)
        self.column.addLayout(status)
        for widget in (self.reading, self.problems, self.limit, self.zones):
            self.column.addWidget(widget)
        row = QHBoxLayout()
        row.addWidget(self.on_film, 1)
        row.addWidget(self.from_mask)
        self.column.addLayout(row)
        self.column.addWidget(self.disagreement)
        self.column.addWidget(self.convention)
        self.column.addStretch()

    def _connect(self) -> None:
        self.edit.textChanged.connect(self._on_typing)
        self.edit.fix_wanted.connect(self._fix)
        self.problems.written.connect(self.edit.replace_words)
        self.past.chosen.connect(self.edit.replace_words)
        self.zones.toggled.connect(self.toggle_zone)
        self.on_film.toggled.connect(lambda _on: self._show_on_film())
        space = self.workspace
        space.case_shown.connect(self.show_case)
        space.service_said.connect(lambda words: self.service.setText(words))
        space.proposal_awaited.connect(lambda awaited: self.spinner.set_awaited(awaited))
        space.proposal_kept_aside.connect(lambda: self.use_it.show())

    def on_project(self) -> None:
        """Follow the session's words and mask."""
        session = self.workspace.session
        self.convention.setText(WHOSE_LEFT[session.project.laterality])
        session.mask_edited.connect(lambda: self._soon.start())
        session.proposal_changed.connect(lambda _opened: self._soon.start())
        self.show_case(session.current)

    def on_theme(self) -> None:
        """Phrases are colored to be read on the window's ground."""
        self.edit.show_theme(self.light)

    def show_case(self, opened: OpenCase | None) -> None:
        """Show the words of another case."""
        session = self.workspace.session
        for widget in (self.edit, self.zones, self.history):
            widget.setEnabled(opened is not None)
        self.history.setVisible(not session.desk.blind)  # others' words are not for a blind reader
        self.title.setText("No case" if opened is None else opened.case.id)
        self.title.setToolTip(self.title.text())
        self.edit.blockSignals(True)
        self.edit.setPlainText(session.description if opened else "")
        self.edit.blockSignals(False)
        self.service.setText(self._standing(opened))
        self.use_it.hide()
        self.problems.forget()
        self.limit.forget()
        self._show_mask_reading(MaskReading())
        self._read()

    def toggle_zone(self, zone: str) -> None:
        """Put a zone into the words, or take it out."""
        if not self.workspace.has_case:
            return
        zones = parse(self.edit.toPlainText()).zones ^ {zone}
        self.edit.replace_words(rewrite_zones(self.edit.toPlainText(), zones).text)

    def describe_mask(self) -> None:
        """Change the words so that they fit the mask; of other words as many stay as can."""
        session, mask = self.workspace.session, self.workspace.session.mask
        if mask is None or not mask.any():
            self.service.setText("The mask is empty: draw what the film shows first.")
            return
        text, case = self.edit.toPlainText(), session.case_id
        bands, convention = session.bands, session.project.laterality

        def write(fitting: str) -> None:
            if (self.edit.toPlainText(), session.case_id) != (text, case):
                return  # the reader went on
            if fitting == text:
                self.service.setText("The words fit the mask as they are.")
            else:
                self.edit.replace_words(fitting)

        self._beside.ask("fit", lambda: fit_words(text, mask, bands, convention), write)

    # -- reading the words -------------------------------------------------------------------------

    def _standing(self, opened: OpenCase | None) -> str:
        if opened is None:
            planning = self.workspace.session.planner.busy
            return "Looking through the cases …" if planning else "The queue is empty."
        if opened.trouble:
            return opened.trouble
        if opened.case.is_holdout:
            return "Held out: drawn without a proposal, since it judges the teachers."
        if not self.workspace.session.has_teacher:
            return "No teacher yet: draw the mask yourself; a round makes the first teacher."
        if opened.proposal is None:
            return "The teacher has not seen this case: change the words to ask it."
        return "The proposal is the serving teacher's; change the words to ask it again."

    def _on_typing(self) -> None:
        with self.workspace.attempt():
            self.workspace.session.edit_description(self.edit.toPlainText())
        self._read()

    def _read(self) -> None:
        text = self.past.present = self.edit.toPlainText()
        if len(text) <= QUICK:
            self._beside.forget("read")
            self._show_finding(parse(text))
        else:
            self._beside.ask("read", lambda: parse(text), self._show_finding)
        self._soon.start()

    def _show_finding(self, finding: Finding) -> None:
        if finding.text != self.edit.toPlainText():
            return
        self.edit.show_finding(finding)
        self.reading.setText(in_words(finding.text))
        self.problems.show_finding(finding)
        self._show_zones()

    def _fix(self, problem: Problem) -> None:
        self.edit.replace_words(apply_fix(self.edit.toPlainText(), problem))

    # -- words beside the mask ---------------------------------------------------------------------

    def _compare(self) -> None:
        """Ask what the mask says; on a large film that takes a tenth of a second."""
        self.limit.ask()
        if not self.workspace.has_case:
            return
        session, text = self.workspace.session, self.edit.toPlainText()
        mask, bands, convention = session.mask, session.bands, session.project.laterality
        if mask is not None:
            self._beside.ask(
                "mask",
                lambda: read_mask_zones(text, mask, bands, convention),
                self._show_mask_reading,
            )

    def _show_mask_reading(self, read: MaskReading) -> None:
        self._beside.forget("mask")
        self._on_mask = read
        self.disagreement.setText(read.doubts[0].problem.sentence if read.doubts else "")
        self.disagreement.setVisible(bool(read.doubts))
        self._show_zones()

    def _show_zones(self) -> None:
        if self.workspace.is_open:
            convention = self.workspace.session.project.laterality
            finding = self.edit.highlighter.finding
            named = finding.zones if finding is not None else frozenset()
            self.zones.show_zones(convention, named, self._on_mask.painted)
            self._show_on_film()

    def _show_on_film(self) -> None:
        space = self.workspace
        if not space.is_open:
            return
        opened, finding = space.session.current, self.edit.highlighter.finding
        if opened is None or finding is None or not self.on_film.isChecked():
            space.bridge.outlines.hide()
            return
        shape, convention = opened.image.shape, space.session.project.laterality
        boxes = zone_boxes((shape[0], shape[1]), space.session.bands, convention)
        space.bridge.outlines.show(boxes, finding.zones, ZONE_WORDS)

    # -- what is at hand ---------------------------------------------------------------------------

    def _use_proposal(self) -> None:
        self.use_it.hide()
        self.workspace.editing.reset()

    def _past_texts(self) -> list[PastText]:
        session = self.workspace.session
        with self.workspace.attempt():
            return past_texts(session.project, session.case_id)
        return []
