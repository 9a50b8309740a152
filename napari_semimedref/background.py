"""One piece of reading and writing beside the window: a thread that tells how far it is, can be stopped, and ends with
a value or a sentence. No Qt: whoever started it looks at it now and then. Never for torch, never for computing."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from training.errors import SemiMedRefError

T = TypeVar("T")
Tell = Callable[[int], None]

log = logging.getLogger("napari-semimedref")


class Stopped(Exception):
    """The work was told to stop; raised within it when it next tells how far it is."""


class Work(Generic[T]):
    """Do ``act`` in a thread of its own, at once.

    Parameters
    ----------
    act : callable
        Gets a function to be told now and then how much was done; that function raises `Stopped` once the work shall
        stop.

    Attributes
    ----------
    done : int
        What ``act`` told last.
    value : T or None
        What ``act`` returned.
    error : str
        The sentence of what went wrong; empty if nothing did.
    """

    def __init__(self, act: Callable[[Tell], T]) -> None:
        self.done = 0
        self.value: T | None = None
        self.error = ""
        self._act = act
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="work", daemon=True)
        self._thread.start()

    @property
    def running(self) -> bool:
        """Whether the thread is still at it."""
        return self._thread.is_alive()

    @property
    def stopping(self) -> bool:
        """Whether it was told to stop."""
        return self._stop.is_set()

    def stop(self) -> None:
        """Ask it to stop when it next tells how far it is; returns at once."""
        self._stop.set()

    def wait(self) -> None:
        """Wait until it has ended."""
        self._thread.join()

    def _run(self) -> None:
        try:
            self.value = self._act(self._tell)
        except Stopped:
            pass
        except SemiMedRefError as error:
            self.error = str(error)
        except OSError as error:
            self.error = f"{error.filename or 'A file'} cannot be used: {error.strerror or error}."
        except Exception as error:  # a thread's exception would otherwise vanish
            log.exception("Work beside the window failed in an unforeseen way.")
            self.error = (
                f"This failed in an unforeseen way ({type(error).__name__}: {error}): try it again."
            )

    def _tell(self, done: int) -> None:
        self.done = done
        if self._stop.is_set():
            raise Stopped
