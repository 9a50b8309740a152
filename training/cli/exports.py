"""Commands that bring accepted masks out of a project, one for each format."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Annotated

import typer

from training.cli.options import ProjectFolder
from training.exports import STATES, Selection, export
from training.pool import Project

app = typer.Typer(no_args_is_help=True, help="Bring accepted masks, words and provenance out.")

Target = Annotated[Path, typer.Argument(metavar="DIR", help="A new or empty folder.")]
States = Annotated[
    list[str] | None,
    typer.Option("--state", help=f"Which cases: {', '.join(STATES)}. May be repeated."),
]
Readers = Annotated[
    list[str] | None, typer.Option("--reader", help="Whose revisions. May be repeated.")
]
Since = Annotated[
    datetime | None, typer.Option(formats=["%Y-%m-%d"], help="First day of the revisions, in UTC.")
]
Until = Annotated[
    datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Last day of the revisions, in UTC.")
]
Images = Annotated[
    bool | None, typer.Option("--images/--no-images", help="Whether images go along.")
]
Originals = Annotated[
    Path | None,
    typer.Option(help="Folder of the imported DICOM files: the segmentations then refer to them."),
]


@app.callback()
def _export_group() -> None:
    """Bring accepted masks out; nothing that is in DIR already is ever overwritten."""


def _plain(name: str, sentence: str) -> None:
    """Add the command of a format that needs no options of its own."""

    def command(
        project: ProjectFolder,
        target: Target,
        state: States = None,
        reader: Readers = None,
        since: Since = None,
        until: Until = None,
        images: Images = None,
    ) -> None:
        run_export(name, project, target, _selection(state, reader, since, until), images=images)

    app.command(name, help=sentence)(command)


_plain("masks", "Masks as PNG beside a csv of descriptions and provenance.")
_plain("lvit", "The LViT layout; `import lvit` reads it back to the same project.")
_plain("coco", "COCO annotations with run-length encoded masks.")
_plain("nifti", "NIfTI volumes of one slice each, on the grid the images came from.")
_plain("hf", "A folder for Hugging Face `datasets`, divided as in the project.")


@app.command("dicom-seg")
def export_dicom_seg(
    project: ProjectFolder,
    target: Target,
    state: States = None,
    reader: Readers = None,
    since: Since = None,
    until: Until = None,
    originals: Originals = None,
) -> None:
    """DICOM Segmentation objects that refer to the images that came in as DICOM."""
    selection = _selection(state, reader, since, until)
    run_export("dicom-seg", project, target, selection, originals=originals)


def run_export(
    name: str,
    folder: Path,
    target: Path,
    selection: Selection,
    *,
    images: bool | None = None,
    originals: Path | None = None,
) -> None:
    """Export and say what came of it."""
    done = export(name, Project.open(folder), target, selection, images=images, originals=originals)
    print(done.sentence())
    for _, sentence in done.left_out[:20]:
        print(f"  {sentence}")


def _selection(
    states: list[str] | None,
    readers: list[str] | None,
    since: datetime | None,
    until: datetime | None,
) -> Selection:
    return Selection(
        states=frozenset(states) if states else Selection().states,
        readers=frozenset(readers or ()),
        since=_day(since),
        until=_day(until),
    )


def _day(moment: datetime | None) -> date | None:
    return None if moment is None else moment.date()
