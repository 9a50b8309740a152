"""The trainer dock: start, follow, stop and resume a round, and choose the settings of the next one."""

from __future__ import annotations

from typing import Any

from qtpy.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QHBoxLayout,
    QProgressBar,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from napari_semimedref.forms import form_for, label_of, read_form
from napari_semimedref.run_monitor import RoundView
from napari_semimedref.widgets.dock import Dock
from napari_semimedref.widgets.form_page import form_page
from napari_semimedref.widgets.parts import button, heading, painted_once, sentence
from napari_semimedref.widgets.plots import RoundPlots
from napari_semimedref.widgets.view_settings import chosen_in_words
from training.config import RunConfig
from training.errors import ConfigError
from training.next_round import forget_views, project_config, save_next_config

PARTS = ("training", "method", "views", "network")


class TrainerDock(Dock):
    """Shows the latest round of the project, whoever started it."""

    def __init__(self, napari_viewer: Any) -> None:
        super().__init__(napari_viewer)
        self.state = heading("")
        self.detail = sentence(muted=True)
        self.bar = QProgressBar()
        self.plots = RoundPlots()
        self.warning = sentence()
        self.start = button("Start round", self._start, "Train on what is labeled now")
        self.resume = button("Resume", self._resume, "Go on with the round that was left")
        self.stop = button("Stop", self._stop, "Stop after the current step; it can be resumed")
        self.settings = button("Settings…", self._edit_settings, "Settings of the next round")
        self.pools = sentence(muted=True)
        self.views = sentence()
        self.back = button(
            "Back to the project's views", self._forget_views, "Use the views of the settings again"
        )
        self._lay_out()
        self.workspace.settings_changed.connect(self.show_views)
        self.workspace.round_changed.connect(self.show_round)
        self.finish()

    def _lay_out(self) -> None:
        for widget in (self.state, self.bar, self.detail):
            self.column.addWidget(widget)
        row = QHBoxLayout()
        for each in (self.start, self.resume, self.stop, self.settings):
            row.addWidget(each)
        self.column.addLayout(row)
        self.column.addWidget(self.plots, 1)
        self.column.addWidget(self.warning)
        self.column.addWidget(self.pools)
        self.column.addWidget(self.views)
        self.column.addWidget(self.back)

    def on_project(self) -> None:
        """Show the project's latest round."""
        self.workspace.session.queue_changed.connect(self._show_pools)
        self._show_pools()
        self.show_views()
        self.show_round(self.workspace.monitor.view)

    def show_views(self) -> None:
        """Say if the next round uses other views than the project's settings."""
        words = ""
        if self.workspace.is_open:
            with self.workspace.attempt():
                words = chosen_in_words(self.workspace.session.project)
        self.views.setText(words)
        for each in (self.views, self.back):
            each.setVisible(bool(words))

    def show_round(self, view: RoundView) -> None:
        """Show a round as it is now, if anybody is looking."""
        window = self.window()
        if self.isVisible() or window is None or not window.isVisible():
            with painted_once(self):
                self._show(view)

    def showEvent(self, event: Any) -> None:  # Qt's name
        """Catch up with what happened while the dock was hidden."""
        super().showEvent(event)
        if self.workspace.is_open:
            self.show_round(self.workspace.monitor.view)

    # -- inside ------------------------------------------------------------------------------------

    def _show(self, view: RoundView) -> None:
        name = "Round" if view.run is None else f"Round {view.run.id}"
        self.state.setText(f"{name}: {_state_of(view)}")
        self.detail.setText(_detail_of(view))
        self._show_bar(view)
        self.plots.show_round(view)
        self.warning.setText(f"⚠ {view.status.warnings[-1]}" if view.status.warnings else "")
        self.warning.setVisible(bool(view.status.warnings))
        self.stop.setVisible(view.alive)
        self.stop.setEnabled(view.status.state in ("waiting", "running"))
        self.resume.setVisible(view.resumable)
        self.start.setVisible(not view.alive)
        self._show_pools()

    def _show_bar(self, view: RoundView) -> None:
        status = view.status
        predicting = status.predictions_total > 0
        total = status.predictions_total if predicting else status.steps_planned
        done = status.predictions_done if predicting else status.step
        self.bar.setRange(0, max(total, 1))  # not 0: a bar that wanders is painted all the time
        self.bar.setValue(min(done, total))
        self.bar.setFormat("%v of %m cases" if predicting else "step %v of %m")
        self.bar.setTextVisible(total > 0)
        self.bar.setVisible(view.alive or view.resumable)

    def _show_pools(self) -> None:
        session, view = self.workspace.session, self.workspace.monitor.view
        labeled, unlabeled = session.counts["labeled"], session.counts["unlabeled"]
        text = f"{labeled} cases are labeled, {unlabeled} are not."
        if view.run is not None:
            text += f" {max(0, labeled - view.run.labeled)} were labeled since round {view.run.id} began."
        if not labeled:
            text = "Nothing is labeled yet: accept a few cases, then start the first round."
        self.pools.setText(text)
        self.start.setEnabled(labeled > 0)

    def _start(self) -> None:
        self._act(self.workspace.monitor.start)

    def _resume(self) -> None:
        self._act(self.workspace.monitor.resume)

    def _stop(self) -> None:
        self.stop.setEnabled(False)
        self._act(self.workspace.monitor.stop)
        self.detail.setText("Stopping after the current step …")

    def _act(self, act: Any) -> None:
        with self.workspace.attempt():
            act()
            self.workspace.round_changed.emit(self.workspace.monitor.view)

    def _forget_views(self) -> None:
        with self.workspace.attempt():
            forget_views(self.workspace.session.project)
            self.workspace.settings_changed.emit()

    def _edit_settings(self) -> None:
        project = self.workspace.session.project
        with self.workspace.attempt():
            dialog = SettingsDialog(project_config(project), self)
            if dialog.exec() == QDialog.DialogCode.Accepted:
                save_next_config(project, dialog.config)
                self.workspace.settings_changed.emit()


