"""A step of this project as the trainer takes it, on a real run folder, with the clock outside."""

from __future__ import annotations

import torch

from steps.material import Material
from training.engine import loop
from training.engine.inputs import labeled_student_films, unlabeled_student_films, weak_views
from training.engine.networks.text import FrozenBert
from training.engine.predict import Predictor
from training.engine.setup import prepare
from training.events import EventWriter
from training.rundir import RunFolder

NEVER = 10**9  # A burn-in that does not end.


class OurSteps:
    """The trainer's own step, supervised or semi-supervised.

    Parameters
    ----------
    material : Material
        Its folder gets a run folder, as a round would.
    """

    def __init__(self, material: Material) -> None:
        torch.set_flush_denormal(True)
        folder = RunFolder.create(material.folder / "run", material.config, material.snapshot)
        self.round = prepare(folder, EventWriter(folder.events_file), material.config.device)

    def semi(self) -> float:
        """One semi-supervised step; its loss."""
        return self._step(burn_in=0)

    def supervised(self) -> float:
        """One step on as many labeled films alone; its loss."""
        return self._step(burn_in=NEVER)

    def follow(self) -> None:
        """One update of the teacher."""
        self.round.teacher.follow(self.round.student, 0.99)

    def predict(self) -> None:
        """One film, as the service predicts it."""
        pool = self.round.pools.unlabeled
        predictor = Predictor(self.round.teacher.network, self.round.fabric.device)
        predictor.probability(pool.images[0].numpy() / 255.0, pool.cases[0].description)

    def read_an_epoch(self) -> int:
        """Let the text encoder read what one epoch of strong views says, as a run has after an epoch.

        No network sees the films; reference masks stand in for the teacher's probabilities.

        Returns
        -------
        int
            Texts read so far.
        """
        this = self.round
        size = this.config.training.batch_unlabeled
        steps = -(-len(this.pools.unlabeled) // size)
        for step in range(steps):
            this.student.words(self._texts_of(step))
        this.counters.step = steps
        return self.texts_known

    @property
    def texts_known(self) -> int:
        """Texts that the frozen encoder has read so far."""
        words = self.round.student.words
        assert isinstance(words, FrozenBert)
        return words.texts_known

    def _texts_of(self, step: int) -> tuple[str, ...]:
        this, views = self.round, self.round.config.views
        pools, device, seed = this.pools, this.fabric.device, this.config.seed
        training = this.config.training
        picks = this.labeled_order.batch(step, training.batch_labeled)
        weak = weak_views(pools.labeled.films(picks, seed, device), views)
        labeled = labeled_student_films(weak, views, this.convention)
        picks = this.unlabeled_order.batch(step, training.batch_unlabeled)
        unlabeled = weak_views(pools.unlabeled.films(picks, seed, device), views)
        assert weak.masks is not None
        stand_in = weak.masks[torch.arange(len(picks)) % len(weak.masks)]
        strong = unlabeled_student_films(unlabeled, stand_in, labeled, views, this.convention)
        return labeled.texts + unlabeled.texts + strong.texts

    def _step(self, burn_in: int) -> float:
        told = loop.one_step(self.round, burn_in)
        self.round.counters.step += 1
        return told["loss"]
