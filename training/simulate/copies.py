"""Copies of a project to play on: files named by their hash are linked, the database is copied. Nothing is played."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from training.arms import FILE as ARMS
from training.errors import PoolError
from training.files import sentence_for
from training.next_round import CONFIG, VIEWS
from training.pool.database import DATABASE, copy_database

LINKED = ("images", "masks", "hidden", "sources", "probabilities", "models")
COPIED = (CONFIG, VIEWS, ARMS)  # not the wish for automatic rounds: a copy is played on by command


def copy_project(source: Path, target: Path) -> None:
    """Copy a project without its run folders; costs little, since its files are linked where the disk can.

    Raises
    ------
    PoolError
        Its database is on a server, or the disk refuses.
    """
    if not (source / DATABASE).is_file():
        raise PoolError(
            f"{source} keeps its cases on a database server: copies to play on need a project with a {DATABASE}."
        )
    try:
        target.mkdir(parents=True, exist_ok=True)
        for name in LINKED:
            if (source / name).is_dir():
                shutil.copytree(
                    source / name, target / name, copy_function=_link, dirs_exist_ok=True
                )
        for name in COPIED:
            if (source / name).is_file():
                shutil.copy2(source / name, target / name)
        copy_database(source / DATABASE, target / DATABASE)
    except OSError as error:
        raise PoolError(sentence_for(error, target)) from error


def _link(source: str, target: str) -> str:
    if os.path.exists(target):
        return target
    try:
        os.link(source, target)
    except OSError:  # another disk, or one that knows no links
        shutil.copy2(source, target)
    return target
