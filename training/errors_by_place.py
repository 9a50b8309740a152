"""Where masks err: how far outlines lie apart, and how much of each zone's lesions is found. No network."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_erosion, distance_transform_edt

from training.report.finding import ZONES
from training.report.zones import THIRDS, Convention, zone_boxes


def hausdorff95(prediction: NDArray[Any], reference: NDArray[Any]) -> float:
    """95th percentile of the symmetric surface distance, in pixels.

    Parameters
    ----------
    prediction, reference : ndarray, shape (H, W)
        Nonzero is foreground.

    Returns
    -------
    float
        0 if both masks are empty, infinity if only one is.
    """
    predicted, true = np.asarray(prediction, bool), np.asarray(reference, bool)
    if not predicted.any() or not true.any():
        return 0.0 if predicted.any() == true.any() else float("inf")
    here, there = _surface(predicted), _surface(true)
    distances = np.concatenate(
        [distance_transform_edt(~there)[here], distance_transform_edt(~here)[there]]
    )
    return float(np.percentile(distances, 95))


@dataclass
class PlaceErrors:
    """Collects predictions and references of a set, image by image.

    Attributes
    ----------
    convention : {"image", "patient"}
        Whose left the zones' left is.
    """

    convention: Convention
    _distances: list[float] = field(default_factory=list)
    _found: dict[str, list[int]] = field(
        default_factory=lambda: {zone: [0, 0, 0] for zone in ZONES}
    )

    def add(self, prediction: NDArray[Any], reference: NDArray[Any]) -> None:
        """Take in one image: two masks of shape (H, W), nonzero where there is a finding."""
        if np.any(prediction) or np.any(reference):
            self._distances.append(hausdorff95(prediction, reference))
        boxes = zone_boxes(reference.shape, THIRDS, self.convention)
        for zone, (y0, x0, y1, x1) in boxes.items():
            true = np.asarray(reference[y0:y1, x0:x1], bool)
            if true.any():
                both = int(np.count_nonzero(true & np.asarray(prediction[y0:y1, x0:x1], bool)))
                counts = self._found[zone]
                self._found[zone] = [counts[0] + both, counts[1] + int(true.sum()), counts[2] + 1]

    def summary(self) -> dict[str, Any]:
        """The set in numbers.

        Returns
        -------
        dict
            ``hd95_median``: pixels, over the images in which both masks have a finding, None without any;
            ``hd95_images``: how many those are; ``one_empty``: images in which only one mask is empty;
            ``zone_recall``: zone to ``[share of its lesion pixels that were found, images]`` (thirds of the image's
            height), without the zones that have none.
        """
        finite = [each for each in self._distances if np.isfinite(each)]
        recall = {
            zone: [round(found / true, 4), images]
            for zone, (found, true, images) in self._found.items()
            if images
        }
        return {
            "hd95_median": round(float(np.median(finite)), 2) if finite else None,
            "hd95_images": len(finite),
            "one_empty": len(self._distances) - len(finite),
            "zone_recall": recall,
        }


def _surface(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    surface: NDArray[np.bool_] = mask & ~binary_erosion(mask)
    return surface
