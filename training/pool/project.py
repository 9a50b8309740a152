"""A project: one folder with a database, content-addressed files and run folders. The pool's front door.

    PROJECT/project.sqlite   cases, revisions, readers, runs, models; or
    PROJECT/database.url     the PostgreSQL server that keeps them, so that many readers can share the project
    PROJECT/images/ masks/ probabilities/ sources/   files named by their hash
    PROJECT/hidden/          withheld reference masks (see `training.pool.hidden`)
    PROJECT/drafts/ thumbnails/   what may be deleted: how drafts came about, small pictures of films
    PROJECT/runs/ models/    run folders, and the teachers taken from them

What a reader does to a case starts here; imports are in `importing`, rounds in `rounds`, several readers in `leases`,
`second_reading`, `agreement` and `adjudication`.
"""

from __future__ import annotations

from collections import Counter
from contextlib import AbstractContextManager
from pathlib import Path

import numpy as np
import sqlalchemy as sa

from training.errors import PoolError
from training.pool import accepting, queries, schema
from training.pool.accepting import StartedFrom, clean
from training.pool.creating import create_project
from training.pool.database import Database, is_project
from training.pool.files import FileStore
from training.pool.images import encode_mask, read_image, read_mask
from training.pool.migrate import bring_up_to_date
from training.pool.records import Case, Draft, Reading, Revision, Source, Waiting
from training.pool.times import now
from training.report.zones import Convention


