"""The clock of a run: when to speak, when to save, how long it will take. Nothing is trained here."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

# What a semi-supervised step costs against a labeled one, until one has been timed.
SEMI_COST = 1.9
SPEAK_SECONDS = 0.5


@dataclass
class Pace:
    """Times steps and evaluations.

    Attributes
    ----------
    steps : int
        Steps planned.
    burn_in : int
        Steps of the first phase.
    films_to_predict : int
        Films looked at after the last step.
    checkpoint_seconds : float
        Least time between two checkpoints.
    began : float, optional
        When the run began, by the clock; else now.
    before : float
        Seconds spent by earlier parts of a resumed run.
    """

    steps: int
    burn_in: int
    films_to_predict: int
    checkpoint_seconds: float
    clock: Callable[[], float] = time.monotonic
    began: float | None = None
    before: float = 0.0
    _step_seconds: dict[bool, float] = field(default_factory=dict)
    _steps_seen: Counter[bool] = field(default_factory=Counter)
    _under_way: list[float] = field(default_factory=list)
    _film_seconds: float = 0.005
    _spoken: float = float("-inf")
    _saved: float = 0.0

    def __post_init__(self) -> None:
        self._saved = self.clock()
        if self.began is None:
            self.began = self._saved

    def seconds_spent(self) -> float:
        """Time spent on the run so far, pauses left out."""
        assert self.began is not None
        return self.before + self.clock() - self.began

    def leave_out(self, seconds: float) -> None:
        """Count some time that just passed as if it had not."""
        assert self.began is not None
        self.began += seconds
        self._saved += seconds

    def count_step(self, step: int, seconds: float, done: bool = True) -> None:
        """Remember how long a step of its phase takes (running average, without the first step, which warms up).

        Parameters
        ----------
        done : bool
            Whether the device has computed all steps so far. One that has not takes its share of the time until that
            is so, as do the others since.
        """
        self._under_way.append(seconds)
        if not done:
            return
        phase, steps = step > self.burn_in, len(self._under_way)
        each = sum(self._under_way) / steps
        self._under_way.clear()
        for _ in range(steps):
            self._steps_seen[phase] += 1
            before = self._step_seconds[phase] if self._steps_seen[phase] > 2 else each
            self._step_seconds[phase] = 0.9 * before + 0.1 * each

    @property
    def has_measured(self) -> bool:
        """Whether enough steps were seen to say how long the rest will take."""
        return self._steps_seen.total() > 1

    def count_films(self, films: int, seconds: float) -> None:
        """Remember how long a film takes to predict."""
        if films:
            self._film_seconds = seconds / films

    def steps_per_second(self, step: int) -> float:
        """Speed of the current phase."""
        return 1 / max(1e-9, self._cost(step > self.burn_in))

    def seconds_left(self, step: int) -> float:
        """Expected time until the run is finished, after ``step`` steps."""
        first = max(0, min(self.burn_in, self.steps) - step)
        second = max(0, self.steps - max(step, self.burn_in))
        training = first * self._cost(False) + second * self._cost(True)
        return training + self.films_to_predict * self._film_seconds

    def may_speak(self) -> bool:
        """Whether it is time for a progress event; often enough to serve as a heartbeat."""
        now = self.clock()
        if now - self._spoken < SPEAK_SECONDS:
            return False
        self._spoken = now
        return True

    def must_save(self) -> bool:
        """Whether it is time for a checkpoint."""
        now = self.clock()
        if now - self._saved < self.checkpoint_seconds:
            return False
        self._saved = now
        return True

    def _cost(self, second_phase: bool) -> float:
        if second_phase in self._step_seconds:
            return self._step_seconds[second_phase]
        other = self._step_seconds.get(not second_phase, 0.0)
        return other * SEMI_COST if second_phase else other / SEMI_COST
