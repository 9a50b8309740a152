"""From a source to a project: read, check every picture and mask, and hand the good ones to the pool.

A rehearsal does the same reading and checking and changes nothing. The window and the commands call the same two
functions.
"""

from __future__ import annotations

import hashlib
import secrets
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import sqlalchemy as sa

from training.errors import FormatError
from training.formats.findings import Found, Note, Trouble
from training.formats.options import Polarity, ReadOptions
from training.formats.pictures import load_mask, usable_image
from training.pool import Project, schema
from training.pool.images import read_image
from training.pool.importing import import_cases, pin
from training.pool.records import ImportReport, IncomingCase

_SECRET = "import_secret"


@dataclass(frozen=True)
class Outcome:
    """What an import did, or a rehearsal found that it would do.

    Attributes
    ----------
    report : ImportReport
    splits : dict
        How many of the new cases go to training, gate and report.
    masked, described, patients : int
        New cases with an accepted mask, with words, and their patients.
    notes : tuple of Note
        What should be seen, such as possible burned-in text.
    """

    report: ImportReport
    splits: dict[str, int]
    masked: int
    described: int
    patients: int
    notes: tuple[Note, ...]

    def sentences(self) -> list[str]:
        """The outcome in a few lines."""
        lines = [self.report.sentence()]
        if self.report.added:
            parts = ", ".join(
                f"{self.splits.get(s, 0)} {s}" for s in ("training", "gate", "report")
            )
            lines.append(
                f"Of {self.patients} patients: {parts}; {self.masked} with a mask, {self.described} with words."
            )
        if self.patients == 1 and len(self.report.added) > 1:
            lines.append(
                "All cases are one patient's, so all go to one side: check --patient-rule."
            )
        if self.notes:
            kinds = Counter(note.sentence for note in self.notes)
            lines += [f"{count} x {sentence}" for sentence, count in kinds.most_common(5)]
        return lines


@dataclass
class _Tally:
    """What passes by on its way into the pool."""

    project: Project | None
    options: ReadOptions
    failed: list[tuple[str, str]] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)
    cases: dict[str, tuple[str, str | None, bool, bool]] = field(default_factory=dict)


def bring_in(
    project: Project,
    found: Iterable[Found],
    options: ReadOptions,
    *,
    progress: Callable[[int], None] = lambda done: None,
) -> Outcome:
    """Import what a reader finds. One bad file never stops the others; importing twice adds nothing twice.

    Parameters
    ----------
    found : iterable of IncomingCase, Trouble and Note
        From `training.formats.read`.
    progress : callable
        Told after each case how many were looked at.

    Raises
    ------
    FormatError
        The source as a whole cannot be used. Cases committed before that stay.
    PoolError
        The disk is full or read-only. Cases committed before that stay.
    """
    tally = _Tally(project, options)
    report = import_cases(
        project, _checked(found, tally), holdout_fraction=options.holdout, progress=progress
    )
    added = set(report.added)
    splits = {case.id: case.pool for case in project.cases() if case.id in added}
    halves = {
        name: pool if pool in ("gate", "report") else "training" for name, pool in splits.items()
    }
    return _outcome(tally, report, halves)


def rehearse(
    project: Project | None,
    found: Iterable[Found],
    options: ReadOptions,
    *,
    progress: Callable[[int], None] = lambda done: None,
) -> Outcome:
    """Say what `bring_in` would do: every file is read and checked, nothing is changed.

    Parameters
    ----------
    project : Project or None
        None stands for a project that is still to be made.
    """
    tally = _Tally(project, options)
    before = {case.id: case for case in project.cases()} if project else {}
    sides = {c.patient: c.pool if c.is_holdout else "training" for c in before.values()}
    halves: dict[str, str] = {}
    already = []
    for number, case in enumerate(_checked(found, tally), start=1):
        progress(number)
        if case.name in before:
            already.append(case.name)
            continue
        try:
            _check(case)
        except FormatError as error:
            tally.failed.append((case.name, str(error)))
            continue
        side = sides.get(case.patient) or pin(case.patient, case.split, options.holdout)
        halves[case.name] = sides[case.patient] = side
    return _outcome(tally, ImportReport(tuple(halves), tuple(already), ()), halves)


