"""Folders of picture files: MosMed, LViT, QaTa's sheets, and any folder of images with or without masks and texts.

All of them are pairs of files plus a table; they differ in where the table lies, which patient a name means and what
the split folders decide.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from training.errors import FormatError
from training.formats.findings import Found, Note, Trouble
from training.formats.foreign import reading
from training.formats.options import ReadOptions
from training.formats.pairs import Pair, files_below, find_pairs
from training.formats.patients import PatientRule
from training.formats.tables import KINDS
from training.formats.texts import Texts, read_texts
from training.pool.records import AskedSplit, IncomingCase
from training.report.zones import Convention

OUR_NOTES = "export.json"
_SPLIT_WORDS: dict[str, AskedSplit] = {
    "train": "training",
    "valid": "gate",
    "val": "gate",
    "test": "report",
}


def read_folder(source: Path, options: ReadOptions) -> Iterator[Found]:
    """Read any folder of PNG, JPEG, TIFF or BMP images; descriptions only from ``options.texts``."""
    texts = read_texts([options.texts], options.text_column) if options.texts else Texts()
    yield from _cases(source, options, texts)


def read_mosmed(source: Path, options: ReadOptions) -> Iterator[Found]:
    """Read the MosMedData+ layout: ``frames|Images|IMG`` and ``masks|Label`` beside csv or xlsx tables.

    A patient is the file's name without the slice number, unless ``options.patient_rule`` says otherwise.
    """
    rule = "slice" if options.patient_rule == "auto" else options.patient_rule
    texts = read_texts(_tables(source, options), options.text_column)
    yield from _cases(source, replace(options, patient_rule=rule), texts)


def read_lvit(source: Path, options: ReadOptions) -> Iterator[Found]:
    """Read the LViT layout: ``{Train,Val,Test}_Folder/{img,labelcol}`` and ``*_text.xlsx``.

    Train trains; Val becomes the half of the holdout that decides, Test the half that only reports. A column
    ``Patient`` of the sheets is used where there is one, as in our own exports.

    Raises
    ------
    FormatError
        There is none of these folders.
    """
    if not any(split_folder(folder.name) for folder in _folders(source)):
        raise FormatError(
            f"{source} has no Train_Folder, Val_Folder or Test_Folder: give the folder that holds "
            "them, or import it with `import folder`."
        )
    texts = read_texts(_tables(source, options), options.text_column)
    yield from _cases(source, options, texts)


def read_sheet(source: Path, options: ReadOptions) -> Iterator[Found]:
    """Read QaTa films described by LViT's sheet or SGSeg's annotation file.

    The table's split, where it has one, decides before the folders do.
    """
    texts = read_texts(_tables(source, options), options.text_column)
    yield from _cases(source, options, texts)


def stated_laterality(source: Path) -> Convention | None:
    """Whose left the words mean, where the source is an export of ours that says so."""
    notes = source / OUR_NOTES
    if not notes.is_file() or notes.stat().st_size > 1_000_000:
        return None
    with reading(notes, "the page of an export"):
        said = json.loads(notes.read_text(encoding="utf-8"))
    value = said.get("laterality") if isinstance(said, dict) else None
    return value if value in ("image", "patient") else None


def split_folder(name: str) -> bool:
    """Whether a folder is one of LViT's three."""
    return name.casefold() in ("train_folder", "val_folder", "test_folder")


def _cases(source: Path, options: ReadOptions, texts: Texts) -> Iterator[Found]:
    rule = PatientRule(options.patient_rule)
    pairs = list(find_pairs(source))
    if not any(isinstance(found, Pair) for found in pairs):
        raise FormatError(f"{source} holds no PNG, JPEG, TIFF or BMP images: give another folder.")
    ours = (source / OUR_NOTES).is_file()  # our own exports say exactly which half a case is of
    one_half = not ours and len({_split(found, texts) for found in pairs} & {"gate", "report"}) == 1
    masks = 0
    for found in pairs:
        if isinstance(found, Trouble):
            yield found
            continue
        case = _case(found, rule, texts)
        if one_half and isinstance(case, IncomingCase) and case.split in ("gate", "report"):
            # The project divides it, so that both halves exist.
            case = replace(case, split="holdout")
        if isinstance(case, IncomingCase) and case.mask is not None:
            masks += 1
            labeled = int(masks * options.labels) > int((masks - 1) * options.labels)
            case = case if labeled else replace(case, mask=None, hidden_mask=case.mask)
        yield case
        if texts.rows and isinstance(case, IncomingCase) and not case.description:
            yield Note(case.name, "The table has no words for this image.")


def _split(found: Pair | Trouble, texts: Texts) -> AskedSplit | None:
    if isinstance(found, Trouble):
        return None
    row = texts.row(*_names(found)) or {}
    return _SPLIT_WORDS.get(row.get("split", "").casefold(), found.split)


def _names(pair: Pair) -> tuple[str, ...]:
    return (pair.relative, pair.mask.name if pair.mask else "")


def _case(pair: Pair, rule: PatientRule, texts: Texts) -> IncomingCase | Trouble:
    names = _names(pair)
    row = texts.row(*names) or {}
    try:
        patient = row.get("patient", "") or rule(pair.relative)
    except FormatError as error:
        return Trouble(pair.name, str(error))
    return IncomingCase(
        name=pair.name,
        image=pair.image,
        description=texts.of(*names),
        patient=patient,
        split=_split(pair, texts),
        mask=pair.mask,
    )


def _folders(source: Path) -> list[Path]:
    return [entry for entry in source.iterdir() if entry.is_dir()] if source.is_dir() else []


def _tables(source: Path, options: ReadOptions) -> list[Path]:
    if options.texts is not None:
        return [options.texts]
    if not source.is_dir():
        raise FormatError(f"There is no folder {source}: check its name.")
    found = [source / name for name in files_below(source, frozenset(KINDS))]
    found = [path for path in found if not path.name.startswith("~$") and path.name != OUR_NOTES]
    if not found:
        raise FormatError(
            f"{source} holds no csv, xlsx or json table of descriptions: give one with --texts, "
            "or import it with `import folder`."
        )
    return found
