"""What the engine service knows and how it answers one request. No lines, no processes."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import ValidationError

from training.config import ViewsConfig, preset
from training.engine.data import as_network_input, shrink_image, shrink_mask
from training.engine.explain import explain
from training.engine.inputs import Films, StudentFilms, patch_films, strong_images, weak_views
from training.engine.mixing import draw_patch
from training.engine.predict import Predictor, entropy
from training.engine.streams import Key
from training.engine.views import apply_weak, draw_strong, draw_weak
from training.engine.words import finding_of, hide_positions
from training.errors import EngineError
from training.pool import Project
from training.pool.rounds import serving_model
from training.report.augment import posaug
from training.report.finding import Rewrite
from training.report.rewrite import rewrite_zones
from training.snapshot import first_sentence

NO_TEACHER = "No teacher yet: start a round first."
IMAGES_KEPT = 64


class Answers:
    """Predictions and views of one project's cases.

    Parameters
    ----------
    project : Project
        Open.
    exchange : Path
        Where arrays are written, one ``ID.npz`` a request.
    device : torch.device
        Where the teacher runs.
    """

    def __init__(self, project: Project, exchange: Path, device: torch.device) -> None:
        self._project = project
        self._exchange = exchange
        self._device = device
        self._images: dict[str, NDArray[np.float32]] = {}
        self._model: str | None = None
        self._predictor: Predictor | None = None
        self._load()

    def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        """The reply to a request, without its id.

        Raises
        ------
        SemiMedRefError
            With the sentence to show.
        """
        kind = request.get("do")
        if kind == "predict":
            return self._predict(request)
        if kind == "views":
            return self._views(request)
        if kind == "explain":
            return self._explain(request)
        if kind == "reload":
            self._load()
            return {"model": self._model}
        raise EngineError(
            f"The engine cannot do {kind!r}: ask for predict, views, explain or reload."
        )

    def _load(self) -> None:
        model = serving_model(self._project)
        self._model = None if model is None else model.id
        self._predictor = None if model is None else Predictor.load(model.folder, self._device)

    def _predict(self, request: dict[str, Any]) -> dict[str, Any]:
        if self._predictor is None:
            raise EngineError(NO_TEACHER)
        case_id = _text(request, "case")
        image = self._image(case_id)
        probability = self._predictor.probability(image, _text(request, "description"))
        arrays = {"probability": probability, "entropy": entropy(probability)}
        return {"arrays": self._send(request, arrays), "model": self._model}

    def _explain(self, request: dict[str, Any]) -> dict[str, Any]:
        if self._predictor is None:
            raise EngineError(NO_TEACHER)
        image = self._image(_text(request, "case"))
        text, layers = _text(request, "description"), request.get("layers")
        if layers is not None and not isinstance(layers, list):
            raise EngineError("The request's 'layers' is a list of names.")
        said = explain(self._predictor, image, text, layers)
        arrays = {
            "probability": said.probability,
            "difference_wordless": said.difference_wordless,
            "difference_mirrored": said.difference_mirrored,
            **{f"cam_{name}": values for name, values in said.layers.items()},
        }
        return {
            "arrays": self._send(request, arrays),
            "layers": list(said.layers),
            "texts": {"mirrored": said.mirrored_text},
            "model": self._model,
        }

    def _views(self, request: dict[str, Any]) -> dict[str, Any]:
        case_id, text = _text(request, "case"), _text(request, "description")
        seed, epoch = int(request.get("seed", 0)), int(request.get("epoch", 0))
        key = Key(seed, case_id, epoch)
        partner = request.get("partner") or self._choose_partner(key)
        films = self._films((key, Key(seed, partner, epoch)), text)
        asked = _views_config(request)
        # The window shows what a mix looks like, so one is always tried; the places are the same.
        views = asked.model_copy(update={"patch_probability": 1.0})
        weak = weak_views(films, views)
        strong = strong_images(weak, views)
        targets = self._targets(films, weak, views)
        mixed = patch_films(
            StudentFilms(strong, targets, weak.texts, weak.texts),
            weak.keys,
            views,
            self._convention,
        )
        plan = mixed.plans[0]
        arrays = {
            "weak": weak.images[0, 0].numpy(),
            "strong": strong[0, 0].numpy(),
            "mixed": mixed.images[0, 0].numpy(),
            "mixed_mask": (mixed.targets[0, 0] >= 0.5).numpy().astype(np.uint8),
            "block_mask": plan.blocks.astype(np.uint8),
        }
        return {
            "arrays": self._send(request, arrays),
            "partner": partner,
            **_told(key, views, text, plan.text, plan.words),
        }

    @property
    def _convention(self) -> Any:
        return self._project.laterality

    @property
    def _side(self) -> int:
        if self._predictor is not None:
            return self._predictor.network.config.image_size
        return preset("default").network.image_size

    def _films(self, keys: tuple[Key, Key], text: str) -> Films:
        pictures = [shrink_image(self._image(key.case_id), self._side) for key in keys]
        other = self._project.case(keys[1].case_id).description
        images = as_network_input(torch.from_numpy(np.stack(pictures)), torch.device("cpu"))
        return Films(keys, images, None, (text, other))

    def _targets(self, films: Films, weak: Films, views: ViewsConfig) -> torch.Tensor:
        """What is known of the lesions: accepted masks, else the teacher's probabilities, else none."""
        known = []
        for number, key in enumerate(films.keys):
            mask = self._project.read_reference_mask(key.case_id)
            if mask is not None:
                small = torch.from_numpy(shrink_mask(mask, self._side))[None, None].float()
                image = films.images[number : number + 1]
                lesion = apply_weak(image, small, [draw_weak(key, views)])[1]
                assert lesion is not None
                known.append(lesion)
            elif self._predictor is not None:
                picture = (weak.images[number] * 255).round().to(torch.uint8)
                found = self._predictor.batch(picture, (weak.texts[number],))
                known.append(torch.from_numpy(found)[None])
            else:
                known.append(torch.zeros_like(films.images[:1]))
        return torch.cat(known)

    def _choose_partner(self, key: Key) -> str:
        others = [case.id for case in self._project.cases("labeled") if case.id != key.case_id]
        if not others:
            others = [case.id for case in self._project.cases() if case.id != key.case_id]
        if not others:
            raise EngineError("Mixing needs a second case: import another film first.")
        return str(key.stream("partner").choice(sorted(others)))

    def _image(self, case_id: str) -> NDArray[np.float32]:
        if case_id not in self._images:
            if len(self._images) >= IMAGES_KEPT:
                self._images.pop(next(iter(self._images)))
            self._images[case_id] = self._project.read_image(case_id)
        return self._images[case_id]

    def _send(self, request: dict[str, Any], arrays: dict[str, NDArray[Any]]) -> str:
        name = f"{request['id']}.npz"
        try:
            np.savez(self._exchange / name, allow_pickle=False, **arrays)
        except OSError as error:
            raise EngineError(f"The folder {self._exchange} cannot be written: {error}.") from error
        return name


