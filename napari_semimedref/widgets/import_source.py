"""What comes in and where to: source, format, project, and whose left a new project's words mean. Reads no images."""

from __future__ import annotations

from pathlib import Path

from psygnal import Signal
from qtpy.QtWidgets import (
    QComboBox,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QWidget,
)

from napari_semimedref.imports import TITLES, Looked
from napari_semimedref.widgets.drops import Drops
from napari_semimedref.widgets.import_form import LABEL_WIDTH
from napari_semimedref.widgets.parts import button
from training.formats import FORMATS, FormatName
from training.pool.database import is_project
from training.report.zones import Convention

FORMAT_TITLES: dict[FormatName, str] = {
    "qata": "QaTa-COV19",
    "mosmed": "MosMedData+",
    "lvit": "LViT",
    "folder": "Folder of pictures",
    "dicom": "DICOM",
    "nifti": "NIfTI",
}
SIDES: dict[Convention, str] = {"image": "the picture's left", "patient": "the patient's left"}
OPEN, NEW = "open", "new"


class SourceForm(QWidget):
    """The first rows of the dialog.

    Parameters
    ----------
    opened : Path or None
        Folder of the project that the window has open.
    """

    source_changed = Signal()
    format_chosen = Signal()
    target_changed = Signal()

    def __init__(self, opened: Path | None) -> None:
        super().__init__()
        self.opened = opened
        self.source = QLineEdit()
        self.source.setPlaceholderText("Drop a folder or a file here, or choose one")
        self.format = QComboBox()
        for name in FORMATS:
            self.format.addItem(FORMAT_TITLES[name], name)
        self.into = QComboBox()
        if opened is not None:
            self.into.addItem(f"The open project, {opened.name}", OPEN)
        self.into.addItem("A project in another folder", NEW)
        self.folder = QLineEdit()
        self.laterality = QComboBox()
        for side, words in SIDES.items():
            self.laterality.addItem(words, side)
        self._suggested = ""
        self.source.setAcceptDrops(False)  # what is dropped on it is the dialog's
        Drops(self.folder, lambda paths: self.folder.setText(str(paths[0])))
        self._form = QFormLayout(self)
        self._form.setContentsMargins(0, 0, 0, 0)
        self._lay_out()
        self.source.textChanged.connect(lambda _text: self._on_source())
        self.format.activated.connect(lambda _row: self.format_chosen.emit())
        self.into.currentIndexChanged.connect(lambda _row: self._on_target())
        self.folder.textChanged.connect(lambda _text: self._on_target())
        self.laterality.currentIndexChanged.connect(lambda _row: self.target_changed.emit())
        self._show_target()

    def name(self) -> FormatName:
        """The format in sight."""
        chosen: FormatName = self.format.currentData()
        return chosen

    def source_path(self) -> Path | None:
        """What shall come in; None while nothing is named."""
        text = self.source.text().strip()
        return Path(text).expanduser() if text else None

    def target(self) -> Path | None:
        """The folder of the project it shall go to; None while none is named."""
        if self.into.currentData() == OPEN:
            return self.opened
        text = self.folder.text().strip()
        return Path(text).expanduser().absolute() if text else None

    def side(self) -> Convention:
        """Whose left a new project's words mean."""
        chosen: Convention = self.laterality.currentData()
        return chosen

    def show_looked(self, looked: Looked) -> None:
        """Show the format that was found and what its words usually mean."""
        if looked.detected:
            self._mark_detected(looked.name)
            self.format.setCurrentIndex(self.format.findData(looked.name))
        self.laterality.setCurrentIndex(self.laterality.findData(looked.laterality))

    # -- inside ------------------------------------------------------------------------------------

    def _mark_detected(self, name: FormatName | None) -> None:
        for row in range(self.format.count()):
            found = " (detected)" if self.format.itemData(row) == name else ""
            self.format.setItemText(row, FORMAT_TITLES[self.format.itemData(row)] + found)

    def _lay_out(self) -> None:
        self._folder_row = _row(
            self.folder, button("…", self._choose_folder, "Choose the project's folder")
        )
        sources = _row(
            self.source,
            button("Folder…", self._choose_source_folder, "Choose a folder to import"),
            button("File…", self._choose_source_file, "Choose a DICOM or NIfTI file, or a table"),
        )
        self._labels = {}
        for name, widget, tooltip in (
            ("Source", sources, "A folder, a DICOM or NIfTI file, or a table beside its images"),
            ("Format", self.format, "Found by names and marks; choose another if that is wrong"),
            ("Into", self.into, "The project that gets the cases"),
            ("Folder", self._folder_row, "A new or empty folder, or one that holds a project"),
            (
                TITLES["laterality"],
                self.laterality,
                "Whose left the descriptions mean; kept for good in a new project",
            ),
        ):
            self._labels[name] = QLabel(name)
            for each in (self._labels[name], widget):
                each.setToolTip(f"<p>{tooltip}</p>")
            self._labels[name].setFixedWidth(LABEL_WIDTH)
            self._form.addRow(self._labels[name], widget)

    def _on_source(self) -> None:
        self._mark_detected(None)
        source = self.source_path()
        if source is not None and self.folder.text() in ("", self._suggested):
            stem = source.name.split(".")[0] or "films"
            self._suggested = str(source.absolute().parent / f"{stem}-project")
            self.folder.setText(self._suggested)
        self.source_changed.emit()

    def _on_target(self) -> None:
        self._show_target()
        self.target_changed.emit()

    def _show_target(self) -> None:
        elsewhere = self.into.currentData() == NEW
        target = self.target()
        fresh = elsewhere and not (target is not None and is_project(target))
        for name, widget, shown in (
            ("Folder", self._folder_row, elsewhere),
            (TITLES["laterality"], self.laterality, fresh),
        ):
            self._labels[name].setVisible(shown)
            widget.setVisible(shown)

    def _choose_source_folder(self) -> None:
        self._take(self.source, QFileDialog.getExistingDirectory(self, "A folder to import"))

    def _choose_source_file(self) -> None:
        self._take(self.source, QFileDialog.getOpenFileName(self, "A file to import")[0])

    def _choose_folder(self) -> None:
        self._take(self.folder, QFileDialog.getExistingDirectory(self, "The project's folder"))

    @staticmethod
    def _take(line: QLineEdit, path: str) -> None:
        if path:
            line.setText(path)


def _row(*widgets: QWidget) -> QWidget:
    made = QWidget()
    row = QHBoxLayout(made)
    row.setContentsMargins(0, 0, 0, 0)
    for number, widget in enumerate(widgets):
        row.addWidget(widget, 1 if number == 0 else 0)
    return made
