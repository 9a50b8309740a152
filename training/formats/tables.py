"""Tables of descriptions: csv, xlsx and JSON as rows of text, from files nobody vouches for."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from training.errors import FormatError
from training.formats.foreign import reading

MAX_BYTES = 256 * 1024 * 1024
MAX_ROWS = 1_000_000
MAX_CELL = 32_768
KINDS = (".csv", ".tsv", ".xlsx", ".json")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
Row = dict[str, str]


def read_table(path: Path) -> list[Row]:
    """Read a table whose first row names the columns.

    Returns
    -------
    list of dict
        One per row that holds anything; column names lower case and stripped, values as text. Rows of a JSON file
        that is divided by split get the column ``split``.

    Raises
    ------
    FormatError
        The file is missing, damaged, of another kind or absurdly large.
    """
    suffix = path.suffix.lower()
    if suffix not in KINDS:
        raise FormatError(f"{path} is no table: give a csv, tsv, xlsx or json file.")
    with reading(path, f"a {suffix[1:]} table"):
        if path.stat().st_size > MAX_BYTES:
            raise FormatError(f"{path} is larger than 256 MB: divide the table into smaller ones.")
        if suffix == ".xlsx":
            return _tidy(_sheet(path), path)
        text = _text(path)
        if suffix == ".json":
            return _json_rows(json.loads(text), path)
        delimiter = "\t" if suffix == ".tsv" else _delimiter(text)
        return _tidy(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter), path)


def _text(path: Path) -> str:
    content = path.read_bytes()
    if b"\0" in content and not content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise FormatError(f"{path} is not text: save the table as csv in UTF-8.")
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252")  # what spreadsheet programs on Windows save as "csv"


def _delimiter(text: str) -> str:
    head = text.split("\n", 1)[0]
    return max((",", ";", "\t"), key=head.count)


def _sheet(path: Path) -> Iterable[tuple[Any, ...]]:
    import openpyxl

    _check_archive(path)
    book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    try:
        sheet = book.worksheets[0]
        sheet.reset_dimensions()  # what the file claims about its size is not to be trusted
        return list(_limited(sheet.iter_rows(values_only=True), path))
    finally:
        book.close()


def _limited(rows: Iterable[tuple[Any, ...]], path: Path) -> Iterable[tuple[Any, ...]]:
    for number, row in enumerate(rows):
        if number > MAX_ROWS or len(row) > 1000:
            raise FormatError(
                f"{path} has more rows or columns than a table of texts can have: divide it."
            )
        yield row


def _check_archive(path: Path) -> None:
    with zipfile.ZipFile(path) as archive:
        parts = archive.infolist()
        size = sum(part.file_size for part in parts)
        if size > MAX_BYTES or len(parts) > 5000:
            raise FormatError(
                f"{path} would unpack to {size / 1e6:.0f} MB in {len(parts)} parts: "
                "it was not opened; save the table again as csv."
            )
        for part in parts:
            if part.filename.endswith((".xml", ".rels")):
                with archive.open(part) as stream:
                    if b"<!DOCTYPE" in stream.read(4096).upper():
                        raise FormatError(
                            f"{path} declares a document type, which no table needs: "
                            "it was not opened; save the table again as csv."
                        )


def _tidy(rows: Iterable[Iterable[Any]], path: Path) -> list[Row]:
    table = iter(rows)
    head = [_cell(value, path).casefold() for value in next(table, ())]
    if not any(head):
        raise FormatError(f"{path} is empty: its first row must name the columns.")
    found = []
    for number, row in enumerate(table):
        if number > MAX_ROWS:
            raise FormatError(f"{path} has more than a million rows: divide it.")
        values = {name: _cell(value, path) for name, value in zip(head, row, strict=False) if name}
        if any(values.values()):
            found.append(values)
    return found


def _cell(value: Any, path: Path) -> str:
    text = "" if value is None else str(value).strip()
    if len(text) > MAX_CELL:
        raise FormatError(f"A cell of {path} holds more than {MAX_CELL} characters: shorten it.")
    # our own exports quote such cells, so that no spreadsheet runs them
    quoted = text[:1] == "'" and text.lstrip("'").startswith(_FORMULA)
    return text[1:] if quoted else text


def _json_rows(content: Any, path: Path) -> list[Row]:
    groups = content if isinstance(content, dict) else {"": content}
    found: list[Row] = []
    for split, rows in groups.items():
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise FormatError(
                f"{path} is not a list of rows, nor lists under train, valid and test: "
                "give a table of that form."
            )
        for row in rows:
            values = {str(key).strip().casefold(): _cell(value, path) for key, value in row.items()}
            found.append({"split": str(split), **values} if split else values)
    return found


def guarded_cell(value: object) -> str:
    """Text for a csv cell that no spreadsheet takes for a formula; `read_table` gives the original back."""
    text = "" if value is None else str(value)
    return f"'{text}" if text.strip().lstrip("'").startswith(_FORMULA) else text
