"""Commands that bring cases into a project, one for each format."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress

from training.cli.project import ProjectFolder, open_or_create, status
from training.errors import ConfigError
from training.formats import ReadOptions, detect, read
from training.formats.bring_in import Outcome, bring_in, rehearse, secret_of
from training.formats.layouts import stated_laterality
from training.formats.options import Polarity
from training.pool import Project
from training.pool.database import is_project
from training.pool.project import Laterality

app = typer.Typer(no_args_is_help=True, help="Bring cases in.")
SHOWN = 20


class PolarityName(StrEnum):
    """What foreground is in a mask file."""

    normal = "normal"
    inverted = "inverted"


class Side(StrEnum):
    """Whose left the descriptions mean."""

    image = "image"
    patient = "patient"


class PlaneName(StrEnum):
    """How a volume is sliced."""

    axial = "axial"
    coronal = "coronal"
    sagittal = "sagittal"


class Text(StrEnum):
    """Which column of a QaTa table becomes the description."""

    raw_text = "raw_text"
    clean_caption = "clean_caption"


Source = Annotated[Path, typer.Argument(metavar="SRC", help="File or folder to import.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would happen; change nothing.")]
Texts = Annotated[
    Path | None, typer.Option(help="csv, xlsx or json table of descriptions by image name.")
]
Column = Annotated[str | None, typer.Option("--text-column", help="Column of the description.")]
Patient = Annotated[
    str,
    typer.Option(
        help="Whose a file is: auto, file, slice (name without its last number), folder, "
        "or a regular expression whose first group is the patient."
    ),
]
MaskPolarity = Annotated[
    PolarityName | None,
    typer.Option(help="Say whether masks are inverted; without it, suspicious ones are refused."),
]
Labels = Annotated[
    float, typer.Option(min=0, max=1, help="Share of the masks that come in accepted.")
]
Prefix = Annotated[str, typer.Option(help="Put before every case's name.")]
Convention = Annotated[
    Side | None, typer.Option("--laterality", help="Whose left the words mean, in a new project.")
]
Window = Annotated[
    str | None, typer.Option(metavar="CENTER,WIDTH", help="Gray window, instead of the file's.")
]
Every = Annotated[int, typer.Option(min=1, help="Take each so-many-th slice.")]
Plane = Annotated[PlaneName, typer.Option(help="How volumes are sliced.")]


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
    prefix: Prefix = "",
    dry_run: DryRun = False,
) -> None:
    """Import QaTa-COV19 films. With table.csv, ``valid`` becomes the holdout, masks beyond --labels are withheld."""
    options = ReadOptions(
        texts=texts,
        text_column=text.value if texts is None and (source / "table.csv").is_file() else None,
        labels=labels,
        mask_polarity=_polarity(mask_polarity),
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
        prefix: Prefix = "",
        laterality: Convention = None,
        dry_run: DryRun = False,
    ) -> None:
        options = ReadOptions(
            texts=texts,
            text_column=text_column,
            patient_rule=patient_rule,
            mask_polarity=_polarity(mask_polarity),
            labels=labels,
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
    keep_uids: Annotated[
        bool, typer.Option("--keep-uids", help="Keep identifiers of study, series and image.")
    ] = False,
    prefix: Prefix = "",
    laterality: Convention = None,
    dry_run: DryRun = False,
) -> None:
    """Import DICOM films and slices, de-identified: patients hashed, dates shifted, names left behind."""
    options = ReadOptions(
        texts=texts,
        text_column=text_column,
        window=_window(window),
        every=every,
        keep_uids=keep_uids,
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
    prefix: Prefix = "",
    laterality: Convention = None,
    dry_run: DryRun = False,
) -> None:
    """Import the slices of NIfTI volumes, with label volumes of the same grid if there are any."""
    options = ReadOptions(
        texts=texts,
        text_column=text_column,
        patient_rule=patient_rule,
        mask_polarity=_polarity(mask_polarity),
        labels=labels,
        window=_window(window),
        every=every,
        plane=plane.value,
        prefix=prefix,
    )
    run_import("nifti", source, project, options, laterality, dry_run)


def run_import(
    name: str,
    source: Path,
    folder: Path,
    options: ReadOptions,
    laterality: Side | None,
    dry_run: bool,
) -> None:
    """Import, or rehearse it, with a progress line, and say what came of it."""
    if name == "auto":
        name = detect(source)
        print(f"{source} is read as {name}.")
    if dry_run:
        pool = Project.open(folder) if is_project(folder) else None
        keyed = _keyed(options, secret_of(pool) if pool else b"rehearsal")
        outcome = _followed(
            lambda progress: rehearse(pool, read(name, source, keyed), keyed, progress=progress),
            "Looking",
        )
        print("Nothing was changed. An import would have this outcome:")
        _say(outcome)
        return
    next(read(name, source, options), None)  # a source that cannot be read makes no project
    pool = open_or_create(folder, _convention(name, source, laterality))
    keyed = _keyed(options, secret_of(pool))
    outcome = _followed(
        lambda progress: bring_in(pool, read(name, source, keyed), keyed, progress=progress),
        "Importing",
    )
    _say(outcome)
    if not outcome.report.added and not outcome.report.already:
        raise ConfigError("There was nothing to import.")
    status(pool.folder)


def _convention(name: str, source: Path, asked: Side | None) -> Laterality:
    """What was asked, else what the source says, else what is usual: clinical files mean the patient's left."""
    if asked is not None:
        return asked.value  # type: ignore[return-value]
    return stated_laterality(source) or ("patient" if name in ("dicom", "nifti") else "image")


def _keyed(options: ReadOptions, secret: bytes) -> ReadOptions:
    return replace(options, secret=secret)


def _followed(work: Callable[[Callable[[int], None]], Outcome], title: str) -> Outcome:
    with Progress(transient=True) as shown:
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


def _polarity(chosen: PolarityName | None) -> Polarity | None:
    return None if chosen is None else chosen.value  # type: ignore[return-value]


def _window(text: str | None) -> tuple[float, float] | None:
    if text is None:
        return None
    try:
        center, width = (float(part) for part in text.split(","))
    except ValueError:
        raise ConfigError(
            f"--window {text} is no window: write CENTER,WIDTH, as in -600,1500."
        ) from None
    if width <= 0:
        raise ConfigError(f"--window {text} has no width: write CENTER,WIDTH, as in -600,1500.")
    return center, width
