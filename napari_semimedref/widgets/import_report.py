"""What an import would do or did, in the dialog's right half. Words only; everything here comes from elsewhere."""

from __future__ import annotations

from html import escape

from qtpy.QtWidgets import QTextBrowser

from napari_semimedref.imports import Carried, Rehearsal, in_the_dialogs_words
from napari_semimedref.widgets.parts import cases
from training.formats.bring_in import Outcome

SHOWN = 12
WAITING = (
    "A folder of films, a DICOM or NIfTI file, or a table beside its images: its cases are read and checked, and what "
    "would come in is shown here before anything is written."
)


class Findings(QTextBrowser):
    """A page of sentences."""

    def __init__(self) -> None:
        super().__init__()
        self.setOpenLinks(False)
        self.setStyleSheet("QTextBrowser {background: transparent; border: none;}")
        self._show([_quiet(WAITING)])

    def show_error(self, error: str) -> None:
        """The source cannot be used."""
        self._show([_title("This cannot be imported"), _line(error)])

    def show_rehearsal(self, rehearsal: Rehearsal) -> None:
        """What would happen."""
        outcome = rehearsal.outcome
        count = len(outcome.report.added)
        title = f"{cases(count)} would come in" if count else "Nothing would come in"
        lines = [_title(title), *_counts(outcome)]
        if rehearsal.share is not None:
            lines.append(_line(rehearsal.share.sentence()))
        self._show(lines + _notes(outcome) + _problems(outcome))

    def show_carried(self, carried: Carried) -> None:
        """What happened."""
        outcome = carried.outcome
        if outcome is not None:
            lines = [_title(f"{cases(carried.kept)} came in"), *_counts(outcome)]
            self._show(lines + _notes(outcome) + _problems(outcome))
            return
        stay = (
            f"Written before, and kept: {cases(carried.kept)}; importing again adds the others."
            if carried.kept
            else "Nothing was written."
        )
        self._show([_title("The import ended early"), _line(carried.reason), _line(stay)])

    def _show(self, lines: list[str]) -> None:
        self.setHtml("".join(lines))


def _counts(outcome: Outcome) -> list[str]:
    report, splits = outcome.report, outcome.splits
    lines = []
    if report.added:
        parts = ", ".join(f"{splits.get(s, 0)} {s}" for s in ("training", "gate", "report"))
        patients = f"{outcome.patients} patient{'s' * (outcome.patients != 1)}"
        lines.append(f"Of {patients}: {parts}.")
        lines.append(f"{outcome.masked} with a mask, {outcome.described} with words.")
    if outcome.patients == 1 and len(report.added) > 1:
        lines.append("All are one patient's, so all go to one side: check “Patient rule”.")
    if report.already:
        lines.append(f"In the project already: {cases(len(report.already))}.")
    return [_line(line) for line in lines]


def _notes(outcome: Outcome) -> list[str]:
    kinds: dict[str, list[str]] = {}
    for note in outcome.notes:
        kinds.setdefault(note.sentence, []).append(note.name)
    lines = [
        _line(f"{sentence} ({len(names)} of them)" if len(names) > 1 else f"{names[0]}: {sentence}")
        for sentence, names in list(kinds.items())[:SHOWN]
    ]
    return [_title("To be seen"), *lines] if lines else []


def _problems(outcome: Outcome) -> list[str]:
    failed = outcome.report.failed
    if not failed:
        return []
    title = "1 cannot be used" if len(failed) == 1 else f"{len(failed)} cannot be used"
    lines = [_line(f"{name}: {sentence}") for name, sentence in failed[:SHOWN]]
    if len(failed) > SHOWN:
        lines.append(_quiet(f"… and {len(failed) - SHOWN} more"))
    return [_title(title), *lines]


def _title(text: str) -> str:
    return f"<p style='margin:8px 0 4px 0; font-weight:600'>{escape(text)}</p>"


def _line(text: str) -> str:
    return f"<p style='margin:2px 0'>{escape(in_the_dialogs_words(text))}</p>"


def _quiet(text: str) -> str:
    return f"<p style='margin:2px 0; color:#969ba5'>{escape(text)}</p>"