def secret_of(project: Project) -> bytes:
    """The project's key for hashed patients and shifted dates; made when it is first asked for."""
    kept = kept_secret(project)
    if kept is not None:
        return kept
    made = secrets.token_bytes(32)
    with project.writing() as connection:
        connection.execute(sa.insert(schema.settings).values(key=_SECRET, value=made.hex()))
    return made


def kept_secret(project: Project) -> bytes | None:
    """The project's key if it has one already; changes nothing."""
    kept = project.setting(_SECRET)
    return None if kept is None else bytes.fromhex(kept)


def _checked(found: Iterable[Found], tally: _Tally) -> Iterator[IncomingCase]:
    known = {case.id: case.image for case in tally.project.cases()} if tally.project else {}
    for each in found:
        if isinstance(each, Note):
            tally.notes.append(each)
        elif isinstance(each, Trouble):
            tally.failed.append((each.name, each.sentence))
        else:
            try:
                case = _prepared(replace(each, name=tally.options.prefix + each.name), tally, known)
            except FormatError as error:
                tally.failed.append((each.name, str(error)))
                continue
            masked = case.mask is not None or case.hidden_mask is not None
            tally.cases[case.name] = (case.patient, case.split, masked, bool(case.description))
            yield case


def _prepared(case: IncomingCase, tally: _Tally, known: dict[str, str]) -> IncomingCase:
    if case.name in tally.seen:
        raise FormatError(f"Two images would be called {case.name}: rename one of them.")
    tally.seen.add(case.name)
    if case.name in known:
        _same_picture(case, known[case.name])
        return case
    polarity = tally.options.mask_polarity
    return replace(
        case,
        image=usable_image(case.image) if isinstance(case.image, Path) else case.image,
        mask=_loaded(case.mask, polarity),
        hidden_mask=_loaded(case.hidden_mask, polarity),
    )


def _loaded(mask: Path | np.ndarray | None, polarity: Polarity | None) -> np.ndarray | None:
    return load_mask(mask, polarity) if isinstance(mask, Path) else mask


def _same_picture(case: IncomingCase, kept: str) -> None:
    """A name that is there already must mean the same picture, or a second data set would vanish silently."""
    if not isinstance(case.image, Path):
        return
    try:
        image = usable_image(case.image)
        if not isinstance(image, Path):
            return
        digest = hashlib.sha256(image.read_bytes()).hexdigest()
    except OSError as error:
        raise FormatError(f"{case.image} cannot be read: {error.strerror}.") from error
    if digest != Path(kept).stem:
        raise FormatError(
            f"The project has another picture called {case.name}: import this source with a --prefix."
        )


def _check(case: IncomingCase) -> None:
    if not case.name or case.name.startswith(".") or any(mark in case.name for mark in "/\\\0"):
        raise FormatError(f"{case.name!r} cannot name a case: rename the file.")
    image = case.image if isinstance(case.image, np.ndarray) else read_image(case.image)
    for mask in (case.mask, case.hidden_mask):
        if isinstance(mask, np.ndarray) and mask.shape != image.shape:
            raise FormatError(
                f"The mask of {case.name} is {mask.shape[1]} x {mask.shape[0]} pixels but its image is "
                f"{image.shape[1]} x {image.shape[0]}: the case was left out."
            )


def _outcome(tally: _Tally, report: ImportReport, splits: dict[str, str]) -> Outcome:
    added = [tally.cases[name] for name in report.added]
    return Outcome(
        report=replace(report, failed=tuple(tally.failed) + report.failed),
        splits=dict(Counter(splits.values())),
        masked=sum(masked for _, _, masked, _ in added),
        described=sum(described for *_, described in added),
        patients=len({patient for patient, *_ in added}),
        notes=tuple(tally.notes),
    )
