"""Which patient a file belongs to, by a rule over its name. The holdout is pinned by this key, so that a patient never
stands on both sides of it."""

from __future__ import annotations

import re
from pathlib import Path

from training.errors import FormatError
from training.formats.names import plain_stem

_SUBJECT = re.compile(r"(?:^|[/_\-])(sub-[A-Za-z0-9]+)", re.IGNORECASE)
_SLICE = re.compile(r"[_\-. ]*(?:slice|sl|s|z|frame|f)?[_\-. ]*\d+$", re.IGNORECASE)
RULES = {
    "auto": "the subject in names such as sub-S03045_..., otherwise every file is its own patient",
    "file": "every file is its own patient",
    "slice": "the file's name without the slice number at its end",
    "folder": "the folder that holds the file",
}


class PatientRule:
    """A rule that turns a file's relative path into a patient's key.

    Parameters
    ----------
    rule : str
        A name of `RULES`, or a regular expression whose first group, or whole match, is the patient.

    Raises
    ------
    FormatError
        The regular expression is none.
    """

    def __init__(self, rule: str) -> None:
        self.rule = rule
        try:
            self._pattern = None if rule in RULES else re.compile(rule)
        except re.error as error:
            raise FormatError(
                f"The patient rule {rule!r} is no regular expression ({error}): "
                f"correct it or use one of {', '.join(RULES)}."
            ) from error

    def __call__(self, relative: str) -> str:
        """The patient of the file at this path (forward slashes, relative to the source).

        Raises
        ------
        FormatError
            The regular expression does not match: no patient is guessed.
        """
        stem = plain_stem(relative)
        if self._pattern is not None:
            return self._matched(relative)
        if self.rule == "slice":
            return _SLICE.sub("", stem) or stem
        if self.rule == "folder":
            return Path(relative).parent.name or stem
        subject = _SUBJECT.search(stem) if self.rule == "auto" else None
        return subject.group(1) if subject else stem

    def _matched(self, relative: str) -> str:
        assert self._pattern is not None
        match = self._pattern.search(relative)
        patient = match and (match.group(1) if self._pattern.groups else match.group(0))
        if not patient:
            raise FormatError(
                f"The patient rule {self.rule!r} finds no patient in {relative}: "
                "widen the rule, or leave the file out."
            )
        return patient
