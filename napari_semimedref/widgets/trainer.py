"""The trainer dock: start, follow, pause, stop, kill and resume a round, and choose the settings of the next one."""

from __future__ import annotations

from typing import Any

from qtpy.QtWidgets import QDialog, QHBoxLayout, QMessageBox, QProgressBar

from napari_semimedref.round_view import RoundView
from napari_semimedref.widgets.dock import Dock
from napari_semimedref.widgets.parts import button, heading, painted_once, sentence
from napari_semimedref.widgets.plots import LivePlots
from napari_semimedref.widgets.settings_dialog import SettingsDialog
from napari_semimedref.widgets.starting import StartingPart
from napari_semimedref.widgets.view_settings import chosen_in_words
from training.estimate import duration
from training.next_round import forget_views, project_config, save_next_config

KILL = (
    "Killing ends the trainer at once, in the middle of a step: what it learned since its last checkpoint is lost. "
    "Stop is the better way, unless it is not heard. Kill the round?"
)


class TrainerDock(Dock):
    """Shows the latest round of the project, whoever started it."""

    SCROLLS = True

    def __init__(self, napari_viewer: Any) -> None:
        super().__init__(napari_viewer)
        self.state = heading("")
        self.detail = sentence(muted=True)
        self.bar = QProgressBar()
        self.plots = LivePlots()
        self.warning = sentence()
        self.start = button("Start round", self._start, "Train on what is labeled now")
        self.resume = button("Resume", self._resume, "Go on with the round that was left")
        self.pause = button("Pause", self._pause, "Wait after the current step, memory given back")
        self.go_on = button("Continue", self._go_on, "Go on where it waits")
        self.stop = button("Stop", self._stop, "Stop after the current step; it can be resumed")
        self.kill = button("Kill…", self._kill, "End it at once, where Stop is not heard")
        self.starting = StartingPart(self.workspace)
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
        for each in (self.start, self.resume, self.pause, self.go_on, self.stop, self.kill):
            row.addWidget(each)
            # All of them at once would make the dock wide for good.
            each.setVisible(each is self.start)
        row.addWidget(self.settings)
        self.column.addLayout(row)
        self.column.addWidget(self.starting)
        self.column.addWidget(self.plots, 1)
        self.column.addWidget(self.warning)
        self.column.addWidget(self.pools)
        self.column.addWidget(self.views)
        self.column.addWidget(self.back)

    def on_project(self) -> None:
        """Show the project's latest round."""
        self.workspace.session.queue_changed.connect(self._show_pools)
        self.starting.show_project()
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
        going = view.alive and view.status.state in ("waiting", "running", "paused")
        for each in (self.stop, self.kill):
            each.setVisible(view.alive)
            each.setEnabled(going)
        self.pause.setVisible(view.alive and not view.paused)
        self.pause.setEnabled(view.status.state == "running")
        self.go_on.setVisible(view.paused)
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
        reason = self.workspace.starting.why_not(view, labeled)
        self.start.setEnabled(not reason)
        self.starting.show_reason("" if view.alive else reason, alive=view.alive)

    def _start(self) -> None:
        self._act(self.workspace.monitor.start)

    def _resume(self) -> None:
        self._act(self.workspace.monitor.resume)

    def _stop(self) -> None:
        self.stop.setEnabled(False)
        self._act(self.workspace.monitor.stop)
        self.detail.setText("Stopping after the current step …")

    def _pause(self) -> None:
        self.pause.setEnabled(False)
        self._act(self.workspace.monitor.pause)
        self.detail.setText("Pausing after the current step …")

    def _go_on(self) -> None:
        self._act(self.workspace.monitor.go_on)

    def _kill(self) -> None:
        yes, no = QMessageBox.StandardButton.Yes, QMessageBox.StandardButton.No
        if QMessageBox.question(self, "Kill the round", KILL, yes | no, no) == yes:
            self._act(self.workspace.monitor.kill)

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

    def on_theme(self) -> None:
        """Draw the curves on the ground of the theme."""
        self.plots.show_theme(self.light)


def _state_of(view: RoundView) -> str:
    if view.alive:
        phase = "paused" if view.paused else view.status.phase or "starting"
        return "at the gate" if view.status.state == "finished" else phase
    if view.run is None:
        return "none yet"
    return view.run.outcome or ("trainer goes on alone" if view.orphan else "interrupted")


def _detail_of(view: RoundView) -> str:
    parts, left = [view.sentence], view.status.seconds_left
    if view.alive and left and view.paused:
        parts.append(f"About {duration(left)} are left then.")
    elif view.alive and left:
        parts.append(f"About {duration(left)} left.")
    loss = view.status.progress.get("loss")
    if view.alive and loss is not None:
        parts.append(f"Loss {loss:.3f}.")
    return " ".join(parts)
