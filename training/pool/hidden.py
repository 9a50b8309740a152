"""Withheld reference masks. Only the simulated reader and the evaluation may import this module.

A data set with all its masks can play the part of an unlabeled one: the masks come in with the import, but no
training path can reach them. A contract in ``setup.cfg`` keeps every other module away from here, and the files lie
in a folder that no other table names.
"""

from __future__ import annotations

import numpy as np
import sqlalchemy as sa

from training.errors import PoolError
from training.pool.images import read_mask
from training.pool.project import Project
from training.pool.schema import hidden_references


def read_hidden_mask(project: Project, case_id: str) -> np.ndarray:
    """The withheld mask of a case, ``(H, W) uint8, 0 or 1``.

    Raises
    ------
    PoolError
        It has none.
    """
    query = sa.select(hidden_references.c.mask).where(hidden_references.c.case_id == case_id)
    with project.reading() as connection:
        path = connection.scalar(query)
    if path is None:
        raise PoolError(
            f"No mask of {case_id} is withheld in {project.folder}: import it with a smaller --labels."
        )
    return read_mask(project.folder / path)


def cases_with_hidden_masks(project: Project) -> set[str]:
    """Ids of all cases that have a withheld mask."""
    with project.reading() as connection:
        return set(connection.scalars(sa.select(hidden_references.c.case_id)))
