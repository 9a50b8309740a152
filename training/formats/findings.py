"""What a reader hands over besides cases: what it could not use, and what a person should know. Values only."""

from __future__ import annotations

from dataclasses import dataclass

from training.pool.records import IncomingCase


@dataclass(frozen=True)
class Trouble:
    """One file or table row that cannot become a case, and the sentence that says why."""

    name: str
    sentence: str


@dataclass(frozen=True)
class Note:
    """Something that stops nothing but should be seen, such as possible burned-in text."""

    name: str
    sentence: str


Found = IncomingCase | Trouble | Note
