"""What the engine service knows and how it answers one request. No lines, no processes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import ValidationError

from training.config import ViewsConfig, preset
from training.engine.data import as_network_input, shrink_image, shrink_mask
from training.engine.explain import explain
from training.engine.inputs import Films, weak_views
from training.engine.predict import Predictor
from training.engine.preview import preview
from training.engine.proposal import propose
from training.engine.streams import Key
from training.engine.views import apply_weak, draw_weak
from training.errors import EngineError
from training.pool import Project
from training.pool.rounds import serving_model
from training.round import next_config
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
        self._model_folder = None if model is None else model.folder
        self._student: Predictor | None = None
        self._predictor = None if model is None else Predictor.load(model.folder, self._device)

    def _predict(self, request: dict[str, Any]) -> dict[str, Any]:
        if self._predictor is None:
            raise EngineError(NO_TEACHER)
        image, text = self._image(_text(request, "case")), _text(request, "description")
        also = request.get("also") or []
        if not isinstance(also, list):
            raise EngineError("The request's 'also' is a list of names.")
        arrays = propose(self._predictor, self._read_student, image, text, also)
        return {"arrays": self._send(request, arrays), "model": self._model}

    def _read_student(self) -> Predictor:
        """The serving model's student; read when it is first asked for."""
        if self._student is None:
            assert self._model_folder is not None, "there is a teacher, so there is its folder"
            self._student = Predictor.load(self._model_folder, self._device, "student")
        return self._student

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
        key = Key(int(request.get("seed", 0)), case_id, int(request.get("epoch", 0)))
        partner = request.get("partner") or self._choose_partner(key)
        donor = self._choose_donor(key, partner)
        keys = tuple(replace(key, case_id=each) for each in (case_id, partner, donor) if each)
        films = self._films(keys, text)
        views = self._views_config(request)
        weak = weak_views(films, views)
        weak = replace(weak, masks=self._targets(films, weak, views))
        labeled = tuple(self._is_labeled(each.case_id) for each in keys)
        arrays, told = preview(weak, labeled, views, self._convention)
        return {"arrays": self._send(request, arrays), "partner": partner, "donor": donor, **told}

    @property
    def _convention(self) -> Any:
        return self._project.laterality

    @property
    def _side(self) -> int:
        if self._predictor is not None:
            return self._predictor.network.config.image_size
        return preset("default").network.image_size

    def _films(self, keys: tuple[Key, ...], text: str) -> Films:
        pictures = [shrink_image(self._image(key.case_id), self._side) for key in keys]
        others = [self._project.case(key.case_id).description for key in keys[1:]]
        images = as_network_input(torch.from_numpy(np.stack(pictures)), torch.device("cpu"))
        return Films(keys, images, None, (text, *others))

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

    def _choose_donor(self, key: Key, partner: str) -> str | None:
        """A labeled film whose sides are pasted: the partner if it is one, else any; None before the first."""
        labeled = [case.id for case in self._project.cases("labeled") if case.id != key.case_id]
        if not labeled:
            return None
        return partner if partner in labeled else str(key.stream("donor").choice(sorted(labeled)))

    def _is_labeled(self, case_id: str) -> bool:
        return self._project.case(case_id).pool == "labeled"

    def _views_config(self, request: dict[str, Any]) -> ViewsConfig:
        """The settings of the project's next round, with those of the request in their place."""
        chosen = next_config(self._project).views.model_dump() | (request.get("views") or {})
        try:
            return ViewsConfig.model_validate(chosen)
        except ValidationError as error:
            raise EngineError(f"The views' settings: {first_sentence(error)}") from error

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


def _text(request: dict[str, Any], name: str) -> str:
    value = request.get(name)
    if not isinstance(value, str):
        raise EngineError(f"The request lacks {name!r}, a text.")
    return value
