"""A film as a point, from its pixels alone: no network, so that there is something to go by before the first round."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.fft import dctn

SIDE = 32
WAVES = 8  # lowest frequencies kept in each direction
AT_ONCE = 4096  # points whose distances are held in memory together
# Cosine from which two films count as one moment shown twice. Of QaTa's 1,900 films here 8 pairs reach it, each one the
# same film twice to the eye, as are 4 more down to 0.9817; the first pair of two patients has 0.9814.
SAME_FILM = 0.985


def film_point(image: NDArray[np.number]) -> NDArray[np.float32]:
    """The lowest frequencies of a film but its mean brightness, as a vector of length 1.

    On films of one kind these are close to the leading principal components, and unlike them do not change when
    films are added to the pool.

    Parameters
    ----------
    image : (H, W) array of any numbers

    Returns
    -------
    (63,) float32
        Zeros for a film of one brightness.
    """
    picture = Image.fromarray(np.ascontiguousarray(image, np.float32))
    small = np.asarray(picture.resize((SIDE, SIDE), Image.Resampling.BOX))
    return unit(dctn(small, norm="ortho")[:WAVES, :WAVES].ravel()[1:])


def unit(points: NDArray[np.number]) -> NDArray[np.float32]:
    """Vectors ``(..., D)`` brought to length 1; zeros stay zeros."""
    length = np.linalg.norm(points, axis=-1, keepdims=True)
    whole: NDArray[np.float32] = (points / np.maximum(length, 1e-9)).astype(np.float32)
    return whole


def nearest_squared(
    points: NDArray[np.float32], others: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Squared distance of every point ``(N, D)`` to the nearest of the others ``(M, D)``, M >= 1."""
    squares = (others**2).sum(1)
    found = [
        ((part**2).sum(1)[:, None] + squares - 2 * part @ others.T).min(1)
        for part in (points[start : start + AT_ONCE] for start in range(0, len(points), AT_ONCE))
    ]
    return np.maximum(np.concatenate(found), 0) if found else np.zeros(0, np.float32)