def _told(key: Key, views: ViewsConfig, text: str, mixed: str, what: str) -> dict[str, Any]:
    weak, strong, patch = draw_weak(key, views), draw_strong(key, views), draw_patch(key, views)
    chances = views.posaug_probability, views.posaug_fuzz_share
    hidden, actions = hide_positions(text, key.stream("posaug"), *chances)
    edits = {
        "posaug": _edits(posaug(text, actions)),
        "mixed": _edits(rewrite_zones(text, finding_of(mixed).zones)) if mixed != text else [],
    }
    draws = {
        "weak": asdict(weak),
        "strong": asdict(strong),
        "patch": asdict(patch),
        "posaug": list(actions),
    }
    count = sum(action != "keep" for action in actions)
    words = [weak.words(), strong.words(), f"Hidden positions: {count} of {len(actions)}.", what]
    texts = {"posaug": hidden, "mixed": mixed}
    return {"texts": texts, "edits": edits, "draws": draws, "words": words}


def _edits(rewrite: Rewrite) -> list[dict[str, Any]]:
    return [asdict(edit) for edit in rewrite.edits]


def _views_config(request: dict[str, Any]) -> ViewsConfig:
    try:
        return ViewsConfig.model_validate(request.get("views") or {})
    except ValidationError as error:
        raise EngineError(f"The views' settings: {first_sentence(error)}") from error


def _text(request: dict[str, Any], name: str) -> str:
    value = request.get(name)
    if not isinstance(value, str):
        raise EngineError(f"The request lacks {name!r}, a text.")
    return value