class Project:
    """An open project. Make one with `Project.create` or `Project.open`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.images = FileStore(folder, "images")
        self.masks = FileStore(folder, "masks")
        self.probabilities = FileStore(folder, "probabilities")
        self._database = Database(folder)
        self.engine = self._database.engine

    @classmethod
    def create(
        cls,
        folder: Path | str,
        *,
        laterality: Convention = "image",
        database_url: str | None = None,
    ) -> Project:
        """Make an empty project.

        Parameters
        ----------
        folder : path
            Made if it does not exist. It must be empty, apart from hidden files.
        laterality : {"image", "patient"}
            Whose left the descriptions mean: the picture's or the patient's. Kept for good.
        database_url : str or None
            ``postgresql+psycopg://USER@HOST/NAME``: keep the database there instead of in the folder.

        Raises
        ------
        PoolError
            There is a project, or something else, in the folder or the database already; or it cannot be written to.
        """
        folder = Path(folder).resolve()
        create_project(folder, laterality, database_url)
        return cls(folder)

    @classmethod
    def open(cls, folder: Path | str) -> Project:
        """Open the project in ``folder``, bringing its database up to date (a copy is kept) if it is an older one's.

        Raises
        ------
        PoolError
            There is none, it was made by a newer version, or its database is damaged or out of reach.
        """
        folder = Path(folder).resolve()
        if not is_project(folder):
            raise PoolError(
                f"{folder} holds no project: make one with `semimedref phantom` or `semimedref import`."
            )
        project = cls(folder)
        bring_up_to_date(project.engine, folder)
        return project

    def close(self) -> None:
        """Close all connections to the database."""
        self._database.close()

    def reading(self) -> AbstractContextManager[sa.Connection]:
        """A connection in one consistent read transaction, see `Database.reading`."""
        return self._database.reading()

    def writing(self) -> AbstractContextManager[sa.Connection]:
        """A connection in one write transaction, all of it or nothing, see `Database.writing`."""
        return self._database.writing()

    def setting(self, key: str) -> str | None:
        """A setting of the project, such as ``laterality``; None if it has no such setting."""
        with self.reading() as connection:
            return connection.scalar(
                sa.select(schema.settings.c.value).where(schema.settings.c.key == key)
            )

    @property
    def laterality(self) -> Convention:
        """Whose left the descriptions mean."""
        return "patient" if self.setting("laterality") == "patient" else "image"

    # -- cases -------------------------------------------------------------------------------------------------

    def cases(self, pool: str | None = None) -> list[Case]:
        """All cases in the order of import, or those of one pool. For lists on a screen see `cases_page`."""
        with self.reading() as connection:
            return queries.all_cases(connection, pool)

    def cases_page(
        self,
        pool: str | None = None,
        *,
        contested: bool | None = None,
        after: str | None = None,
        count: int = 100,
    ) -> list[Case]:
        """At most ``count`` cases in the order of import, beginning behind the case ``after``."""
        with self.reading() as connection:
            return queries.cases_page(
                connection, pool=pool, contested=contested, after=after, count=count
            )

    def counts(self) -> Counter[str]:
        """How many cases each pool has."""
        with self.reading() as connection:
            return queries.pool_counts(connection)

    def zone_counts(self, pool: str = "labeled") -> Counter[str]:
        """How many cases of a pool name each zone."""
        with self.reading() as connection:
            return queries.zone_counts(connection, pool)

    def waiting(self, model_id: str | None = None) -> list[Waiting]:
        """Every case without a reference mask in the order of import, with the model's figures for it."""
        with self.reading() as connection:
            return queries.waiting(connection, model_id)

    def case(self, case_id: str) -> Case:
        """The case with this id.

        Raises
        ------
        PoolError
            There is none.
        """
        with self.reading() as connection:
            found = queries.one_case(connection, case_id)
        if found is None:
            raise PoolError(f"There is no case {case_id!r} in {self.folder}: check its id.")
        return found

    def read_image(self, case_id: str) -> np.ndarray:
        """The case's image, ``(H, W) float32 in [0, 1]``."""
        return read_image(self.folder / self.case(case_id).image)

    def read_reference_mask(self, case_id: str) -> np.ndarray | None:
        """The reference mask, ``(H, W) uint8, 0 or 1``; None while there is none."""
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
        started_from: StartedFrom = "latest",
        reading: Reading = "open",
    ) -> Revision:
        """Add a revision; when this returns, it is on disk for good. The reader's draft of the case ends with it.

        Parameters
        ----------
        mask : (H, W) uint8, 0 or 1
            Of the image's size.
        source : {"teacher", "edited", "drawn", "dataset"}
            Where the mask comes from.
        outcome : str
            "as is", "edited", "redrawn", "imported" or "adjudicated".
        started_from : int, None or "latest"
            ``Case.revision_id`` as the reader saw it. If another revision became the reference since, both are kept
            and the case is contested. "latest" leaves the check out.
        reading : {"open", "blind", "adjudication", "planted"}
            A blind second reading never becomes the reference; an adjudication always does and ends the dispute. One
            that let a planted proposal stand never does, and the case is contested.

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
            "description": clean(description),
            "reader": clean(reader),
            "source": source,
            "outcome": outcome,
            "model_id": model_id,
            "pixels_changed": None if pixels_changed is None else int(pixels_changed),
            "dice_to_proposal": None if dice_to_proposal is None else float(dice_to_proposal),
            "active_seconds": None if active_seconds is None else float(active_seconds),
            "strokes": None if strokes is None else int(strokes),
            "reading": reading,
        }
        with self.writing() as connection:
            return accepting.add_revision(connection, case, row, started_from)

    def skip(
        self,
        case_id: str,
        reader: str,
        reason: str,
        *,
        rejected: bool = False,
        model_id: str | None = None,
        active_seconds: float | None = None,
        strokes: int | None = None,
    ) -> None:
        """Note that a reader put the case aside, and why; ``rejected`` says that they found the proposal unusable."""
        row = {
            "reader": clean(reader),
            "reason": clean(reason),
            "outcome": "rejected" if rejected else "skipped",
            "model_id": model_id,
            "active_seconds": active_seconds,
            "strokes": strokes,
        }
        with self.writing() as connection:
            accepting.add_skip(connection, case_id, row)

    def save_draft(
        self, case_id: str, reader: str, mask: np.ndarray, description: str, strokes: int
    ) -> None:
        """Keep a reader's unaccepted work ``(H, W) uint8, 0 or 1`` across crashes; replaces the earlier draft."""
        values = {
            "mask_png": encode_mask(mask),
            "description": description.replace("\0", ""),
            "strokes": strokes,
            "updated_at": now(),
        }
        with self.writing() as connection:
            accepting.put_draft(connection, case_id, reader, values)

    def draft(self, case_id: str, reader: str) -> Draft | None:
        """The reader's draft of the case, or None."""
        with self.reading() as connection:
            return queries.draft_of(connection, case_id, reader)