class SettingsDialog(QDialog):
    """All settings of a round, one page for each part."""

    def __init__(self, config: RunConfig, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Settings of the next round")
        self.resize(480, 540)
        self.config = config
        self.forms = {part: form_for(getattr(config, part)) for part in PARTS}
        self.run_form = form_for(config)
        self.complaint = sentence()
        pages = QTabWidget()
        for part, form in self.forms.items():
            pages.addTab(form_page(form), label_of(part))
        pages.addTab(form_page(self.run_form), "Run")
        roles = QDialogButtonBox.StandardButton
        box = QDialogButtonBox(roles.Save | roles.Cancel)
        box.accepted.connect(self._save)
        box.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        for widget in (pages, self.complaint, box):
            column.addWidget(widget)

    def read(self) -> RunConfig:
        """The settings on the pages; raises ConfigError for impossible ones."""
        content = read_form(self.run_form, self.config)
        for part, form in self.forms.items():
            content[part] = read_form(form, getattr(self.config, part))
        return RunConfig.parse(content)

    def _save(self) -> None:
        try:
            self.config = self.read()
        except ConfigError as error:
            self.complaint.setText(str(error))
            return
        self.accept()


def _state_of(view: RoundView) -> str:
    if view.alive:
        phase = view.status.phase or "starting"
        return "at the gate" if view.status.state == "finished" else phase
    if view.run is None:
        return "none yet"
    return view.run.outcome or "interrupted"


def _detail_of(view: RoundView) -> str:
    parts = [view.sentence]
    if view.alive and view.status.seconds_left:
        parts.append(f"About {_duration(view.status.seconds_left)} left.")
    loss = view.status.progress.get("loss")
    if view.alive and loss is not None:
        parts.append(f"Loss {loss:.3f}.")
    return " ".join(parts)


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"
