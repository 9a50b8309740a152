"""The supervised step: the student learns from the labeled pool alone. Also the burn-in of other methods."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from training.config import MethodConfig, RunConfig
from training.engine.films import Films, StudentFilms
from training.engine.inputs import labeled_student_films, weak_views
from training.engine.networks import Output, Segment
from training.engine.objectives import itcl_loss, segmentation_loss, zone_loss, zone_similarity
from training.engine.pieces import cuts, piece_of, share
from training.engine.transfer import to_device
from training.engine.views import standardize
from training.engine.words import zones_of_texts
from training.report.zones import Convention


@dataclass(frozen=True)
class StepLoss:
    """The loss of a step or of a piece of one, to be minimized, and its parts, to be told.

    The losses and parts of a step's pieces add up to the step's. Parts are scalars, and stay on the device until the
    whole step is computed: each number fetched on the way would let a GPU wait.
    """

    total: Tensor
    parts: dict[str, Tensor | float] = field(default_factory=dict)

    def times(self, share: float) -> StepLoss:
        """The same with this weight."""
        if share == 1:
            return self
        return StepLoss(share * self.total, {name: share * v for name, v in self.parts.items()})


def supervised_pieces(
    student: Segment, labeled: Films, config: RunConfig, convention: Convention, pieces: int = 1
) -> Iterator[StepLoss]:
    """One supervised step: L = L_seg + lambda * L_itcl + lambda * L_zones on labeled films.

    Parameters
    ----------
    pieces : int
        How many losses to yield; each must be done with before the next is asked for.
    """
    films = labeled_student_films(weak_views(labeled, config.views), config.views, convention)
    for (part,) in cuts((len(films.texts),), pieces):
        if part.stop > part.start:
            few = piece_of(films, part)
            output = student(standardize(few.images), few.texts)
            yield labeled_loss(output, few, config.method).times(share(part, len(films.texts)))


def labeled_loss(output: Output, films: StudentFilms, method: MethodConfig) -> StepLoss:
    """The labeled part of any method's loss."""
    total = segmentation_loss(output.logits, films.targets, method.dice_only)
    parts: dict[str, Tensor | float] = {"loss_labeled": total.detach()}
    if method.lambda_labeled_itcl:
        contrast = text_contrast(output, films.full_texts, method)
        total = total + method.lambda_labeled_itcl * contrast
        parts["loss_itcl"] = contrast.detach()
    if method.lambda_zones:
        total = total + method.lambda_zones * read_back(output, films)
    return StepLoss(total, parts)


def text_contrast(output: Output, texts: Sequence[str], method: MethodConfig) -> Tensor:
    """ITCL of a batch by the zones of its unaugmented words, a scalar."""
    device = output.logits.device
    zones, known = (to_device(each, device) for each in zones_of_texts(texts))
    similarity = zone_similarity(zones, known)
    if method.itcl_targets == "identity":
        similarity = torch.zeros_like(similarity)
    vectors = output.image_vector, output.text_vector
    return itcl_loss(*vectors, similarity, known, method.itcl_temperature)


def read_back(output: Output, films: StudentFilms) -> Tensor:
    """The loss of reading zones, a scalar, over films of which the student saw all of the words."""
    zones, known = zones_of_texts(films.full_texts)
    whole = [text == full for text, full in zip(films.texts, films.full_texts, strict=True)]
    known = known & torch.tensor(whole)
    device = output.logits.device
    return zone_loss(output.zone_logits, to_device(zones, device), to_device(known, device))
