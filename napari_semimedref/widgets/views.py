"""The views dock: what the student and the teacher see of a case (weak and strong view, mixing, changed words), exactly
as the trainer would make them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from qtpy.QtWidgets import (
    QComboBox,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QSizePolicy,
    QSpinBox,
    QTextBrowser,
)

from napari_semimedref.engine_client import Answer
from napari_semimedref.widgets.dock import Dock
from napari_semimedref.widgets.pair_verdict import PairVerdict
from napari_semimedref.widgets.parts import Picture, button, sentence
from napari_semimedref.widgets.view_pictures import (
    gate_in_words,
    gray,
    with_target,
    words_of,
)
from napari_semimedref.widgets.view_settings import ViewSettings
from training.next_round import next_config

AS_IN_TRAINING = "drawn as in training"
MOST_PARTNERS = 200
LATEST = 99_999
LOOKED = 200  # epochs that one search goes through
AT_ONCE = 8  # epochs of one request, so that a search can be stopped and proposals need not wait
NEXT_MIX, STOP = "Next mix that is accepted", "Stop looking"
PICTURES = (
    ("weak", "Weak view (teacher)"),
    ("strong", "Strong view (student)"),
    ("mixed", "T-PatchMix"),
    ("target", "Its mask and blocks"),
    ("student", "All of it, as trained"),
    ("labeled", "As a labeled film"),
)


class ViewsDock(Dock):
    """Shows one draw of the views; another draw is another epoch."""

    SCROLLS = True

    def __init__(self, napari_viewer: Any) -> None:
        super().__init__(napari_viewer)
        self.partner = QComboBox()
        self.partner.setToolTip("The case whose patches are mixed in")
        self.partner.setMinimumContentsLength(8)
        self.partner.setSizeAdjustPolicy(
            QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
        )
        self.partner.activated.connect(lambda _row: self.ask())
        self.seed = self._spin_box(2**31 - 1, "The run's seed: another run draws other views")
        self.epoch = self._spin_box(
            LATEST, "Each epoch draws other views; the same epoch draws the same again"
        )
        self.again = button("Another draw", self._draw_again, "Draw the views of the next epoch")
        self.next_mix = button(
            NEXT_MIX, self._look_for_mix, f"Look through the next {LOOKED} epochs for one"
        )
        self.gate = sentence()
        self.settings = ViewSettings(self.workspace)
        self.verdict = PairVerdict(self.workspace)
        self.pictures = {name: Picture(caption) for name, caption in PICTURES}
        self.words = _reader()
        self.status = sentence(muted=True)
        self._last: int | None = None  # the epoch at which a search ends; None: nobody searches
        self._lay_out()
        self.settings.changed.connect(self.ask)
        self.verdict.decided.connect(self.ask)
        self.workspace.views_arrived.connect(self.show_views)
        self.workspace.mix_looked_for.connect(self.take_found)
        self.workspace.case_shown.connect(lambda _opened: self.ask())
        self.workspace.settings_changed.connect(self.ask)
        self.finish()

    def _spin_box(self, most: int, tooltip: str) -> QSpinBox:
        box = QSpinBox()
        box.setRange(0, most)
        box.setToolTip(tooltip)
        box.valueChanged.connect(lambda _value: self.ask())
        return box

    def _lay_out(self) -> None:
        rows: tuple[tuple[Any, ...], ...] = (
            (QLabel("Mix with"), self.partner),
            (QLabel("Seed"), self.seed, QLabel("Epoch"), self.epoch),
            (self.again, self.next_mix),
        )
        for widgets in rows:
            row = QHBoxLayout()
            for widget in widgets:
                row.addWidget(widget, 0 if isinstance(widget, QLabel) else 1)
            self.column.addLayout(row)
        grid = QGridLayout()
        grid.setSpacing(4)
        for place, picture in enumerate(self.pictures.values()):
            grid.addWidget(picture, place // 2, place % 2)
        self.column.addWidget(self.status)
        self.column.addLayout(grid, 4)
        self.column.addWidget(self.gate)
        self.column.addWidget(self.verdict)
        self.column.addWidget(self.words, 1)
        self.column.addWidget(self.settings)

    def on_project(self) -> None:
        """Offer the project's cases as partners."""
        self._stop_looking()
        self.partner.clear()
        self.partner.addItem(AS_IN_TRAINING, None)
        project = self.workspace.session.project
        with self.workspace.attempt():
            for pool in ("unlabeled", "labeled"):
                for case in project.cases_page(pool, count=MOST_PARTNERS):
                    self.partner.addItem(case.id, case.id)
            self.seed.setValue(next_config(project).seed)
        self.settings.on_project()
        self.verdict.show_pair(None)
        self.ask()

    def showEvent(self, event: Any) -> None:  # Qt's name
        """Ask when the dock comes to the front; it does not while it is hidden."""
        super().showEvent(event)
        self.ask()

    def ask(self) -> None:
        """Ask for the views of the case on the desk, if anybody is looking. A search for a mix ends."""
        self._stop_looking()
        if not self.isVisible() or not self.workspace.is_open:
            return
        if not self.workspace.has_case:
            self.status.setText("Open a case to see its views.")
        elif reason := self.workspace.why_silent(with_others=True):
            self._show_nothing(reason)
        elif self.workspace.ask_about_case("views", **self._wanted(), epoch=self.epoch.value()):
            self.status.setText("Drawing the views …")

    def _wanted(self) -> dict[str, Any]:
        chosen = {"partner": self.partner.currentData(), "seed": self.seed.value()}
        return chosen | self.settings.request

    def show_views(self, answer: Answer) -> None:
        """Show what the service drew, if its case is still on the desk."""
        if answer.request["case"] != self.workspace.session.case_id:
            return
        if not answer.ok:
            self.status.setText(answer.error)
            return
        arrays, fields = answer.arrays, answer.fields
        for name in ("weak", "strong", "mixed"):
            self.pictures[name].show_array(gray(arrays[name]))
        self.pictures["target"].show_array(
            with_target(
                arrays["mixed"],
                arrays["mixed_mask"],
                arrays["block_mask"],
                arrays.get("tried_mask"),
            )
        )
        for name, outline in (("student", "side_mask"), ("labeled", None)):
            self._show_trained(name, arrays, outline)
        self.gate.setText(gate_in_words(fields.get("gate") or {}))
        self.words.setHtml(words_of(str(answer.request["description"]), fields))
        case, partner = str(answer.request["case"]), fields.get("partner")
        self.verdict.show_pair((case, str(partner)) if partner else None)
        self.status.setText(_meeting_in_words(case, fields))

    def _show_nothing(self, reason: str) -> None:
        """Say why there are no views, and keep none of another case."""
        for name, picture in self.pictures.items():
            picture.show_array(None)
            picture.setVisible(name not in ("student", "labeled"))
        self.gate.setText("")
        self.words.clear()
        self.verdict.show_pair(None)
        self.status.setText(reason)

    def _show_trained(self, name: str, arrays: Mapping[str, Any], outline: str | None) -> None:
        """A film with its target, if the service sent it: a case is not always a labeled one."""
        shown = name in arrays
        self.pictures[name].setVisible(shown)
        if shown:
            taken = arrays[outline] if outline else None
            self.pictures[name].show_array(with_target(arrays[name], arrays[f"{name}_mask"], taken))

    def _draw_again(self) -> None:
        self.epoch.setValue(self.epoch.value() + 1)

    # -- the next mix that is accepted -------------------------------------------------------------

    def _look_for_mix(self) -> None:
        """Begin a search, or end the one that is going on."""
        if self._last is not None:
            self._stop_looking()
            self.status.setText("Stopped looking.")
            return
        if self.workspace.has_case and self.workspace.why_silent(with_others=True):
            return
        self._last = min(LATEST, self.epoch.value() + LOOKED)
        self.next_mix.setText(STOP)
        self._look_on(self.epoch.value())

    def _look_on(self, epoch: int) -> None:
        """Have the service look at a few more epochs."""
        most = 0 if self._last is None else min(AT_ONCE, self._last - epoch)
        asked = most > 0 and self.workspace.ask_about_case(
            "next_mix", **self._wanted(), epoch=epoch, most=most
        )
        if asked:
            self.status.setText(f"Looking for an accepted mix behind epoch {epoch} …")
        else:
            self._stop_looking()

    def take_found(self, answer: Answer) -> None:
        """Show the mix that was found, look on, or say that there is none."""
        if self._last is None or answer.request["case"] != self.workspace.session.case_id:
            return
        found = answer.fields.get("found")
        if not answer.ok:
            self._stop_looking()
            self.status.setText(answer.error)
        elif found is not None:
            self._stop_looking()
            self.epoch.setValue(int(found))
        elif int(answer.fields["epoch"]) >= self._last:
            last = str(answer.fields.get("sentence", ""))
            count = self._last - self.epoch.value()
            self._stop_looking()
            self.status.setText(f"None of the next {count} mixes is accepted. The last one: {last}")
        else:
            self._look_on(int(answer.fields["epoch"]))

    def _stop_looking(self) -> None:
        self._last = None
        self.next_mix.setText(NEXT_MIX)


def _meeting_in_words(case: str, fields: Mapping[str, Any]) -> str:
    partner, donor, step = (fields.get(name) for name in ("partner", "donor", "step"))
    words = f"{case} with {partner}" if partner else f"{case}, not mixed"
    if donor and donor != partner:
        words += f", sides from {donor}"
    if step is None:
        return words
    return f"{words}; step {step + 1} of a run" + (" or later" if fields.get("later") else "")


def _reader() -> QTextBrowser:
    reader = QTextBrowser()
    reader.setFrameShape(QFrame.Shape.NoFrame)
    reader.setMinimumHeight(72)
    reader.setMaximumHeight(150)
    reader.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Ignored)
    return reader
