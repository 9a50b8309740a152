"""The gate: whether a new teacher may serve proposals. Sees only pixel counts of the holdout's ``gate`` half."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.metrics import Overlap

RESAMPLES = 2000
MARGIN = 0.02  # Loss of Dice that counts as no loss; larger ones must be improbable.
SURE = 0.8  # Share of resamples in which the loss must stay within the margin.
GLOBAL_MARGIN = 0.05  # Loss of Dice over all pixels that the mean over images must not hide.
EMPTIED = 0.1  # Share of films with a lesion on which falling silent anew is too much.
WORDS_MARGIN = 0.1  # Loss of overlap with the named zones that passes where there is no holdout.
UNREADABLE = 0.1  # Share of the half that may be without a measurement, whoever measures.


@dataclass(frozen=True)
class GateDecision:
    """Whether the new teacher is promoted.

    Attributes
    ----------
    difference : float
        Mean over the compared cases of new minus serving Dice, in [-1, 1].
    confidence : float or None
        Share of bootstrap resamples of the cases in which the new teacher is no worse by more than `MARGIN`; None
        where there was nothing to compare.
    sentence : str
        The decision in words.
    cases : int
        How many cases were compared.
    """

    promote: bool
    difference: float
    confidence: float | None
    sentence: str
    cases: int = 0


def decide(
    serving: Mapping[str, Overlap] | None,
    new: Mapping[str, Overlap],
    wanted: Collection[str] | None = None,
) -> GateDecision:
    """Compare two teachers on the same cases (paired bootstrap over cases).

    The new one is promoted if its mean Dice is no lower than the serving one's, the bootstrap makes a loss of more than
    `MARGIN` improbable (less than 1 - `SURE`), and neither the Dice over all pixels nor its silence tells otherwise.

    Parameters
    ----------
    serving, new : mapping of case id to pixel counts
        ``serving`` is None when no teacher serves yet.
    wanted : collection of str, optional
        The whole half; all cases of either teacher if left out.
    """
    half = set(wanted) if wanted is not None else set(serving or ()) | set(new)
    if not half:
        return decide_by_words(None if serving is None else np.zeros(0), np.zeros(0))
    trouble = _incomplete(serving, new, half) or _silent(serving, new)
    if trouble:
        return GateDecision(False, 0.0, None, f"Refused: {trouble}")
    if serving is None:
        return GateDecision(True, 0.0, None, _first(new), len(new))
    common = sorted(half & set(serving) & set(new))
    return _compare([serving[case] for case in common], [new[case] for case in common])


def decide_by_words(serving: NDArray[np.float64] | None, new: NDArray[np.float64]) -> GateDecision:
    """What can be decided without a holdout: whether pseudo-masks keep to the zones that the words name.

    Parameters
    ----------
    serving, new : (n,) float64 in [0, 1]
        For the same films, intersection over union of the zones that the pseudo-mask touches and those that the words
        name. ``serving`` is None when no teacher serves yet; both are empty where nothing could be looked at.
    """
    plea = "accept masks of holdout cases, or import some, so that the gate can measure"
    if serving is None:
        sentence = (
            f"Promoted: it is the first teacher; there is no holdout to measure it on: {plea}."
        )
        return GateDecision(True, 0.0, None, sentence)
    if len(new) == 0:
        sentence = (
            f"Promoted unmeasured: there is no holdout and no pseudo-mask to look at: {plea}."
        )
        return GateDecision(True, 0.0, None, sentence)
    change = float(new.mean() - serving.mean())
    told = (
        f"by the words alone, since there is no holdout: the zones of pseudo-masks and of words overlap by "
        f"{new.mean():.2f}, with the serving teacher by {serving.mean():.2f} ({len(new)} films); {plea}"
    )
    kept = change >= -WORDS_MARGIN
    return GateDecision(kept, 0.0, None, f"{'Promoted' if kept else 'Refused'} {told}.")


def _incomplete(
    serving: Mapping[str, Overlap] | None, new: Mapping[str, Overlap], half: set[str]
) -> str:
    """Why the cases at hand are no fair sample of the half; empty if they are."""
    hidden = sorted(half & set(serving or ()) - set(new))
    if hidden:
        return (
            f"it was not measured on {len(hidden)} of {len(half)} holdout cases ({hidden[0]} for one) "
            "that the serving teacher was measured on; resume the round, or start it again."
        )
    measured = half & set(new) if serving is None else half & set(new) & set(serving)
    missing = sorted(half - measured)
    if len(missing) > UNREADABLE * len(half):
        return (
            f"{len(missing)} of {len(half)} holdout cases could not be measured ({missing[0]} for one); "
            "run `semimedref audit` to see what is wrong with them."
        )
    return ""


def _silent(serving: Mapping[str, Overlap] | None, new: Mapping[str, Overlap]) -> str:
    """Whether it fell silent on films with a lesion; empty if it did not."""
    lesions = [case for case, each in new.items() if _has_lesion(each)]
    mute, known = {case for case in lesions if _says_nothing(new[case])}, serving or {}
    anew = [case for case in mute if case in known and not _says_nothing(known[case])]
    back = [c for c in lesions if c in known and c not in mute and _says_nothing(known[c])]
    if len(anew) - len(back) > max(1, EMPTIED * len(lesions)):
        return (
            f"it marks nothing on {len(anew)} of {len(lesions)} holdout films that have a lesion "
            "and on which the serving teacher marks something."
        )
    return ""


def _has_lesion(counts: Overlap) -> bool:
    return counts.true_positive + counts.false_negative > 0


def _says_nothing(counts: Overlap) -> bool:
    return counts.true_positive + counts.false_positive == 0


def _first(new: Mapping[str, Overlap]) -> str:
    mean = float(np.mean([each.dice for each in new.values()]))
    told = f"Promoted: it is the first teacher, Dice {mean:.2f} on {len(new)} holdout cases"
    if all(_says_nothing(each) for each in new.values() if _has_lesion(each)):
        told += "; it marks nothing yet on films with a lesion, so that masks have to be drawn"
    return f"{told}."


def _compare(serving: list[Overlap], new: list[Overlap]) -> GateDecision:
    differences = np.array([n.dice - s.dice for s, n in zip(serving, new, strict=True)])
    count = len(differences)
    confidence = float((resampled(differences) >= -MARGIN).mean())
    difference = float(differences.mean())
    overall = _pixels(new).dice - _pixels(serving).dice
    told = (
        f"{100 * difference:+.1f} Dice points on {count} holdout cases, {_sure(confidence)} sure that it "
        f"loses no more than {100 * MARGIN:.0f}"
    )
    if difference < 0:
        verdict = (False, f"Refused: worse than the serving teacher, {told}.")
    elif confidence < SURE:
        verdict = (False, f"Refused: too uncertain whether it is no worse, {told}.")
    elif overall < -GLOBAL_MARGIN:
        worse = f"but {100 * overall:+.1f} over all their pixels: it loses the large lesions"
        verdict = (False, f"Refused: {told}, {worse}.")
    else:
        verdict = (True, f"Promoted: no worse than the serving teacher, {told}.")
    return GateDecision(verdict[0], difference, confidence, verdict[1], count)


def _sure(confidence: float) -> str:
    """A share of resamples in words: all of them are no certainty."""
    return "over 99%" if confidence > 0.99 else f"{confidence:.0%}"


def _pixels(counts: list[Overlap]) -> Overlap:
    return sum(counts, Overlap(0, 0, 0))


def resampled(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Means of `RESAMPLES` bootstrap resamples of ``(n,)`` values; the same values have the same resamples."""
    draws = np.random.default_rng(0).integers(len(values), size=(RESAMPLES, len(values)))
    means: NDArray[np.float64] = values[draws].mean(axis=1)
    return means
