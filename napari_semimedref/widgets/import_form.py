"""The options of an import as a form: only those that the chosen format has, each with its tooltip. Reads no files."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal, cast

from psygnal import Signal
from qtpy.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDoubleSpinBox,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QSpinBox,
    QWidget,
)

from napari_semimedref.imports import TITLES, window_of
from napari_semimedref.widgets.drops import Drops
from napari_semimedref.widgets.parts import button
from training.formats import FormatName, ReadOptions
from training.formats.options import Polarity
from training.formats.patients import RULES
from training.pool.importing import HOLDOUT_FRACTION

_PICTURES = (
    "labels",
    "texts",
    "text_column",
    "mask_polarity",
    "patient_rule",
    "holdout",
    "prefix",
)
_SLICED = ("window", "every")
FIELDS: dict[FormatName, tuple[str, ...]] = {
    "qata": _PICTURES,
    "mosmed": _PICTURES,
    "lvit": _PICTURES,
    "folder": _PICTURES,
    "dicom": ("texts", "text_column", *_SLICED, "keep_uids", "holdout", "prefix"),
    "nifti": (*_PICTURES[:-1], "plane", *_SLICED, "prefix"),
}
OWN_TABLE = ("labels", "text_column", "mask_polarity", "prefix")  # QaTa with its table.csv
LABEL_WIDTH = 100  # pixels; the rows of several forms stand in one column
POLARITIES = {
    "Refuse what looks inverted": None,
    "Normal: bright is foreground": "normal",
    "Inverted: dark is foreground": "inverted",
}
TOOLTIPS = {
    "labels": "Share of the masks that come in as accepted; the others are withheld for simulation",
    "texts": "A csv, xlsx or json table of descriptions by image name, if the source has none",
    "text_column": "The column that becomes the description; empty: the usual names",
    "mask_polarity": "A mask that is mostly foreground, or whose rim is, is refused until you say what it is",
    "patient_rule": "Whose a file is; the holdout never shares a patient with training. "
    "A regular expression's first group is the patient. "
    + "; ".join(f"{rule}: {words}" for rule, words in RULES.items()),
    "holdout": "Share of the new patients that judge teachers and never train them, unless the source says who does",
    "prefix": "Put before every case's name, to keep two sources apart",
    "window": "CENTER, WIDTH in the file's units; empty: the file's own",
    "every": "Of a volume's or series' slices, take each so-many-th",
    "plane": "How volumes are sliced",
    "keep_uids": "Keep identifiers of study, series and image; otherwise they are replaced",
}


class ImportForm(QWidget):
    """All options of all formats; `show_format` leaves those in sight that apply."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.labels = QDoubleSpinBox()
        self.labels.setRange(0, 100)
        self.labels.setDecimals(1)
        self.labels.setSuffix(" % of the masks")
        self.texts = QLineEdit()
        self.texts.setPlaceholderText("none")
        Drops(self.texts, lambda paths: self.texts.setText(str(paths[0])))
        self.text_column = _choice(["", "raw_text", "clean_caption"])
        self.text_column.setEditable(True)
        column = QLineEdit()
        column.setPlaceholderText("the usual names")
        self.text_column.setLineEdit(column)
        self.mask_polarity = _choice(list(POLARITIES))
        self.patient_rule = _choice(list(RULES))
        self.patient_rule.setEditable(True)
        self.holdout = QSpinBox()
        self.holdout.setRange(0, 90)
        self.holdout.setValue(round(100 * HOLDOUT_FRACTION))
        self.holdout.setSuffix(" % of the patients")
        self.prefix = QLineEdit()
        self.window_text = QLineEdit()
        self.window_text.setPlaceholderText("CENTER, WIDTH")
        self.every = QSpinBox()
        self.every.setRange(1, 999)
        self.plane = _choice(["axial", "coronal", "sagittal"])
        self.keep_uids = QCheckBox("keep")
        self._fields = FIELDS["folder"]
        self._rows: dict[str, tuple[QLabel, QWidget]] = {}
        self._form = QFormLayout(self)
        self._form.setContentsMargins(0, 0, 0, 0)
        self._lay_out()
        self._listen()

    def show_format(self, name: FormatName, *, own_table: bool = False) -> None:
        """Show the options of a format, at what they usually are."""
        self._fields = OWN_TABLE if own_table else FIELDS[name]
        for field, (label, widget) in self._rows.items():
            label.setVisible(field in self._fields)
            widget.setVisible(field in self._fields)
        self.labels.setValue(0 if own_table else 100)

    def fields(self) -> tuple[str, ...]:
        """The options in sight."""
        return self._fields

    def options(self) -> ReadOptions:
        """What the options in sight say; FormatError if one cannot be understood."""
        polarity = POLARITIES[self.mask_polarity.currentText()]
        said: dict[str, Any] = {
            "labels": self.labels.value() / 100,
            "texts": Path(self.texts.text()).expanduser() if self.texts.text().strip() else None,
            "text_column": self.text_column.currentText().strip() or None,
            "mask_polarity": cast(Polarity | None, polarity),
            "patient_rule": self.patient_rule.currentText().strip() or "auto",
            "holdout": self.holdout.value() / 100,
            "prefix": self.prefix.text().strip(),
            "every": self.every.value(),
            "plane": cast(Literal["axial", "coronal", "sagittal"], self.plane.currentText()),
            "keep_uids": self.keep_uids.isChecked(),
        }
        if "window" in self._fields:
            said["window"] = window_of(self.window_text.text())
        return ReadOptions(**{name: said[name] for name in said if name in self._fields})

    # -- inside ------------------------------------------------------------------------------------

    def _lay_out(self) -> None:
        texts = QWidget()
        row = QHBoxLayout(texts)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.texts, 1)
        row.addWidget(button("…", self._choose_texts, "Choose a table"))
        odd = {"texts": texts, "window": self.window_text}
        for field, tooltip in TOOLTIPS.items():
            label, widget = QLabel(TITLES[field]), odd.get(field) or getattr(self, field)
            for each in (label, widget):
                each.setToolTip(f"<p>{tooltip}</p>")  # rich text wraps
            label.setFixedWidth(LABEL_WIDTH)
            self._form.addRow(label, widget)
            self._rows[field] = (label, widget)

    def _listen(self) -> None:
        for line in (self.texts, self.prefix, self.window_text):
            line.textChanged.connect(self._tell)
        for choice in (self.text_column, self.mask_polarity, self.patient_rule, self.plane):
            choice.currentTextChanged.connect(self._tell)
        for number in (self.labels, self.holdout, self.every):
            number.valueChanged.connect(self._tell)
        self.keep_uids.toggled.connect(self._tell)

    def _tell(self, _value: Any) -> None:
        self.changed.emit()

    def _choose_texts(self) -> None:
        path, _kind = QFileDialog.getOpenFileName(
            self, "A table of descriptions", "", "Tables (*.csv *.tsv *.xlsx *.json)"
        )
        if path:
            self.texts.setText(path)


def _choice(items: list[str]) -> QComboBox:
    made = QComboBox()
    made.addItems(items)
    made.setMinimumContentsLength(12)
    made.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    return made
