"""A teacher's answer to one film and its words, and on request what the student says of it, and what the teacher says
without the words or with their sides exchanged. No requests and no files but a model's."""

from __future__ import annotations

from collections.abc import Callable, Collection

import numpy as np
import torch
from numpy.typing import NDArray

from training.engine.data import shrink_image
from training.engine.predict import Predictor, entropy
from training.errors import EngineError
from training.report.swap import swap_sides

STUDENT, WORDLESS, MIRRORED = ALSO = ("student", "wordless", "mirrored")


def propose(
    teacher: Predictor,
    student: Callable[[], Predictor],
    image: NDArray[np.float32],
    description: str,
    also: Collection[str] = (),
) -> dict[str, NDArray[np.float32]]:
    """Probabilities of one film, at the network's resolution.

    Parameters
    ----------
    student : callable
        Gives the student; called only if it is asked for.
    image : (H, W) float32 in [0, 1]
    also : collection of str
        Among ``student``, ``wordless`` and ``mirrored``; each costs another pass of a network.

    Returns
    -------
    dict of (S, S) float32
        ``probability`` in [0, 1] and ``entropy`` in nats, and the probability of each in ``also`` by its name.

    Raises
    ------
    EngineError
        If ``also`` names something else.
    """
    for name in also:
        if name not in ALSO:
            raise EngineError(f"A prediction brings no {name!r}: ask for {', '.join(ALSO)}.")
    texts = {"probability": description}
    if WORDLESS in also:
        texts[WORDLESS] = ""
    if MIRRORED in also:
        texts[MIRRORED] = swap_sides(description).text
    small = torch.from_numpy(shrink_image(image, teacher.network.config.image_size))[None]
    said = teacher.batch(small.expand(len(texts), -1, -1), tuple(texts.values()))
    arrays = dict(zip(texts, said, strict=True))
    if STUDENT in also:
        arrays[STUDENT] = student().batch(small, (description,))[0]
    return {**arrays, "entropy": entropy(arrays["probability"])}
