"""What the engine service knows and how it answers one request. No lines, no processes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from training.engine.explain import explain
from training.engine.networks.text import words_read
from training.engine.predict import Predictor
from training.engine.proposal import propose
from training.engine.view_answers import ViewAnswers, text_in
from training.errors import EngineError
from training.pool import Project
from training.pool.rounds import serving_model

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
        self._shown = ViewAnswers(project, self._image, lambda: self._predictor)
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
            arrays, told = self._shown.views(request)
            return {"arrays": self._send(request, arrays), **told}
        if kind == "next_mix":
            return self._shown.next_mix(request)
        if kind == "words":
            return self._words(request)
        if kind == "explain":
            return self._explain(request)
        if kind == "reload":
            self._load()
            return {"model": self._model}
        if kind == "warm":
            return self._warm()
        raise EngineError(
            f"The engine cannot do {kind!r}: ask for predict, views, next_mix, words, explain, reload or warm."
        )

    def _load(self) -> None:
        model = serving_model(self._project)
        self._model = None if model is None else model.id
        self._model_folder = None if model is None else model.folder
        self._student: Predictor | None = None
        self._predictor = None if model is None else Predictor.load(model.folder, self._device)

    def _warm(self) -> dict[str, Any]:
        """Read a black film, so that the first real question does not wait for what libraries do only once."""
        if self._predictor is not None:
            self._predictor.probability(np.zeros((64, 64), np.float32), "")
        return {"model": self._model}

    def _predict(self, request: dict[str, Any]) -> dict[str, Any]:
        if self._predictor is None:
            raise EngineError(NO_TEACHER)
        image, text = self._image(text_in(request, "case")), text_in(request, "description")
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
        image = self._image(text_in(request, "case"))
        text, layers = text_in(request, "description"), request.get("layers")
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

    def _words(self, request: dict[str, Any]) -> dict[str, Any]:
        """How many words the teacher's network reads of a description; null where it reads all, or none ever."""
        text = text_in(request, "description")
        known = None if self._predictor is None else self._predictor.network.words
        return {"read": None if known is None else words_read(known, text)}

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
