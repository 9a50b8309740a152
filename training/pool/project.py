"""A project: one folder with a database, content-addressed files and run folders. The pool's front door.

    PROJECT/project.sqlite   cases, revisions, readers, runs, models
    PROJECT/images/ masks/ probabilities/   files named by their hash
    PROJECT/hidden/          withheld reference masks (see `training.pool.hidden`)
    PROJECT/runs/ models/    run folders, and the teachers taken from them

What a reader does to a case is here (draft, accept, skip); imports are in `importing`, rounds in `rounds`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import numpy as np
import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import insert

from training.errors import PoolError
from training.pool import queries, schema
from training.pool.files import FileStore
from training.pool.images import decode_mask, encode_mask, read_image, read_mask
from training.pool.records import Case, Draft, Revision, Source

DATABASE = "project.sqlite"
Laterality = Literal["image", "patient"]


def now() -> str:
    """The time in UTC, ISO 8601 with microseconds; sorts as text."""
    return datetime.now(UTC).isoformat(timespec="microseconds")


class Project:
    """An open project. Make one with `Project.create` or `Project.open`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.images = FileStore(folder, "images")
        self.masks = FileStore(folder, "masks")
        self.probabilities = FileStore(folder, "probabilities")
        self.engine = schema.connect(folder / DATABASE)

    @classmethod
    def create(cls, folder: Path | str, *, laterality: Laterality = "image") -> Project:
        """Make an empty project.

        Parameters
        ----------
        folder : path
            Made if it does not exist. It must be empty, apart from hidden files.
        laterality : {"image", "patient"}
            Whose left the descriptions mean: the picture's or the patient's. Kept for good.

        Raises
        ------
        PoolError
            There is a project, or something else, in the folder already; or it cannot be written to.
        """
        folder = Path(folder).resolve()
        if (folder / DATABASE).exists():
            raise PoolError(f"{folder} holds a project already: open it, or choose another folder.")
        if folder.exists() and any(not entry.name.startswith(".") for entry in folder.iterdir()):
            raise PoolError(f"{folder} is not empty: choose an empty folder for the new project.")
        try:
            folder.mkdir(parents=True, exist_ok=True)
            project = cls(folder)
            with project.writing() as connection:
                schema.metadata.create_all(connection)
                values = {
                    "schema_version": str(schema.SCHEMA_VERSION),
                    "laterality": laterality,
                    "created_at": now(),
                }
                rows = [{"key": key, "value": value} for key, value in values.items()]
                connection.execute(sa.insert(schema.settings), rows)
        except OSError as error:
            raise PoolError(f"{folder} cannot be made: {error.strerror}.") from error
        return project

    @classmethod
    def open(cls, folder: Path | str) -> Project:
        """Open the project in ``folder``; raises PoolError when there is none or it was made by a newer version."""
        folder = Path(folder).resolve()
        if not (folder / DATABASE).is_file():
            raise PoolError(
                f"{folder} holds no project: make one with `semimedref phantom` or `semimedref import`."
            )
        project = cls(folder)
        try:
            version = int(project.setting("schema_version"))
        except (sa.exc.DatabaseError, ValueError, TypeError) as error:
            raise PoolError(
                f"{folder / DATABASE} is damaged or is not a project's database."
            ) from error
        if version > schema.SCHEMA_VERSION:
            raise PoolError(
                f"{folder} was made by a newer version of this program: update it to open the project."
            )
        return project

    def close(self) -> None:
        """Close all connections to the database."""
        self.engine.dispose()

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """A connection in one consistent read transaction."""
        with self.engine.connect() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """A connection in one write transaction: all of it happens, durably, or nothing.

        Raises
        ------
        PoolError
            The database is full, locked for long, or read-only; nothing was changed.
        """
        try:
            with self.engine.execution_options(write=True).begin() as connection:
                yield connection
        except sa.exc.OperationalError as error:
            raise PoolError(_database_sentence(str(error.orig), self.folder)) from error

    def setting(self, key: str) -> str | None:
        """A setting of the project, such as ``laterality``; None if it has no such setting."""
        with self.reading() as connection:
            return connection.scalar(
                sa.select(schema.settings.c.value).where(schema.settings.c.key == key)
            )

    @property
    def laterality(self) -> Laterality:
        """Whose left the descriptions mean."""
        return "patient" if self.setting("laterality") == "patient" else "image"

    # -- cases -------------------------------------------------------------------------------------------------

    def cases(self, pool: str | None = None) -> list[Case]:
        """All cases in the order of import, or those of one pool."""
        with self.reading() as connection:
            found = queries.all_cases(connection)
        return found if pool is None else [case for case in found if case.pool == pool]

    def case(self, case_id: str) -> Case:
        """The case with this id; raises PoolError if there is none."""
        with self.reading() as connection:
            found = queries.one_case(connection, case_id)
        if found is None:
            raise PoolError(f"There is no case {case_id!r} in {self.folder}.")
        return found

    def read_image(self, case_id: str) -> np.ndarray:
        """The case's image, ``(H, W) float32 in [0, 1]``."""
        return read_image(self.folder / self.case(case_id).image)

    def read_reference_mask(self, case_id: str) -> np.ndarray | None:
        """The latest accepted mask, ``(H, W) uint8, 0 or 1``; None while there is none."""
        mask = self.case(case_id).mask
        return None if mask is None else read_mask(self.folder / mask)

    def revisions(self, case_id: str) -> list[Revision]:
        """All revisions of a case, oldest first."""
        with self.reading() as connection:
            return queries.revisions_of(connection, case_id)

    # -- what a reader does ------------------------------------------------------------------------------------

    def accept(
        self,
        case_id: str,
        mask: np.ndarray,
        description: str,
        reader: str,
        *,
        source: Source,
        outcome: str = "as is",
        model_id: str | None = None,
        pixels_changed: int | None = None,
        dice_to_proposal: float | None = None,
        active_seconds: float | None = None,
        strokes: int | None = None,
    ) -> Revision:
        """Add a revision; when this returns, it is on disk for good. The reader's draft of the case ends with it.

        Parameters
        ----------
        mask : (H, W) uint8, 0 or 1
            Of the image's size.
        source : {"teacher", "edited", "drawn", "dataset"}
            Where the mask comes from.
        outcome : str
            "as is", "edited", "redrawn" or "imported".

        Raises
        ------
        PoolError
            No such case, a mask of another size, or a disk that refuses; nothing was changed.
        """
        case = self.case(case_id)
        if mask.shape != (case.height, case.width):
            raise PoolError(
                f"The mask of {case_id} is {mask.shape[1]} x {mask.shape[0]} pixels but its image is "
                f"{case.width} x {case.height}: nothing was accepted."
            )
        row = {
            "case_id": case_id,
            "mask": self.masks.put(encode_mask(mask), ".png"),
            "description": description.strip(),
            "reader": reader,
            "source": source,
            "outcome": outcome,
            "model_id": model_id,
            "pixels_changed": pixels_changed,
            "dice_to_proposal": dice_to_proposal,
            "active_seconds": active_seconds,
            "strokes": strokes,
            "created_at": now(),
        }
        drafts = schema.drafts
        with self.writing() as connection:
            add_reader(connection, reader)
            key = connection.execute(sa.insert(schema.revisions).values(row)).inserted_primary_key[
                0
            ]
            connection.execute(
                sa.delete(drafts).where(drafts.c.case_id == case_id, drafts.c.reader == reader)
            )
        return Revision(id=key, **row)

    def skip(self, case_id: str, reader: str, reason: str) -> None:
        """Note that a reader put the case aside, and why."""
        row = {
            "case_id": self.case(case_id).id,
            "reader": reader,
            "reason": reason,
            "created_at": now(),
        }
        with self.writing() as connection:
            add_reader(connection, reader)
            connection.execute(sa.insert(schema.skips).values(row))

    def save_draft(
        self, case_id: str, reader: str, mask: np.ndarray, description: str, strokes: int
    ) -> None:
        """Keep a reader's unaccepted work ``(H, W) uint8, 0 or 1`` across crashes; replaces the earlier draft."""
        values = {
            "mask_png": encode_mask(mask),
            "description": description,
            "strokes": strokes,
            "updated_at": now(),
        }
        statement = insert(schema.drafts).values(case_id=case_id, reader=reader, **values)
        statement = statement.on_conflict_do_update(
            index_elements=["case_id", "reader"], set_=values
        )
        with self.writing() as connection:
            add_reader(connection, reader)
            connection.execute(statement)

    def draft(self, case_id: str, reader: str) -> Draft | None:
        """The reader's draft of the case, or None."""
        table = schema.drafts
        query = sa.select(table).where(table.c.case_id == case_id, table.c.reader == reader)
        with self.reading() as connection:
            row = connection.execute(query).first()
        if row is None:
            return None
        mask = decode_mask(row.mask_png)
        return Draft(case_id, reader, mask, row.description, row.strokes, row.updated_at)

    def discard_draft(self, case_id: str, reader: str) -> None:
        """Forget the reader's draft of the case."""
        table = schema.drafts
        with self.writing() as connection:
            connection.execute(
                sa.delete(table).where(table.c.case_id == case_id, table.c.reader == reader)
            )


def add_reader(connection: sa.Connection, reader: str) -> None:
    """Make sure the reader is known."""
    row = insert(schema.readers).values(id=reader, created_at=now())
    connection.execute(row.on_conflict_do_nothing())


def _database_sentence(reason: str, folder: Path) -> str:
    if "full" in reason:
        return f"The disk that holds {folder} is full: nothing was changed; free some space and try again."
    if "readonly" in reason:
        return f"{folder} cannot be written to: nothing was changed; check its permissions and try again."
    if "locked" in reason:
        return f"Another program is busy writing to {folder}: nothing was changed; try again in a moment."
    return f"The project's database in {folder} refused ({reason}): nothing was changed."
