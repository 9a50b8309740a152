"""Settings of the views to look at, in the views dock: change them, let the next round use them, or go back. What the
settings mean stands beside them in `training.views_config`."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QDialog, QDialogButtonBox, QHBoxLayout, QVBoxLayout, QWidget

from napari_semimedref.forms import form_for, label_of, read_form
from napari_semimedref.widgets.form_page import form_page
from napari_semimedref.widgets.parts import button, sentence
from napari_semimedref.workspace import Workspace
from training.config import ViewsConfig
from training.errors import SemiMedRefError
from training.network_config import first_sentence
from training.next_round import changed_views, choose_views, chosen_views, forget_views, next_config
from training.pool import Project

MOST_NAMED = 3


class ViewSettings(QWidget):
    """One row: which settings the views are drawn with, and what may be done about them."""

    changed = Signal()  # other settings to look at

    def __init__(self, workspace: Workspace) -> None:
        super().__init__()
        self._workspace = workspace
        self.tried: ViewsConfig | None = None  # None: those of the next round
        self.dialog: ViewsDialog | None = None
        self.state = sentence(muted=True)
        self.change = button("Settings…", self.open, "Change how views are drawn, to look at them")
        self.use = button(
            "Use for the next round", self.use_next, "The next round draws its views like this"
        )
        self.back = button(
            "Back", self.go_back, "Draw views by the project's settings again, in rounds too"
        )
        row = QHBoxLayout()
        for each in (self.change, self.use, self.back):
            row.addWidget(each)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addLayout(row)
        column.addWidget(self.state)
        workspace.settings_changed.connect(self.show_state)

    def on_project(self) -> None:
        """Begin with the settings of the project's next round."""
        self.tried = None
        if self.dialog is not None:
            self.dialog.close()
            self.dialog = None
        self.show_state()

    @property
    def request(self) -> dict[str, Any]:
        """What a request to the service carries of this."""
        return {} if self.tried is None else {"views": self.tried.model_dump()}

    def open(self) -> None:
        """Show all settings of the views beside the dock; what is changed is looked at immediately."""
        with self._workspace.attempt():
            views = self.tried or next_config(self._project).views
            if self.dialog is not None:
                self.dialog.close()
            self.dialog = ViewsDialog(views, self)
            self.dialog.edited.connect(self.look_at)
            self.dialog.show()

    def look_at(self, views: ViewsConfig) -> None:
        """Draw views by these settings from now on, in this dock."""
        self.tried = views
        self.show_state()
        self.changed.emit()

    def use_next(self) -> None:
        """Let the next round draw its views like this."""
        if self.tried is None:
            return
        with self._workspace.attempt():
            choose_views(self._project, self.tried)
            self.tried = None
            self._workspace.settings_changed.emit()

    def go_back(self) -> None:
        """Draw views by the project's own settings again, here and in the next round."""
        with self._workspace.attempt():
            forget_views(self._project)
            self.tried = None
            if self.dialog is not None:
                self.dialog.close()
            self._workspace.settings_changed.emit()

    def show_state(self) -> None:
        """Say whose settings the views are drawn with."""
        if not self._workspace.is_open:
            return
        with self._workspace.attempt():
            chosen = chosen_views(self._project)
            if self.tried is not None:
                words = "Drawn by settings that you try out here; rounds do not use them yet."
            else:
                words = chosen_in_words(self._project)
            self.use.setEnabled(self.tried is not None and self.tried != chosen)
            self.back.setEnabled(self.tried is not None or chosen is not None)
            self.state.setText(words or "Drawn by the project's settings.")

    @property
    def _project(self) -> Project:
        return self._workspace.session.project


class ViewsDialog(QDialog):
    """All settings of the views; says each change that makes sense."""

    edited = Signal(object)  # ViewsConfig

    def __init__(self, views: ViewsConfig, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Settings of the views")
        self.resize(440, 520)
        self._views = views
        self.form = form_for(views)
        self.form.changed.connect(self._read)
        self.complaint = sentence()
        box = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        box.rejected.connect(self.close)
        column = QVBoxLayout(self)
        for widget in (form_page(self.form), self.complaint, box):
            column.addWidget(widget)

    def _read(self, _form: Any = None) -> None:
        try:
            views = ViewsConfig.model_validate(read_form(self.form, self._views))
        except ValidationError as error:
            self.complaint.setText(first_sentence(error))
            return
        except SemiMedRefError as error:
            self.complaint.setText(str(error))
            return
        self.complaint.setText("")
        self.edited.emit(views)


def chosen_in_words(project: Project) -> str:
    """That the next round uses views chosen in the views dock, and what is other about them; empty if it does not."""
    if chosen_views(project) is None:
        return ""
    other = changed_views(project)
    named = [f"{label_of(name)} {own} → {new}" for name, (own, new) in other.items()]
    more = f" and {len(named) - MOST_NAMED} more" if len(named) > MOST_NAMED else ""
    what = f"{'; '.join(named[:MOST_NAMED])}{more}" if named else "equal to the project's"
    return f"The next round uses the views chosen in the views dock: {what}."
