"""What stands below the trainer's buttons before a round: why it cannot start, what it would take, and whether rounds
start by themselves."""

from __future__ import annotations

from qtpy.QtWidgets import QCheckBox, QHBoxLayout, QLabel, QSpinBox, QVBoxLayout, QWidget

from napari_semimedref.widgets.parts import sentence
from napari_semimedref.workspace import Workspace
from training.auto_start import AutoStart

AUTO = (
    "A round starts some seconds after so many cases were newly labeled, never during another round, an import or an "
    "adjudication, and never after a round that was stopped or failed. Holds for all windows of the project."
)


class StartingPart(QWidget):
    """A reason, an estimate, and the wish for automatic rounds."""

    def __init__(self, workspace: Workspace) -> None:
        super().__init__()
        self._workspace = workspace
        self.reason = sentence()
        self.estimate = sentence(muted=True)
        self.automatic = QCheckBox("Start by itself after")
        self.labels = QSpinBox()
        self.labels.setRange(1, 10_000)
        self.labels.setMinimumWidth(64)
        for each in (self.automatic, self.labels):
            each.setToolTip(AUTO)
        self._lay_out()
        self.automatic.toggled.connect(self._want)
        self.labels.valueChanged.connect(self._want)
        workspace.settings_changed.connect(self.show_estimate)

    def _lay_out(self) -> None:
        row = QHBoxLayout()
        for each in (self.automatic, self.labels, QLabel("new labels")):
            row.addWidget(each)
        row.addStretch()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addWidget(self.reason)
        column.addWidget(self.estimate)
        column.addLayout(row)

    def show_project(self) -> None:
        """Show what the open project wants."""
        wanted = self._workspace.starting.wanted
        for each in (self.automatic, self.labels):
            each.blockSignals(True)
        self.automatic.setChecked(wanted.enabled)
        self.labels.setValue(wanted.labels)
        for each in (self.automatic, self.labels):
            each.blockSignals(False)
        self.show_estimate()

    def show_reason(self, reason: str, *, alive: bool) -> None:
        """Say why no round can be started; nothing, if one can or one is under way."""
        self.reason.setText(reason)
        self.reason.setVisible(bool(reason))
        if alive != self.estimate.isHidden():
            self.estimate.setVisible(not alive)
            if not alive:
                self.show_estimate()

    def show_estimate(self) -> None:
        """Say what the next round would take."""
        if self._workspace.is_open:
            with self._workspace.attempt():
                self.estimate.setText(self._workspace.starting.estimate().sentence)

    def _want(self, _value: object = None) -> None:
        with self._workspace.attempt():
            wanted = AutoStart(enabled=self.automatic.isChecked(), labels=self.labels.value())
            self._workspace.starting.want(wanted)
            self._workspace.round_changed.emit(self._workspace.monitor.view)
