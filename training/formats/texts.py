"""Descriptions looked up by whatever name a table gives an image: its own or its mask's, in any case, with any path."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from training.errors import FormatError
from training.formats.names import checked_name, key_of
from training.formats.tables import Row, read_table
from training.report import ZONES, render

KEYS = (
    "image",
    "image_name",
    "image_path",
    "file_name",
    "filename",
    "file",
    "name",
    "case_id",
    "id",
    "mask",
)
TEXTS = ("description", "text", "caption", "raw_text", "report", "findings", "clean_caption")
_ZONES_PATTERN = re.compile(r"[01]")


@dataclass(frozen=True)
class Texts:
    """What one or several tables say about images.

    Attributes
    ----------
    rows : dict
        Table row by `path_key` and, where that is not ambiguous, by `key_of` the image's name.
    column : str
        The column that holds the description; empty where there is no table.
    """

    rows: Mapping[str, Row] = field(default_factory=dict, repr=False)
    column: str = ""

    def row(self, *names: str) -> Row | None:
        """The first row found under any of the names: under a whole path first, then under the bare name."""
        keys = [path_key(name) for name in names if name] + [key_of(name) for name in names if name]
        return next((self.rows[key] for key in keys if key in self.rows), None)

    def of(self, *names: str) -> str:
        """The description found under any of the names; written from the zone flags where only those are given."""
        row = self.row(*names)
        if row is None:
            return ""
        return row.get(self.column, "") or _from_zones(row.get("pseudo_label", ""))


def read_texts(paths: Iterable[Path], column: str | None = None) -> Texts:
    """Read tables of descriptions.

    Parameters
    ----------
    paths : iterable of Path
    column : str or None
        Which column is the description; None takes the first known name.

    Raises
    ------
    FormatError
        A table cannot be read, lacks a column, names a file outside its folder, or contradicts itself.
    """
    rows: dict[str, Row] = {}
    chosen = ""
    for path in paths:
        table = read_table(path)
        columns = set().union(*table) if table else set()
        key = column_of(columns, KEYS, None, path, "names the image")
        chosen = column_of(columns, (*TEXTS, "pseudo_label"), column, path, "holds the description")
        for row in table:
            name = row.get(key, "") or row.get("mask", "")
            if not name:
                continue
            _add(rows, checked_name(name, path), row, chosen, path)
    bare: dict[str, Row | None] = {}
    for found, row in rows.items():
        key = key_of(found)
        bare[key] = row if bare.get(key, row) is row else None  # several folders use this name
    unambiguous = {key: row for key, row in bare.items() if row is not None}
    return Texts({**unambiguous, **rows}, chosen)


def path_key(name: str) -> str:
    """The whole path under which a table may name an image: `key_of` of its last part, the folders before it."""
    folder = name.replace("\\", "/").rpartition("/")[0].strip("/").casefold()
    return f"{folder}/{key_of(name)}"


def _add(rows: dict[str, Row], name: str, row: Row, column: str, path: Path) -> None:
    before = rows.setdefault(path_key(name), row)
    if before.get(column, "") != row.get(column, ""):
        raise FormatError(f"{path} describes {name} twice, in different words: keep one.")


def column_of(
    columns: set[str],
    known: tuple[str, ...],
    asked: str | None,
    path: Path,
    role: str,
    *,
    way: str = "name one",
) -> str:
    """The column that somebody asked for, or the first of the known names.

    Parameters
    ----------
    path, role, way : Path, str, str
        The table, what its column does there, and what to do about it, for the sentence.

    Raises
    ------
    FormatError
        The table has none of them.
    """
    wanted = (asked.casefold(),) if asked else known
    for name in wanted:
        if name in columns:
            return name
    raise FormatError(
        f"{path} has no column that {role} (looked for: {', '.join(wanted)}): {way} of those it has "
        f"({', '.join(sorted(columns)) or 'none'})."
    )


def _from_zones(label: str) -> str:
    digits = _ZONES_PATTERN.findall(label)
    if len(digits) != len(ZONES):
        return ""
    return render([zone for zone, digit in zip(ZONES, digits, strict=True) if digit == "1"])
