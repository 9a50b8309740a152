"""The settings of a project's rounds as a dialog. What they mean stands beside them in `training.config`."""

from __future__ import annotations

from typing import Any

from qtpy.QtWidgets import QDialog, QDialogButtonBox, QTabWidget, QVBoxLayout, QWidget

from napari_semimedref.forms import form_for, label_of, read_form
from napari_semimedref.widgets.form_page import form_page
from napari_semimedref.widgets.parts import sentence
from training.config import RunConfig
from training.errors import ConfigError

PARTS = ("training", "method", "views", "network")
KEEP, LEAVE = "The next round uses these settings (Return)", "Everything stays as it was (Escape)"


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
        for role, tooltip in ((roles.Save, KEEP), (roles.Cancel, LEAVE)):
            made: Any = box.button(role)
            made.setToolTip(tooltip)
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
