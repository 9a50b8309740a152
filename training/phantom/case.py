"""One phantom case from its key: who the patient is, what is drawn, what is said."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from training.errors import ConfigError
from training.phantom.anatomy import grow_body
from training.phantom.canvas import Floats, Pose, blur, draw
from training.phantom.config import PhantomConfig
from training.phantom.film import expose, set_up
from training.phantom.lesions import Lesion, draw_lesions, find_room, grow_lesion, runs
from training.phantom.skeleton import Skeleton, grow_skeleton
from training.phantom.tissue import Tissue, soft_tissue, zone_map
from training.phantom.words import describe, named_zones
from training.report import ZONES

Mask = NDArray[np.uint8]


class Stream(IntEnum):
    """Independent random streams, so that one knob never disturbs what another draws."""

    PAIR = 0
    BODY = 1
    LESIONS = 2
    DISTRACTORS = 3
    WORDS = 4
    EXPOSURE = 5
    GRAIN = 6


@dataclass(frozen=True)
class PhantomCase:
    """One synthetic film and all that is known about it.

    ``image`` (H, W) uint8; ``mask`` and ``distractors`` (H, W) uint8, 0 or 1; ``zone_map``
    (H, W) uint8, 1 to 6 for the zones Lu Lm Ll Ru Rm Rl of the *picture*, 0 outside the lungs;
    ``zones`` are the true zones in the configured laterality, whatever ``description`` says, and
    ``distractor_zones`` those of the lesions that nobody mentions.
    """

    name: str
    patient: str
    image: Mask
    mask: Mask
    distractors: Mask
    zone_map: Mask
    description: str
    zones: frozenset[str]
    distractor_zones: frozenset[str]

    @property
    def lungs(self) -> Mask:
        """The lung field, (H, W) uint8, 0 or 1."""
        return (self.zone_map > 0).astype(np.uint8)


def make_case(config: PhantomConfig, seed: int, index: int) -> PhantomCase:
    """Make case ``index`` of the phantom ``seed``; the same key gives the same bytes.

    The case does not depend on which others are made, nor on their order or process. Films of
    other sizes under the same key show the same patient and lesions with other grain.

    Parameters
    ----------
    config : PhantomConfig
    seed, index : int
        The key, each 0 or more.

    Returns
    -------
    PhantomCase

    Raises
    ------
    ConfigError
        If ``seed`` or ``index`` is negative.
    """
    if min(seed, index) < 0:
        raise ConfigError(
            f"A phantom cannot have seed {seed} and case number {index}: give 0 or more for both."
        )

    def stream(kind: Stream, key: int) -> np.random.Generator:
        return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(kind, key)))

    patient, moment = _kinship(config, stream(Stream.PAIR, index // 2), index)
    patient_rng = stream(Stream.BODY, patient)
    body = grow_body(patient_rng)
    skeleton = grow_skeleton(patient_rng, body)
    rng = stream(Stream.LESIONS, moment)
    zones = _choose_zones(config, rng)
    centers = find_room(rng, body)
    lesions = [grow_lesion(rng, run, centers, config.contrast) for run in runs(zones)]
    others, decoys = _distract(config, stream(Stream.DISTRACTORS, moment), centers, zones)
    exposure = set_up(stream(Stream.EXPOSURE, index), config.shift)
    x, y = exposure.pose.body_coordinates(config.size)
    tissue = soft_tissue(body, x, y)
    true, false = (
        draw_lesions(group, body, exposure.pose, x, y, tissue.lung_field)
        for group in (lesions, decoys)
    )
    attenuation = _attenuate(tissue, skeleton, exposure.pose) + true.glow + false.glow
    named, unnamed = (
        named_zones(frozenset(ZONES[zone] for zone in group), config.laterality)
        for group in (zones, others)
    )
    return PhantomCase(
        name=f"phantom_{index:05d}",
        patient=f"patient_{patient:05d}",
        image=expose(exposure, attenuation, stream(Stream.GRAIN, index)),
        mask=true.mask.astype(np.uint8),
        distractors=false.mask.astype(np.uint8),
        zone_map=zone_map(body, x, y, tissue.lung_field),
        description=describe(named, config.wrong_words, stream(Stream.WORDS, moment)),
        zones=named,
        distractor_zones=unnamed,
    )


def _kinship(config: PhantomConfig, rng: np.random.Generator, index: int) -> tuple[int, int]:
    """Return the first cases that share this one's patient and this one's moment."""
    near = rng.random() < config.near_duplicates
    # The share is of patients; each pair holds one patient with two films or two with one.
    same = rng.random() < 2 * config.two_films / (1 + config.two_films)
    first = index - index % 2
    return (first if near or same else index), (first if near else index)


def _choose_zones(config: PhantomConfig, rng: np.random.Generator) -> list[int]:
    if rng.random() < config.negatives:
        return []
    counts = np.array(config.zones_per_case) / sum(config.zones_per_case)
    prior = np.array(config.zone_prior) / sum(config.zone_prior)
    count = int(rng.choice(len(counts), p=counts)) + 1
    return sorted(int(zone) for zone in rng.choice(len(prior), count, replace=False, p=prior))


def _distract(
    config: PhantomConfig, rng: np.random.Generator, centers: NDArray[np.float64], zones: list[int]
) -> tuple[list[int], list[Lesion]]:
    """Lesions that nobody mentions, and their zones; a film described as clear has none."""
    if not zones or rng.random() >= config.distractor_probability:
        return [], []
    free = [zone for zone in range(len(ZONES)) if zone not in zones]
    count = min(int(rng.integers(1, 3)), len(free))
    chosen = [int(zone) for zone in rng.choice(free, count, replace=False)]
    return chosen, [grow_lesion(rng, run, centers, config.contrast) for run in runs(chosen)]


def _attenuate(tissue: Tissue, skeleton: Skeleton, pose: Pose) -> Floats:
    """Add up what the rays cross: soft tissue less air, vessels in it, bones over it."""
    size = tissue.air.shape[0]
    ribs, girdle, spine, airway, vessels = (
        draw(strokes, pose, size)
        for strokes in (
            skeleton.ribs,
            skeleton.girdle,
            skeleton.spine,
            skeleton.airway,
            skeleton.vessels,
        )
    )
    picture = tissue.attenuation - np.float32(0.44) * tissue.air
    picture += np.float32(0.10) * tissue.air * np.minimum(vessels, 1.4)
    picture += (np.float32(0.026) + np.float32(0.062) * tissue.air) * ribs
    picture += np.float32(0.11) * girdle
    picture += blur(np.float32(0.04) * spine - np.float32(0.11) * airway, 0.0035)
    return picture
