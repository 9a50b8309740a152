"""Commands that bring cases into a project, one for each format."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, cast

import typer
from rich.console import Console
from rich.progress import Progress

from training.cli.import_options import (
    Column,
    Convention,
    DryRun,
    Every,
    Holdout,
    KeepUids,
    Labels,
    MaskPolarity,
    Patient,
    Plane,
    PlaneName,
    Prefix,
    Source,
    Text,
    Texts,
    Window,
    polarity_of,
    window_of,
)
from training.cli.living import show_status
from training.cli.options import ProjectFolder
from training.cli.project import open_or_create
from training.errors import ConfigError
from training.formats import FormatName, ReadOptions, detect
from training.formats.bring_in import Outcome
from training.formats.entry import check_source, import_from, plan, usual_laterality
from training.pool import Project
from training.pool.database import is_project
from training.pool.importing import HOLDOUT_FRACTION

app = typer.Typer(no_args_is_help=True, help="Bring cases in.")
SHOWN = 20


@app.callback()
def _import_group() -> None:
    """Bring cases in; importing twice adds nothing twice."""


@app.command("qata")
def import_qata(
    source: Source,
    project: ProjectFolder,
    labels: Labels = 0.0,
    text: Annotated[Text, typer.Option(help="Column of table.csv to use.")] = Text.raw_text,
    texts: Texts = None,
    mask_polarity: MaskPolarity = None,
    holdout: Holdout = HOLDOUT_FRACTION,
    prefix: Prefix = "",
    dry_run: DryRun = False,
) -> None:
    """Import QaTa-COV19 films. With table.csv, ``valid`` becomes the holdout, masks beyond --labels are withheld."""
    own_table = texts is None and (source / "table.csv").is_file()
    options = ReadOptions(
        texts=texts,
        text_column=text.value if own_table else None,
        labels=labels,
        mask_polarity=polarity_of(mask_polarity),
        holdout=holdout,
        prefix=prefix,
    )
    run_import("qata", source, project, options, None, dry_run)


def _pictures(name: str, sentence: str) -> None:
    """Add the command of a format that consists of picture files."""

    def command(
        source: Source,
        project: ProjectFolder,
        texts: Texts = None,
        text_column: Column = None,
        patient_rule: Patient = "auto",
        mask_polarity: MaskPolarity = None,
        labels: Labels = 1.0,
        holdout: Holdout = HOLDOUT_FRACTION,
        prefix: Prefix = "",
        laterality: Convention = None,
        dry_run: DryRun = False,
    ) -> None:
        options = ReadOptions(
            texts=texts,
            text_column=text_column,
            patient_rule=patient_rule,
            mask_polarity=polarity_of(mask_polarity),
            labels=labels,
            holdout=holdout,
            prefix=prefix,
        )
        run_import(name, source, project, options, laterality, dry_run)

    app.command(name, help=sentence)(command)


_pictures("mosmed", "Import MosMedData+ slices: frames or Images, masks, and a table of texts.")
_pictures("lvit", "Import the LViT layout: Train_Folder, Val_Folder, Test_Folder and their sheets.")
_pictures("folder", "Import any folder of PNG, JPEG or TIFF images, with masks and texts if given.")
_pictures("auto", "Find out which format a file or folder is, and import it.")


@app.command("dicom")
def import_dicom(
    source: Source,
    project: ProjectFolder,
    texts: Texts = None,
    text_column: Column = None,
    window: Window = None,
    every: Every = 1,
    keep_uids: KeepUids = False,
    holdout: Holdout = HOLDOUT_FRACTION,
    prefix: Prefix = "",
    laterality: Convention = None,
    dry_run: DryRun = False,
) -> None:
    """Import DICOM films and slices, de-identified: patients hashed, dates shifted, names left behind."""
    options = ReadOptions(
        texts=texts,
        text_column=text_column,
        window=window_of(window),
        every=every,
        keep_uids=keep_uids,
        holdout=holdout,
        prefix=prefix,
    )
    run_import("dicom", source, project, options, laterality, dry_run)


@app.command("nifti")
def import_nifti(
    source: Source,
    project: ProjectFolder,
    texts: Texts = None,
    text_column: Column = None,
    patient_rule: Patient = "auto",
    mask_polarity: MaskPolarity = None,
    labels: Labels = 1.0,
    window: Window = None,
    every: Every = 1,
    plane: Plane = PlaneName.axial,
    holdout: Holdout = HOLDOUT_FRACTION,
    prefix: Prefix = "",
    laterality: Convention = None,
    dry_run: DryRun = False,
) -> None:
    """Import the slices of NIfTI volumes, with label volumes of the same grid if there are any."""
    options = ReadOptions(
        texts=texts,
        text_column=text_column,
        patient_rule=patient_rule,
        mask_polarity=polarity_of(mask_polarity),
        labels=labels,
        window=window_of(window),
        every=every,
        plane=plane.value,
        holdout=holdout,
        prefix=prefix,
    )
    run_import("nifti", source, project, options, laterality, dry_run)


def run_import(
    chosen: str,
    source: Path,
    folder: Path,
    options: ReadOptions,
    laterality: Convention,
    dry_run: bool,
) -> None:
    """Import, or only say what an import would do, with a progress line.

    Raises
    ------
    ConfigError
        There was nothing to import.
    """
    name = detect(source) if chosen == "auto" else cast(FormatName, chosen)
    if chosen == "auto":
        print(f"{source} is read as {name}.")
    if dry_run:
        pool = Project.open(folder) if is_project(folder) else None
        outcome = _followed(
            lambda progress: plan(source, pool, options, name=name, progress=progress), "Looking"
        )
        print("Nothing was changed. An import would have this outcome:")
        _say(outcome)
        return
    check_source(source, options, name)
    convention = laterality.value if laterality else usual_laterality(source, name)
    pool = open_or_create(folder, convention)
    outcome = _followed(
        lambda progress: import_from(source, pool, options, name=name, progress=progress),
        "Importing",
    )
    _say(outcome)
    if not outcome.report.added and not outcome.report.already:
        raise ConfigError(
            "There was nothing to import: see above why, and mend it or give another source."
        )
    show_status(pool)


def _followed(work: Callable[[Callable[[int], None]], Outcome], title: str) -> Outcome:
    with Progress(transient=True, console=Console(stderr=True)) as shown:
        task = shown.add_task(title, total=None)

        def progress(done: int) -> None:
            shown.update(task, description=f"{title}: {done} cases")

        return work(progress)


def _say(outcome: Outcome) -> None:
    for line in outcome.sentences():
        print(line)
    for name, sentence in outcome.report.failed[:SHOWN]:
        print(f"  {name}: {sentence}")
    if len(outcome.report.failed) > SHOWN:
        print(f"  ... and {len(outcome.report.failed) - SHOWN} more")
