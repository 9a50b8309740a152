"""How the engine service answers what training makes of a case: its views, and the next mix that the gate accepts. No
lines, no processes; what the views are is the matter of `preview`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import ValidationError

from training.config import RunConfig, ViewsConfig, preset
from training.engine.apart import Apart, apart_of
from training.engine.data import as_network_input, shrink_image, shrink_mask
from training.engine.films import Films
from training.engine.inputs import weak_views
from training.engine.meeting import Meeting, Meetings
from training.engine.methods.pseudo_masks import silence_denied
from training.engine.methods.semi_medref import teacher_probabilities
from training.engine.predict import Predictor
from training.engine.preview import Arrays, Told, plan_of, preview
from training.engine.served_pool import ServedPool
from training.engine.streams import Key
from training.engine.views import draw_weak
from training.errors import EngineError
from training.network_config import first_sentence
from training.next_round import next_config
from training.pool import Project
from training.pool.pairs import pairs_apart
from training.pool.queries import ids_in_pool

MOST_TRIES = 64  # of one request for the next mix, so that others need not wait for it


@dataclass(frozen=True)
class _Asked:
    """A request, understood: whose views, with whom, by which words and settings."""

    key: Key
    text: str
    partner: str | None
    views: ViewsConfig
    meetings: Meetings
    apart: Apart


class ViewAnswers:
    """Views of one project's cases.

    Parameters
    ----------
    project : Project
    image : callable
        Gives a case's image, ``(H, W) float32 in [0, 1]``.
    teacher : callable
        Gives the serving teacher, None before the first.
    """

    def __init__(
        self,
        project: Project,
        image: Callable[[str], NDArray[np.float32]],
        teacher: Callable[[], Predictor | None],
    ) -> None:
        self._project, self._image, self._teacher = project, image, teacher
        self._labeled = ServedPool(project)

    def views(self, request: dict[str, Any]) -> tuple[Arrays, Told]:
        """All that training would show of a case at an epoch."""
        asked = self._understand(request)
        met = self._meeting(asked, asked.key)
        pair, donors = self._pair(met, asked), None
        if met.donors:
            donors = self._weak(met.donors, self._descriptions(met.donors), asked)
        labeled = asked.key.case_id in asked.meetings.labeled
        arrays, told = preview(pair, donors, labeled, asked.views, self._project.laterality)
        return arrays, {
            "partner": None if met.partner is None else met.partner.case_id,
            "donor": met.donors[0].case_id if met.donors else None,
            "step": met.step,
            "later": met.later,
            **told,
        }

    def next_mix(self, request: dict[str, Any]) -> Told:
        """The next epoch whose try of T-PatchMix is accepted, among the ``most`` ones behind the given one.

        Raises
        ------
        EngineError
            The request lacks something, asks for impossible views or too many epochs, or there is no second film.
        """
        asked, most = self._understand(request), _whole(request, "most", MOST_TRIES)
        if not 1 <= most <= MOST_TRIES:
            raise EngineError(f"The request's 'most' is a number from 1 to {MOST_TRIES}.")
        sentence = ""
        for epoch in range(asked.key.epoch + 1, asked.key.epoch + 1 + most):
            met = self._meeting(asked, asked.key.at(epoch))
            plan = plan_of(self._pair(met, asked), asked.views, self._project.laterality)
            sentence = plan.words
            if plan.accepted:
                return {"found": epoch, "epoch": epoch, "sentence": sentence}
        return {"found": None, "epoch": asked.key.epoch + most, "sentence": sentence}

    def _understand(self, request: dict[str, Any]) -> _Asked:
        config = next_config(self._project)
        chosen = config.views.model_dump() | (request.get("views") or {})
        try:
            views = ViewsConfig.model_validate(chosen)
        except ValidationError as error:
            raise EngineError(f"The views' settings: {first_sentence(error)}") from error
        case_id, partner = text_in(request, "case"), request.get("partner")
        key = Key(_whole(request, "seed", 0), case_id, _whole(request, "epoch", 0))
        return _Asked(
            key,
            text_in(request, "description"),
            partner if partner else None,
            views,
            self._meetings(config),
            apart_of(pairs_apart(self._project)),
        )

    def _meetings(self, config: RunConfig) -> Meetings:
        with self._project.reading() as connection:
            pools = [ids_in_pool(connection, pool) for pool in ("labeled", "unlabeled")]
        return Meetings(pools[0], pools[1], config)

    def _meeting(self, asked: _Asked, key: Key) -> Meeting:
        """Whom the film meets: the chosen partner, else whom the trainer would let it meet."""
        if asked.partner is None and (drawn := asked.meetings.of(key)) is not None:
            return drawn
        partner = asked.partner or self._any_other(asked, key)
        donor = _donor(asked, key, partner)
        donors = () if donor is None else (replace(key, case_id=donor),)
        return Meeting(key, replace(key, case_id=partner), donors)

    def _any_other(self, asked: _Asked, key: Key) -> str:
        """A partner for a film that no run mixes: one of the holdout."""
        for pool in (asked.meetings.labeled, asked.meetings.unlabeled):
            others = sorted(case_id for case_id in pool if case_id != key.case_id)
            if others:
                return str(key.stream("partner").choice(others))
        raise EngineError("Mixing needs a second case: import another film first.")

    def _pair(self, met: Meeting, asked: _Asked) -> Films:
        keys = (met.film,) if met.partner is None else (met.film, met.partner)
        return self._weak(keys, (asked.text, *self._descriptions(keys[1:])), asked)

    def _descriptions(self, keys: tuple[Key, ...]) -> tuple[str, ...]:
        return tuple(self._project.case(key.case_id).description for key in keys)

    def _weak(self, keys: tuple[Key, ...], texts: tuple[str, ...], asked: _Asked) -> Films:
        """Weak views with what is known of their lesions: accepted masks, else the teacher's word, else none."""
        pictures = [shrink_image(self._image(key.case_id), self._side) for key in keys]
        images = as_network_input(torch.from_numpy(np.stack(pictures)), torch.device("cpu"))
        known = [self._project.read_reference_mask(key.case_id) for key in keys]
        empty = np.zeros((self._side, self._side), np.uint8)
        small = [empty if mask is None else shrink_mask(mask, self._side) for mask in known]
        masks = torch.from_numpy(np.stack(small))[:, None].float()
        bands = self._labeled.bands(self._side)
        films = Films(keys, images, masks, texts, asked.apart, bands)
        weak = weak_views(films, asked.views)
        unknown = [number for number, mask in enumerate(known) if mask is None]
        if unknown:
            assert weak.masks is not None
            weak.masks[unknown] = self._proposed(weak, unknown, asked)
        return weak

    def _proposed(self, weak: Films, numbers: list[int], asked: _Asked) -> torch.Tensor:
        """The teacher's probabilities of some of the films, lowered by the atlas as in training."""
        teacher = self._teacher()
        if teacher is None:
            return torch.zeros_like(weak.images[numbers])
        some = replace(
            weak,
            keys=tuple(weak.keys[number] for number in numbers),
            images=weak.images[numbers].to(teacher.device),
            texts=tuple(weak.texts[number] for number in numbers),
        )
        probabilities = teacher_probabilities(teacher.network.eval(), some).cpu()
        method = asked.meetings.config.method
        prior = self._labeled.prior(method, self._side)
        if prior is not None:
            draws = [draw_weak(key, asked.views) for key in some.keys]
            probabilities = prior.apply(probabilities, some.texts, draws)
        return silence_denied(probabilities, some.texts, method)

    @property
    def _side(self) -> int:
        teacher = self._teacher()
        config = preset("default").network if teacher is None else teacher.network.config
        return config.image_size


def _donor(asked: _Asked, key: Key, partner: str) -> str | None:
    """A labeled film whose sides are pasted: the partner if it is one, else any; None before the first."""
    if partner in asked.meetings.labeled:
        return partner
    others = sorted(case_id for case_id in asked.meetings.labeled if case_id != key.case_id)
    return str(key.stream("donor").choice(others)) if others else None


def text_in(request: dict[str, Any], name: str) -> str:
    """A text that a request must carry.

    Raises
    ------
    EngineError
        It does not; the sentence names the field.
    """
    value = request.get(name)
    if not isinstance(value, str):
        raise EngineError(f"The request lacks {name!r}, a text.")
    return value


def _whole(request: dict[str, Any], name: str, usual: int) -> int:
    value = request.get(name, usual)
    if not isinstance(value, int) or value < 0:
        raise EngineError(f"The request's {name!r} is no whole number from 0.")
    return value
