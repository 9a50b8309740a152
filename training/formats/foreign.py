"""The fence around other people's parsers: whatever a damaged file makes them raise becomes one sentence."""

from __future__ import annotations

import logging
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from training.errors import FormatError


@contextmanager
def reading(path: Path, kind: str) -> Iterator[None]:
    """Run a third-party parser on ``path``.

    Parameters
    ----------
    kind : str
        What the file should be, with its article, for the sentence.

    Raises
    ------
    FormatError
        The parser failed in whatever way: parsers fed damaged bytes raise anything, from IndexError to
        RecursionError, and none of it may stop an import of thousands.
    """
    try:
        with warnings.catch_warnings(), _silence():
            warnings.simplefilter("ignore")
            yield
    except FormatError:
        raise
    except Exception as error:
        if not os.path.exists(path):
            raise FormatError(f"There is no {path}: check the folder and the name.") from error
        raise FormatError(
            f"{path} is damaged or is not {kind}: replace it or leave it out."
        ) from error


@contextmanager
def _silence() -> Iterator[None]:
    """Keep the parsers' own remarks about damaged files off the screen: one sentence of ours says it."""
    loggers = [logging.getLogger(name) for name in ("pydicom", "nibabel.global", "PIL")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
