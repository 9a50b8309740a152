"""The import dialog: a rehearsal of the import follows every choice, and only what was rehearsed can be imported.

Reading and writing happen in a thread (`napari_semimedref.background`); a timer looks at it. The docks stay usable.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QDialog, QHBoxLayout, QProgressBar, QVBoxLayout, QWidget

from napari_semimedref import imports
from napari_semimedref.background import Work
from napari_semimedref.imports import Carried, Looked, Rehearsal, Request
from napari_semimedref.timers import timer_for
from napari_semimedref.widgets.drops import Drops, only_one
from napari_semimedref.widgets.import_form import ImportForm
from napari_semimedref.widgets.import_report import Findings
from napari_semimedref.widgets.import_source import SourceForm
from napari_semimedref.widgets.parts import button, cases, sentence
from napari_semimedref.workspace import Workspace
from training.errors import SemiMedRefError
from training.formats import FormatName

LOOK_MS = 60
SETTLE_MS = 400
SIZE = (940, 560)
LEFT_WIDTH = 410
IMPORT, GOES_ON = "import", "Cases are being imported. Closing stops that; what came in stays."


class ImportDialog(QDialog):
    """Brings cases into the open project or another one.

    Parameters
    ----------
    workspace : Workspace
    parent : QWidget or None
    """

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.workspace = workspace
        self.setWindowTitle("Import cases")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.resize(*SIZE)
        opened = workspace.session.project.folder if workspace.is_open else None
        self.place, self.form, self.findings = SourceForm(opened), ImportForm(), Findings()
        self.work: Work[Any] | None = None
        self.rehearsal: Rehearsal | None = None
        self._look_at: tuple[FormatName | None] | None = None  # the format to suppose, None for any
        self._kind = ""  # of the work: "look", "rehearsal" or `IMPORT`
        self._ended_early = False
        self.status = sentence(lines=1)
        self.bar = QProgressBar()
        self.bar.setFixedHeight(8)
        self.bar.setTextVisible(False)
        room = self.bar.sizePolicy()
        room.setRetainSizeWhenHidden(True)  # or all above would jump when it comes
        self.bar.setSizePolicy(room)
        self.leave = button("Close", self.reject, "Close; an import that is going on stops")
        self.start = button("Import", self._import, "Import what the rehearsal shows")
        self.start.setDefault(True)
        self._lay_out()
        self._watch = timer_for(self, LOOK_MS, self._on_watch)
        self._settle = timer_for(self, SETTLE_MS, self._begin, once=True)
        self.place.source_changed.connect(self._on_source)
        self.place.format_chosen.connect(self._on_format)
        self.place.target_changed.connect(self._ask)
        self.form.changed.connect(self._ask)
        Drops(self, self._on_drop)
        self.form.show_format(self.place.name())
        self._show_state()

    def take(self, dropped: Path) -> None:
        """Make a file or folder the source; a table stands for its folder."""
        source, table = imports.source_of(dropped)
        self.form.texts.setText("" if table is None else str(table))
        self.place.source.setText(str(source))

    @property
    def importing(self) -> bool:
        """Whether cases are being written now."""
        return self.work is not None and self._kind == IMPORT

    def reject(self) -> None:
        """Close; an import that is going on is stopped first, and the dialog stays to say what became of it."""
        if self.importing and self.work is not None:
            self.work.stop()
            self._show_state()
            return
        self._drop_work()
        super().reject()

    def closeEvent(self, event: Any) -> None:  # Qt's name
        """Closing by the frame is no different."""
        if self.importing:
            event.ignore()
        self.reject()

    # -- inside ------------------------------------------------------------------------------------

    def _lay_out(self) -> None:
        left, right = QVBoxLayout(), QVBoxLayout()
        choices = QWidget()
        choices.setFixedWidth(LEFT_WIDTH)
        choices.setLayout(left)
        left.setContentsMargins(0, 0, 12, 0)
        for form in (self.place, self.form):
            left.addWidget(form)
            left.addSpacing(8)
        left.addStretch()
        right.addWidget(self.findings, 1)
        top, bottom, whole = QHBoxLayout(), QHBoxLayout(), QVBoxLayout(self)
        top.addWidget(choices)
        top.addLayout(right, 1)
        bottom.addWidget(self.status, 1)
        bottom.addWidget(self.leave)
        bottom.addWidget(self.start)
        whole.addLayout(top, 1)
        whole.addWidget(self.bar)
        whole.addLayout(bottom)

    def _on_drop(self, paths: list[Path]) -> None:
        if not self.importing:
            with self.workspace.attempt():
                self.take(only_one(paths))

    def _on_source(self) -> None:
        self._look_at = (None,)
        self._ask()

    def _on_format(self) -> None:
        self._look_at = (self.place.name(),)
        self._show_options()
        self._ask()

    def _show_options(self) -> None:
        source = self.place.source_path()
        own = source is not None and not self.form.texts.text() and (source / "table.csv").is_file()
        name = self.place.name()
        self.form.show_format(name, own_table=own and name == "qata")

    def _ask(self) -> None:
        """Something was chosen: rehearse again in a moment."""
        if self.importing:
            return
        self._drop_work()
        self.rehearsal, self._ended_early = None, False
        self._settle.start()
        self._show_state()

    def _begin(self) -> None:
        source = self.place.source_path()
        if source is None:
            return
        if self._look_at is not None:
            (name,) = self._look_at
            self._run("look", lambda _tell: imports.look(source, name))
            return
        try:
            request = self._request(source)
        except SemiMedRefError as error:
            self.findings.show_error(str(error))
            return
        if request is not None:
            self._run("rehearsal", lambda tell: imports.rehearse(request, tell))

    def _request(self, source: Path) -> Request | None:
        folder = self.place.target()
        if folder is None:
            return None
        return Request(source, self.place.name(), folder, self.place.side(), self.form.options())

    def _import(self) -> None:
        if self.rehearsal is None or self.work is not None:
            return
        request = self.rehearsal.request
        self._run(IMPORT, lambda tell: imports.carry_out(request, tell))

    def _run(self, kind: str, act: Any) -> None:
        self._kind, self.work = kind, Work(act)
        if self.importing:
            self.workspace.busy_changed.emit(IMPORT, GOES_ON)
        self._watch.start()
        self._show_state()

    def _drop_work(self) -> None:
        self._settle.stop()
        self._watch.stop()
        if self.work is not None:
            self.work.stop()
        self.work = None

    def _on_watch(self) -> None:
        work = self.work
        if work is None:
            return
        if work.running:
            self._show_progress(work)
            return
        self._watch.stop()
        if self.importing:
            self.workspace.busy_changed.emit(IMPORT, "")
        self.work = None
        if work.error:
            self._look_at = None  # another format may be chosen by hand
            self.rehearsal = None
            self.findings.show_error(work.error)
        elif isinstance(work.value, Looked):
            self._on_looked(work.value)
        elif isinstance(work.value, Rehearsal):
            self.rehearsal = work.value
            self.findings.show_rehearsal(work.value)
        elif isinstance(work.value, Carried):
            self._on_carried(work.value)
        self._show_state()

    def _on_looked(self, looked: Looked) -> None:
        self.place.show_looked(looked)
        self._look_at = None
        if looked.detected:
            self._show_options()
        self._settle.stop()
        self._begin()

    def _on_carried(self, carried: Carried) -> None:
        self._ended_early = carried.outcome is None
        if not self._ended_early:
            self.rehearsal = None
        self.findings.show_carried(carried)
        if carried.kept:
            self.workspace.take_in(carried.request.folder)

    # -- what is shown -----------------------------------------------------------------------------

    def _show_state(self) -> None:
        busy = self.work is not None
        added = 0 if self.rehearsal is None else len(self.rehearsal.outcome.report.added)
        self.start.setEnabled(added > 0 and not busy)
        count = f"Import {cases(added)}" if added else "Import"
        self.start.setText("Import the others" if self._ended_early else count)
        self.leave.setText("Stop" if self.importing else "Close")
        self.leave.setEnabled(not (self.importing and self.work and self.work.stopping))
        for form in (self.place, self.form):
            form.setEnabled(not self.importing)
        self.bar.setVisible(busy)
        if not busy:
            waits = added and not self._ended_early
            self.status.setText("Nothing is written before you press Import." if waits else "")
        elif self.work is not None:
            self._show_progress(self.work)

    def _show_progress(self, work: Work[Any]) -> None:
        words = {
            "look": "Looking at the source …",
            "rehearsal": "Rehearsing",
            IMPORT: "Importing",
        }
        text = words[self._kind]
        if work.done:
            text += f": {cases(work.done)}"
        if self.importing and work.stopping:
            text = "Stopping …"
        self.status.setText(text)
        if self.importing and self.rehearsal is not None:
            report = self.rehearsal.outcome.report
            self.bar.setRange(0, max(1, len(report.added) + len(report.already)))
            self.bar.setValue(work.done)
        else:
            self.bar.setRange(0, 0)


def open_import(workspace: Workspace, parent: QWidget, dropped: list[Path] | None = None) -> None:
    """Show the window's import dialog, with a dropped file or folder as its source if there is one."""
    with workspace.attempt():
        source = only_one(dropped) if dropped else None
        window = parent.window() or parent
        dialog = window.findChild(ImportDialog) or ImportDialog(workspace, window)
        if source is not None and not dialog.importing:
            dialog.take(source)
        dialog.show()
        dialog.raise_()
        dialog.activateWindow()
