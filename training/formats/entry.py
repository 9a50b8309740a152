"""The one way in, for the window and the commands alike: choose the format, say what would happen, do it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from training.formats import FormatName, ReadOptions, detect, read
from training.formats.bring_in import Outcome, bring_in, kept_secret, rehearse, secret_of
from training.formats.layouts import stated_laterality
from training.pool import Project
from training.report.zones import Convention

_CLINICAL = ("dicom", "nifti")


def plan(
    source: Path,
    project: Project | None = None,
    options: ReadOptions | None = None,
    *,
    name: FormatName | None = None,
    progress: Callable[[int], None] = lambda done: None,
) -> Outcome:
    """Read and check everything, change nothing, and say what `import_from` would do.

    Parameters
    ----------
    project : Project or None
        None stands for a project that is still to be made.
    name : str or None
        The format; None lets `training.formats.detect` find out.
    progress : callable
        Told after each case how many were looked at.

    Raises
    ------
    FormatError
        The source as a whole cannot be used.
    """
    # names of de-identified cases depend on a secret, which a project gets with its first import
    secret = kept_secret(project) if project is not None else None
    keyed = replace(options or ReadOptions(), secret=secret or b"rehearsal")
    return rehearse(project, read(name or detect(source), source, keyed), keyed, progress=progress)


def import_from(
    source: Path,
    project: Project,
    options: ReadOptions | None = None,
    *,
    name: FormatName | None = None,
    progress: Callable[[int], None] = lambda done: None,
) -> Outcome:
    """Import a source: one bad file never stops the others, importing twice adds nothing twice.

    Parameters are those of `plan`.

    Raises
    ------
    FormatError
        The source as a whole cannot be used.
    PoolError
        The disk is full or read-only. Cases committed before that stay.
    """
    keyed = replace(options or ReadOptions(), secret=secret_of(project))
    return bring_in(project, read(name or detect(source), source, keyed), keyed, progress=progress)


def check_source(source: Path, options: ReadOptions, name: FormatName) -> None:
    """Raise FormatError if the source as a whole cannot be used, so that no project is made for nothing."""
    next(read(name, source, options), None)


def usual_laterality(source: Path, name: FormatName) -> Convention:
    """Whose left a new project's words should mean: what the source says, else what its kind of file is used to."""
    return stated_laterality(source) or ("patient" if name in _CLINICAL else "image")
