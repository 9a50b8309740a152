"""Writes a desk's draft beside the window: one write at a time, in a thread, and a failed one is told. No Qt."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

from training.drafts import drop_old_histories, write_draft
from training.errors import SemiMedRefError
from training.review import ReviewDesk


class DraftWriter:
    """Drafts of one desk on their way to disk.

    Parameters
    ----------
    desk : ReviewDesk
    saved : callable
        Called in the thread that polls, once a draft is on disk.
    failed : callable
        Called likewise with the sentence of what went wrong; the draft then counts as unsaved again.
    """

    def __init__(
        self, desk: ReviewDesk, saved: Callable[[], object], failed: Callable[[str], object]
    ) -> None:
        self._desk = desk
        self._saved, self._failed = saved, failed
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="draft")
        self._writing: Future[None] | None = None
        self._thread.submit(drop_old_histories, desk.project)

    def begin(self) -> None:
        """Begin to write the draft, if it changed and no write is going on; never waits for the disk."""
        desk = self._desk
        if desk.current is not None and desk.dirty and self.poll():
            desk.dirty = False
            self._writing = self._thread.submit(write_draft, desk.project, desk.work())

    def poll(self) -> bool:
        """Take note of a finished write; True when none is going on."""
        if self._writing is None:
            return True
        if not self._writing.done():
            return False
        try:
            self._writing.result()
            self._saved()
        except SemiMedRefError as error:
            self._desk.dirty = True
            self._failed(str(error))
        finally:
            self._writing = None
        return True

    def settle(self) -> None:
        """Wait for a write that is going on, so that what comes next is written after it."""
        if self._writing is not None:
            self._writing.exception()
            self.poll()

    def close(self) -> None:
        """End the thread, after what it was given to do."""
        self._thread.shutdown()
