"""The order of the cases to come, worked out at once or in a thread: with a hundred thousand cases it takes a second.
No Qt, no signals."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass

import numpy as np

from training.acquisition import Choice
from training.pool import Project
from training.pool.listing import CaseFilter
from training.pool.second_reading import second_readings_for
from training.review_queue import plan_queue

BLIND_REASON = "a second reading is wanted"


@dataclass(frozen=True)
class Plan:
    """The cases to come with the reasons for their places, how many cases each pool had at that moment, and what chose
    them."""

    choices: tuple[Choice, ...]
    counts: Counter[str]
    strategy: str = ""


class Planner:
    """Plans one reader's queue.

    Attributes
    ----------
    strategy : str
        One of `training.acquisition.STRATEGIES`.
    wanted : CaseFilter
        Only cases that fit it are planned; the case's state is the queue's own matter.
    blind : bool
        Whether the queue is that of blind second readings.
    """

    def __init__(
        self, project: Project, reader: str, strategy: str, rng: np.random.Generator
    ) -> None:
        self._project, self._reader, self._rng = project, reader, rng
        self.strategy = strategy
        self.wanted = CaseFilter()
        self.blind = False
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="plan")
        self._future: Future[Plan] | None = None

    def plan(self) -> Plan:
        """Plan now. What is planned in the thread meanwhile is dropped."""
        self.drop()
        return self._plan(self.strategy, self.wanted, self.blind)

    def begin(self) -> None:
        """Begin to plan in the thread, in place of what is being planned there."""
        self.drop()
        self._future = self._thread.submit(self._plan, self.strategy, self.wanted, self.blind)

    @property
    def busy(self) -> bool:
        """Whether something is being planned in the thread."""
        return self._future is not None

    def await_plan(self, seconds: float) -> None:
        """Give what is being planned some time; with few cases it is done at once."""
        if self._future is not None:
            wait([self._future], timeout=seconds)

    def take(self) -> Plan | None:
        """The plan that was begun, once it is done; raises what went wrong with it."""
        if self._future is None or not self._future.done():
            return None
        future, self._future = self._future, None
        return future.result()

    def drop(self) -> None:
        """Forget what is being planned; wait for it, since it draws from the same random numbers."""
        future, self._future = self._future, None
        if future is not None and not future.cancel():
            future.exception()

    def close(self) -> None:
        """End the thread."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    def _plan(self, strategy: str, wanted: CaseFilter, blind: bool) -> Plan:
        if blind:
            waiting = second_readings_for(self._project, self._reader)
            choices = [Choice(case_id, BLIND_REASON) for case_id in waiting]
        else:
            choices = plan_queue(self._project, strategy, self._rng, wanted=wanted)
        return Plan(tuple(choices), self._project.counts(), strategy)
